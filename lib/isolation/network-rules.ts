/** Ways from one cell's network into another's. */
import {
  blockOf,
  type ComparedStacks,
  type Crossing,
  cellsIn,
  EVERY_CELL,
  type IsolationRule,
  isOwn,
  isOwnBlock,
  OUTSIDE,
  reached,
  type Stack,
} from './compared-stacks.ts';
import { asList, asText, isValues, type Resource, type Values } from './template.ts';

/** One rule of a security group. */
interface GroupRule {
  readonly resource: Resource;
  readonly path: string;
  readonly rule: Values;
}

/** CDK's way to write "nothing goes out": a group without any rule would let everything out. Nobody has this address. */
const NOBODY = '255.255.255.255/32';

const GROUP = 'AWS::EC2::SecurityGroup';
const WAYS = { ingress: 'SecurityGroupIngress', egress: 'SecurityGroupEgress' } as const;
type Way = keyof typeof WAYS;

function* groupRules({ resources }: Stack, way: Way): Generator<GroupRule> {
  const property = WAYS[way];
  for (const resource of resources) {
    if (resource.type === `AWS::EC2::${property}`) yield { resource, path: 'Properties', rule: resource.properties };
    if (resource.type !== GROUP) continue;
    for (const [index, rule] of asList(resource.properties[property]).entries()) {
      if (isValues(rule)) yield { resource, path: `Properties.${property}.${index}`, rule };
    }
  }
}

const ports = ({ IpProtocol, FromPort, ToPort }: Values) =>
  `${asText(IpProtocol)} ${FromPort === ToPort ? asText(FromPort) : `${asText(FromPort)}-${asText(ToPort)}`}`;

/** Whom a block reaches, in words. */
function reachOf(text: string, stack: Stack, subject: ComparedStacks): string {
  const block = blockOf(text);
  if (block) return block.prefix === 0 ? EVERY_CELL : reached(cellsIn(block, stack, subject), subject);
  return text === '::/0' || text.includes('<') ? EVERY_CELL : OUTSIDE;
}

/** Blocks in a group's rules that are not the cell's own. */
function* openBlocks(
  stack: Stack,
  subject: ComparedStacks,
  way: Way,
  message: (block: string, rule: Values) => string,
): Generator<Crossing> {
  for (const { resource, path, rule } of groupRules(stack, way)) {
    for (const key of ['CidrIp', 'CidrIpv6']) {
      const value = asText(rule[key]);
      if (value === '' || value === NOBODY || isOwnBlock(value, stack, subject)) continue;
      yield {
        logicalId: resource.logicalId,
        type: resource.type,
        path: `${path}.${key}`,
        reaches: reachOf(value, stack, subject),
        value,
        rule,
        message: message(value, rule),
        fix: `name a security group of this cell, or its block${stack.cell ? ` ${stack.cell.block}` : ''}`,
      };
    }
  }
}

const GROUP_KEYS = [
  'SourceSecurityGroupId',
  'DestinationSecurityGroupId',
  'SourceSecurityGroupName',
  'SourcePrefixListId',
  'DestinationPrefixListId',
];

function* groupReferences(stack: Stack): Generator<Crossing> {
  for (const way of ['ingress', 'egress'] as const) {
    for (const { resource, path, rule } of groupRules(stack, way)) {
      const found = (key: string, value: string): Crossing => ({
        logicalId: resource.logicalId,
        type: resource.type,
        path: `${path}.${key}`,
        reaches: OUTSIDE,
        value,
        rule,
        message: `${key} is ${value}, which this template doesn't make`,
        fix: 'refer to a security group or prefix list of this template',
      });
      for (const key of GROUP_KEYS) {
        const value = asText(rule[key]);
        if (value !== '' && !isOwn(value, stack)) yield found(key, value);
      }
      const owner = asText(rule['SourceSecurityGroupOwnerId']);
      if (owner !== '' && owner !== stack.accountId) yield found('SourceSecurityGroupOwnerId', owner);
    }
  }
}

/** What a route may lead to, if the template makes it. Everything else leads to other networks. */
const OWN_TARGETS = ['GatewayId', 'NatGatewayId', 'InstanceId', 'NetworkInterfaceId', 'EgressOnlyInternetGatewayId', 'VpcEndpointId'];
const DESTINATIONS = ['DestinationCidrBlock', 'DestinationIpv6CidrBlock', 'DestinationPrefixListId'];

function* routes(stack: Stack, subject: ComparedStacks): Generator<Crossing> {
  for (const { logicalId, type, properties } of stack.resources) {
    if (type !== 'AWS::EC2::Route') continue;
    const [key = 'DestinationCidrBlock'] = DESTINATIONS.filter((each) => properties[each] !== undefined);
    const value = asText(properties[key]);
    const targets = Object.keys(properties).filter((each) => each !== 'RouteTableId' && !DESTINATIONS.includes(each));
    const target = targets.map((each) => `${each} ${asText(properties[each])}`).join(', ');
    const known = targets.length === 1 && targets.every((each) => OWN_TARGETS.includes(each) && isOwn(asText(properties[each]), stack));
    const found = { logicalId, type, reaches: reachOf(value, stack, subject), rule: properties };
    if (!known) {
      yield {
        ...found,
        path: `Properties.${targets[0] ?? key}`,
        value: target,
        message: `a route for ${value} leads to ${target || 'nothing'}, which is no gateway, endpoint or instance of this cell`,
        fix: "remove the route: cells' networks don't touch",
      };
    } else if (!isOwnBlock(value, stack, subject)) {
      yield {
        ...found,
        path: `Properties.${key}`,
        value,
        message: `a route for ${value}, by ${target}`,
        fix: 'leave the default route as the only one that leads out',
      };
    }
  }
}

/** Where the rules above have looked already. */
const LOOKED_AT = /^AWS::EC2::(SecurityGroup|SecurityGroupIngress|SecurityGroupEgress|Route)$/;
const ADDRESS = /(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?:\/\d{1,2})?(?![\d.]*\d)/g;
/** Nobody reads an address from there. */
const INERT = /(^|\.)(Tags(\.|$)|Description$|GroupDescription$)/;

function* addresses(stack: Stack, subject: ComparedStacks): Generator<Crossing> {
  for (const { logicalId, type, path, text } of stack.texts) {
    if (LOOKED_AT.test(type) || INERT.test(path)) continue;
    for (const value of [...(text.match(ADDRESS) ?? []), ...(/(?<![0-9a-f:])::\/0/.test(text) ? ['::/0'] : [])]) {
      const reaches = reachOf(value, stack, subject);
      if (reaches === OUTSIDE || isOwnBlock(value, stack, subject)) continue;
      yield {
        logicalId,
        type,
        path,
        reaches,
        value,
        message: `${value} holds addresses of ${reaches}`,
        fix: stack.cell ? `use addresses of the cell's own block, ${stack.cell.block}` : 'read the address from a parameter /cell/…',
      };
    }
  }
}

/** Blocks of which only CloudFormation knows what they will be, where a block decides who gets in. */
function* unknownBlocks(stack: Stack, subject: ComparedStacks): Generator<Crossing> {
  for (const { logicalId, type, path, text } of stack.texts) {
    if (LOOKED_AT.test(type) || !/(^|\.)\w*Cidr\w*$/.test(path) || !text.includes('<') || isOwnBlock(text, stack, subject)) continue;
    yield {
      logicalId,
      type,
      path,
      reaches: EVERY_CELL,
      value: text,
      message: `${text} can't be read from the template, so it may be any block`,
      fix: "write the block, or refer to the network's own CidrBlock",
    };
  }
}

/** Services of AWS itself; what others offer by PrivateLink is called `…vpce-svc-…`. */
const AWS_SERVICE = /^(cn\.)?com\.amazonaws\.(?!vpce\.)[a-z0-9<>:.-]+$|^aws\.[a-z0-9.-]+$/i;

function* endpoints(stack: Stack): Generator<Crossing> {
  for (const { logicalId, type, properties } of stack.resources) {
    if (type !== 'AWS::EC2::VPCEndpoint') continue;
    for (const key of ['ServiceName', 'ServiceNetworkArn', 'ResourceConfigurationArn']) {
      const value = asText(properties[key]);
      if (value === '' || (key === 'ServiceName' && AWS_SERVICE.test(value) && !value.includes('vpce-svc'))) continue;
      yield {
        logicalId,
        type,
        path: `Properties.${key}`,
        reaches: OUTSIDE,
        value,
        message: `an endpoint for ${value}, which is no service of AWS`,
        fix: 'remove it: what another account offers is no part of this cell',
      };
    }
  }
}

function* zonesOfOthers(stack: Stack): Generator<Crossing> {
  for (const { logicalId, type, properties } of stack.resources) {
    if (type !== 'AWS::Route53::HostedZone') continue;
    for (const [index, vpc] of asList(properties['VPCs']).entries()) {
      const value = asText(isValues(vpc) ? vpc['VPCId'] : vpc);
      if (isOwn(value, stack)) continue;
      yield {
        logicalId,
        type,
        path: `Properties.VPCs.${index}.VPCId`,
        reaches: OUTSIDE,
        value,
        message: `a private zone that is answered in the network ${value}, which this template doesn't make`,
        fix: "associate the zone with this cell's own VPC only",
      };
    }
  }
}

export const NETWORK_RULES: readonly IsolationRule[] = [
  {
    kind: 'ingress',
    description: "a security group lets in the cell's own block only",
    check: (stack, subject) => openBlocks(stack, subject, 'ingress', (block, rule) => `lets ${block} in, ${ports(rule)}`),
  },
  {
    kind: 'egress',
    description: "a security group lets out to the cell's own block only",
    check: (stack, subject) => openBlocks(stack, subject, 'egress', (block, rule) => `lets out to ${block}, ${ports(rule)}`),
  },
  {
    kind: 'security-group',
    description: "rules of a security group name the template's own groups and prefix lists",
    check: groupReferences,
  },
  { kind: 'route', description: "a route leads to the cell's own gateways, endpoints and instances", check: routes },
  {
    kind: 'block',
    description: "no address or block of another cell, and none wider than the cell's own, stands anywhere",
    check: addresses,
  },
  { kind: 'unknown-block', description: 'every block can be read from the template', check: unknownBlocks },
  { kind: 'endpoint', description: 'an endpoint leads to a service of AWS', check: endpoints },
  { kind: 'private-zone', description: "a private zone is answered in the cell's own network only", check: zonesOfOthers },
];
