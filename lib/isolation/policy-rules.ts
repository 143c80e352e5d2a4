/** Permissions by which one cell could use what another has. */

import {
  type ComparedStacks,
  type Crossing,
  EVERY_CELL,
  type IsolationRule,
  isOwn,
  isShared,
  OUTSIDE,
  ownerOf,
  type Stack,
} from './compared-stacks.ts';
import { accountInArn, actionsOf, confinedTo, type Principal, principalsOf, resourcesNamedIn, type Statement } from './statements.ts';
import { asList, asText } from './template.ts';

const finding = (statement: Statement, rest: Pick<Crossing, 'path' | 'reaches' | 'value' | 'message' | 'fix'>): Crossing => ({
  logicalId: statement.logicalId,
  type: statement.type,
  statement,
  ...rest,
});

/** The account of a principal: by number, by ARN, or undefined for everybody. */
function accountOf(name: string, stack: Stack): string | undefined {
  if (isOwn(name, stack)) return stack.accountId;
  const account = /^\d{12}$/.test(name) || name === stack.accountId ? name : accountInArn(name);
  return account === undefined || account === '' || account.includes('*') ? undefined : account;
}

const confined = (statement: Statement, stack: Stack) => confinedTo(statement, stack.accountId, (text) => isOwn(text, stack));

/** Principals of a statement that are not the stack's own account; a service is one that works for any account. */
function* strangers(statement: Statement, stack: Stack, subject: ComparedStacks): Generator<{ principal: Principal; reaches: string }> {
  for (const principal of principalsOf(statement)) {
    if (principal.kind === 'Service') continue;
    const account = principal.kind === 'AWS' ? accountOf(principal.name, stack) : undefined;
    if (account === stack.accountId || (principal.kind === 'Federated' && isOwn(principal.name, stack))) continue;
    // Everybody, and a condition that leaves the own account: which is nobody else. Another account stays one, whatever the condition.
    if (account === undefined && principal.kind === 'AWS' && confined(statement, stack)) continue;
    const reaches =
      account === undefined ? (principal.kind === 'AWS' || principal.kind === 'Not' ? EVERY_CELL : OUTSIDE) : ownerOf(account, subject);
    yield { principal, reaches };
  }
}

const principalPath = ({ path, body }: Statement) => `${path}.${body['NotPrincipal'] === undefined ? 'Principal' : 'NotPrincipal'}`;

function* trusts(stack: Stack, subject: ComparedStacks): Generator<Crossing> {
  for (const statement of stack.statements.filter(({ use, allows }) => use === 'trust' && allows)) {
    for (const { principal, reaches } of strangers(statement, stack, subject)) {
      yield finding(statement, {
        path: principalPath(statement),
        reaches,
        value: `${principal.kind} ${principal.name}`,
        message: `the role may be assumed by ${principal.kind} ${principal.name}`,
        fix: `trust services of AWS, or roles of account ${stack.accountId}`,
      });
    }
    for (const { kind, name } of principalsOf(statement)) {
      if (kind !== 'Service') continue;
      yield finding(statement, {
        path: principalPath(statement),
        reaches: OUTSIDE,
        value: `${kind} ${name}`,
        message: `the role may be assumed by the service ${name}`,
        fix: 'trust services of AWS (…amazonaws.com) only',
      });
    }
  }
}

/** Policies of keys apart from others: who may use a key reads all that the cell stores. */
const isKey = ({ type }: Statement) => type.startsWith('AWS::KMS::');

function* admitted(stack: Stack, subject: ComparedStacks, wanted: (statement: Statement) => boolean): Generator<Crossing> {
  for (const statement of stack.statements.filter((each) => each.use === 'resource' && each.allows && wanted(each))) {
    for (const { principal, reaches } of strangers(statement, stack, subject)) {
      yield finding(statement, {
        path: principalPath(statement),
        reaches,
        value: principal.name,
        message: `${principal.kind} ${principal.name} may ${actionsOf(statement).join(', ') || asText(statement.body['NotAction'])}`,
        fix: `name principals of account ${stack.accountId}, or add a condition on it; one on the organization lets every cell in`,
      });
    }
  }
}

function* servicesForAnybody(stack: Stack): Generator<Crossing> {
  for (const statement of stack.statements.filter(({ use, allows }) => use === 'resource' && allows)) {
    if (confined(statement, stack)) continue;
    for (const { kind, name } of principalsOf(statement)) {
      if (kind !== 'Service') continue;
      yield finding(statement, {
        path: principalPath(statement),
        reaches: EVERY_CELL,
        value: name,
        message: `the service ${name} may ${actionsOf(statement).join(', ')}, whichever account it works for`,
        fix: `add a condition: aws:SourceAccount or aws:SourceArn of account ${stack.accountId}`,
      });
    }
  }
}

/** Services whose resources can let other accounts in, so that a permission on all of them is one on other cells', too. */
const SHAREABLE =
  /^(\*|sts|s3|sqs|sns|kms|secretsmanager|lambda|events|dynamodb|ecr|kinesis|ssm|execute-api|elasticfilesystem|backup|glue|es|codeartifact|ram|vpc-lattice|rds-data)(:|$)/i;
/** What only lists, or takes no resource. */
const HARMLESS =
  /:(List[A-Za-z]*|Describe[A-Za-z]*|GetAuthorizationToken|GetCallerIdentity|GetSessionToken|GetRandomPassword|UpdateInstanceInformation)$/;
const reachesOut = (action: string) => SHAREABLE.test(action) && !HARMLESS.test(action);

/** True for a resource that can be another account's. An S3 bucket's ARN names no account. */
function isAnybodys(resource: string): boolean {
  if (/^(\*|arn:\*.*)$/.test(resource)) return true;
  const account = accountInArn(resource);
  return account?.includes('*') === true || /:s3:::\*/.test(resource);
}

function* reaching(stack: Stack): Generator<Crossing> {
  for (const statement of stack.statements.filter(({ use, allows }) => use === 'identity' && allows)) {
    const { body, path } = statement;
    const fix = `name the cell's own resources, or add the condition aws:ResourceAccount ${stack.accountId}`;
    for (const key of ['NotAction', 'NotResource']) {
      if (body[key] === undefined) continue;
      const value = asText(body[key]);
      const message = `${key} ${value}: whatever isn't named is allowed`;
      yield finding(statement, { path: `${path}.${key}`, reaches: EVERY_CELL, value, message, fix });
    }
    const actions = actionsOf(statement);
    if (confined(statement, stack)) continue;
    for (const resource of resourcesNamedIn(statement).filter(isAnybodys)) {
      // A pattern over accounts is one in any service; of everything, only what other accounts can share counts.
      const wide = resource === '*' ? actions.filter(reachesOut) : actions;
      if (wide.length === 0) continue;
      yield finding(statement, {
        path: `${path}.Resource`,
        reaches: EVERY_CELL,
        value: resource,
        message: `may ${wide.join(', ')} on ${resource}, in whichever account`,
        fix,
      });
    }
  }
}

function* managedPolicies(stack: Stack): Generator<Crossing> {
  for (const { logicalId, type, properties } of stack.resources) {
    for (const key of ['ManagedPolicyArns', 'PermissionsBoundary']) {
      for (const value of asList(properties[key]).map(asText)) {
        if (accountInArn(value) !== 'aws') continue;
        yield {
          logicalId,
          type,
          path: `Properties.${key}`,
          reaches: EVERY_CELL,
          value,
          message: `may do whatever AWS writes into ${value}`,
          fix: "write a policy on the cell's own resources",
        };
      }
    }
  }
}

function* permissions(stack: Stack, subject: ComparedStacks): Generator<Crossing> {
  for (const { logicalId, type, properties } of stack.resources) {
    if (type !== 'AWS::Lambda::Permission' && type !== 'AWS::Lambda::LayerVersionPermission') continue;
    const value = asText(properties['Principal']);
    const service = /\.amazonaws\.com(\.cn)?$/.test(value);
    const account = accountOf(value, stack);
    const source = asText(properties['SourceArn']);
    const own = asText(properties['SourceAccount']) === stack.accountId || isOwn(source, stack) || accountInArn(source) === stack.accountId;
    if (account === stack.accountId || (own && (service || value === '*'))) continue;
    yield {
      logicalId,
      type,
      path: 'Properties.Principal',
      reaches: account === undefined ? EVERY_CELL : ownerOf(account, subject),
      value,
      message: `${value} may call the function, whichever account it ${service ? 'works for' : 'is'}`,
      fix: `set SourceAccount to ${stack.accountId}, or SourceArn to what the template makes`,
    };
  }
}

function* buses(stack: Stack, subject: ComparedStacks): Generator<Crossing> {
  for (const { logicalId, type, properties } of stack.resources) {
    const value = asText(properties['Principal']);
    if (type !== 'AWS::Events::EventBusPolicy' || value === '' || value === stack.accountId) continue;
    yield {
      logicalId,
      type,
      path: 'Properties.Principal',
      reaches: value === '*' ? EVERY_CELL : ownerOf(value, subject),
      value,
      message: `${value} may put events on the bus`,
      fix: `name account ${stack.accountId} only`,
    };
  }
}

/** What a stack in an account that all cells share permits is permitted beside the other cells' things. */
function* sharedPermissions(stack: Stack, subject: ComparedStacks): Generator<Crossing> {
  if (!isShared(stack, subject)) return;
  for (const statement of stack.statements.filter(({ use, allows }) => use === 'identity' && allows)) {
    const value = actionsOf(statement).join(', ') || 'everything but what is named';
    yield finding(statement, {
      path: statement.path,
      reaches: EVERY_CELL,
      value,
      message: `may ${value} in account ${stack.accountId} (${ownerOf(stack.accountId, subject)}), where every cell's stacks are`,
      fix: "narrow it, by a condition, to what is this cell's alone",
    });
  }
}

export const POLICY_RULES: readonly IsolationRule[] = [
  { kind: 'role-trust', description: "a role is assumed by the cell's own account only", check: trusts },
  {
    kind: 'resource-policy',
    description: "a resource's policy admits the cell's own account only; the organization is every cell",
    check: (stack, subject) => admitted(stack, subject, (statement) => !isKey(statement)),
  },
  {
    kind: 'key-policy',
    description: "a key is used, and granted, by the cell's own account only",
    check: (stack, subject) => admitted(stack, subject, isKey),
  },
  {
    kind: 'service-principal',
    description: "a resource's policy admits a service only when it works for the cell's own account",
    check: servicesForAnybody,
  },
  { kind: 'identity-policy', description: "what may be done may be done to the cell's own resources only", check: reaching },
  { kind: 'managed-policy', description: 'no policy that others write', check: managedPolicies },
  { kind: 'function-permission', description: "a function is called from the cell's own account only", check: permissions },
  { kind: 'event-bus', description: "an event bus takes events of the cell's own account only", check: buses },
  {
    kind: 'shared-permission',
    description: "a cell's stack in an account that all cells share permits nothing that isn't the cell's alone",
    check: sharedPermissions,
  },
];
