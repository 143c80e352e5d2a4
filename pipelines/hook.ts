/** A component's own step after a wave: a target of its Makefile, for each of the wave's cells. */
import pLimit from 'p-limit';
import type { Emit } from '../lib/messages.ts';
import { lastLines, run } from '../lib/program.ts';
import type { RolloutCell, RolloutRecord } from '../lib/rollout/rollout-record.ts';

/** A test that asks a cell for longer than that asks too much. */
const LONGEST = 60 * 60_000;

export interface HookContext {
  readonly record: RolloutRecord;
  readonly cells: readonly RolloutCell[];
  /** By cell. */
  readonly endpoints: ReadonlyMap<string, string>;
  /** Folder of the factory. */
  readonly factory: string;
  readonly atOnce: number;
  readonly emit: Emit;
}

/** Runs `make <target>` in the current folder for each cell, however it went in the others: who looks wants to know of all. */
export async function targetInCells(target: string, { record, cells, endpoints, factory, atOnce, emit }: HookContext) {
  const limit = pLimit(atOnce);
  return Promise.all(
    cells.map(({ name, stage, region, accountId }) =>
      limit(async () => {
        emit({ kind: 'started', subject: name, text: `make ${target}` });
        const environment = {
          ...{ COMPONENT: record.component, COMPONENT_VERSION: record.version, CELL_FACTORY: factory },
          ...{ CELL_NAME: name, CELL_STAGE: stage, CELL_REGION: region, CELL_ACCOUNT_ID: accountId },
          CELL_ENDPOINT: endpoints.get(name) ?? '',
        };
        const ended = await run('make', [target], { environment, timeout: LONGEST });
        const text = ended.code === 0 ? `make ${target}` : lastLines(ended);
        emit({ kind: ended.code === 0 ? 'done' : 'failed', subject: name, text });
        return { cell: name, code: ended.code, ...(ended.code === 0 ? {} : { said: lastLines(ended, 20) }) };
      }),
    ),
  );
}
