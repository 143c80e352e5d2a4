/** Names and numbers by which a template points at what another cell has. */
import { cellAccountName } from '../registry/index.ts';
import {
  type ComparedStacks,
  type Crossing,
  EVERY_CELL,
  type IsolationRule,
  isOwn,
  isShared,
  namesOf,
  OUTSIDE,
  ownerOf,
  type Stack,
} from './compared-stacks.ts';
import { accountInArn } from './statements.ts';
import { asText, entry, type Text } from './template.ts';

/** What is for people to read: a number there is a cost centre, a name a remark. */
const REMARK = /(^|\.)(Tags(\.|$)|Description$|GroupDescription$)/;
const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi;

const at = ({ logicalId, type, path }: Text) => ({ logicalId, type, path });

/** Account numbers in text. A number that we don't know may be something else, unless it stands alone. */
function accountsIn({ text, path }: Text, { accounts }: ComparedStacks): string[] {
  const known = (text.match(/(?<!\d)\d{12}(?!\d)/g) ?? []).filter((id) => accounts.has(id));
  const unknown = REMARK.test(path) ? [] : (text.replace(UUID, '').match(/(?<![0-9A-Za-z])\d{12}(?![0-9A-Za-z])/g) ?? []);
  return [...new Set([...known, ...unknown])];
}

function* accounts(stack: Stack, subject: ComparedStacks): Generator<Crossing> {
  for (const text of stack.texts) {
    for (const id of accountsIn(text, subject)) {
      if (id === stack.accountId) continue;
      yield {
        ...at(text),
        reaches: ownerOf(id, subject),
        value: text.text,
        message: `names account ${id} (${ownerOf(id, subject)}): ${text.text}`,
        fix: stack.cell
          ? "refer to what this template makes; other accounts' things are none of a cell's business"
          : 'read it from a parameter /cell/…',
      };
    }
  }
}

const REGION =
  /(?<![a-z0-9])(af|ap|ca|cn|eu|il|me|mx|sa|us)(-gov)?-(central|north|south|east|west|northeast|northwest|southeast|southwest)-\d(?!\d)/;

function* places(stack: Stack): Generator<Crossing> {
  if (stack.purpose !== 'component') return;
  for (const text of stack.texts) {
    const value = REGION.exec(text.text)?.[0];
    // A table by region says what holds in each; it points at none.
    if (value === undefined || (text.path.startsWith('Mappings.') && text.path.endsWith(`.${text.text}`)) || REMARK.test(text.path))
      continue;
    yield {
      ...at(text),
      reaches: EVERY_CELL,
      value,
      message: `names region ${value}, and the template goes to every cell`,
      fix: 'refer to AWS::Region',
    };
  }
}

const ID_PREFIXES = [
  ...[
    'vpc',
    'subnet',
    'sg',
    'sgr',
    'rtb',
    'rtbassoc',
    'pcx',
    'eni',
    'igw',
    'eigw',
    'nat',
    'acl',
    'eipalloc',
    'vgw',
    'vpn',
    'cgw',
    'dopt',
    'pl',
  ],
  ...[
    'vpce',
    'vpce-svc',
    'tgw',
    'tgw-attach',
    'tgw-rtb',
    'cvpn-endpoint',
    'rslvr-in',
    'rslvr-out',
    'rslvr-rr',
    'rslvr-rrassoc',
    'rp',
    'svc',
  ],
  ...['sn', 'sn-assoc', 'snva', 'rcfg', 'rgw', 'i', 'ami', 'snap', 'vol', 'lt', 'fs', 'fsap', 'mrk', 'dxgw', 'core-network', 'lgw'],
];
const RESOURCE_ID = new RegExp(`(?<![0-9A-Za-z-])(${ID_PREFIXES.join('|')})-[0-9a-f]{8,32}(?![0-9A-Za-z-])`, 'g');
/** Keys and zones have ids without a prefix. */
const KEY_ID = /(?:(?<=key\/)|^)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const ZONE_ID = /(?:(?<=hostedzone\/)|^)Z[0-9A-Z]{8,31}$/;

function idsIn({ text, path }: Text): string[] {
  const key = /key/i.test(path) || text.includes('key/') ? text.match(KEY_ID) : undefined;
  const zone = /zone/i.test(path) || text.includes('hostedzone/') ? text.match(ZONE_ID) : undefined;
  return [...(text.match(RESOURCE_ID) ?? []), ...(key ?? []), ...(zone ?? [])];
}

function* literalIds(stack: Stack): Generator<Crossing> {
  for (const text of stack.texts) {
    for (const value of idsIn(text)) {
      yield {
        ...at(text),
        reaches: OUTSIDE,
        value,
        message: `${value} is written out: a cell makes all it uses, so this is somebody else's`,
        fix: 'refer to what the template makes',
      };
    }
  }
}

/** Whom a name such as `Cell-alpha-2-Role` belongs to: the longest cell's name that it begins with. One that may be our own is. */
function ownerOfName(rest: string, own: string | undefined, { byName }: ComparedStacks): string | undefined {
  if (byName.has(rest)) return rest;
  if (own !== undefined && rest.startsWith(`${own}-`)) return own;
  for (let end = rest.lastIndexOf('-'); end > 0; end = rest.lastIndexOf('-', end - 1)) {
    if (byName.has(rest.slice(0, end))) return rest.slice(0, end);
  }
  return undefined;
}

const MARK = '\0';
const DERIVED = new RegExp(
  `(?<![A-Za-z0-9-])(?:${namesOf(MARK)
    .map((name) => name.replace(MARK, ''))
    .join('|')})([a-z][a-z0-9-]*)`,
  'g',
);

function* names(stack: Stack, subject: ComparedStacks): Generator<Crossing> {
  for (const text of stack.texts) {
    if (REMARK.test(text.path)) continue;
    for (const [value, rest = ''] of text.text.matchAll(DERIVED)) {
      // What a cell called `delegation-a` has is called as the role of cell `a` in tooling.
      if (stack.cell && `${value}-`.startsWith(`${cellAccountName(stack.cell.name)}-`)) continue;
      const owner = ownerOfName(rest.replace(/-+$/, ''), stack.cell?.name, subject);
      if (owner === undefined || owner === stack.cell?.name) continue;
      yield {
        ...at(text),
        reaches: owner,
        value,
        message: `${value} is called after cell ${owner}`,
        fix: stack.cell ? `call it after ${stack.cell.name}, or remove it` : 'read the name from /cell/name',
      };
    }
  }
}

/** Types whose names are host names; there, every one must be the cell's own. */
const HOSTS = /^AWS::(Route53|CertificateManager)::/;
const HOST_KEYS = /(^|\.)(Name|HostedZoneName|DomainName|ZoneName|SubjectAlternativeNames\.\d+)$/;

const below = (host: string, domain: string) => host === domain || host.endsWith(`.${domain}`);

function* domains(stack: Stack, subject: ComparedStacks): Generator<Crossing> {
  const { cellsDomain } = subject;
  const under = new RegExp(`[a-z0-9*_.<>-]*(?<![a-z0-9-])${cellsDomain.replaceAll('.', '\\.')}(?![a-z0-9-]|\\.[a-z0-9])`, 'gi');
  for (const text of stack.texts) {
    if (REMARK.test(text.path)) continue;
    const hosts: string[] = text.text.match(under) ?? [];
    const isHost = HOSTS.test(text.type) && HOST_KEYS.test(text.path) && text.text.includes('.') && !isOwn(text.text, stack);
    for (const host of new Set([...hosts, ...(isHost ? [text.text] : [])])) {
      const value = host.toLowerCase().replace(/\.$/, '').replace(/^\./, '');
      if (stack.cell && below(value, stack.cell.domain)) continue;
      const owner = [...subject.byName.values()].find(({ domain }) => below(value, domain))?.name;
      yield {
        ...at(text),
        reaches: owner ?? (below(value, cellsDomain) ? EVERY_CELL : OUTSIDE),
        value,
        message: `${value} is not below ${stack.cell ? `the cell's own ${stack.cell.domain}` : "any cell's own domain"}`,
        fix: stack.cell ? `use ${stack.cell.domain} or a name below it` : 'leave names to the foundation',
      };
    }
  }
}

const BUCKET_KEYS = /(^|\.)(\w*Bucket|\w*BucketName)$/;
const BUCKET_TEXTS = [/:s3:::([^/\s"',*]+)/, /^s3:\/\/([^/]+)/i, /^https:\/\/([^/.]+)\.s3[.-]/, /^https:\/\/s3[.-][^/]*\/([^/]+)/];

function* buckets(stack: Stack): Generator<Crossing> {
  for (const text of stack.texts) {
    const isName = BUCKET_KEYS.test(text.path) && text.type !== 'AWS::S3::Bucket' && !text.text.startsWith('arn:');
    const value = isName ? text.text : BUCKET_TEXTS.map((pattern) => pattern.exec(text.text)?.[1]).find((found) => found !== undefined);
    if (value === undefined || value === '' || isOwn(value, stack) || (isName && !/^[a-z0-9<]/.test(value))) continue;
    yield {
      ...at(text),
      reaches: OUTSIDE,
      value,
      message: `the bucket ${value} is not made by this template, and a bucket's name doesn't say whose it is`,
      fix: 'refer to a bucket of this template',
    };
  }
}

const DYNAMIC = /\{\{resolve:(?:ssm|ssm-secure|secretsmanager):(.*?)\}\}/g;

/** What a template reads from Systems Manager and Secrets Manager, with where. */
function* lookups(stack: Stack): Generator<{ text: Text; value: string }> {
  for (const text of stack.texts) {
    for (const [, value = ''] of text.text.matchAll(DYNAMIC)) yield { text, value };
  }
  for (const [name, parameter] of Object.entries(stack.parameters)) {
    const value = asText(entry(parameter, 'Default'));
    if (!asText(entry(parameter, 'Type')).startsWith('AWS::SSM::')) continue;
    yield { text: { logicalId: name, type: '', path: `Parameters.${name}.Default`, text: value }, value };
  }
}

function* parameters(stack: Stack, subject: ComparedStacks): Generator<Crossing> {
  for (const { text, value } of lookups(stack)) {
    const account = accountInArn(value);
    const foreign = account !== undefined && account !== stack.accountId;
    // A name without an account is one of the stack's own account: only where cells share that can it be another's.
    if (!foreign && !isShared(stack, subject)) continue;
    yield {
      ...at(text),
      reaches: foreign ? ownerOf(account, subject) : EVERY_CELL,
      value,
      message: foreign ? `reads ${value} of account ${account}` : `reads ${value} in an account that all cells share`,
      fix: "read parameters and secrets of the cell's own account",
    };
  }
}

export const NAME_RULES: readonly IsolationRule[] = [
  { kind: 'account', description: 'no number of another account stands anywhere', check: accounts },
  { kind: 'component-place', description: 'a component, whose template goes to every cell, names no region', check: places },
  { kind: 'literal-id', description: 'no id of a network, key, image or anything else is written out', check: literalIds },
  { kind: 'name', description: "nothing is called after another cell's stacks or role", check: names },
  { kind: 'domain', description: "host names are below the cell's own domain", check: domains },
  { kind: 'bucket', description: 'every bucket is made by the template that uses it', check: buckets },
  { kind: 'parameter', description: "parameters and secrets are read in the cell's own account", check: parameters },
];
