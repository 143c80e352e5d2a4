/** The review of a cell as people read it: one screen, the worst first. Formatting only. */
import pc from 'picocolors';
import type { PropertyChange, ResourceChange } from '../review/changes.ts';
import type { Review, StackReview } from '../review/review.ts';
import { colourState } from './colour.ts';
import { dollars } from './cost.ts';
import { wrap } from './words.ts';

/** Columns that a line may take. */
const WIDTH = 100;
const INDENT = 13;
/** Changes that are listed one by one, of all groups together. */
const LISTED = 8;
/** What holds data or a name and changes in place is listed in any case, up to so many. */
const LISTED_STATEFUL = 3;
/** Properties of a resource that are named. */
const NAMED = 2;
const LISTED_LOSSES = 3;
const LISTED_RISKS = 6;
/** Lines that one item of a list may take; what is longer is cut, and --json has all of it. */
const ITEM_LINES = 3;

type Paint = (text: string) => string;
const plain: Paint = (text) => text;

/** A heading on the left, text on the right; painted after it is wrapped, because colours have no width. */
function block(heading: string, text: string, paint: Paint = plain): string[] {
  return wrap(text, WIDTH - INDENT).map((line, index) => `${pc.bold((index === 0 ? heading : '').padEnd(INDENT))}${paint(line)}`);
}

/** The same for several texts, each behind a mark. */
function list(heading: string, texts: readonly string[], mark: string, paint: Paint = plain): string[] {
  return texts.flatMap((text, number) => {
    const lines = wrap(text, WIDTH - INDENT - mark.length - 2);
    const shown = lines.slice(0, ITEM_LINES);
    if (lines.length > ITEM_LINES) shown[ITEM_LINES - 1] += '…';
    return shown.map((line, index) => {
      const left = pc.bold((number === 0 && index === 0 ? heading : '').padEnd(INDENT));
      return `${left}${paint(`${index === 0 ? mark : ' '.repeat(mark.length)} ${line}`)}`;
    });
  });
}

/** The first `most` of `texts`, and how many more there are. */
const atMost = (texts: readonly string[], most: number): readonly string[] =>
  texts.length <= most ? texts : [...texts.slice(0, most), `and ${texts.length - most} more; --json shows all`];

/** `AWS::EC2::VPCEndpoint` as `VPC endpoint`. What has no type belongs to the template as a whole. */
function words(type: string): string {
  if (type === '') return 'template setting';
  const name = type.split('::').at(-1) ?? type;
  const parts = name.match(/[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|[a-z0-9]+/g) ?? [name];
  return parts.map((part) => (/^[A-Z]{2,}$/.test(part) ? part : part.toLowerCase())).join(' ');
}

const plural = (word: string, count: number) => {
  if (count === 1) return word;
  return /[^aeiou]y$/.test(word) ? `${word.slice(0, -1)}ies` : /(s|x|ch|sh)$/.test(word) ? `${word}es` : `${word}s`;
};

/** `13 alarms, 8 VPC endpoints, …`, the most frequent first. */
export function countByType(changes: readonly Pick<ResourceChange, 'type'>[]): string {
  const counts = new Map<string, number>();
  for (const { type } of changes) counts.set(words(type), (counts.get(words(type)) ?? 0) + 1);
  const sorted = [...counts].sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1));
  const shown = sorted.slice(0, 12).map(([word, count]) => `${count} ${plural(word, count)}`);
  const rest = sorted.slice(12).reduce((sum, [, count]) => sum + count, 0);
  return [...shown, ...(rest > 0 ? [`${rest} others`] : [])].join(', ');
}

const property = ({ name, before, after }: PropertyChange) =>
  before === undefined && after === undefined ? name : `${name} ${before ?? 'none'} → ${after ?? 'none'}`;

function resource({ logicalId, type, change, certain, properties, kept }: ResourceChange): string {
  const what = properties.slice(0, NAMED).map(property).join(', ');
  const more = properties.length > NAMED ? `, and ${properties.length - NAMED} more` : '';
  const because = change === 'replace' ? ` because of ${what}` : what === '' ? '' : `: ${what}`;
  const left = change === 'remove' && kept !== 'nothing' ? (kept === 'all' ? ' (stays, outside of the stack)' : ' (a snapshot stays)') : '';
  return `${logicalId}${type === '' ? '' : ` ${type}`}${certain ? '' : ' may be replaced'}${because}${more}${left}`;
}

const GROUPS = [
  ['replace', 'replaced', '±', pc.magenta],
  ['remove', 'removed', '-', pc.red],
  ['change', 'changed', '~', pc.yellow],
  ['add', 'added', '+', pc.green],
] as const satisfies readonly (readonly [ResourceChange['change'], string, string, Paint])[];

/** Groups that are listed one by one: the smallest, as many as there is room for. The others are counted. */
function groupsToList(groups: readonly (readonly ResourceChange[])[]): ReadonlySet<readonly ResourceChange[]> {
  const listed = new Set<readonly ResourceChange[]>();
  let room = LISTED;
  for (const group of [...groups].sort((a, b) => a.length - b.length)) {
    room -= group.length;
    if (room < 0) break;
    listed.add(group);
  }
  return listed;
}

function stackLines(
  heading: string,
  { name, state, status, changes, missing, stateful }: StackReview,
  lost: ReadonlySet<string>,
): string[] {
  if (state === 'unknown') return block(heading, `${name}: is new, and waits for its account`);
  if (state === 'unchanged') return block(heading, `${name}: nothing changes (${status})`);
  if (state === 'new') return block(heading, `${name}: new, ${changes.length} resources: ${countByType(changes)}`, pc.green);
  // What is lost stands above, in red.
  const groups = GROUPS.map(([kind]) => changes.filter(({ change, logicalId }) => change === kind && !lost.has(logicalId)));
  const listed = groupsToList(groups);
  return [
    ...block(heading, `${name} (${status})`),
    ...list(
      '',
      missing.map((each) => `${each} is missing: somebody has deleted it, and deploy brings it back`),
      '+',
      pc.yellow,
    ),
    ...GROUPS.flatMap(([kind, title, mark, paint], index) => {
      const group = groups[index] ?? [];
      if (group.length === 0) return [];
      if (listed.has(group)) return list('', group.map(resource), mark, paint);
      const first = kind === 'change' ? group.filter(({ logicalId }) => stateful.includes(logicalId)).slice(0, LISTED_STATEFUL) : [];
      const others = group.filter((each) => !first.includes(each));
      return list(
        '',
        [...first.map(resource), `${title} ${others.length}${first.length > 0 ? ' others' : ''}: ${countByType(others)}`],
        mark,
        paint,
      );
    }),
  ];
}

function lossLines(destructive: Review['destructive']): string[] {
  const texts = destructive.map(({ logicalId, type, change, certain, properties, lost, stays }) => {
    const what =
      change === 'remove'
        ? 'removed'
        : `${certain ? '' : 'may be '}replaced because of ${properties.slice(0, NAMED).map(property).join(', ')}`;
    return `${logicalId} ${type}, ${what}. Lost: ${lost}${stays === undefined ? '' : ` (${stays})`}`;
  });
  return list('DESTRUCTIVE', atMost(texts, LISTED_LOSSES), '!', (text) => pc.red(text));
}

function costText({ before, after, items }: Review['cost']): string {
  const of = (item: { what: string; before: number; after: number }) =>
    before === undefined ? `${item.what} ${dollars(item.after)}` : `${item.what} ${dollars(item.before)} → ${dollars(item.after)}`;
  if (before === undefined) return `estimate ${dollars(after)} a month: ${items.map(of).join('; ')}`;
  if (items.length === 0) return `estimate ${dollars(after)} a month, as before`;
  const sign = after >= before ? '+' : '-';
  const total = `estimate ${dollars(before)} → ${dollars(after)} a month (${sign}${dollars(Math.abs(after - before))})`;
  return `${total}: ${items.map(of).join('; ')}`;
}

function alarmText({ count, health, added, removed, thresholds }: Review['alarms'], comparedWith: string | undefined): string {
  const parts = [
    ...thresholds.map(({ id, before, after }) => `${id} ${before.toLocaleString('en')} → ${after.toLocaleString('en')}`),
    ...added.map((id) => `${id} is new`),
    ...removed.map((id) => `${id} goes`),
  ];
  const what = `${count}, of which ${health} make the cell sick`;
  if (comparedWith === undefined) return what;
  return parts.length === 0 ? `${what}, as before` : `${what}: ${parts.join(', ')}`;
}

function title(review: Review): string[] {
  const { cell, stage, size, tier, intent, region, accountId, endpoint, block: network, owner, expiresAt, expired } = review;
  const facts = [stage, size, tier, ...(intent === 'active' ? [] : [intent]), region, accountId ?? 'no account yet'];
  const whose = owner === undefined ? '' : `belongs to ${owner}${expiresAt === undefined ? '' : `, until ${expiresAt}`}`;
  return [
    `${pc.bold(cell.padEnd(INDENT))}${facts.join(' · ')}`,
    `${' '.repeat(INDENT)}${endpoint} · ${network}`,
    ...(whose === '' ? [] : block('', whose)),
    ...(expired === undefined ? [] : block('EXPIRED', expired, pc.red)),
  ];
}

function overrideText({ overrides }: Review): string {
  return (
    overrides.map(({ field, value, instead }) => `${field} ${value} instead of ${instead}`).join(', ') ||
    'none: all as its stage and size say'
  );
}

/** The lines of a review, each at most 100 columns wide without its colours. */
export function reviewLines(review: Review): string[] {
  const { comparedWith, stacks, destructive, refused, risks, differences, elsewhere, steps } = review;
  const lost = new Set(destructive.map(({ logicalId }) => logicalId));
  const others =
    elsewhere === 0 ? [] : ['', pc.dim(`${elsewhere} more difference${elsewhere === 1 ? '' : 's'} outside of the cell: cellctl plan`)];
  if (differences.length === 0) {
    return [
      ...title(review),
      ...block('Overrides', overrideText(review)),
      ...block('Changes', 'nothing differs: the cell is as the registry says', pc.green),
      ...block('Cost', costText({ ...review.cost, items: [], before: review.cost.after })),
      ...list(
        'Risks',
        risks.map(({ message }) => message),
        '!',
        pc.yellow,
      ),
      ...others,
    ];
  }
  // What the cell's stacks don't say: its account, its end, the published registry.
  const rest = differences
    .filter(({ kind }) => kind !== 'stack')
    .map(({ name, change, detail }) => `${name} ${colourState(change)}: ${detail}`);
  return [
    ...title(review),
    '',
    ...block('Overrides', overrideText(review)),
    '',
    ...lossLines(destructive),
    ...list(
      'REFUSED',
      refused.map(({ path, message, fix }) => `${path}: ${message}; ${fix}`),
      '!',
      pc.red,
    ),
    ...stacks.flatMap((stack, index) => stackLines(index === 0 ? 'Changes' : '', stack, lost)),
    ...list(stacks.length === 0 ? 'Changes' : '', rest, '·'),
    '',
    ...block('Cost', costText(review.cost)),
    ...block('', review.cost.source, pc.dim),
    ...block('Alarms', alarmText(review.alarms, comparedWith)),
    ...block(
      '',
      comparedWith === undefined ? 'nothing to compare with: the cell is new' : `cost and alarms are compared with ${comparedWith}`,
      pc.dim,
    ),
    '',
    ...(risks.length === 0
      ? block('Risks', 'nothing found by the rules that look for it')
      : list(
          'Risks',
          atMost(
            risks.map(({ message }) => message),
            LISTED_RISKS,
          ),
          '!',
          pc.yellow,
        )),
    '',
    ...list(
      'Run',
      steps.map(({ command, remark }) => (remark === undefined ? command : `${command}   # ${remark}`)),
      '$',
    ),
    ...others,
  ];
}
