/** Resources that exist to share or connect, places that cells share, and what is passed from stack to stack. */
import {
  blockOf,
  type ComparedStacks,
  type Crossing,
  cellsIn,
  EVERY_CELL,
  type Field,
  type IsolationRule,
  isOwn,
  isShared,
  OUTSIDE,
  reached,
  type Stack,
} from './compared-stacks.ts';
import { asText, entry, type Resource } from './template.ts';

/** Types whose purpose is to reach beyond one network or account. A cell has no use for any of them. */
const CONNECTING: readonly { readonly kind: string; readonly types: RegExp; readonly what: string }[] = [
  { kind: 'peering', types: /^AWS::EC2::VPCPeeringConnection$/, what: 'joins two networks' },
  {
    kind: 'transit',
    types: /^AWS::(EC2::(TransitGateway|LocalGateway|RouteServer)|NetworkManager::|EC2::TransitGateway)/,
    what: 'joins networks by a router that they share',
  },
  {
    kind: 'vpn',
    types: /^AWS::(EC2::(VPN|CustomerGateway|ClientVpn)|DirectConnect::|EC2::VerifiedAccess)/,
    what: 'lets other networks in',
  },
  {
    kind: 'private-link',
    types: /^AWS::EC2::VPCEndpointService(Permissions)?$/,
    what: 'offers what is in this network to others',
  },
  { kind: 'lattice', types: /^AWS::VpcLattice::/, what: 'puts services of several networks into one' },
  { kind: 'ram-share', types: /^AWS::RAM::/, what: 'shares resources with other accounts' },
  {
    kind: 'resolver',
    types: /^AWS::Route53(Resolver::|Profiles::)/,
    what: 'answers names of other networks, or ours in them',
  },
  { kind: 'observability-link', types: /^AWS::Oam::/, what: 'shows metrics and logs of one account in another' },
  {
    kind: 'global-data',
    types:
      /^AWS::(RDS::GlobalCluster|ElastiCache::GlobalReplicationGroup|DynamoDB::GlobalTable|KMS::ReplicaKey|SecretsManager::ReplicaSecret|S3::MultiRegionAccessPoint|DocDB::GlobalCluster|Neptune::GlobalCluster)/,
    what: 'is one set of data in several places',
  },
  {
    kind: 'nested-template',
    types: /^AWS::CloudFormation::(Stack|StackSet|Macro|ModuleVersion)$|^AWS::ServiceCatalog::|::MODULE$/,
    what: 'makes resources that this template does not show',
  },
];

function connecting({ kind, types, what }: (typeof CONNECTING)[number]): IsolationRule {
  return {
    kind,
    description: `nothing ${what}`,
    *check(stack) {
      for (const { logicalId, type } of stack.resources) {
        if (!types.test(type)) continue;
        yield {
          logicalId,
          type,
          path: 'Type',
          reaches: EVERY_CELL,
          value: type,
          message: `${type} ${what}`,
          fix: 'remove it: cells share nothing',
        };
      }
    },
  };
}

/** Properties that hand over data, or say where data goes. They may name what the same template makes. */
const DATA_KEYS =
  /^((DB)?SnapshotIdentifier|DBClusterSnapshotIdentifier|Snapshot(Id|Arns?|Name)|Source(DB|Db)\w*|SourceRegion|SourceSnapshot\w*|RestoreSnapshot\w*|SourceBackup\w*|SourceTable\w*|GlobalReplicationGroupId|GlobalClusterIdentifier|DestinationBackupVaultArn|PrimaryKeyArn)$/;
/** Properties that copy to elsewhere, whatever they hold. */
const COPY_KEYS = /^(ReplicationConfiguration|ReplicationConfigurations|ReplicaRegions|CopyActions|ReplicationSpecification|Replicas)$/;

function* data(stack: Stack): Generator<Crossing> {
  for (const { logicalId, type, path, key, value } of stack.fields) {
    const copies = COPY_KEYS.test(key) && typeof value === 'object';
    if (!copies && !(DATA_KEYS.test(key) && !isOwn(asText(value), stack))) continue;
    const text = asText(value);
    yield {
      logicalId,
      type,
      path,
      reaches: OUTSIDE,
      value: text,
      message: copies ? `${key} copies data to elsewhere: ${text}` : `${key} takes data from ${text}, which this template doesn't make`,
      fix: "keep the cell's data in the cell, and begin with none",
    };
  }
}

const PUBLIC: Readonly<Record<string, readonly string[]>> = {
  PubliclyAccessible: ['true'],
  AccessControl: ['PublicRead', 'PublicReadWrite', 'AuthenticatedRead'],
  AuthType: ['NONE'],
  AllowedPrincipals: ['*'],
};

function* publicThings(stack: Stack): Generator<Crossing> {
  for (const { logicalId, type, path, key, value } of stack.fields) {
    if (!Object.hasOwn(PUBLIC, key) || !PUBLIC[key]?.includes(asText(value))) continue;
    yield {
      logicalId,
      type,
      path,
      reaches: EVERY_CELL,
      value: asText(value),
      message: `${key} is ${asText(value)}: anybody reaches it`,
      fix: 'let the load balancer be the only entrance',
    };
  }
}

/** The foundation's own facts, which stand in no property. */
const fact = (path: string, rest: Pick<Crossing, 'reaches' | 'value' | 'message' | 'fix'>): Crossing => ({
  logicalId: '(stack)',
  type: '',
  path,
  ...rest,
});

function* sharedAccounts({ purpose, cell }: Stack, { cells, control }: ComparedStacks): Generator<Crossing> {
  if (purpose !== 'foundation' || !cell) return;
  const { accountId } = cell.account;
  const others = [
    ...cells.filter((each) => each.name !== cell.name && each.account.accountId === accountId).map(({ name }) => name),
    ...Object.keys(control).filter((name) => control[name] === accountId),
  ];
  for (const other of others) {
    yield fact('env.account', {
      reaches: other,
      value: accountId,
      message: `account ${accountId} is also that of ${other}`,
      fix: 'give the cell an account of its own: restore accounts.json, or run `cellctl accounts`',
    });
  }
}

function* sharedBlocks(stack: Stack, subject: ComparedStacks): Generator<Crossing> {
  const block = stack.cell && blockOf(stack.cell.block);
  if (stack.purpose !== 'foundation' || !stack.cell || !block) return;
  const others = cellsIn(block, stack, subject);
  if (others.length === 0) return;
  yield fact('network.block', {
    reaches: reached(others, subject),
    value: stack.cell.block,
    message: `block ${stack.cell.block} shares addresses with ${others.join(', ')}`,
    fix: 'take a free block: `cellctl validate` says which blocks overlap',
  });
}

/** How far a physical name must be unique: a bucket's among all accounts, IAM's in an account, others in a region of it. */
function nameScope({ type }: Resource, stack: Stack): string | undefined {
  if (type === 'AWS::S3::Bucket') return 'S3';
  if (stack.purpose === 'component') return undefined;
  return type.startsWith('AWS::IAM::') ? stack.accountId : `${stack.accountId}/${stack.region}`;
}

/** Names inside another resource, such as a role's inline policy. */
const INNER = /^AWS::(IAM::(Policy|RolePolicy|UserPolicy|GroupPolicy)|Route53::)|^Custom::/;

/** The name that a resource insists on, with the property that holds it. */
function physicalName({ type, properties: root }: Resource): [key: string, name: string] | undefined {
  const last = type.split('::').at(-1) ?? '';
  const key = [`${last}Name`, `${last}Identifier`, 'Name', 'AlarmName', 'DBInstanceIdentifier', 'ReplicationGroupId'].find(
    (each) => typeof root[each] === 'string',
  );
  const name = key === undefined ? '' : asText(root[key]);
  return key === undefined || name === '' || name.includes('<') || INNER.test(type) ? undefined : [key, name];
}

/** Physical names by everything that may not have them twice. Worked out once for a subject. */
const claims = new WeakMap<ComparedStacks, Map<string, Set<string>>>();

function claimsOf(subject: ComparedStacks): Map<string, Set<string>> {
  const known = claims.get(subject);
  if (known) return known;
  const found = new Map<string, Set<string>>();
  for (const stack of subject.looked) {
    for (const resource of stack.resources) {
      const scope = nameScope(resource, stack);
      const named = physicalName(resource);
      if (scope === undefined || !named) continue;
      const key = `${scope} ${resource.type} ${named[1]}`;
      found.set(key, (found.get(key) ?? new Set()).add(stack.cell?.name ?? EVERY_CELL));
    }
  }
  claims.set(subject, found);
  return found;
}

function* clashes(stack: Stack, subject: ComparedStacks): Generator<Crossing> {
  for (const resource of stack.resources) {
    const scope = nameScope(resource, stack);
    const named = physicalName(resource);
    if (scope === undefined || !named) continue;
    const [key, name] = named;
    const others = [...(claimsOf(subject).get(`${scope} ${resource.type} ${name}`) ?? [])].filter((each) => each !== stack.cell?.name);
    if (others.length === 0) continue;
    yield {
      logicalId: resource.logicalId,
      type: resource.type,
      path: `Properties.${key}`,
      reaches: others.includes(EVERY_CELL) ? EVERY_CELL : reached(others, subject),
      value: name,
      message: `"${name}" is also the name of a ${resource.type} of ${others.join(', ')}, where it must be unique`,
      fix: "leave the name to CloudFormation, or put the cell's name into it",
    };
  }
}

/** Functions by which CloudFormation takes in what isn't in the template. Within text they stand as tokens. */
const INTAKES = /"?(Fn::ImportValue|Fn::GetStackOutput|Fn::Transform)"?:?/;

/** What a field takes in, if it does: the function, and what it names. */
function intakeOf({ key, value }: Field): { name: string; text: string } | undefined {
  const name = INTAKES.exec(key)?.[1] ?? (typeof value === 'string' ? INTAKES.exec(value)?.[1] : undefined);
  return name === undefined ? undefined : { name, text: asText(value) };
}

function* passed(stack: Stack, subject: ComparedStacks): Generator<Crossing> {
  // What another stack of the same cell exports is the cell's own; what a component imports is so in every cell.
  const mine = subject.looked.filter(
    ({ cell, accountId }) => !stack.cell || !cell || (cell === stack.cell && accountId === stack.accountId),
  );
  const exported = new Set(
    mine.flatMap(({ outputs }) => Object.values(outputs).map((output) => asText(entry(entry(output, 'Export'), 'Name')))),
  );
  for (const field of stack.fields) {
    const { logicalId, type, path } = field;
    const exports = field.key === 'Export' && type === '' && isShared(stack, subject);
    const intake = intakeOf(field);
    if (!exports && (!intake || (intake.name === 'Fn::ImportValue' && exported.has(intake.text) && !isShared(stack, subject)))) continue;
    yield {
      logicalId,
      type,
      path,
      reaches: EVERY_CELL,
      value: asText(field.value),
      message: intake
        ? `${intake.name} takes in ${intake.text}, which no stack of this cell gives`
        : `exports ${asText(field.value)} to every stack of an account that all cells share`,
      fix: intake ? 'refer to what the template makes, or read a parameter /cell/…' : 'remove the export',
    };
  }
}

function* openParameters(stack: Stack): Generator<Crossing> {
  for (const [logicalId, parameter] of Object.entries(stack.parameters)) {
    if (entry(parameter, 'Default') !== undefined) continue;
    yield {
      logicalId,
      type: '',
      path: `Parameters.${logicalId}`,
      reaches: OUTSIDE,
      value: logicalId,
      message: `whoever deploys says what ${logicalId} is, so nothing can be said of what it points at`,
      fix: 'give it a default, or let the template make what it stands for',
    };
  }
}

/** All that a cell may have beside the others': a role, narrowed by the rule on permissions. */
const HARMLESS_THERE = /^AWS::(IAM::(Role|Policy)|CDK::Metadata)$/;

function* sharedResources(stack: Stack, subject: ComparedStacks): Generator<Crossing> {
  if (!isShared(stack, subject)) return;
  for (const { logicalId, type } of stack.resources.filter((each) => !HARMLESS_THERE.test(each.type))) {
    yield {
      logicalId,
      type,
      path: 'Type',
      reaches: EVERY_CELL,
      value: type,
      message: `makes a ${type} in account ${stack.accountId}, where every cell's stacks are`,
      fix: "make it in the cell's own account",
    };
  }
}

export const SHARING_RULES: readonly IsolationRule[] = [
  { kind: 'shared-account', description: 'every cell has an account of its own', check: sharedAccounts },
  { kind: 'shared-block', description: 'every cell has a block of its own', check: sharedBlocks },
  { kind: 'name-clash', description: 'no two cells insist on one name where a name may be there once', check: clashes },
  { kind: 'shared-resource', description: "a cell's stack in an account that all cells share makes roles only", check: sharedResources },
  { kind: 'passed-value', description: 'no values pass from stacks of one cell to those of another', check: passed },
  { kind: 'open-parameter', description: 'all that a template is given can be read from it', check: openParameters },
  ...CONNECTING.map(connecting),
  { kind: 'data', description: 'data is neither taken from, nor copied to, elsewhere', check: data },
  { kind: 'public', description: 'nothing but the entrance is public', check: publicThings },
];
