/** Rollouts as text: what one would do, how one is, what there has been. Pure; the time comes in. */
import pc from 'picocolors';
import type { ForeseenRollout, ForeseenWave } from '../rollout/draft.ts';
import type { CellCounts, CellPicture, Picture, WavePicture } from '../rollout/picture.ts';
import type { RolloutRecord } from '../rollout/rollout-record.ts';
import { colourState } from './colour.ts';
import { tableText } from './output.ts';
import type { Fact } from './watch.ts';

/** Names of cells or reasons that one line takes. */
const NAMED = 3;
/** Rows for cells that are shown one by one. */
const ROWS = 30;

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Seconds as people say them: `45 s`, `12 min`, `4 h 5 min`, `2 d 3 h`. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 90) return `${whole} s`;
  const minutes = Math.round(whole / MINUTE);
  if (minutes < 90) return `${minutes} min`;
  if (whole < 2 * DAY) return pair(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.round(whole / HOUR);
  return pair(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

const pair = (large: number, unit: string, small: number, smaller: string) =>
  small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${smaller}`;

/** A time without its fractions of a second. */
const clock = (iso: string): string => iso.replace(/\.\d+Z$/, 'Z');

const percent = (share: number): string => {
  const value = share * 100;
  return `${value > 0 && value < 1 ? '<1' : Math.round(value)} %`;
};

const many = (count: number, what: string) => `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;

const some = (names: readonly string[]): string =>
  names.length <= NAMED ? names.join(', ') : `${names.slice(0, NAMED).join(', ')}, … (${names.length.toLocaleString('en')})`;

/** Why cells are left out: the same reason once, with those it is about. */
function leftOutLines(leftOut: ForeseenRollout['leftOut']): string[] {
  const byReason = new Map<string, string[]>();
  for (const { cell, reason } of leftOut) byReason.set(reason, [...(byReason.get(reason) ?? []), cell]);
  const lines = [...byReason].map(([reason, cells]) => `left out: ${pc.bold(some(cells))}: ${reason}`);
  return lines.length <= ROWS
    ? lines
    : [...lines.slice(0, ROWS), `and ${many(lines.length - ROWS, 'more reason')}: all of them with --json`];
}

// What a rollout would do

/** What it is pinned to. */
function pinnedTo({ registry: { revision, digest } }: ForeseenRollout): string {
  return revision === undefined ? 'definitions that nobody has published' : `revision ${revision} (${digest.slice(0, 19)})`;
}

const whenOf = ({ cells, begins, ends }: ForeseenWave): string[] =>
  cells.length === 0
    ? ['-', '-']
    : [begins === undefined ? pc.red('never') : clock(begins), ends === undefined ? pc.red('never') : clock(ends)];

/** The waves of a rollout that has not started, and how long it would take. */
export function foreseenLines(rollout: ForeseenRollout, release: string | undefined): string[] {
  const { component, timeScale, waves, leftOut, notes, obstacles } = rollout;
  const cells = waves.reduce((sum, wave) => sum + wave.cells.length, 0);
  const scale = timeScale === 1 ? '' : `; time scale ${timeScale}`;
  const table = tableText(
    ['WAVE', 'CELLS', 'REGIONS', 'BAKE', 'TRAFFIC', 'BEGINS', 'ENDS'],
    waves.map((wave) => [
      `${wave.number} ${wave.name}${wave.approval ? pc.yellow(' (approval)') : ''}`,
      wave.cells.length === 0 ? 'none: passes at once' : some(wave.cells),
      some(wave.regions) || '-',
      wave.cells.length === 0 ? '-' : span(wave.bakeSeconds * timeScale),
      percent(wave.exposure),
      ...whenOf(wave),
    ]),
  );
  return [
    `${pc.bold([component, release].filter(Boolean).join(' '))} through ${many(cells, 'cell')}, by ${pinnedTo(rollout)}${scale}`,
    '',
    table,
    '',
    ...leftOutLines(leftOut),
    ...notes.map((note) => `${pc.yellow('note')} ${note}`),
    ...obstacleLines(obstacles),
    foreseenEnd(rollout),
  ];
}

/** What would keep it from starting. That no cell would get it, the last line says. */
const obstacleLines = (obstacles: ForeseenRollout['obstacles']): string[] =>
  obstacles
    .filter(({ code }) => code !== 'ROLLOUT_NO_CELL')
    .flatMap(({ code, message, fix }) => [`${pc.red('start refuses')} ${message}  ${pc.dim(code)}`, `    ${pc.dim('fix:')} ${fix}`]);

/** When it would be done, or why that would never be. */
function foreseenEnd({ component, waves, ends, seconds }: ForeseenRollout): string {
  if (waves.every(({ cells }) => cells.length === 0)) {
    return pc.yellow(`no cell would get ${component}: \`cellctl rollout start\` would refuse it`);
  }
  if (ends === undefined || seconds === undefined) {
    return pc.red('never done: the calendars of a wave have no hour in common within a year');
  }
  const approvals = waves.filter(({ approval }) => approval).map(({ number }) => number);
  const approved = approvals.length === 0 ? '' : ` and wave ${approvals.join(', ')} is approved at once`;
  return `done in about ${pc.bold(span(seconds))}, ${clock(ends)}, if nothing goes wrong${approved}`;
}

// How a rollout is

/** `12/50`, and what is not as it should be. */
function countsText({ total, deployed, moving, failed, restored, notRestored, skipped }: CellCounts): string {
  const parts = [
    moving > 0 ? `${moving} under way` : '',
    failed > 0 ? pc.red(`${failed} failed`) : '',
    skipped > 0 ? pc.yellow(`${skipped} skipped`) : '',
    restored > 0 ? `${restored} rolled back` : '',
    notRestored > 0 ? pc.red(`${notRestored} not rolled back`) : '',
  ].filter(Boolean);
  return [`${deployed}/${total}`, ...parts].join(', ');
}

const until = (iso: string, now: Date): string => span((Date.parse(iso) - now.getTime()) / 1_000);

/** What there is to say of a wave now. */
function waveText({ status, bake, sentence, forecast, cells }: WavePicture, now: Date): string {
  if (bake) {
    const left = Date.parse(bake.until) > now.getTime() ? `bakes for ${until(bake.until, now)} more` : 'looks whether the bake is over';
    return [left, bake.extended && sentence].filter(Boolean).join('; ');
  }
  if (sentence !== undefined) return sentence;
  if (status === 'pending' && cells.total === 0) return 'no cell: passes at once';
  if (status !== 'pending' || !forecast) return '';
  if (forecast.begins === undefined) return 'its calendars have no hour in common';
  return `begins in about ${until(forecast.begins, now)}`;
}

/** State and name, who, since when, and what was asked for. */
function headerLines(picture: Picture, now: Date): string[] {
  const { id, component, version, revision, status, alive, by, startedAt, endedAt, timeScale, emergency, cures, reason, sentence, asked } =
    picture;
  const seconds = ((endedAt === undefined ? now.getTime() : Date.parse(endedAt)) - Date.parse(startedAt)) / 1_000;
  const scale = [
    timeScale === 1 ? '' : `, time scale ${timeScale}`,
    emergency ? ', waves of an emergency' : '',
    cures.length === 0 ? '' : `, cures ${some(cures)}`,
  ].join('');
  return [
    `${pc.bold(id)}  ${component} ${version}  ${colourState(alive ? status : 'dead')}${sentence === undefined ? '' : `  ${sentence}`}`,
    pc.dim(
      `by ${by} at ${clock(startedAt)}, ${endedAt === undefined ? 'for' : 'took'} ${span(seconds)}, revision ${revision}${scale}${reason === undefined ? '' : `: ${reason}`}`,
    ),
    ...asked.map((each) => pc.yellow(each)),
    ...verdictLines(picture.verdicts),
  ];
}

const VERDICTS = { blip: 'blip', blame: 'rolled back', alone: 'rolled back alone', ask: 'undecided', stop: 'stopped' } as const;

/** What alarms were taken for: blips by their number, the newest of the rest with its numbers. */
function verdictLines(verdicts: Picture['verdicts']): string[] {
  const blips = verdicts.filter(({ verdict }) => verdict === 'blip');
  const last = verdicts.findLast(({ verdict }) => verdict !== 'blip');
  const numbers = last?.numbers;
  const chance = numbers ? ` (${numbers.sick} of ${numbers.of} sick, ${numbers.expected.toFixed(1)} expected by chance)` : '';
  return [
    ...(blips.length === 0 ? [] : [pc.dim(`${many(blips.length, 'alarm')} cleared by itself, last ${blips.at(-1)?.sentence ?? ''}`)]),
    ...(last ? [`verdict: ${VERDICTS[last.verdict]}${chance}: ${last.sentence}`] : []),
  ];
}

/** The rollout, a line for each wave. */
export function pictureLines(picture: Picture, now: Date): string[] {
  const { waves, leftOut, ends, halted } = picture;
  const table = tableText(
    ['WAVE', 'STATE', 'CELLS', 'TRAFFIC', ''],
    waves.map((wave) => [
      `${wave.number} ${wave.name}`,
      colourState(wave.status),
      countsText(wave.cells),
      percent(wave.exposure),
      waveText(wave, now),
    ]),
  );
  return [
    ...headerLines(picture, now),
    '',
    table,
    ...(leftOut === 0 ? [] : [`left out: ${many(leftOut, 'cell')}`]),
    ...(halted || ends === undefined ? [] : [`done in about ${pc.bold(until(ends, now))}, ${clock(ends)}`]),
  ];
}

/** A row for each cell, first those that somebody must look at; of many, only as many as people read. */
export function cellLines(cells: readonly CellPicture[]): string[] {
  const shown = cells.slice(0, ROWS);
  const rest = new Map<string, number>();
  for (const { status } of cells.slice(ROWS)) rest.set(status, (rest.get(status) ?? 0) + 1);
  const counts = [...rest].map(([status, count]) => `${count.toLocaleString('en')} ${status}`).join(', ');
  return [
    tableText(
      ['CELL', 'WAVE', 'STATE', 'BEFORE', 'NOW', ''],
      shown.map(({ cell, wave, status, before, now, sentence }) => [
        pc.bold(cell),
        String(wave),
        colourState(status),
        before ?? '-',
        now ?? '-',
        sentence ?? '',
      ]),
    ),
    ...(rest.size === 0 ? [] : [`and ${many(cells.length - ROWS, 'more cell')}: ${counts}; all of them with --json`]),
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
        percent(wave.exposure),
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

/** Rollouts, a row each. */
export function historyTable(records: readonly RolloutRecord[], now: Date): string {
  return tableText(
    ['ROLLOUT', 'VERSION', 'STATE', 'BY', 'STARTED', 'TOOK', ''],
    records.map(({ id, only, version, status, by, startedAt, endedAt, outcome }) => [
      pc.bold(id),
      only === undefined ? version : `${version} (${only})`,
      colourState(status),
      by,
      clock(startedAt),
      span(((endedAt === undefined ? now.getTime() : Date.parse(endedAt)) - Date.parse(startedAt)) / 1_000),
      outcome?.sentence ?? '',
    ]),
  );
}
