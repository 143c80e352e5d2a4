/** Workflow files on disk: written only where they change, and told apart from what somebody has edited. */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { isNamed } from '../../lib/registry/index.ts';
import { isUntouched } from './digest.ts';
import type { Workflow } from './workflow.ts';

/** `stale`: rendered from something older, and nobody has touched it since. */
export type WorkflowState = 'current' | 'missing' | 'stale' | 'edited by hand';

export interface CheckedWorkflow {
  readonly workflow: Workflow;
  readonly state: WorkflowState;
}

/** How the files in `folder` are, against what they should be. */
export const checkWorkflows = (folder: string, workflows: readonly Workflow[]): Promise<readonly CheckedWorkflow[]> =>
  Promise.all(workflows.map(async (workflow) => ({ workflow, state: stateOf(await read(join(folder, workflow.path)), workflow.text) })));

/** Brings the files in `folder` to what they should be. @returns how they were before; what is `current` was not written */
export async function writeWorkflows(folder: string, workflows: readonly Workflow[]): Promise<readonly CheckedWorkflow[]> {
  const checked = await checkWorkflows(folder, workflows);
  for (const { workflow, state } of checked) {
    if (state === 'current') continue;
    const path = join(folder, workflow.path);
    await mkdir(dirname(path), { recursive: true });
    await writeFileAtomic(path, workflow.text);
  }
  return checked;
}

function stateOf(found: string | undefined, wanted: string): WorkflowState {
  if (found === undefined) return 'missing';
  if (found === wanted) return 'current';
  return isUntouched(found) ? 'stale' : 'edited by hand';
}

async function read(path: string): Promise<string | undefined> {
  try {
    // Git on Windows checks files out with line ends of its own.
    return (await readFile(path, 'utf8')).replaceAll('\r\n', '\n');
  } catch (error) {
    if (isNamed(error, 'ENOENT')) return undefined;
    throw error;
  }
}
