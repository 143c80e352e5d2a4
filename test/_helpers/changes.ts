/** Builders of what a deployment would do to a resource. */
import type { ResourceChange } from '../../lib/review/changes.ts';

export const change = (
  logicalId: string,
  what: ResourceChange['change'] = 'change',
  type = 'AWS::SSM::Parameter',
  rest: Partial<ResourceChange> = {},
): ResourceChange => ({ logicalId, type, change: what, properties: [], certain: true, kept: 'nothing', ...rest });
