/** Policies: every statement of a template, whichever resource it is part of, and who and what it is about. Pure. */
import { asList, asText, colonParts, isList, isValues, type Resource, type Value, type Values } from './template.ts';

/** What a policy is attached to: what may assume a role, who may use a resource, what an identity may do. */
type StatementUse = 'trust' | 'resource' | 'identity';

export interface Statement {
  readonly logicalId: string;
  /** Type of the resource. */
  readonly type: string;
  readonly path: string;
  readonly use: StatementUse;
  readonly allows: boolean;
  readonly body: Values;
}

/** Kinds of principals, and the names in each. */
export interface Principal {
  readonly kind: 'AWS' | 'Service' | 'Federated' | 'CanonicalUser' | 'Not';
  readonly name: string;
}

/** Policies of these narrow what goes through a network's own door; they let nobody in. */
const NARROWING_TYPES = new Set(['AWS::EC2::VPCEndpoint']);

function parsed(text: string): Value | undefined {
  if (!text.startsWith('{') || !text.includes('"Statement"')) return undefined;
  try {
    return JSON.parse(text) as Value;
  } catch {
    return undefined;
  }
}

function useOf(type: string, path: string, body: Values): StatementUse {
  if (path.includes('AssumeRolePolicyDocument')) return 'trust';
  const named = body['Principal'] !== undefined || body['NotPrincipal'] !== undefined;
  return named && !NARROWING_TYPES.has(type) ? 'resource' : 'identity';
}

/** Statements below a value. A policy is known by its shape, so that no type of resource is forgotten; some types take it as text. */
function* statementsIn(value: Value, path: string, { logicalId, type }: Resource): Generator<Statement> {
  if (typeof value === 'string') {
    const policy = parsed(value);
    if (policy !== undefined) yield* statementsIn(policy, path, { logicalId, type, properties: {} });
  } else if (isList(value)) {
    for (const [index, item] of value.entries()) yield* statementsIn(item, `${path}.${index}`, { logicalId, type, properties: {} });
  } else if (isValues(value)) {
    if (value['Effect'] !== undefined && (value['Action'] ?? value['NotAction'] ?? value['Principal']) !== undefined) {
      // Only a Deny that is there for certain is one.
      yield { logicalId, type, path, use: useOf(type, path, value), allows: asText(value['Effect']) !== 'Deny', body: value };
      return;
    }
    for (const [key, each] of Object.entries(value)) yield* statementsIn(each, `${path}.${key}`, { logicalId, type, properties: {} });
  }
}

/** Every statement of a resource. */
export const statementsOf = (resource: Resource): Statement[] => [...statementsIn(resource.properties, 'Properties', resource)];

/** Whom a statement names. */
export function principalsOf({ body }: Statement): Principal[] {
  if (body['NotPrincipal'] !== undefined) return [{ kind: 'Not', name: asText(body['NotPrincipal']) }];
  const principal = body['Principal'];
  if (!isValues(principal)) return asList(principal).map((name) => ({ kind: 'AWS', name: asText(name) }));
  return Object.entries(principal).flatMap(([kind, names]) =>
    asList(names).map((name): Principal => ({ kind: kind as Principal['kind'], name: asText(name) })),
  );
}

const textsAt = (body: Values, key: string) => asList(body[key]).map(asText);
export const actionsOf = ({ body }: Statement) => textsAt(body, 'Action');
export const resourcesNamedIn = ({ body }: Statement) => textsAt(body, 'Resource');

/** Where an ARN's account stands, or undefined for text that is none. Buckets and zones have an empty one. */
export function accountInArn(text: string): string | undefined {
  const parts = colonParts(text);
  return parts.length >= 6 && /^(arn$|arn[:*<])/.test(parts[0] ?? '') ? parts[4] : undefined;
}

/** Operators that hold only when the key is there and equal. `IfExists`, `ForAllValues` and `Null` also hold without it. */
const EQUALITY = /^(ForAnyValue:)?(String(Equals|Like|EqualsIgnoreCase)|Arn(Equals|Like))$/i;
const ACCOUNT_KEYS = /^(aws:(Source|Principal|Resource)Account|aws:SourceOwner|kms:CallerAccount|s3:ResourceAccount)$/i;
const ARN_KEYS = /^(aws:(Source|Principal)Arn|kms:EncryptionContext:.+)$/i;
const NETWORK_KEYS = /^aws:SourceVpce?$/i;

/** Values of a statement's conditions by key, of those that need the key to be there. */
export function* requiredValues({ body }: Statement): Generator<{ key: string; values: readonly string[] }> {
  for (const [operator, keys] of Object.entries(isValues(body['Condition']) ? body['Condition'] : {})) {
    if (!EQUALITY.test(operator) || !isValues(keys)) continue;
    for (const [key, values] of Object.entries(keys)) yield { key, values: asList(values).map(asText) };
  }
}

/** Whether a statement's conditions keep it to one account, whoever it names. */
export function confinedTo(statement: Statement, accountId: string, isOwn: (text: string) => boolean): boolean {
  for (const { key, values } of requiredValues(statement)) {
    const holds = (value: string) => {
      if (ACCOUNT_KEYS.test(key)) return value === accountId;
      if (ARN_KEYS.test(key)) return isOwn(value) || accountInArn(value) === accountId;
      return NETWORK_KEYS.test(key) && isOwn(value);
    };
    if (values.length > 0 && values.every(holds)) return true;
  }
  return false;
}
