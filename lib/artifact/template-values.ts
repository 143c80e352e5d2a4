/** Values of a template's parameters: what the build gives, what the registry says, and what is read from the cell. Pure. */
import { CELL_PARAMETERS } from '../plan/cell-parameters.ts';
import { stackParameters } from './artifacts.ts';
import { type ComponentTemplate, type Finding, textsIn, type Unpublished } from './template.ts';

/** The parameter whose value comes from the component's route in the registry. */
const PRIORITY = 'ListenerPriority';

/** Parameters of AWS's own that anybody may read: images, zones. Source: "Discovering public parameters in Parameter Store". */
const PUBLIC = '/aws/service/';

/** What rollouts may read of the cell. */
const CELL = '/cell/';

const known: ReadonlySet<string> = new Set(Object.values(CELL_PARAMETERS));

/** The name of a parameter without its version. */
const unversioned = (name: string) => name.replace(/:\d+$/, '');

/** A name without what people write differently. */
const plain = (name: string) => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

/** The cell's parameter that a template's own is probably meant to be. */
function cellParameterLike(name: string): string {
  const alike = Object.entries(CELL_PARAMETERS).find(([key, path]) => plain(key) === plain(name) || plain(path) === `cell${plain(name)}`);
  return alike?.[1] ?? `${CELL}…`;
}

/** What is wrong with reading a parameter of that name. */
function unreadable(name: string): Omit<Finding, 'path'> | undefined {
  if (name.startsWith(PUBLIC) || known.has(unversioned(name))) return undefined;
  if (name.startsWith(CELL)) {
    return { message: `reads ${name}, which no cell has`, fix: `use one of ${[...known].sort().join(', ')}` };
  }
  const fix = `read what is below ${CELL} or ${PUBLIC}; of the CDK's own, set generateBootstrapVersionRule: false`;
  return { message: `reads ${name} of the cell, which rollouts may not`, fix };
}

/**
 * Values that the template doesn't take, or lacks: CloudFormation would refuse both, in each cell anew.
 * @param route whether the component has one in the registry
 */
export function* mismatchedValues(content: Unpublished, template: ComponentTemplate, route: boolean): Generator<Finding> {
  const { Parameters: taken = {} } = template;
  const finding = (name: string, message: string, fix: string): Finding => ({ path: `Parameters.${name}`, message, fix });
  for (const name of [...Object.keys(content.parameters), ...Object.keys(content.images)]) {
    if (['Version', PRIORITY].includes(name)) {
      yield finding(name, `${name} is not the build's to say`, 'leave it out: it comes from the version, or from the registry');
    } else if (!Object.hasOwn(taken, name)) {
      yield finding(name, `the template has no parameter ${name}`, `it takes ${Object.keys(taken).join(', ') || 'none'}`);
    } else if (String(taken[name]?.Type).startsWith('AWS::SSM::')) {
      yield finding(name, `${name} is read from the cell`, 'leave it out: the cell says what it is');
    }
  }
  const given = stackParameters(content, template, '', route ? { [PRIORITY]: '' } : {});
  for (const [name, { Default, Type }] of Object.entries(taken)) {
    const isRead = String(Type).startsWith('AWS::SSM::');
    if (isRead && Default !== undefined) {
      const problem = unreadable(String(Default));
      if (problem) yield finding(name, problem.message, problem.fix);
    }
    if (Default !== undefined || given[name] !== undefined) continue;
    yield finding(name, `nothing says what ${name} is`, fixOf(name, isRead));
  }
  for (const { path, text } of textsIn(template.Resources, 'Resources')) {
    for (const [, name = ''] of text.matchAll(/\{\{resolve:ssm:([^}]+)\}\}/g)) {
      const problem = unreadable(name);
      if (problem) yield { path, ...problem };
    }
  }
}

/** How a parameter gets a value. */
function fixOf(name: string, isRead: boolean): string {
  if (name === 'ImageUri') return 'pass --image';
  if (name === PRIORITY) return "give the component's registry entry a route, or take the listener rule out (CellService without path)";
  const read = isRead
    ? `set its Default to ${cellParameterLike(name)}`
    : `read it from the cell: Type AWS::SSM::Parameter::Value<String>, Default ${cellParameterLike(name)}`;
  return isRead ? read : `${read}; what is the same in every cell gets a Default, or --parameter ${name}=…`;
}
