/**
 * A CloudFormation template as plain values: intrinsic functions are worked out as far as the template and its place tell.
 * What only CloudFormation can know stays visible as a token in angle brackets, e.g. `<Ref Vpc>` or `<GetAtt Role.Arn>`. Pure.
 */

/** What JSON can hold. */
export type Value = string | number | boolean | null | readonly Value[] | Values;
export interface Values {
  readonly [key: string]: Value;
}

/** Where a template is deployed. A component's place is unknown: its parts are then tokens, too. */
export interface Place {
  readonly accountId: string;
  readonly region: string;
  readonly stackName: string;
}

/** The place of a template that goes to every cell. */
export const anyPlace = (stackName: string): Place => ({ accountId: '<AWS::AccountId>', region: '<AWS::Region>', stackName });

/** A string of a template, with where it stands. */
export interface Text {
  /** Of the resource; of the output, parameter, … elsewhere. */
  readonly logicalId: string;
  /** Type of the resource; empty elsewhere. */
  readonly type: string;
  /** Within the resource; from the root of the template elsewhere. */
  readonly path: string;
  readonly text: string;
}

export interface Resource {
  readonly logicalId: string;
  readonly type: string;
  readonly properties: Values;
}

/** A template that was worked out. */
export interface ResolvedTemplate {
  /** A resource stands here once for each form that its conditions give it. */
  readonly resources: readonly Resource[];
  readonly texts: readonly Text[];
  /** Logical ids of resources, to know the template's own from others. */
  readonly own: ReadonlySet<string>;
  readonly parameters: Values;
  readonly outputs: Values;
}

interface Scope {
  readonly template: Values;
  readonly place: Place;
  /** Which conditions hold. */
  readonly holds: (condition: string) => boolean;
}

export const isValues = (value: Value | undefined): value is Values => typeof value === 'object' && value !== null && !Array.isArray(value);
export const isList = (value: Value | undefined): value is readonly Value[] => Array.isArray(value);
export const asList = (value: Value | undefined): readonly Value[] => (value === undefined ? [] : isList(value) ? value : [value]);

/** The entry `key` of a value, if it has one. */
export const entry = (value: Value | undefined, key: string): Value | undefined =>
  isValues(value) && Object.hasOwn(value, key) ? value[key] : undefined;

/** A value within text. Angle brackets mark tokens, so none may be inside one. */
export function asText(value: Value | undefined): string {
  if (value === undefined) return '';
  return typeof value === 'object' && value !== null ? `<${JSON.stringify(value).replace(/[<>]/g, '')}>` : String(value);
}

/** `a:b:c` in parts; colons inside tokens don't count. */
export function colonParts(text: string): string[] {
  const tokens: string[] = [];
  const hidden = text.replace(/<[^<>]*>/g, (token) => `\0${tokens.push(token) - 1}\0`);
  return hidden.split(':').map((part) => part.replace(/\0(\d+)\0/g, (_, index: string) => tokens[Number(index)] ?? ''));
}

const PARTITIONS: readonly (readonly [prefix: string, partition: string])[] = [
  ['cn-', 'aws-cn'],
  ['us-gov-', 'aws-us-gov'],
  ['<', '<AWS::Partition>'],
];

/** The partition that a region is in. */
export const partitionOf = (region: string) => PARTITIONS.find(([prefix]) => region.startsWith(prefix))?.[1] ?? 'aws';

const NO_VALUE = 'AWS::NoValue';

function pseudo(name: string, { accountId, region, stackName }: Place): string | undefined {
  const known: Record<string, string> = {
    'AWS::AccountId': accountId,
    'AWS::Region': region,
    'AWS::Partition': partitionOf(region),
    'AWS::StackName': stackName,
    'AWS::URLSuffix': region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com',
  };
  return known[name];
}

/** What `Ref` gives: of a parameter its default, unless that is only the name of what CloudFormation looks up. */
function reference(name: string, { template, place }: Scope): Value {
  const parameter = entry(template['Parameters'], name);
  const fixed = entry(parameter, 'Default');
  const lookedUp = asText(entry(parameter, 'Type')).startsWith('AWS::SSM::');
  if (fixed !== undefined && !lookedUp) return fixed;
  return pseudo(name, place) ?? `<Ref ${name}>`;
}

const attribute = (of: Value) => `<GetAtt ${asList(of).map(asText).join('.')}>`;

function substitute(argument: Value, scope: Scope): Value {
  const [pattern, replacements] = isList(argument) ? argument : [argument];
  return asText(pattern).replace(/\$\{([^}]*)\}/g, (_, raw: string) => {
    const name = raw.trim();
    if (name.startsWith('!')) return `\${${name.slice(1)}}`;
    const given = entry(replacements, name);
    if (given !== undefined) return asText(given);
    return name.includes('.') ? attribute(name) : asText(reference(name, scope));
  });
}

/** Each function gets its argument worked out, and gives undefined where it can't do its work. */
const FUNCTIONS: Readonly<Record<string, (argument: Value, scope: Scope) => Value | undefined>> = {
  Ref: (argument, scope) => reference(asText(argument), scope),
  'Fn::GetAtt': attribute,
  'Fn::Sub': substitute,
  'Fn::Base64': (argument) => asText(argument),
  'Fn::ToJsonString': (argument) => JSON.stringify(argument),
  'Fn::Join': (argument) => {
    const [separator, parts] = asList(argument);
    return isList(parts) ? parts.map(asText).join(asText(separator)) : undefined;
  },
  'Fn::Split': (argument) => {
    const [separator, text] = asList(argument);
    return typeof text === 'string' ? text.split(asText(separator)) : undefined;
  },
  'Fn::Select': (argument) => {
    const [index, list] = asList(argument);
    const items = typeof list === 'string' && !list.includes('<') ? list.split(',') : list;
    return isList(items) ? items[Number(index)] : undefined;
  },
  'Fn::FindInMap': (argument, { template }) => {
    const [map, first, second] = asList(argument).map(asText);
    return entry(entry(entry(template['Mappings'], map ?? ''), first ?? ''), second ?? '');
  },
};

/** A value with its functions worked out; undefined for `AWS::NoValue`. A function that can't be stays as it is, with its argument. */
function resolve(value: Value, scope: Scope): Value | undefined {
  if (isList(value)) return value.map((item) => resolve(item, scope)).filter((item) => item !== undefined);
  if (!isValues(value)) return value;
  const [name, ...others] = Object.keys(value);
  if (name !== undefined && others.length === 0) {
    if (name === 'Ref' && value[name] === NO_VALUE) return undefined;
    if (name === 'Fn::If') return choose(value[name], scope);
    const work = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
    const argument = work ? resolve(value[name] ?? null, scope) : undefined;
    const found = argument === undefined ? undefined : work?.(argument, scope);
    if (found !== undefined) return found;
  }
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => {
      const found = resolve(each, scope);
      return found === undefined ? [] : [[key, found]];
    }),
  );
}

function choose(argument: Value | undefined, scope: Scope): Value | undefined {
  const [condition, then, otherwise] = asList(argument);
  const chosen = scope.holds(asText(condition)) ? then : otherwise;
  return chosen === undefined ? undefined : resolve(chosen, scope);
}

/** Names of the conditions that anything depends on. */
function conditionsIn(value: Value): string[] {
  if (isList(value)) return value.flatMap(conditionsIn);
  if (!isValues(value)) return [];
  return Object.entries(value).flatMap(([key, each]) => [
    ...(key === 'Fn::If' ? asList(each).slice(0, 1).map(asText) : []),
    ...conditionsIn(each),
  ]);
}

/**
 * Which conditions hold, in as many ways as it takes to see every branch: all, none, each alone, all but each. That is
 * every branch of functions nested three deep; all combinations would be too many.
 */
function assignments(template: Values): Scope['holds'][] {
  const names = [...new Set(conditionsIn(template))];
  const each = names.flatMap((name): Scope['holds'][] => [(other) => other === name, (other) => other !== name]);
  return [() => true, ...(names.length > 0 ? [() => false] : []), ...(names.length > 1 ? each : [])];
}

/** Every string, number and key below a value. Keys of tables are what is looked up in them, so they count. */
function* textsIn(value: Value, path: string): Generator<{ path: string; text: string }> {
  if (isList(value)) for (const [index, item] of value.entries()) yield* textsIn(item, `${path}.${index}`);
  else if (isValues(value)) {
    for (const [key, each] of Object.entries(value)) {
      if (!/^[A-Za-z:]+$/.test(key)) yield { path: `${path}.${key}`, text: key };
      yield* textsIn(each, `${path}.${key}`);
    }
  } else if (typeof value === 'string' || typeof value === 'number') yield { path, text: String(value) };
}

/** Sections that say something of the template, and nothing of what it makes. */
const DESCRIPTIVE = new Set(['AWSTemplateFormatVersion', 'Description', 'Metadata', 'Resources']);

function* textsOf(template: Values): Generator<Text> {
  for (const [section, value] of Object.entries(template)) {
    if (DESCRIPTIVE.has(section)) continue;
    for (const { path, text } of textsIn(value, section)) yield { logicalId: path.split('.')[1] ?? section, type: '', path, text };
  }
  for (const [logicalId, resource] of Object.entries(template['Resources'] ?? {})) {
    if (!isValues(resource)) continue;
    const { Type: type, DependsOn: _, ...rest } = resource;
    for (const { path, text } of textsIn(rest, '')) yield { logicalId, type: asText(type), path: path.slice(1), text };
  }
}

/** Values without repetition, by what identifies them. */
export function unique<T>(items: Iterable<T>, key: (item: T) => string): T[] {
  return [...new Map([...items].map((item) => [key(item), item])).values()];
}

/** Works a template out, in every form that its conditions give it. */
export function resolveTemplate(template: Values, place: Place): ResolvedTemplate {
  const forms = assignments(template).map((holds) => {
    const resolved = resolve(template, { template, place, holds });
    return isValues(resolved) ? resolved : {};
  });
  const resources = forms.flatMap((form) =>
    Object.entries(form['Resources'] ?? {}).map(([logicalId, resource]: [string, Value]): Resource => {
      const properties = entry(resource, 'Properties');
      return { logicalId, type: asText(entry(resource, 'Type')), properties: isValues(properties) ? properties : {} };
    }),
  );
  const single = forms.length === 1;
  const texts = forms.flatMap((form) => [...textsOf(form)]);
  const [first = {}] = forms;
  const section = (name: string): Values => {
    const found = first[name];
    return isValues(found) ? found : {};
  };
  return {
    resources: single ? resources : unique(resources, (resource) => JSON.stringify(resource)),
    texts: single ? texts : unique(texts, (text) => JSON.stringify(text)),
    own: new Set(Object.keys(section('Resources'))),
    parameters: section('Parameters'),
    outputs: section('Outputs'),
  };
}
