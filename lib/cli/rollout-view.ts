/** Rollouts as text: how one is, what there has been. At most as wide as the terminal; pure, the time comes in. */
import pc from 'picocolors';
import type { CellCounts, CellPicture, Picture, Summary, WavePicture } from '../rollout/picture.ts';
import { colourState } from './colour.ts';
import { tableText } from './output.ts';
import type { Fact } from './watch.ts';
import { clock, cut, indented, many, percent, ROWS, some, span, wrap } from './words.ts';

/** Columns of a name in a terminal that is narrow, and the width from which on it is not. */
const [SHORT_NAME, WIDE] = [20, 100];

/** A table in which what there is to say of a row stands below it, set in. */
function notedTable(
  head: readonly string[],
  rows: readonly { readonly cells: readonly string[]; readonly notes: readonly string[] }[],
  width: number,
) {
  const [first = '', ...lines] = tableText(
    head,
    rows.map(({ cells }) => cells),
  ).split('\n');
  return [first, ...lines.flatMap((line, index) => [line, ...(rows[index]?.notes ?? []).flatMap((note) => indented(note, width, 4))])];
}

const nameIn = (name: string, width: number): string => (width < WIDE ? cut(name, SHORT_NAME) : name);

/** What is not as it should be in a wave, or under way; undefined where nothing is. */
function exceptionsText({ moving, failed, restored, notRestored, skipped }: CellCounts): string | undefined {
  const parts = [
    moving > 0 ? `${moving} under way` : '',
    failed > 0 ? `${failed} failed` : '',
    skipped > 0 ? `${skipped} skipped` : '',
    restored > 0 ? `${restored} rolled back` : '',
    notRestored > 0 ? `${notRestored} not rolled back` : '',
  ].filter(Boolean);
  return parts.length === 0 ? undefined : parts.join(', ');
}

const doneText = ({ deployed, total }: CellCounts): string => `${deployed}/${total}`;
const countsText = (counts: CellCounts): string =>
  [doneText(counts), exceptionsText(counts)].filter((part) => part !== undefined).join(', ');

const until = (iso: string, now: Date): string => span((Date.parse(iso) - now.getTime()) / 1_000);

/** What there is to say of a wave now. */
function waveText({ status, bake, sentence, forecast, cells }: WavePicture, now: Date): string | undefined {
  if (bake) {
    const left = Date.parse(bake.until) > now.getTime() ? `bakes for ${until(bake.until, now)} more` : 'looks whether the bake is over';
    return [left, bake.extended && sentence].filter(Boolean).join('; ');
  }
  if (sentence !== undefined) return sentence;
  if (status === 'pending' && cells.total === 0) return 'no cell: passes at once';
  if (status !== 'pending' || !forecast) return undefined;
  if (forecast.begins === undefined) return 'its calendars have no hour in common';
  return `begins in about ${until(forecast.begins, now)}`;
}

const secondsOf = ({ startedAt, endedAt }: Pick<Summary, 'startedAt' | 'endedAt'>, now: Date): number =>
  ((endedAt === undefined ? now.getTime() : Date.parse(endedAt)) - Date.parse(startedAt)) / 1_000;

/** How long, by whom, and why it is where it is. */
function aboutText({ by, startedAt, endedAt, sentence }: Summary, now: Date): string {
  const time = `${endedAt === undefined ? 'for' : 'took'} ${span(secondsOf({ startedAt, endedAt }, now))}`;
  return [`${time}, by ${by}`, sentence].filter((part) => part !== undefined).join(': ');
}

/** What fell sick after the success. */
function afterwardsText({ afterwards }: Summary): string | undefined {
  const [first] = afterwards?.sick ?? [];
  if (!afterwards || !first) return undefined;
  return `${many(afterwards.sick.length, 'cell')} fell sick after the success: ${first.sentence}`;
}

/** State and name, who, since when, what is exposed, what was asked for, and what can be done. */
function headerLines(picture: Picture, now: Date, width: number): string[] {
  const { id, component, version, revision, status, alive, timeScale, emergency, cures, reason, asked, waves, exposure } = picture;
  const scale = [
    timeScale === 1 ? '' : `, time scale ${timeScale}`,
    emergency ? ', waves of an emergency' : '',
    cures.length === 0 ? '' : `, cures ${some(cures)}`,
  ].join('');
  const sum = (count: (cells: CellCounts) => number) => waves.reduce((all, { cells }) => all + count(cells), 0);
  const having = sum(({ deployed, moving, notRestored }) => deployed + moving + notRestored);
  const pinned = `since ${clock(picture.startedAt)}, revision ${revision}${scale}${reason === undefined ? '' : `: ${reason}`}`;
  const sick = afterwardsText(picture);
  const painted = (paint: (text: string) => string, text: string) => indented(text, width).map(paint);
  return [
    `${pc.bold(id)}  ${component} ${version}  ${colourState(alive ? status : 'dead')}`,
    ...indented(aboutText(picture, now), width),
    ...painted(pc.dim, pinned),
    ...indented(
      `${having} of ${many(
        sum(({ total }) => total),
        'cell',
      )} have it, or may: ${percent(exposure.now)} of the traffic`,
      width,
    ),
    ...asked.flatMap((each) => painted(pc.yellow, each)),
    ...verdictTexts(picture.verdicts).flatMap((text) => indented(text, width)),
    ...(sick === undefined ? [] : painted(pc.red, sick)),
    ...nextLines(picture),
  ];
}

/** Commands are never broken: they are there to be copied. */
const nextLines = ({ next }: Summary): string[] => next.map((command, index) => `  ${index === 0 ? 'next:' : 'or:  '} ${command}`);

const VERDICTS = { blip: 'blip', blame: 'rolled back', alone: 'rolled back alone', ask: 'undecided', stop: 'stopped' } as const;

/** What alarms were taken for: blips by their number, the newest of the rest with its numbers. */
function verdictTexts(verdicts: Picture['verdicts']): string[] {
  const blips = verdicts.filter(({ verdict }) => verdict === 'blip');
  const last = verdicts.findLast(({ verdict }) => verdict !== 'blip');
  const numbers = last?.numbers;
  const chance = numbers ? ` (${numbers.sick} of ${numbers.of} sick, ${numbers.expected.toFixed(1)} expected by chance)` : '';
  return [
    ...(blips.length === 0 ? [] : [`${many(blips.length, 'alarm')} cleared by itself, last ${blips.at(-1)?.sentence ?? ''}`]),
    ...(last ? [`verdict: ${VERDICTS[last.verdict]}${chance}: ${last.sentence}`] : []),
  ];
}

/** The rollout, a line for each wave. @param width columns of the terminal */
export function pictureLines(picture: Picture, now: Date, width: number): string[] {
  const { waves, leftOut, ends, halted } = picture;
  const table = notedTable(
    ['WAVE', 'STATE', 'CELLS', 'TRAFFIC'],
    waves.map((wave) => ({
      cells: [
        `${wave.number} ${nameIn(wave.name, width)}`,
        colourState(wave.status),
        doneText(wave.cells),
        // What it brings, of a wave that has brought nothing yet.
        wave.status === 'pending' ? pc.dim(`to ${percent(wave.exposure.planned)}`) : percent(wave.exposure.now),
      ],
      notes: [exceptionsText(wave.cells), waveText(wave, now)].filter((note) => note !== undefined),
    })),
    width,
  );
  return [
    ...headerLines(picture, now, width),
    '',
    ...table,
    ...(leftOut === 0 ? [] : [`left out: ${many(leftOut, 'cell')}`]),
    ...(halted || ends === undefined ? [] : wrap(`done in about ${until(ends, now)}, ${clock(ends)}`, width)),
  ];
}

/** A row for each cell, first those that somebody must look at; of many, only as many as people read. */
export function cellLines(cells: readonly CellPicture[], width: number): string[] {
  const shown = cells.slice(0, ROWS);
  const rest = new Map<string, number>();
  for (const { status } of cells.slice(ROWS)) rest.set(status, (rest.get(status) ?? 0) + 1);
  const counts = [...rest].map(([status, count]) => `${count.toLocaleString('en')} ${status}`).join(', ');
  return [
    ...notedTable(
      ['CELL', 'WAVE', 'STATE', 'BEFORE', 'NOW'],
      shown.map(({ cell, wave, status, before, now, sentence }) => ({
        cells: [pc.bold(nameIn(cell, width)), String(wave), colourState(status), before ?? '-', now ?? '-'],
        notes: sentence === undefined ? [] : [sentence],
      })),
      width,
    ),
    ...(rest.size === 0 ? [] : wrap(`and ${many(cells.length - ROWS, 'more cell')}: ${counts}; all of them with --json`, width)),
  ];
}

/** A row of a Markdown table: what a sentence holds must not end a cell. */
const markdownRow = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;

const markdownTable = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [markdownRow(head), markdownRow(head.map(() => '---')), ...rows.map(markdownRow)].join('\n');

const took = ({ startedAt, endedAt }: Pick<WavePicture, 'startedAt' | 'endedAt'>): string =>
  startedAt === undefined || endedAt === undefined ? '' : span((Date.parse(endedAt) - Date.parse(startedAt)) / 1_000);

/** The rollout as Markdown: cells, versions, durations, and what fired. */
export function markdownOf(picture: Picture, cells: readonly CellPicture[]): string {
  const { id, component, version, status, alive, sentence, waves } = picture;
  const shown = cells.slice(0, ROWS);
  return [
    `## ${id}: ${component} ${version} is ${alive ? status : 'dead'}`,
    ...(sentence === undefined ? [] : [sentence]),
    markdownTable(
      ['wave', 'state', 'cells', 'traffic', 'took', ''],
      waves.map((wave) => [
        `${wave.number} ${wave.name}`,
        wave.status,
        `${wave.cells.deployed}/${wave.cells.total}`,
        percent(wave.exposure.now),
        took(wave),
        wave.sentence ?? '',
      ]),
    ),
    markdownTable(
      ['cell', 'wave', 'state', 'before', 'now', ''],
      shown.map((cell) => [cell.cell, String(cell.wave), cell.status, cell.before ?? '-', cell.now ?? '-', cell.sentence ?? '']),
    ),
    ...(shown.length === cells.length ? [] : [`and ${many(cells.length - shown.length, 'more cell')}`]),
  ].join('\n\n');
}

/** The rollout in parts, for a log: each is said when it has changed. */
export function factsOf(picture: Picture): Fact[] {
  const { id, status, alive, sentence, asked, waves, halted } = picture;
  const state = alive ? status : 'dead';
  const text = [`${id} ${state}`, sentence, ...asked].filter((part) => part !== undefined).join('; ');
  const whole: Fact = { name: 'rollout', signature: text, text };
  const parts = waves.filter((wave) => wave.status !== 'pending').map((wave) => factOf(id, wave));
  // The last thing that a log says is how it ended.
  return halted ? [...parts, whole] : [whole, ...parts];
}

function factOf(id: string, { number, name, status, cells, bake, sentence }: WavePicture): Fact {
  const done = cells.deployed + cells.restored;
  // Of many cells, only each quarter: a log of large waves stays readable.
  const quarter = Math.floor((4 * done) / Math.max(1, cells.total));
  const until = bake === undefined ? undefined : `until ${clock(bake.until)}`;
  const signature = JSON.stringify([status, quarter, cells.failed, cells.notRestored, until, sentence]);
  const what = [`${id} wave ${number} ${name}: ${status}`, until].filter(Boolean).join(' ');
  return { name: `wave ${number}`, signature, text: [what, countsText(cells), sentence].filter(Boolean).join(', ') };
}

// What there has been

/** Day and minute, in UTC. */
const minute = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 16)}`;

/** Rollouts, a row each. */
export const historyLines = (rollouts: readonly Summary[], now: Date, width: number): string[] =>
  notedTable(
    ['ROLLOUT', 'VERSION', 'STATE', 'STARTED (UTC)'],
    rollouts.map((rollout) => ({
      cells: [
        pc.bold(nameIn(rollout.id, width)),
        rollout.version,
        colourState(rollout.alive ? rollout.status : 'dead'),
        minute(rollout.startedAt),
      ],
      notes: [
        [rollout.only === undefined ? '' : `only ${rollout.only}, `, aboutText(rollout, now)].join(''),
        ...[afterwardsText(rollout)].filter((text) => text !== undefined),
      ],
    })),
    width,
  );
