/** What deleting a stack would lose: what holds data or a name that others know, and that its policy doesn't keep. Pure. */
import YAML from 'yaml';
import { z } from 'zod';
import { holderOf } from '../plan/hidden-resources.ts';
import { FactoryError } from '../registry/index.ts';
import { allowance } from './replacements.ts';
import { STATEFUL } from './stateful.ts';

const templateSchema = z.looseObject({
  Resources: z.record(z.string(), z.looseObject({ Type: z.string(), DeletionPolicy: z.unknown().optional() })).default({}),
});

/** A resource that goes with the stack. */
export interface DeletionLoss {
  readonly logicalId: string;
  readonly type: string;
  /** What is lost with it, and what stays, in words. */
  readonly lost: string;
}

/**
 * Policies by which a resource outlives its stack. `RetainExceptOnCreate` deletes only what the failed creation of a stack leaves.
 * Source: "DeletionPolicy attribute", AWS CloudFormation Template Reference, read 2026-12-01.
 */
const KEEPING: readonly unknown[] = ['Retain', 'RetainExceptOnCreate'];

/** A template as it was given to CloudFormation. What the CDK deploys without uploading it, it writes as YAML. */
function parse(text: string): unknown {
  if (text === '') return {};
  if (text.trimStart().startsWith('{')) return JSON.parse(text);
  // Short forms of functions (`!Sub`) are tags that YAML doesn't know: what they stand for is of no interest here.
  const document = YAML.parseDocument(text, { schema: 'yaml-1.1' });
  const [error] = document.errors;
  if (error) throw error;
  return document.toJSON();
}

/**
 * What would be lost if the stack were deleted, by logical id.
 * @throws FactoryError `ARTIFACT_INVALID` for a template that can't be read: then nobody knows what would go
 */
export function deletionLosses(stack: string, template: string): readonly DeletionLoss[] {
  let resources: z.infer<typeof templateSchema>['Resources'];
  try {
    resources = templateSchema.parse(parse(template)).Resources;
  } catch (cause) {
    throw new FactoryError('ARTIFACT_INVALID', `the template of ${stack} can't be read, so that nobody knows what would be lost with it`, {
      cause,
      fix: 'look into the stack, and delete it by hand in CloudFormation',
    });
  }
  return Object.entries(resources)
    .flatMap(([logicalId, { Type: type, DeletionPolicy: policy }]): DeletionLoss[] => {
      const holder = holderOf(type);
      const lost = holder === undefined ? STATEFUL[type]?.lost : `whatever is in it: ${holder} hides its resources`;
      if (lost === undefined || KEEPING.includes(policy)) return [];
      return [{ logicalId, type, lost: policy === 'Snapshot' ? `${lost} (a snapshot stays)` : lost }];
    })
    .sort((a, b) => (a.logicalId < b.logicalId ? -1 : 1));
}

/** Those of the losses that nobody has named, as `<cell>/<logical id>`. */
export const unnamedLosses = (cell: string, losses: readonly DeletionLoss[], named: readonly string[]): readonly DeletionLoss[] =>
  losses.filter(({ logicalId }) => !named.includes(allowance(cell, logicalId)));

/** What would be lost in a cell, and how to name it, in one sentence. */
export const lossSentence = (cell: string, component: string, losses: readonly DeletionLoss[]): string =>
  `${component} holds ${losses.map(({ logicalId, type, lost }) => `${logicalId} (${type}); lost: ${lost}`).join('; ')}. If that is meant: --delete ${losses.map(({ logicalId }) => allowance(cell, logicalId)).join(' ')}`;
