/** Gathers what is checked: the plan's facts, synthesized templates, and templates of components from the folders they were built into. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { InitializedPlan, VendedCell } from '../plan/plan.ts';
import { FactoryError } from '../registry/index.ts';
import type { IsolationInput, StackInput } from './compared-stacks.ts';
import type { Values } from './template.ts';

/** A component's template, which is the same for every cell. */
export interface ComponentTemplate {
  readonly name: string;
  readonly template: Values;
}

/** Names of the stacks that the cells have. */
export const comparedStackNames = (cells: readonly VendedCell[]) =>
  cells.flatMap(({ stackName, delegationStackName }) => [stackName, delegationStackName]);

/** A stack's template. @throws FactoryError `SYNTH_FAILED`: what was not made must not count as looked at */
function templateOf(stackName: string, templates: ReadonlyMap<string, object>): Values {
  const template = templates.get(stackName);
  if (template) return template as Values;
  throw new FactoryError('SYNTH_FAILED', `the CDK app made no stack ${stackName}`, {
    fix: 'run `npx cdk synth` with the same organization',
  });
}

/**
 * What is checked of an organization.
 * @param cells all that have accounts: whom a template could reach
 * @param looked the cells whose templates are looked at
 * @param templates by stack name, as JSON
 */
export function isolationInput(
  plan: InitializedPlan,
  cells: readonly VendedCell[],
  looked: readonly VendedCell[],
  templates: ReadonlyMap<string, object>,
  components: readonly ComponentTemplate[],
): IsolationInput {
  const stacks = looked.flatMap(({ name, stackName, delegationStackName }): StackInput[] => [
    { purpose: 'foundation', stackName, cell: name, template: templateOf(stackName, templates) },
    { purpose: 'delegation', stackName: delegationStackName, cell: name, template: templateOf(delegationStackName, templates) },
  ]);
  return {
    cells,
    stacks: [...stacks, ...components.map(({ name, template }): StackInput => ({ purpose: 'component', stackName: name, template }))],
    cellsDomain: plan.cellsDomain,
    control: {
      tooling: plan.tooling.accountId,
      management: plan.managementAccountId,
      monitoring: plan.monitoring.accountId,
    },
  };
}

const manifestSchema = z.looseObject({
  artifacts: z.record(
    z.string(),
    z.looseObject({ type: z.string(), properties: z.looseObject({ templateFile: z.string().optional() }).optional() }),
  ),
});

/** The file that names the template where a component was packaged. */
const packagedSchema = z.looseObject({ component: z.string(), template: z.string().regex(/^[\w.-]+$/) });

/**
 * The template of a component, from what its build left: packaged, or as a cloud assembly.
 * @throws FactoryError `COMPONENT_UNKNOWN` when the folder holds no stack of that name
 */
export async function readComponent(name: string, folder: string): Promise<ComponentTemplate> {
  const fail = (message: string, cause?: unknown) =>
    new FactoryError('COMPONENT_UNKNOWN', message, {
      fix: 'build the component first (`make pipeline-build`), and pass --component <name>=<its dist folder>',
      cause,
    });
  const readJson = async (file: string): Promise<unknown> => JSON.parse(await readFile(join(folder, file), 'utf8'));
  const packaged = await readJson('component.json').then(
    (json) => packagedSchema.safeParse(json).data,
    () => undefined,
  );
  if (packaged?.component === name) return { name, template: (await readJson(packaged.template)) as Values };
  const manifest = await readJson('manifest.json')
    .then((json) => manifestSchema.parse(json))
    .catch((error: unknown) => {
      throw fail(`${folder} is no cloud assembly`, error);
    });
  const artifact = manifest.artifacts[name];
  const file = artifact?.type === 'aws:cloudformation:stack' ? artifact.properties?.templateFile : undefined;
  if (file === undefined) throw fail(`${folder} holds no stack called ${name}`);
  return { name, template: (await readJson(file)) as Values };
}
