/** Is the published history whole? Every revision there, readable, unchanged and in order, and the pointer at the newest. */
import { POINTER_KEY, type Pointer, revisionKey } from './pointer.ts';

/** What was found of one revision: its digest and time, or why it can't be read. */
export type Inspected = { readonly digest: string; readonly at: string } | { readonly unreadable: string };

/** One thing that is wrong with the history. */
export interface Flaw {
  /** Object that it is about. */
  readonly key: string;
  readonly message: string;
  readonly fix: string;
}

const isReadable = (revision: Inspected | undefined): revision is Extract<Inspected, { digest: string }> =>
  revision !== undefined && 'digest' in revision;

/**
 * What is wrong with a history, in the order of its keys; nothing for an empty one. Pure: the caller has read it.
 * @param revisions revision n at index n - 1
 * @param pointer what the pointer says, undefined when there is none, or why it can't be read
 */
export function flawsOf(revisions: readonly Inspected[], pointer: Pointer | { readonly unreadable: string } | undefined): Flaw[] {
  const flaws: Flaw[] = [];
  for (const [index, revision] of revisions.entries()) {
    const key = revisionKey(index + 1);
    if (!isReadable(revision)) {
      flaws.push({ key, message: revision.unreadable, fix: 'restore its first version in S3: a revision is written once' });
      continue;
    }
    const before = revisions.slice(0, index).findLast(isReadable);
    if (before && Date.parse(revision.at) < Date.parse(before.at)) {
      flaws.push({
        key,
        message: `published at ${revision.at}, before the one before it`,
        fix: 'a publication is never older than the one before: restore its first version in S3',
      });
    }
  }
  return [...pointerFlaws(revisions, pointer), ...flaws];
}

function pointerFlaws(revisions: readonly Inspected[], pointer: Pointer | { readonly unreadable: string } | undefined): Flaw[] {
  const flaw = (message: string, fix: string) => [{ key: POINTER_KEY, message, fix }];
  const restore = 'restore its previous version in S3';
  if (pointer && 'unreadable' in pointer) return flaw(pointer.unreadable, restore);
  if (pointer) {
    const target = revisions[pointer.revision - 1];
    if (!target) return flaw(`points at revision ${pointer.revision}, which is not there`, restore);
    if (isReadable(target) && target.digest !== pointer.digest) {
      return flaw(`says that revision ${pointer.revision} has digest ${pointer.digest}; it has ${target.digest}`, restore);
    }
  }
  const waiting = revisions.length - (pointer?.revision ?? 0);
  if (waiting === 0) return [];
  // One is what a publisher leaves that died in between. More can't come about by publishing.
  if (waiting === 1) return flaw(`revision ${revisions.length} is not pointed at yet`, 'run `cellctl publish`: it is rolled forward');
  return flaw(`${waiting} revisions are not pointed at`, restore);
}
