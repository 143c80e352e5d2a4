/** What a deployment would do to the resources of a stack. Pure data: who compares templates fills it in. */

/** A property that differs. Values only where they are short enough to be read. */
export interface PropertyChange {
  readonly name: string;
  readonly before?: string;
  readonly after?: string;
}

/** One resource that a deployment would touch. */
export interface ResourceChange {
  readonly logicalId: string;
  /** CloudFormation's type; empty for what belongs to the template as a whole. */
  readonly type: string;
  readonly change: 'add' | 'change' | 'replace' | 'remove';
  /** What differs; of a replacement, what forces it. */
  readonly properties: readonly PropertyChange[];
  /** False for a replacement that CloudFormation decides on when it gets there. */
  readonly certain: boolean;
  /** What is left of a resource that is removed or replaced, by its policy. */
  readonly kept: 'all' | 'snapshot' | 'nothing';
}

/** Logical id of what belongs to no resource: description, parameters, outputs. */
export const TEMPLATE = '(template)';

/** The changes of one kind. */
export const changesOf = (changes: readonly ResourceChange[], kind: ResourceChange['change']): readonly ResourceChange[] =>
  changes.filter(({ change }) => change === kind);

/** `DBInstanceClass db.t4g.medium → db.m7g.large`, as far as the values are known. */
export function describeProperty({ name, before, after }: PropertyChange): string {
  if (before === undefined && after === undefined) return name;
  return `${name} ${before ?? 'none'} → ${after ?? 'none'}`;
}
