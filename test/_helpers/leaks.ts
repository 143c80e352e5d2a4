/** Leaks from cell `alpha` to cell `alpha-2`, one of each kind: each is planted into valid templates, and must be found where it is. */

/** JSON that may be changed. */
// biome-ignore lint/suspicious/noExplicitAny: templates are JSON of any depth, and a test changes them at will
type Json = any;

/** What a leak may be planted into. */
export interface World {
  /** Template of alpha's foundation. */
  readonly cell: Json;
  /** Template of alpha's delegation, in tooling. */
  readonly delegation: Json;
  /** Template of a component. */
  readonly component: Json;
  /** Alpha's facts. */
  readonly facts: Json;
  /** What the other cell is. */
  readonly other: { readonly accountId: string; readonly block: string; readonly domain: string; readonly template: Json };
}

export interface Leak {
  readonly kind: string;
  readonly what: string;
  /** Where it is planted. @default 'cell' */
  readonly into?: 'cell' | 'delegation' | 'component';
  /** Whom it reaches, where that can be known. */
  readonly reaches?: string;
  /** Plants it. Gives where it stands then. */
  readonly plant: (world: World) => readonly [logicalId: string, path: string];
}

/** The logical id of the only, or first, resource of a type. */
const first = (template: Json, type: string): string => {
  const found = Object.keys(template.Resources).find((id) => template.Resources[id].Type === type);
  if (found === undefined) throw new Error(`no ${type} in the template`);
  return found;
};

/** A leak that is a resource of its own. */
const added = (
  type: string,
  path: string,
  properties: (world: World) => Json,
  into: NonNullable<Leak['into']> = 'cell',
): Pick<Leak, 'plant' | 'into'> => ({
  into,
  plant: (world) => {
    world[into].Resources['Leak'] = { Type: type, Properties: properties(world) };
    return ['Leak', path];
  },
});

const statement = (principal: Json, rest: Json = {}) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: principal, Action: '*', Resource: '*', ...rest }],
});
const policy = (rest: Json) => ({
  PolicyName: 'leak',
  PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*', ...rest }] },
});
const root = ({ other }: World) => ({ AWS: `arn:aws:iam::${other.accountId}:root` });
const parts = (...list: Json[]) => ({ 'Fn::Join': ['', list] });
const environment = (value: (world: World) => Json) =>
  added('AWS::Lambda::Function', 'Properties.Environment.Variables.LEAK', (world) => ({
    Environment: { Variables: { LEAK: value(world) } },
  }));
const bare = (type: string) => added(type, 'Type', () => ({}));
const vpc = ({ cell }: World) => ({ Ref: first(cell, 'AWS::EC2::VPC') });

const IN_POLICY = 'Properties.PolicyDocument.Statement.0';
const IN_TRUST = 'Properties.AssumeRolePolicyDocument.Statement.0.Principal';
const IN_ENVIRONMENT = 'Properties.Environment.Variables.LEAK';

export const LEAKS: readonly Leak[] = [
  // Numbers, names and ids.
  {
    kind: 'account',
    what: 'the ARN of a queue',
    reaches: 'alpha-2',
    ...environment(({ other }) => `arn:aws:sqs:eu-west-1:${other.accountId}:queue`),
  },
  {
    kind: 'account',
    what: 'the address of a queue, in parts',
    reaches: 'alpha-2',
    ...environment(({ other }) => parts('https://sqs.', { Ref: 'AWS::Region' }, `.amazonaws.com/${other.accountId}/queue`)),
  },
  {
    kind: 'account',
    what: 'a substitution',
    reaches: 'alpha-2',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a substitution of CloudFormation, not of TypeScript
    ...environment(({ other }) => ({ 'Fn::Sub': ['arn:aws:lambda:eu-west-1:${Who}:function:f', { Who: other.accountId }] })),
  },
  {
    kind: 'account',
    what: 'a number that is put together',
    reaches: 'alpha-2',
    ...environment(({ other }) => parts('arn:aws:sns:eu-west-1:', other.accountId.slice(0, 5), other.accountId.slice(5), ':topic')),
  },
  {
    kind: 'account',
    what: 'the branch that is not taken',
    reaches: 'alpha-2',
    plant: ({ cell, other }) => {
      cell.Conditions = { Never: { 'Fn::Equals': ['a', 'b'] } };
      const arn = { 'Fn::If': ['Never', `arn:aws:sqs:eu-west-1:${other.accountId}:queue`, 'none'] };
      cell.Resources.Leak = { Type: 'AWS::Lambda::Function', Properties: { Environment: { Variables: { LEAK: arn } } } };
      return ['Leak', IN_ENVIRONMENT];
    },
  },
  {
    kind: 'account',
    what: 'a table',
    reaches: 'alpha-2',
    plant: ({ cell, other }) => {
      cell.Mappings = { Accounts: { peer: { id: other.accountId } } };
      cell.Resources.Leak = {
        Type: 'AWS::SNS::Subscription',
        Properties: { Endpoint: parts('arn:aws:sqs:eu-west-1:', { 'Fn::FindInMap': ['Accounts', 'peer', 'id'] }, ':q') },
      };
      return ['Leak', 'Properties.Endpoint'];
    },
  },
  {
    kind: 'account',
    what: "a parameter's default",
    reaches: 'alpha-2',
    plant: ({ cell, other }) => {
      cell.Parameters.Peer = { Type: 'String', Default: other.accountId };
      return ['Peer', 'Parameters.Peer.Default'];
    },
  },
  {
    kind: 'account',
    what: 'an output',
    reaches: 'alpha-2',
    plant: ({ cell, other }) => {
      cell.Outputs = { Leak: { Value: `arn:aws:sqs:eu-west-1:${other.accountId}:queue` } };
      return ['Leak', 'Outputs.Leak.Value'];
    },
  },
  {
    kind: 'account',
    what: 'an account that nobody knows',
    reaches: 'outside',
    ...environment(() => 'arn:aws:sqs:eu-west-1:999988887777:queue'),
  },
  {
    kind: 'account',
    what: 'a component that names an account',
    reaches: 'alpha-2',
    ...added(
      'AWS::Lambda::Function',
      IN_ENVIRONMENT,
      ({ other }) => ({ Environment: { Variables: { LEAK: `arn:aws:sqs:eu-west-1:${other.accountId}:queue` } } }),
      'component',
    ),
  },
  {
    kind: 'account',
    what: "another cell's role in tooling",
    reaches: 'tooling',
    ...added('AWS::IAM::Policy', `${IN_POLICY}.Resource`, () =>
      policy({ Action: 'sts:AssumeRole', Resource: 'arn:aws:iam::200000000000:role/cell-delegation-alpha-2' }),
    ),
  },
  {
    kind: 'component-place',
    what: 'a component that names a region',
    ...added('AWS::Lambda::Function', IN_ENVIRONMENT, () => ({ Environment: { Variables: { LEAK: 'eu-west-1a' } } }), 'component'),
  },
  { kind: 'literal-id', what: 'a network', ...environment(() => 'vpc-0123456789abcdef0') },
  {
    kind: 'literal-id',
    what: 'a key',
    ...added('AWS::SQS::Queue', 'Properties.KmsMasterKeyId', () => ({ KmsMasterKeyId: '1234abcd-12ab-34cd-56ef-1234567890ab' })),
  },
  {
    kind: 'literal-id',
    what: 'a zone',
    ...added('AWS::Route53::RecordSet', 'Properties.HostedZoneId', () => ({ HostedZoneId: 'Z0123456789ABCDEFGHIJ' })),
  },
  { kind: 'name', what: "another cell's stack, whose name begins with ours", reaches: 'alpha-2', ...environment(() => 'Cell-alpha-2') },
  {
    kind: 'name',
    what: "another cell's role, with a path behind it",
    reaches: 'staging',
    ...environment(() => 'cell-delegation-staging/x'),
  },
  {
    kind: 'domain',
    what: "a record under another cell's name",
    reaches: 'alpha-2',
    ...added('AWS::Route53::RecordSet', 'Properties.Name', ({ other }) => ({ Name: `api.${other.domain}.` })),
  },
  {
    kind: 'domain',
    what: "a certificate for every cell's name",
    reaches: 'every cell',
    ...added('AWS::CertificateManager::Certificate', 'Properties.SubjectAlternativeNames.0', () => ({
      SubjectAlternativeNames: ['*.cells.example.com'],
    })),
  },
  {
    kind: 'domain',
    what: 'a zone of another domain',
    ...added('AWS::Route53::HostedZone', 'Properties.Name', () => ({ Name: 'example.org' })),
  },
  { kind: 'domain', what: "another cell's endpoint", reaches: 'alpha-2', ...environment(({ other }) => `https://${other.domain}/orders`) },
  {
    kind: 'bucket',
    what: 'a bucket by name, which says no account',
    ...added('AWS::IAM::Policy', `${IN_POLICY}.Resource`, () =>
      policy({ Action: 's3:GetObject', Resource: 'arn:aws:s3:::alpha-2-data/*' }),
    ),
  },
  {
    kind: 'bucket',
    what: "code from another account's bucket",
    ...added('AWS::Lambda::Function', 'Properties.Code.S3Bucket', ({ other }) => ({
      Code: { S3Bucket: `cdk-hnb659fds-assets-${other.accountId}-eu-west-1`, S3Key: 'x.zip' },
    })),
  },
  {
    kind: 'parameter',
    what: 'a reference that CloudFormation resolves',
    reaches: 'alpha-2',
    ...environment(({ other }) => `{{resolve:secretsmanager:arn:aws:secretsmanager:eu-west-1:${other.accountId}:secret:x:SecretString:p}}`),
  },
  {
    kind: 'parameter',
    what: 'a parameter that is shared',
    reaches: 'alpha-2',
    plant: ({ cell, other }) => {
      const Default = `arn:aws:ssm:eu-west-1:${other.accountId}:parameter/cell/queue/url`;
      cell.Parameters.Leak = { Type: 'AWS::SSM::Parameter::Value<String>', Default };
      return ['Leak', 'Parameters.Leak.Default'];
    },
  },
  {
    kind: 'parameter',
    what: "another cell's parameter in tooling",
    into: 'delegation',
    plant: ({ delegation }) => {
      delegation.Parameters.Leak = { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/cells/alpha-2/token' };
      return ['Leak', 'Parameters.Leak.Default'];
    },
  },

  // The network.
  {
    kind: 'ingress',
    what: "another cell's block",
    reaches: 'alpha-2',
    ...added('AWS::EC2::SecurityGroupIngress', 'Properties.CidrIp', ({ other }) => ({
      CidrIp: other.block,
      IpProtocol: 'tcp',
      FromPort: 5432,
      ToPort: 5432,
    })),
  },
  {
    kind: 'ingress',
    what: 'everybody, at the database',
    reaches: 'every cell',
    plant: ({ cell }) => {
      const id = Object.keys(cell.Resources).find((each) => /^NetworkDataSecurityGroup[0-9A-F]{8}$/.test(each)) ?? '';
      cell.Resources[id].Properties.SecurityGroupIngress = [{ CidrIp: '0.0.0.0/0', IpProtocol: 'tcp', FromPort: 443, ToPort: 443 }];
      return [id, 'Properties.SecurityGroupIngress.0.CidrIp'];
    },
  },
  {
    kind: 'ingress',
    what: 'everybody, at another port of the entrance',
    reaches: 'every cell',
    plant: ({ cell }) => {
      const id = Object.keys(cell.Resources).find((each) => /^NetworkEntrySecurityGroup[0-9A-F]{8}$/.test(each)) ?? '';
      const rules = cell.Resources[id].Properties.SecurityGroupIngress;
      rules.push({ CidrIp: '0.0.0.0/0', IpProtocol: 'tcp', FromPort: 443, ToPort: 8443 });
      return [id, `Properties.SecurityGroupIngress.${rules.length - 1}.CidrIp`];
    },
  },
  {
    kind: 'ingress',
    what: 'a block that is wider than the own',
    reaches: 'every cell',
    ...added('AWS::EC2::SecurityGroupIngress', 'Properties.CidrIp', () => ({ CidrIp: '10.0.0.0/8', IpProtocol: '-1' })),
  },
  {
    kind: 'egress',
    what: "another cell's block",
    reaches: 'alpha-2',
    ...added('AWS::EC2::SecurityGroupEgress', 'Properties.CidrIp', ({ other }) => ({ CidrIp: other.block, IpProtocol: '-1' })),
  },
  {
    kind: 'egress',
    what: 'everything, at every port',
    reaches: 'every cell',
    ...added('AWS::EC2::SecurityGroupEgress', 'Properties.CidrIpv6', () => ({ CidrIpv6: '::/0', IpProtocol: '-1' })),
  },
  {
    kind: 'security-group',
    what: "another account's group",
    ...added('AWS::EC2::SecurityGroupIngress', 'Properties.SourceSecurityGroupId', ({ other }) => ({
      SourceSecurityGroupId: `${other.accountId}/sg-0123456789abcdef0`,
      IpProtocol: '-1',
    })),
  },
  {
    kind: 'security-group',
    what: "another account's group, by its owner",
    ...added('AWS::EC2::SecurityGroupIngress', 'Properties.SourceSecurityGroupOwnerId', (world) => ({
      SourceSecurityGroupId: { 'Fn::GetAtt': [first(world.cell, 'AWS::EC2::SecurityGroup'), 'GroupId'] },
      SourceSecurityGroupOwnerId: world.other.accountId,
      IpProtocol: '-1',
    })),
  },
  {
    kind: 'route',
    what: "another cell's block, by a peering",
    reaches: 'alpha-2',
    ...added('AWS::EC2::Route', 'Properties.VpcPeeringConnectionId', ({ cell, other }) => ({
      RouteTableId: { Ref: first(cell, 'AWS::EC2::RouteTable') },
      DestinationCidrBlock: other.block,
      VpcPeeringConnectionId: 'pcx-0123456789abcdef0',
    })),
  },
  {
    kind: 'route',
    what: "another cell's block, by the own gateway",
    reaches: 'alpha-2',
    ...added('AWS::EC2::Route', 'Properties.DestinationCidrBlock', ({ cell, other }) => ({
      RouteTableId: { Ref: first(cell, 'AWS::EC2::RouteTable') },
      DestinationCidrBlock: other.block,
      GatewayId: { Ref: first(cell, 'AWS::EC2::InternetGateway') },
    })),
  },
  {
    kind: 'block',
    what: 'a list of prefixes',
    reaches: 'alpha-2',
    ...added('AWS::EC2::PrefixList', 'Properties.Entries.0.Cidr', ({ other }) => ({ Entries: [{ Cidr: other.block }] })),
  },
  {
    kind: 'block',
    what: 'a network access list that admits everybody',
    reaches: 'every cell',
    ...added('AWS::EC2::NetworkAclEntry', 'Properties.CidrBlock', () => ({ CidrBlock: '0.0.0.0/0', RuleAction: 'allow' })),
  },
  {
    kind: 'block',
    what: 'a network that is larger than its block',
    reaches: 'every cell',
    plant: ({ cell }) => {
      const id = first(cell, 'AWS::EC2::VPC');
      cell.Resources[id].Properties.CidrBlock = '10.0.0.0/16';
      return [id, 'Properties.CidrBlock'];
    },
  },
  {
    kind: 'block',
    what: 'an address as a target',
    reaches: 'alpha-2',
    ...added('AWS::ElasticLoadBalancingV2::TargetGroup', 'Properties.Targets.0.Id', ({ other }) => ({
      Targets: [{ Id: other.block.replace(/0\/20$/, '7') }],
    })),
  },
  {
    kind: 'unknown-block',
    what: 'a block that the template does not tell',
    ...added('AWS::EC2::VPCCidrBlock', 'Properties.CidrBlock', ({ cell }) => ({
      CidrBlock: parts({ Ref: first(cell, 'AWS::EC2::InternetGateway') }, '/16'),
    })),
  },
  {
    kind: 'endpoint',
    what: "another account's service",
    ...added('AWS::EC2::VPCEndpoint', 'Properties.ServiceName', (world) => ({
      VpcId: vpc(world),
      ServiceName: parts('com.amazonaws.vpce.', { Ref: 'AWS::Region' }, '.vpce-svc-0123456789abcdef0'),
    })),
  },
  {
    kind: 'private-zone',
    what: "a zone in another cell's network",
    ...added('AWS::Route53::HostedZone', 'Properties.VPCs.1.VPCId', (world) => ({
      Name: 'in.alpha.cells.example.com',
      VPCs: [{ VPCId: vpc(world) }, { VPCId: 'vpc-0123456789abcdef0', VPCRegion: 'eu-west-1' }],
    })),
  },
  { kind: 'peering', what: 'a peering', ...bare('AWS::EC2::VPCPeeringConnection') },
  { kind: 'transit', what: 'a transit gateway attachment', ...bare('AWS::EC2::TransitGatewayVpcAttachment') },
  { kind: 'vpn', what: 'a VPN', ...bare('AWS::EC2::VPNConnection') },
  { kind: 'private-link', what: 'an endpoint service that others may use', ...bare('AWS::EC2::VPCEndpointServicePermissions') },
  { kind: 'lattice', what: 'a network of services', ...bare('AWS::VpcLattice::ServiceNetworkVpcAssociation') },
  { kind: 'ram-share', what: 'a resource share', ...bare('AWS::RAM::ResourceShare') },
  { kind: 'resolver', what: 'a rule for names', ...bare('AWS::Route53Resolver::ResolverRuleAssociation') },
  { kind: 'observability-link', what: 'a link for metrics and logs', ...bare('AWS::Oam::Link') },
  { kind: 'global-data', what: 'a database in several regions', ...bare('AWS::RDS::GlobalCluster') },
  { kind: 'nested-template', what: 'a stack from elsewhere', ...bare('AWS::CloudFormation::Stack') },

  // Permissions.
  {
    kind: 'role-trust',
    what: "another cell's account",
    reaches: 'alpha-2',
    ...added('AWS::IAM::Role', IN_TRUST, (world) => ({ AssumeRolePolicyDocument: statement(root(world), { Action: 'sts:AssumeRole' }) })),
  },
  {
    kind: 'role-trust',
    what: 'everybody in the organization',
    reaches: 'every cell',
    ...added('AWS::IAM::Role', IN_TRUST, () => ({
      AssumeRolePolicyDocument: statement({ AWS: '*' }, { Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-abcdefghij' } } }),
    })),
  },
  {
    kind: 'role-trust',
    what: 'a condition that also holds without its key',
    reaches: 'every cell',
    ...added('AWS::IAM::Role', IN_TRUST, ({ facts }) => ({
      AssumeRolePolicyDocument: statement('*', {
        Condition: { StringEqualsIfExists: { 'aws:PrincipalAccount': facts.account.accountId } },
      }),
    })),
  },
  {
    kind: 'role-trust',
    what: 'an identity provider that the template does not make',
    ...added('AWS::IAM::Role', IN_TRUST, () => ({ AssumeRolePolicyDocument: statement({ Federated: 'cognito-identity.amazonaws.com' }) })),
  },
  {
    kind: 'role-trust',
    what: "another cell's account at the role in tooling",
    into: 'delegation',
    reaches: 'alpha-2',
    plant: (world) => {
      const id = first(world.delegation, 'AWS::IAM::Role');
      const [trust] = world.delegation.Resources[id].Properties.AssumeRolePolicyDocument.Statement;
      trust.Principal = root(world);
      return [id, IN_TRUST];
    },
  },
  {
    kind: 'role-trust',
    what: 'the role in tooling for every role of the account',
    into: 'delegation',
    reaches: 'alpha',
    plant: ({ delegation }) => {
      const id = first(delegation, 'AWS::IAM::Role');
      delete delegation.Resources[id].Properties.AssumeRolePolicyDocument.Statement[0].Condition;
      return [id, IN_TRUST];
    },
  },
  {
    kind: 'resource-policy',
    what: "a bucket for another cell's account",
    reaches: 'alpha-2',
    ...added('AWS::S3::BucketPolicy', `${IN_POLICY}.Principal`, (world) => ({ PolicyDocument: statement(root(world)) })),
  },
  {
    kind: 'resource-policy',
    what: 'a queue for the organization',
    reaches: 'every cell',
    ...added('AWS::SQS::QueuePolicy', `${IN_POLICY}.Principal`, () => ({
      PolicyDocument: statement('*', { Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-abcdefghij' } } }),
    })),
  },
  {
    kind: 'resource-policy',
    what: 'a topic for everybody but one',
    reaches: 'every cell',
    ...added('AWS::SNS::TopicPolicy', `${IN_POLICY}.NotPrincipal`, (world) => {
      const { Principal: NotPrincipal, ...rest } = statement(root(world)).Statement[0] ?? {};
      return { PolicyDocument: { Statement: [{ ...rest, NotPrincipal }] } };
    }),
  },
  {
    kind: 'resource-policy',
    what: "a secret for another cell's role",
    reaches: 'alpha-2',
    ...added('AWS::SecretsManager::ResourcePolicy', 'Properties.ResourcePolicy.Statement.0.Principal', ({ other }) => ({
      ResourcePolicy: statement({ AWS: [`arn:aws:iam::${other.accountId}:role/reader`] }),
    })),
  },
  {
    kind: 'resource-policy',
    what: "a repository for another cell's number",
    reaches: 'alpha-2',
    ...added('AWS::ECR::Repository', 'Properties.RepositoryPolicyText.Statement.0.Principal', ({ other }) => ({
      RepositoryPolicyText: statement({ AWS: other.accountId }),
    })),
  },
  {
    kind: 'resource-policy',
    what: 'a destination for logs, whose policy is text',
    reaches: 'alpha-2',
    ...added('AWS::Logs::Destination', 'Properties.DestinationPolicy.Statement.0.Principal', (world) => ({
      DestinationPolicy: JSON.stringify(statement(root(world))),
    })),
  },
  {
    kind: 'key-policy',
    what: "a key that another cell's account may grant",
    reaches: 'alpha-2',
    plant: (world) => {
      const id = first(world.cell, 'AWS::KMS::Key');
      const statements = world.cell.Resources[id].Properties.KeyPolicy.Statement;
      statements.push({ Effect: 'Allow', Principal: root(world), Action: 'kms:CreateGrant', Resource: '*' });
      return [id, `Properties.KeyPolicy.Statement.${statements.length - 1}.Principal`];
    },
  },
  {
    kind: 'service-principal',
    what: 'a bucket for the logs of whichever load balancer',
    reaches: 'every cell',
    ...added('AWS::S3::BucketPolicy', `${IN_POLICY}.Principal`, () => ({
      PolicyDocument: statement({ Service: 'logdelivery.elasticloadbalancing.amazonaws.com' }, { Action: 's3:PutObject' }),
    })),
  },
  {
    kind: 'service-principal',
    what: "a bucket for the logs of another cell's load balancer",
    reaches: 'every cell',
    ...added('AWS::S3::BucketPolicy', `${IN_POLICY}.Principal`, ({ other }) => ({
      PolicyDocument: statement(
        { Service: 'logdelivery.elasticloadbalancing.amazonaws.com' },
        { Action: 's3:PutObject', Resource: `arn:aws:s3:::logs/x/AWSLogs/${other.accountId}/*` },
      ),
    })),
  },
  {
    kind: 'identity-policy',
    what: 'any role',
    reaches: 'every cell',
    ...added('AWS::IAM::Policy', `${IN_POLICY}.Resource`, () => policy({ Action: ['sts:AssumeRole'], Resource: '*' })),
  },
  {
    kind: 'identity-policy',
    what: 'queues of whichever account',
    reaches: 'every cell',
    ...added('AWS::IAM::ManagedPolicy', `${IN_POLICY}.Resource`, () =>
      policy({ Action: 'sqs:SendMessage', Resource: 'arn:aws:sqs:eu-west-1:*:jobs' }),
    ),
  },
  {
    kind: 'identity-policy',
    what: 'everything but',
    reaches: 'every cell',
    ...added('AWS::IAM::Role', 'Properties.Policies.0.PolicyDocument.Statement.0.NotResource', (world) => {
      const { PolicyDocument } = policy({
        Action: 's3:GetObject',
        NotResource: { 'Fn::GetAtt': [first(world.cell, 'AWS::S3::Bucket'), 'Arn'] },
      });
      delete (PolicyDocument.Statement[0] as Json).Resource;
      return { Policies: [{ PolicyName: 'leak', PolicyDocument }] };
    }),
  },
  {
    kind: 'identity-policy',
    what: 'images of a component, inside or outside the organization',
    into: 'component',
    reaches: 'every cell',
    plant: ({ component }) => {
      const id = Object.keys(component.Resources).find((each) => each.startsWith('ServiceExecutionRoleDefaultPolicy')) ?? '';
      const statements: Json[] = component.Resources[id].Properties.PolicyDocument.Statement;
      const index = statements.findIndex(({ Condition }) => Condition !== undefined);
      delete statements[index].Condition;
      return [id, `Properties.PolicyDocument.Statement.${index}.Resource`];
    },
  },
  {
    kind: 'managed-policy',
    what: 'an administrator',
    reaches: 'every cell',
    ...added('AWS::IAM::Role', 'Properties.ManagedPolicyArns', () => ({
      ManagedPolicyArns: [parts('arn:', { Ref: 'AWS::Partition' }, ':iam::aws:policy/AdministratorAccess')],
    })),
  },
  {
    kind: 'function-permission',
    what: "another cell's account",
    reaches: 'alpha-2',
    ...added('AWS::Lambda::Permission', 'Properties.Principal', ({ other }) => ({
      Principal: other.accountId,
      Action: 'lambda:InvokeFunction',
    })),
  },
  {
    kind: 'function-permission',
    what: 'events of whichever account',
    reaches: 'every cell',
    ...added('AWS::Lambda::Permission', 'Properties.Principal', () => ({
      Principal: 'events.amazonaws.com',
      Action: 'lambda:InvokeFunction',
    })),
  },
  {
    kind: 'event-bus',
    what: 'everybody in the organization',
    reaches: 'every cell',
    ...added('AWS::Events::EventBusPolicy', 'Properties.Principal', () => ({
      Principal: '*',
      StatementId: 'x',
      Condition: { Type: 'StringEquals', Key: 'aws:PrincipalOrgID', Value: 'o-abcdefghij' },
    })),
  },
  {
    kind: 'shared-permission',
    what: "another cell's record in tooling",
    into: 'delegation',
    plant: ({ delegation, other }) => {
      const id = first(delegation, 'AWS::IAM::Policy');
      const [record] = delegation.Resources[id].Properties.PolicyDocument.Statement;
      record.Condition['ForAllValues:StringEquals']['route53:ChangeResourceRecordSetsNormalizedRecordNames'].push(other.domain);
      return [id, IN_POLICY];
    },
  },

  // What is shared or passed on.
  {
    kind: 'shared-account',
    what: 'one account',
    reaches: 'alpha-2',
    plant: ({ facts, other }) => {
      facts.account = { accountId: other.accountId };
      return ['(stack)', 'env.account'];
    },
  },
  {
    kind: 'shared-account',
    what: 'the account of tooling',
    reaches: 'tooling',
    plant: ({ facts }) => {
      facts.account = { accountId: '200000000000' };
      return ['(stack)', 'env.account'];
    },
  },
  {
    kind: 'shared-block',
    what: 'one block',
    reaches: 'alpha-2',
    plant: ({ facts, other }) => {
      facts.block = other.block;
      return ['(stack)', 'network.block'];
    },
  },
  {
    kind: 'name-clash',
    what: 'one name for two buckets',
    reaches: 'alpha-2',
    plant: ({ cell, other }) => {
      for (const template of [cell, other.template])
        template.Resources.Leak = { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'acme-data' } };
      return ['Leak', 'Properties.BucketName'];
    },
  },
  {
    kind: 'name-clash',
    what: "another cell's role in tooling",
    into: 'delegation',
    reaches: 'alpha-2',
    plant: ({ delegation }) => {
      const id = first(delegation, 'AWS::IAM::Role');
      delegation.Resources[id].Properties.RoleName = 'cell-delegation-alpha-2';
      return [id, 'Properties.RoleName'];
    },
  },
  { kind: 'shared-resource', what: 'a queue in tooling', ...added('AWS::SQS::Queue', 'Type', () => ({}), 'delegation') },
  {
    kind: 'passed-value',
    what: "another stack's export",
    plant: ({ cell }) => {
      cell.Resources.Leak = { Type: 'AWS::Lambda::Function', Properties: { Role: { 'Fn::ImportValue': 'queue' } } };
      return ['Leak', 'Properties.Role.Fn::ImportValue'];
    },
  },
  {
    kind: 'passed-value',
    what: "another stack's export, within text",
    ...environment(() => parts('https://', { 'Fn::ImportValue': 'queue' })),
  },
  {
    kind: 'passed-value',
    what: "another stack's output",
    plant: ({ cell }) => {
      const output = { StackName: 'Shared', OutputName: 'Queue' };
      cell.Resources.Leak = { Type: 'AWS::Lambda::Function', Properties: { Role: { 'Fn::GetStackOutput': output } } };
      return ['Leak', 'Properties.Role.Fn::GetStackOutput'];
    },
  },
  {
    kind: 'passed-value',
    what: 'an export in tooling',
    into: 'delegation',
    plant: ({ delegation }) => {
      delegation.Outputs = { Leak: { Value: 'x', Export: { Name: 'token' } } };
      return ['Leak', 'Outputs.Leak.Export'];
    },
  },
  {
    kind: 'open-parameter',
    what: 'a value that somebody gives',
    plant: ({ cell }) => {
      cell.Parameters.Peer = { Type: 'String' };
      return ['Peer', 'Parameters.Peer'];
    },
  },
  {
    kind: 'data',
    what: "a database from another's snapshot",
    ...added('AWS::RDS::DBInstance', 'Properties.DBSnapshotIdentifier', () => ({ DBSnapshotIdentifier: 'rds:alpha-2-2026-01-01' })),
  },
  {
    kind: 'data',
    what: 'a replica of another database',
    ...added('AWS::RDS::DBInstance', 'Properties.SourceDBInstanceIdentifier', () => ({
      SourceDBInstanceIdentifier: 'cell-alpha-2-database',
    })),
  },
  {
    kind: 'data',
    what: 'a bucket that is copied',
    ...added('AWS::S3::Bucket', 'Properties.ReplicationConfiguration', (world) => ({
      ReplicationConfiguration: { Rules: [{ Destination: { Bucket: { 'Fn::GetAtt': [first(world.cell, 'AWS::S3::Bucket'), 'Arn'] } } }] },
    })),
  },
  {
    kind: 'public',
    what: 'a database',
    ...added('AWS::RDS::DBInstance', 'Properties.PubliclyAccessible', () => ({ PubliclyAccessible: true })),
  },
  { kind: 'public', what: 'a function', ...added('AWS::Lambda::Url', 'Properties.AuthType', () => ({ AuthType: 'NONE' })) },
];

/** What looks like a leak and is none, planted in the same way. */
export const HARMLESS: readonly { readonly what: string; readonly properties: (world: World) => Json; readonly type: string }[] = [
  {
    what: 'a Deny for everybody',
    type: 'AWS::SQS::QueuePolicy',
    properties: () => ({ PolicyDocument: statement('*', { Effect: 'Deny' }) }),
  },
  {
    what: 'everybody of the own account',
    type: 'AWS::S3::BucketPolicy',
    properties: ({ facts }) => ({
      PolicyDocument: statement('*', { Condition: { StringEquals: { 'aws:PrincipalAccount': facts.account.accountId } } }),
    }),
  },
  {
    what: 'the own account, by number',
    type: 'AWS::SNS::TopicPolicy',
    properties: () => ({ PolicyDocument: statement({ AWS: { Ref: 'AWS::AccountId' } }) }),
  },
  {
    what: "a service that works for the template's own alarm",
    type: 'AWS::SNS::TopicPolicy',
    properties: ({ cell }) => ({
      PolicyDocument: statement(
        { Service: 'cloudwatch.amazonaws.com' },
        { Condition: { ArnEquals: { 'aws:SourceArn': { 'Fn::GetAtt': [first(cell, 'AWS::CloudWatch::Alarm'), 'Arn'] } } } },
      ),
    }),
  },
  {
    what: 'an endpoint that everybody inside may use for the own account',
    type: 'AWS::EC2::VPCEndpoint',
    properties: (world) => ({
      VpcId: vpc(world),
      ServiceName: parts('com.amazonaws.', { Ref: 'AWS::Region' }, '.sqs'),
      PolicyDocument: statement('*', { Condition: { StringEquals: { 'aws:ResourceAccount': world.facts.account.accountId } } }),
    }),
  },
  {
    what: 'a function that the own account calls',
    type: 'AWS::Lambda::Permission',
    properties: () => ({ Principal: 'events.amazonaws.com', SourceAccount: { Ref: 'AWS::AccountId' } }),
  },
  {
    what: 'permissions on everything that takes no resource',
    type: 'AWS::IAM::Policy',
    properties: () => policy({ Action: ['ecr:GetAuthorizationToken', 'ec2:DescribeInstances', 'cloudwatch:PutMetricData'] }),
  },
  {
    what: 'a key of AWS in the own account',
    type: 'AWS::SQS::Queue',
    properties: () => ({ KmsMasterKeyId: 'alias/aws/sqs' }),
  },
  {
    what: 'numbers and names that are remarks, versions or hashes',
    type: 'AWS::Lambda::Function',
    properties: () => ({
      Description: 'as Cell-alpha-2 has it, since 202601011200',
      Tags: [{ Key: 'cost-centre', Value: '123456789012' }],
      Environment: {
        Variables: { ID: 'f81d4fae-7dec-11d0-a765-123456789012', HOST: '0.0.0.0', HASH: 'a1234567890123b', VERSION: '999.0.1.2' },
      },
    }),
  },
  { what: 'a name below the own', type: 'AWS::Route53::RecordSet', properties: ({ facts }) => ({ Name: `api.${facts.domain}.` }) },
];
