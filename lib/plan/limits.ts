/** CloudFormation's limits on a template. Source: "CloudFormation quotas", AWS CloudFormation User Guide. */

/** A template, as far as it is counted. */
interface Counted {
  readonly Resources?: object;
  readonly Outputs?: object;
  readonly Parameters?: object;
  readonly Mappings?: object;
}

interface TemplateLimit {
  readonly what: string;
  readonly limit: number;
  readonly used: (template: Counted) => number;
}

const count = (section: object = {}) => Object.keys(section).length;

export const TEMPLATE_LIMITS: readonly TemplateLimit[] = [
  { what: 'resources', limit: 500, used: ({ Resources }) => count(Resources) },
  { what: 'parameters', limit: 200, used: ({ Parameters }) => count(Parameters) },
  { what: 'outputs', limit: 200, used: ({ Outputs }) => count(Outputs) },
  { what: 'mappings', limit: 200, used: ({ Mappings }) => count(Mappings) },
  // A template body in S3, where the CDK puts it, indented by one space.
  { what: 'bytes', limit: 1_000_000, used: (template) => new TextEncoder().encode(JSON.stringify(template, undefined, 1)).length },
];

/** Share of a limit from which on it is worth saying. */
const NEAR_LIMIT = 0.8;

/** How much of a limit a template uses. */
export interface LimitUse {
  readonly what: string;
  readonly used: number;
  readonly limit: number;
}

/** The limits of which `template` uses `share` or more. */
export const checkTemplate = (template: Counted, share = NEAR_LIMIT): LimitUse[] =>
  TEMPLATE_LIMITS.map(({ what, limit, used }) => ({ what, limit, used: used(template) })).filter(
    ({ used, limit }) => used >= share * limit,
  );
