/** A component leaves a cell: its stack is deleted, step by step as a change is made; no step waits, and each can be repeated. */
import { FactoryError, isNamed } from '../../registry/index.ts';
import { deletionLosses, lossSentence, unnamedLosses } from '../../review/deletion.ts';
import type { CellRecord, Removal } from '../rollout-record.ts';
import type { CellAccess } from './cell-access.ts';
import type { ChangeProgress } from './change.ts';

interface RemovalStep {
  readonly cell: string;
  readonly record: CellRecord;
  readonly removal: Removal;
  readonly stack: ReturnType<CellAccess['stack']>;
  /** Writes down that the deletion begins: whoever comes after a death in between must know. */
  readonly begins: () => Promise<unknown>;
}

const failed = (sentence: string): ChangeProgress => ({ state: 'failed', sentence });

/**
 * Takes a deletion a step on. What would be lost is looked at once more, in the template that the stack has now: who asked for
 * the removal saw the one of that time.
 */
export async function removeStep({ cell, record, removal, stack, begins }: RemovalStep): Promise<ChangeProgress> {
  const { name } = stack;
  const found = await stack.find();
  if (!found) return { state: 'done', changed: record.executing === true };
  const { StackStatus: status = '' } = found;
  if (status.endsWith('_IN_PROGRESS')) return { state: 'working', sentence: `${name} is ${status}` };
  // Once for each attempt: what held it may be gone by the next.
  if (status === 'DELETE_FAILED' && record.executing === true) return failed(`${name} can't be deleted: ${await stack.reason()}`);
  const template = await stack.template();
  try {
    const losses = unnamedLosses(cell, deletionLosses(name, template), removal.deletes);
    if (losses.length > 0) return failed(lossSentence(cell, name, losses));
    if (record.executing !== true) await begins();
    await stack.remove();
  } catch (error) {
    // Protected against it, or wanted by another stack: trying again changes nothing.
    if (isNamed(error, 'ValidationError')) return failed(`CloudFormation refuses to delete ${name}: ${error.message}`);
    if (error instanceof FactoryError) return failed(`${error.message}. ${error.code}: ${error.fix ?? ''}`);
    throw error;
  }
  return { state: 'working', sentence: `${name} is being deleted` };
}
