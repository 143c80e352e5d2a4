/** What a deployment would change, found by comparing the synthesized templates with the deployed ones. */

import { isDeepStrictEqual } from 'node:util';
import { CloudFormationClient, GetTemplateCommand } from '@aws-sdk/client-cloudformation';
import pLimit from 'p-limit';
import type { Session } from '../aws/session.ts';
import { findStack } from '../aws/stacks.ts';
import type { Template } from '../aws/toolkit.ts';
import type { ObservedStack } from '../plan/difference.ts';

/** Stacks that are looked at once. */
const CONCURRENCY = 10;

/** The template and status of a deployed stack; nothing when there is no such stack. */
async function deployed(session: Session, stackName: string): Promise<{ status: string; template: Template } | undefined> {
  const stack = await findStack(session, stackName);
  // A stack in review is a change set that nobody has executed: there is nothing yet.
  if (!stack || stack.StackStatus === 'REVIEW_IN_PROGRESS') return undefined;
  const { TemplateBody } = await new CloudFormationClient(session).send(
    new GetTemplateCommand({ StackName: stackName, TemplateStage: 'Original' }),
  );
  return { status: stack.StackStatus ?? 'UNKNOWN', template: JSON.parse(TemplateBody ?? '{}') as Template };
}

/** By resource. Everything but resources (parameters, outputs, descriptions) counts as a change of `(template)`. */
function compareTemplates(before: Template, after: Template): ObservedStack['changes'] {
  const { Resources: old = {}, ...oldRest } = before;
  const { Resources: wanted = {}, ...rest } = after;
  const names = Object.keys(wanted).sort();
  const changed = names.filter((name) => old[name] !== undefined && !isDeepStrictEqual(old[name], wanted[name]));
  return {
    added: names.filter((name) => old[name] === undefined),
    changed: [...changed, ...(isDeepStrictEqual(oldRest, rest) ? [] : ['(template)'])],
    removed: Object.keys(old)
      .filter((name) => wanted[name] === undefined)
      .sort(),
  };
}

/** One stack to look at: its name, what it should be, and a session that may read it. */
export interface StackToObserve {
  readonly stackName: string;
  readonly template: Template;
  readonly session: Session;
}

/** What is there of each stack, and what a deployment would change. */
export async function observeStacks(stacks: readonly StackToObserve[]): Promise<Map<string, ObservedStack>> {
  const limit = pLimit(CONCURRENCY);
  const observed = stacks.map(({ stackName, template, session }) =>
    limit(async (): Promise<[string, ObservedStack]> => {
      const found = await deployed(session, stackName);
      return [stackName, { status: found?.status, changes: compareTemplates(found?.template ?? {}, template) }];
    }),
  );
  return new Map(await Promise.all(observed));
}
