/** What a rollout would do, as text. Pure; the time comes in. */
import pc from 'picocolors';
import type { ForeseenRollout, ForeseenWave } from '../rollout/draft.ts';
import { tableText } from './output.ts';
import { clock, many, percent, ROWS, some, span } from './words.ts';

/** Why cells are left out: the same reason once, with those it is about. */
function leftOutLines(leftOut: ForeseenRollout['leftOut']): string[] {
  const byReason = new Map<string, string[]>();
  for (const { cell, reason } of leftOut) byReason.set(reason, [...(byReason.get(reason) ?? []), cell]);
  const lines = [...byReason].map(([reason, cells]) => `left out: ${pc.bold(some(cells))}: ${reason}`);
  return lines.length <= ROWS
    ? lines
    : [...lines.slice(0, ROWS), `and ${many(lines.length - ROWS, 'more reason')}: all of them with --json`];
}

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
