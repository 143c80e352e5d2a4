/** What a template refers to: CloudFormation refuses one that names something that is not in it. Pure. */
import { type ComponentTemplate, type Finding, isSection, resourcesOf } from './template.ts';

/** Source: "Pseudo parameters reference", AWS CloudFormation Template Reference. */
const PSEUDO_PARAMETERS = ['AccountId', 'NotificationARNs', 'NoValue', 'Partition', 'Region', 'StackId', 'StackName', 'URLSuffix'].map(
  (name) => `AWS::${name}`,
);

/** What a reference can name. */
type Target = 'parameter or resource' | 'resource' | 'condition' | 'mapping';

interface Reference {
  readonly path: string;
  readonly name: string;
  readonly target: Target;
}

/** Names that a text of `Fn::Sub` takes from the template: what its own variables say is left out. */
const substituted = (text: string, variables: object): readonly string[] =>
  [...text.matchAll(/\$\{([^!}][^}]*)\}/g)].map(([, name = '']) => name.trim()).filter((name) => !Object.hasOwn(variables, name));

/** The references of one intrinsic function, and what it holds besides; undefined for what is none. */
function intrinsic(key: string, value: unknown, path: string): { own: Reference[]; rest: unknown } | undefined {
  const [first, ...others] = Array.isArray(value) ? (value as unknown[]) : [value];
  switch (key) {
    case 'Ref':
      return typeof value === 'string' ? { own: [{ path, name: value, target: 'parameter or resource' }], rest: undefined } : undefined;
    case 'Fn::GetAtt': {
      if (typeof first !== 'string') return undefined;
      const [name = ''] = Array.isArray(value) ? [first] : first.split('.');
      return { own: [{ path, name, target: 'resource' }], rest: others };
    }
    case 'Fn::Sub': {
      if (typeof first !== 'string') return undefined;
      const variables = isSection(others[0]) ? others[0] : {};
      const own = substituted(first, variables).map((name): Reference => {
        const [id = '', attribute] = name.split('.');
        return { path, name: id, target: attribute === undefined ? 'parameter or resource' : 'resource' };
      });
      return { own, rest: variables };
    }
    case 'Fn::If':
      return typeof first === 'string' ? { own: [{ path, name: first, target: 'condition' }], rest: others } : undefined;
    case 'Fn::FindInMap':
      return { own: typeof first === 'string' ? [{ path, name: first, target: 'mapping' }] : [], rest: others };
    default:
      return undefined;
  }
}

function* referencesIn(value: unknown, path: string, inConditions = false): Generator<Reference> {
  if (typeof value !== 'object' || value === null) return;
  const entries = Object.entries(value);
  const [only] = entries;
  const found = entries.length === 1 && only ? intrinsic(only[0], only[1], path) : undefined;
  if (found) {
    yield* found.own;
    yield* referencesIn(found.rest, path, inConditions);
    return;
  }
  if (inConditions && only?.[0] === 'Condition' && typeof only[1] === 'string') yield { path, name: only[1], target: 'condition' };
  for (const [key, each] of entries) yield* referencesIn(each, `${path}.${key}`, inConditions);
}

/** What the texts in a list, or one text, name. */
const namesIn = (value: unknown): readonly string[] =>
  (Array.isArray(value) ? (value as unknown[]) : [value]).filter((each) => typeof each === 'string');

/** Every reference of a resource. */
function* ofResource({ id, properties, dependsOn, condition }: ReturnType<typeof resourcesOf>[number]): Generator<Reference> {
  const path = `Resources.${id}`;
  yield* referencesIn(properties, `${path}.Properties`);
  for (const name of namesIn(dependsOn)) yield { path: `${path}.DependsOn`, name, target: 'resource' };
  for (const name of namesIn(condition)) yield { path: `${path}.Condition`, name, target: 'condition' };
}

/** Names that one reference may have. */
function knownIn({
  Parameters = {},
  Resources = {},
  Conditions = {},
  Mappings = {},
}: ComponentTemplate): Readonly<Record<Target, ReadonlySet<string>>> {
  return {
    'parameter or resource': new Set([...Object.keys(Parameters), ...Object.keys(Resources), ...PSEUDO_PARAMETERS]),
    resource: new Set(Object.keys(Resources)),
    condition: new Set(Object.keys(Conditions)),
    mapping: new Set(Object.keys(Mappings)),
  };
}

const FIX = {
  'parameter or resource':
    'correct the name, or add what it names; what belongs to the cell is a parameter of type AWS::SSM::Parameter::Value<String> that reads /cell/…',
  resource: 'correct the name, or add the resource',
  condition: 'correct the name, or add it to Conditions',
  mapping: 'correct the name, or add it to Mappings',
} as const;

/** References to what is not in the template. */
export function* danglingReferences(template: ComponentTemplate): Generator<Finding> {
  const known = knownIn(template);
  const { Outputs = {}, Conditions = {}, Rules = {}, Parameters = {} } = template;
  const parameters = new Set([...Object.keys(Parameters), ...PSEUDO_PARAMETERS]);
  const outside = [...referencesIn(Conditions, 'Conditions', true), ...referencesIn(Rules, 'Rules')];
  const inside = [
    ...resourcesOf(template).flatMap((resource) => [...ofResource(resource)]),
    ...Object.entries(Outputs).flatMap(([name, output]) => [
      ...referencesIn(output, `Outputs.${name}`),
      ...(isSection(output) ? namesIn(output['Condition']) : []).map(
        (condition): Reference => ({ path: `Outputs.${name}.Condition`, name: condition, target: 'condition' }),
      ),
    ]),
  ];
  for (const { path, name, target } of inside) {
    if (known[target].has(name)) continue;
    yield { path, message: `refers to ${name}, and the template has no such ${target}`, fix: FIX[target] };
  }
  for (const { path, name, target } of outside) {
    if ((target === 'parameter or resource' ? parameters : known[target]).has(name)) continue;
    const what = target === 'parameter or resource' ? 'parameter' : target;
    yield {
      path,
      message: `refers to ${name}, and the template has no such ${what}`,
      fix: 'correct the name: here only parameters and conditions count',
    };
  }
}

/** Resources that wait for each other: CloudFormation could begin with none of them. One circle is told. */
export function* circles(template: ComponentTemplate): Generator<Finding> {
  const resources = resourcesOf(template);
  const ids = new Set(resources.map(({ id }) => id));
  const needs = new Map(
    resources.map((resource) => [resource.id, new Set([...ofResource(resource)].map(({ name }) => name).filter((name) => ids.has(name)))]),
  );
  const done = new Set<string>();
  const walk = (id: string, trail: readonly string[]): readonly string[] | undefined => {
    if (trail.includes(id)) return [...trail.slice(trail.indexOf(id)), id];
    if (done.has(id)) return undefined;
    for (const next of needs.get(id) ?? []) {
      const found = walk(next, [...trail, id]);
      if (found) return found;
    }
    done.add(id);
    return undefined;
  };
  for (const { id } of resources) {
    const circle = walk(id, []);
    if (!circle) continue;
    yield {
      path: `Resources.${circle[0]}`,
      message: `needs itself: ${circle.join(' -> ')}`,
      fix: 'take one of these references out, or put it into a resource of its own, as a rule of a security group can be',
    };
    return;
  }
}

/** What is no template that CloudFormation can deploy: nothing in it, or no types. */
export function* incomplete(template: ComponentTemplate): Generator<Finding> {
  const resources = resourcesOf(template);
  if (resources.length === 0) {
    yield {
      path: 'Resources',
      message: 'the template has no resources, and CloudFormation deploys none without',
      fix: 'add what the component is made of',
    };
  }
  for (const { id, type } of resources) {
    if (/^([A-Za-z0-9]+::)+[A-Za-z0-9@_-]+$/.test(type)) continue;
    yield {
      path: `Resources.${id}.Type`,
      message: `is ${type === '' ? 'missing' : `"${type}"`}`,
      fix: 'write a type such as AWS::SQS::Queue',
    };
  }
}
