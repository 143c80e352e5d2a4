/** What cells share all the same, or what looks as if they did: each with its reason, and as narrow as can be said. */
import { isDeepStrictEqual } from 'node:util';
import { DRILL_ROLE, OPERATOR_ROLE, ROLLOUT_ROLE } from '../aws/roles.ts';
import { cellDelegationRoleName, cellStackName } from '../registry/index.ts';
import type { CellFacts, ComparedStacks, Crossing, Stack } from './compared-stacks.ts';
import { actionsOf, requiredValues, resourcesNamedIn } from './statements.ts';
import { asList, asText, entry, partitionOf } from './template.ts';

export interface SharedEntry {
  /** Stable identifier. */
  readonly name: string;
  /** What is shared. */
  readonly what: string;
  /** Why no cell reaches another by it. */
  readonly reason: string;
  /** Kinds of findings that it explains. */
  readonly kinds: readonly string[];
  readonly explains: (finding: Crossing, stack: Stack, subject: ComparedStacks) => boolean;
}

/** Ports at which clients come in. */
const ENTRANCE_PORTS = ['80', '443'];

const isPort = (finding: Crossing, ports: readonly string[]) =>
  asText(finding.rule?.['IpProtocol']) === 'tcp' &&
  finding.rule?.['FromPort'] === finding.rule?.['ToPort'] &&
  ports.includes(asText(finding.rule?.['FromPort']));

/** The security group that a rule belongs to, or that it stands in. */
const groupOf = ({ logicalId, rule, type }: Crossing) =>
  type === 'AWS::EC2::SecurityGroup' ? logicalId : (/^<(?:Ref|GetAtt) ([A-Za-z0-9]+)/.exec(asText(rule?.['GroupId']))?.[1] ?? '');

/** True for a security group that a load balancer wears. */
const isEntrance = (group: string, { resources }: Stack) =>
  resources.some(
    ({ type, properties }) =>
      type === 'AWS::ElasticLoadBalancingV2::LoadBalancer' &&
      asList(properties['SecurityGroups']).some((each) => [`<GetAtt ${group}.GroupId>`, `<Ref ${group}>`].includes(asText(each))),
  );

const arn = (stack: Stack, account: string, resource: string) => `arn:${partitionOf(stack.region)}:iam::${account}:${resource}`;

/** The condition of a finding's statement, if it is exactly these values for each key. */
function hasCondition({ statement }: Crossing, operator: string, wanted: Readonly<Record<string, readonly string[]>>): boolean {
  const found = entry(statement?.body['Condition'], operator);
  return Object.entries(wanted).every(([key, values]) => isDeepStrictEqual(asList(entry(found, key)).map(asText), values));
}

const hasActions = ({ statement }: Crossing, actions: readonly string[]) =>
  statement !== undefined && isDeepStrictEqual([...actionsOf(statement)].sort(), [...actions].sort());

/** The roles of a cell's foundation in its account. CloudFormation cuts the stack's name short in the names that it makes up. */
const isFoundationRole = (text: string, stack: Stack, cell: CellFacts) =>
  text.startsWith(arn(stack, cell.account.accountId, `role/${cellStackName('')}`));

/** The name of the role that a finding is in, as the template insists on it. */
const roleNameOf = ({ logicalId }: Crossing, { resources }: Stack) =>
  asText(resources.find((each) => each.type === 'AWS::IAM::Role' && each.logicalId === logicalId)?.properties['RoleName']);

/** The statement that a text is part of. */
const statementAround = ({ logicalId, path }: Crossing, { statements }: Stack) =>
  statements.find((each) => each.logicalId === logicalId && path.startsWith(`${each.path}.`));

/** Names of parameters in tooling that a delegation reads: where the zone is, and how new the CDK's bootstrap. */
const TOOLING_PARAMETERS = /^(\/cell-factory\/zone-id|\/cdk-bootstrap\/[a-z0-9]+\/version)$/;

/** The service that writes load balancers' access logs. */
const LOG_DELIVERY = 'logdelivery.elasticloadbalancing.amazonaws.com';

/** Policies of AWS that permit only what a function's log takes. */
const LOG_POLICIES = ['service-role/AWSLambdaBasicExecutionRole'];

const IMAGE_PULL = ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'];

/** What a component is given when it is deployed. */
const COMPONENT_PARAMETERS = ['ImageUri', 'Version', 'ListenerPriority'];

export const SHARED: readonly SharedEntry[] = [
  {
    name: 'entrance',
    what: "the load balancer's security group lets the cell's clients in, on ports 80 and 443",
    reason: "it is where customers come in: another cell gets there what any client gets, and the blocks are the registry's `clients`",
    kinds: ['ingress'],
    explains: (finding, stack) =>
      stack.cell?.clients.includes(finding.value) === true && isPort(finding, ENTRANCE_PORTS) && isEntrance(groupOf(finding), stack),
  },
  {
    name: 'way-out',
    what: 'security groups let out to 0.0.0.0/0 on port 443',
    reason: 'services call AWS and the world by HTTPS; in other cells only the public entrance listens there',
    kinds: ['egress'],
    explains: (finding) => finding.value === '0.0.0.0/0' && isPort(finding, ['443']),
  },
  {
    name: 'default-route',
    what: "route tables lead 0.0.0.0/0 to the cell's own internet gateway or NAT",
    reason: "it leads to the internet and not into other cells' networks, which are private addresses there",
    kinds: ['route'],
    explains: (finding) => finding.value === '0.0.0.0/0' && finding.path.endsWith('.DestinationCidrBlock'),
  },
  {
    name: 'services-of-aws',
    what: 'roles are assumed by services of AWS',
    reason: 'a service takes a role only from who may pass it on, in the same account (iam:PassRole)',
    kinds: ['role-trust'],
    explains: (finding) => /^Service [a-z0-9.-]+\.amazonaws\.com(\.cn)?$/.test(finding.value),
  },
  {
    name: 'load-balancer-log',
    what: "load balancers write their access log into the cell's bucket",
    reason: "the service puts the number of the load balancer's account into the path, and the policy admits the cell's only",
    kinds: ['service-principal'],
    explains: (finding, { accountId }) => {
      const places = finding.statement ? resourcesNamedIn(finding.statement) : [];
      const own = places.length > 0 && places.every((place) => place.endsWith(`/AWSLogs/${accountId}/*`));
      return finding.value === LOG_DELIVERY && hasActions(finding, ['s3:PutObject']) && own;
    },
  },
  {
    name: 'logs-of-functions',
    what: "the CDK's custom resource functions use AWS's policy for writing their log",
    reason: 'it permits writing to logs, which belong to the account and take no other',
    kinds: ['managed-policy'],
    explains: ({ value }) => LOG_POLICIES.some((policy) => value.endsWith(`:iam::aws:policy/${policy}`)),
  },
  {
    name: 'bootstrap-bucket',
    what: "functions take their code from the CDK's bucket in the cell's own account and region",
    reason: "the name holds the cell's account: it is made by bootstrapping that account, and admits no other cell",
    kinds: ['bucket'],
    explains: ({ value, path }, { accountId, region, purpose }) =>
      purpose === 'foundation' &&
      path.startsWith('Properties.Code.') &&
      value === `cdk-${value.split('-')[1]}-assets-${accountId}-${region}`,
  },
  {
    name: 'delegation-role',
    what: "a foundation takes the role of its own name in tooling, by which the cell's name is delegated",
    reason: 'names hang from one zone; the role lets the cell write the one record that is its own',
    kinds: ['account'],
    explains: ({ value }, stack, { control }) =>
      stack.purpose === 'foundation' &&
      stack.cell !== undefined &&
      value === arn(stack, control.tooling, `role/${cellDelegationRoleName(stack.cell.name)}`),
  },
  {
    name: 'parent-zone-name',
    what: 'a foundation names the zone in tooling that its own hangs from',
    reason: 'the function that delegates the name finds the zone by it; what it may write there is up to the role',
    kinds: ['domain'],
    explains: ({ value, type, path }, _, { cellsDomain }) =>
      type === 'Custom::CrossAccountZoneDelegation' && path === 'Properties.ParentZoneName' && value === cellsDomain,
  },
  {
    name: 'delegation-trust',
    what: "the delegation role in tooling trusts its own cell's account, of it the roles of the foundation",
    reason: 'somebody in the cell must be able to delegate its name, and nobody else can',
    kinds: ['role-trust', 'account'],
    explains: (finding, stack) => {
      const { cell, purpose } = stack;
      if (purpose !== 'delegation' || !cell || !finding.path.includes('.AssumeRolePolicyDocument.')) return false;
      if (!finding.statement)
        return finding.value === arn(stack, cell.account.accountId, 'root') || isFoundationRole(finding.value, stack, cell);
      const roles = [...requiredValues(finding.statement)].find(({ key }) => key === 'aws:PrincipalArn')?.values ?? [];
      return roles.length > 0 && roles.every((role) => isFoundationRole(role, stack, cell)) && finding.reaches === cell.name;
    },
  },
  {
    name: 'delegation-record',
    what: "the delegation role writes the NS record of its own cell's name",
    reason: 'the condition leaves no other name and no other type of record',
    kinds: ['shared-permission'],
    explains: (finding, { cell }) =>
      cell !== undefined &&
      hasActions(finding, ['route53:ChangeResourceRecordSets']) &&
      hasCondition(finding, 'ForAllValues:StringEquals', {
        'route53:ChangeResourceRecordSetsNormalizedRecordNames': [cell.domain],
        'route53:ChangeResourceRecordSetsRecordTypes': ['NS'],
      }),
  },
  {
    name: 'zone-list',
    what: 'the delegation role lists the zones of tooling by name',
    reason: 'the function that delegates the name looks for the zone; the list cannot be narrowed and holds names only',
    kinds: ['shared-permission'],
    explains: (finding) => hasActions(finding, ['route53:ListHostedZonesByName']),
  },
  {
    name: 'tooling-parameters',
    what: "delegations read tooling's parameters for the zone's id and for the version of the CDK's bootstrap",
    reason: 'CloudFormation reads them, not the cell, and no cell can write them',
    kinds: ['parameter'],
    explains: ({ value }, { purpose }) => purpose === 'delegation' && TOOLING_PARAMETERS.test(value),
  },
  {
    name: 'operator-trust',
    what: 'the role `cell-rollout` of a foundation trusts tooling, of it the cell operator',
    reason: 'components are deployed from one place, which is no cell; the role makes nothing but stacks of components',
    kinds: ['role-trust', 'account'],
    explains: (finding, stack, { control }) => {
      const isPart = stack.purpose === 'foundation' && finding.path.includes('.AssumeRolePolicyDocument.');
      if (!isPart || roleNameOf(finding, stack) !== ROLLOUT_ROLE) return false;
      const [root, operator] = ['root', `role/${OPERATOR_ROLE}`].map((resource) => arn(stack, control.tooling, resource));
      if (!finding.statement) return [root, operator].includes(finding.value);
      return finding.value === `AWS ${root}` && hasCondition(finding, 'ArnEquals', { 'aws:PrincipalArn': [operator ?? ''] });
    },
  },
  {
    name: 'drill-trust',
    what: 'the role `cell-drill` of a foundation trusts tooling',
    reason: "a drill must be able to raise alarms; the role does that, to the cell's own alarms, and nothing else",
    kinds: ['role-trust', 'account'],
    explains: (finding, stack, { control }) => {
      const isPart = stack.purpose === 'foundation' && finding.path.includes('.AssumeRolePolicyDocument.');
      if (!isPart || roleNameOf(finding, stack) !== DRILL_ROLE) return false;
      return [arn(stack, control.tooling, 'root'), `AWS ${arn(stack, control.tooling, 'root')}`].includes(finding.value);
    },
  },
  {
    name: 'artifacts',
    what: "the role `cell-rollout` reads components' artifacts from the bucket in tooling, in the cell's region",
    reason: 'templates are published once, for all cells; reading changes nothing, and no cell can write there',
    kinds: ['bucket', 'account'],
    explains: (finding, stack) => {
      const bucket = stack.purpose === 'foundation' ? stack.cell?.tooling.artifactBucket : undefined;
      const statement = statementAround(finding, stack);
      if (bucket === undefined || !statement || !isDeepStrictEqual(actionsOf(statement), ['s3:GetObject'])) return false;
      const objects = `arn:${partitionOf(stack.region)}:s3:::${bucket}/artifacts/*`;
      return isDeepStrictEqual(resourcesNamedIn(statement), [objects]) && [bucket, objects].includes(finding.value);
    },
  },
  {
    name: 'component-images',
    what: "tasks pull their component's image from the organization's repositories",
    reason: 'images are built once, for all cells; pulling changes nothing, and the name keeps it to the component',
    kinds: ['identity-policy'],
    explains: (finding, { purpose }) =>
      purpose === 'component' &&
      hasActions(finding, IMAGE_PULL) &&
      /:\*:repository\/[a-z0-9-]+$/.test(finding.value) &&
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable of IAM, not of TypeScript
      hasCondition(finding, 'StringEquals', { 'aws:ResourceOrgID': ['${aws:PrincipalOrgID}'] }),
  },
  {
    name: 'component-parameters',
    what: 'a component is given its image, its version and the priority of its path when it is deployed',
    reason: 'the factory says what they are: the same for every cell, and none is an address',
    kinds: ['open-parameter'],
    explains: ({ value }, { purpose }) => purpose === 'component' && COMPONENT_PARAMETERS.includes(value),
  },
];
