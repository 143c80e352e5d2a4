/** Limits on a template, and on what it makes in an account that has asked for nothing more. */

interface CountedResource {
  readonly Type?: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

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
  /** Where AWS says so. */
  readonly source: string;
  readonly used: (template: Counted) => number;
}

const count = (section: object = {}) => Object.keys(section).length;

const ofType = ({ Resources = {} }: Counted, type: string): [string, CountedResource][] =>
  Object.entries<CountedResource>(Resources as Record<string, CountedResource>).filter(([, resource]) => resource.Type === type);

/** Rules of the group that has most of them, in one direction: those that stand in it, and those that are resources apart. */
function mostRules(template: Counted, direction: 'Ingress' | 'Egress'): number {
  const apart = ofType(template, `AWS::EC2::SecurityGroup${direction}`).map(([, { Properties }]) =>
    JSON.stringify(Properties?.['GroupId']),
  );
  const counts = ofType(template, 'AWS::EC2::SecurityGroup').map(([id, { Properties }]) => {
    const inline = Properties?.[`SecurityGroup${direction}`];
    return (Array.isArray(inline) ? inline.length : 0) + apart.filter((group) => group?.includes(`"${id}"`)).length;
  });
  return Math.max(0, ...counts);
}

/** Alarms of the composite that is made of most. */
const mostChildren = (template: Counted) =>
  Math.max(
    0,
    ...ofType(template, 'AWS::CloudWatch::CompositeAlarm').map(
      ([, { Properties }]) => (JSON.stringify(Properties?.['AlarmRule']).match(/ALARM\(/g) ?? []).length,
    ),
  );

const CLOUDFORMATION = 'CloudFormation quotas, AWS CloudFormation User Guide';
const VPC = 'Amazon VPC quotas, Amazon VPC User Guide';

export const TEMPLATE_LIMITS: readonly TemplateLimit[] = [
  { what: 'resources', source: CLOUDFORMATION, limit: 500, used: ({ Resources }) => count(Resources) },
  { what: 'parameters', source: CLOUDFORMATION, limit: 200, used: ({ Parameters }) => count(Parameters) },
  { what: 'outputs', source: CLOUDFORMATION, limit: 200, used: ({ Outputs }) => count(Outputs) },
  { what: 'mappings', source: CLOUDFORMATION, limit: 200, used: ({ Mappings }) => count(Mappings) },
  // A template body in S3, where the CDK puts it, indented by one space.
  {
    what: 'bytes',
    source: CLOUDFORMATION,
    limit: 1_000_000,
    used: (template) => new TextEncoder().encode(JSON.stringify(template, undefined, 1)).length,
  },
  { what: 'elastic addresses', source: VPC, limit: 5, used: (template) => ofType(template, 'AWS::EC2::EIP').length },
  { what: 'endpoints of the network', source: VPC, limit: 50, used: (template) => ofType(template, 'AWS::EC2::VPCEndpoint').length },
  { what: 'inbound rules of a security group', source: VPC, limit: 60, used: (template) => mostRules(template, 'Ingress') },
  { what: 'outbound rules of a security group', source: VPC, limit: 60, used: (template) => mostRules(template, 'Egress') },
  { what: 'alarms of a composite', source: 'PutCompositeAlarm, Amazon CloudWatch API Reference', limit: 100, used: mostChildren },
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
