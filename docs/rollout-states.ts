/** What docs/rollout-states.md says of statuses and operations: the types demand a line for each, and the machines draw themselves. */
import { rollout, runWave } from '../lib/rollout/machines.ts';
import { ANSWERS, type OperationName } from '../lib/rollout/operator/answers.ts';
import { type CellRolloutStatus, hasEnded, type RolloutStatus, type WaveStatus } from '../lib/rollout/rollout-record.ts';
import { drawingOf } from './drawing.ts';

const ROLLOUT_STATUSES: Readonly<Record<RolloutStatus, readonly [meaning: string, next: string]>> = {
  queued: ['a pipeline began it while another rollout of the component is under way; it has begun nothing', '`stop`'],
  running: ['an execution drives it; if none does, it is dead', '`pause`, `stop`, `rollback`, `skip-bake`; dead: `resume`'],
  'between waves': [
    'the next stage of its pipeline takes it on; nothing runs, its locks are kept',
    '`stop`, `rollback`; `resume` goes on without the pipeline',
  ],
  paused: ['as somebody asked; nothing runs, its locks are kept', '`resume`, `stop`, `rollback`'],
  'awaiting approval': ['its next wave needs somebody to agree; nothing runs, its locks are kept', '`approve`, `stop`, `rollback`'],
  'awaiting decision': [
    'a cell stays sick, and the version is not to blame; nothing runs, its locks are kept',
    '`continue`, `stop`, `rollback`',
  ],
  succeeded: ['every wave has passed', '`rollback`'],
  stopped: ['it ended where it was, and cells keep what they run: somebody asked, or a wave could not begin', '`resume`, `rollback`'],
  'rolled back': ['what was to be rolled back was, in all cells', '`resume`, `rollback` for what was left'],
  'rolled back in part': ['some cells could not be rolled back; the sentence names them', '`rollback` again, `resume`'],
};

const WAVE_STATUSES: Readonly<Record<WaveStatus, string>> = {
  pending: 'nobody has begun it',
  preflight: 'alarms, locks and calendars are looked at, or waited for',
  deploying: 'cells get the version, some at a time',
  baking: 'every cell has the version, and is watched',
  passed: 'its bake is over, or was skipped, or it has no cells',
  'rolling back': 'its cells get what they ran before',
  'rolled back': 'they have it',
  'rolled back in part': 'some of them have it',
  failed: 'it ended, and what it changed stays',
};

const CELL_STATUSES: Readonly<Record<CellRolloutStatus, string>> = {
  pending: 'nothing was done to it; while a freeze holds it, the sentence says which',
  skipped: 'it was left out after the rollout had started: somebody asked, or a newer revision has cordoned it',
  deploying: 'its stack is being changed, or is about to be',
  deployed: 'it runs the version; `unchanged` where it did before',
  failed: 'its stack could not be changed; the sentence says why',
  restoring: 'its stack is being rolled back',
  restored: 'it runs what it ran before the rollout',
  replaced: 'it runs another version since a later rollout, and was left as it is',
  'not restored': 'it could not be rolled back; the sentence says why',
};

const OPERATIONS: Readonly<Record<OperationName, string>> = {
  next: 'says which wave is next, or that there is none, by the record and what people asked for',
  preflight: 'takes the locks of the wave’s cells, looks at their alarms and calendars',
  watch: 'looks at alarms of all cells with the version while others get it; once one is sick, no other begins',
  deployed: 'says what became of the cells, and begins the bake',
  look: 'looks at alarms of all cells with the version, also those that were quiet again, judges them, and at requests',
  rollback: 'writes down which cells to roll back: the wave’s, all so far, or single ones',
  restored: 'ends the rollout, and names what was not rolled back; after single cells it goes on',
  broken: 'has rolled back what the wave changed, after an error that nothing else expects; the second time, ends it',
  waveFailed: 'ends the rollout after a wave whose execution died',
  idle: 'looks, between two waves, at whether its pipeline is still there',
  after: 'looks, after a success, at alarms of cells that still run the version by it, and writes down which fell sick',
  startDeploy:
    'keeps what the cell runs now, or fails if a rollback could not restore it; has a change set made; begins nothing after a failure, a halt, or in a closed calendar',
  pollDeploy: 'executes the change set once it is made and loses nothing; says when the stack is done',
  startRestore: 'has a change set made for what was published and sent before, or the stack deleted where there was none',
  pollRestore: 'the same as `pollDeploy`, the other way',
  cellBroken: 'writes down that the machine has given up on a cell, and why',
};

const code = (text: string) => `\`${text}\``;
const rowsOf = (meanings: Readonly<Record<string, string>>) => Object.entries(meanings).map(([name, meaning]) => [code(name), meaning]);

export const rolloutStatusRows = () =>
  Object.entries(ROLLOUT_STATUSES).map(([name, [meaning, next]]) => [
    code(name),
    hasEnded(name as RolloutStatus) ? 'over' : name === 'queued' ? 'waits' : 'holds locks',
    meaning,
    next,
  ]);
export const waveStatusRows = () => rowsOf(WAVE_STATUSES);
export const cellStatusRows = () => rowsOf(CELL_STATUSES);
export const operationRows = () =>
  Object.entries(OPERATIONS).map(([name, meaning]) => [code(name), meaning, ANSWERS[name as OperationName].map(code).join(' ')]);

const fenced = (text: string) => `\`\`\`mermaid\n${text}\n\`\`\``;
export const rolloutDrawing = () => fenced(drawingOf(rollout()));
export const waveDrawing = () => fenced(drawingOf(runWave()));
