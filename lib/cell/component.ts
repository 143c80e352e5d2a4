/** Puts a component into a cell. The template is the same for every cell; only where it goes differs. */
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { z } from 'zod';
import { stackTemplate } from '../aws/stacks.ts';
import { deployStack } from '../aws/toolkit.ts';
import { type Plan, registryParameters, selectComponent, type VendedCell } from '../plan/plan.ts';
import { FactoryError } from '../registry/index.ts';
import type { DeployTask } from './deploy.ts';

/** What was built of a component. */
export interface ComponentBuild {
  /** Folder of the cloud assembly that holds the stack named after the component. */
  readonly assembly: string;
  /** `{region}` in it becomes the cell's region: ECS pulls from the repository's replica beside it. */
  readonly image: string;
  readonly version: string;
}

/** What a stack is sent. */
interface SentToStack {
  readonly template: string;
  /** Those that the template takes. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** Records what is about to be sent to a cell. @returns what to call when the stack has it, with the template that it shows */
export type RecordSent = (cell: string, sent: SentToStack) => Promise<(shown: string) => Promise<void>>;

const STACK = 'aws:cloudformation:stack';

const manifestSchema = z.looseObject({
  artifacts: z.record(
    z.string(),
    z.looseObject({
      type: z.string(),
      environment: z.string().optional(),
      properties: z.looseObject({ templateFile: z.string().optional() }).optional(),
    }),
  ),
});

const templateSchema = z.looseObject({ Parameters: z.record(z.string(), z.unknown()).optional() });

const destinationsSchema = z.looseObject({ destinations: z.record(z.string(), z.looseObject({ region: z.string().optional() })) });
const assetsSchema = z.looseObject({ files: z.record(z.string(), destinationsSchema) });

const readJson = async <T>(file: string, schema: z.ZodType<T>): Promise<T> => schema.parse(JSON.parse(await readFile(file, 'utf8')));

/** The template of the component's stack, which the folder must hold. */
async function requireTemplate(component: string, folder: string): Promise<string> {
  const fail = (message: string, cause?: unknown) =>
    new FactoryError('COMPONENT_UNKNOWN', message, {
      fix: 'build the component first (`make pipeline-build`), and pass its dist folder with --from',
      cause,
    });
  const manifest = await readJson(join(folder, 'manifest.json'), manifestSchema).catch((error) => {
    throw fail(`${folder} is no cloud assembly`, error);
  });
  const { type, properties } = manifest.artifacts[component] ?? {};
  if (type !== STACK || properties?.templateFile === undefined) throw fail(`${folder} holds no stack called ${component}`);
  const { templateFile } = properties;
  return readFile(join(folder, templateFile), 'utf8').catch((error) => {
    throw fail(`${folder} has no ${templateFile}`, error);
  });
}

/**
 * A copy of the assembly that is addressed to the cell. The component was built without an address; the CDK takes account
 * and region of an unaddressed stack from its caller, which is tooling. The template stays as it is, byte for byte.
 */
async function addressTo(cell: VendedCell, partition: string, folder: string): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'cell-factory-component-'));
  await cp(folder, copy, { recursive: true });
  const { accountId } = cell.account;
  const rewrite = async (file: string, value: unknown) => {
    const text = JSON.stringify(value)
      .replaceAll('$' + '{AWS::AccountId}', accountId)
      .replaceAll('$' + '{AWS::Region}', cell.region)
      .replaceAll('$' + '{AWS::Partition}', partition);
    await writeFile(file, text);
  };
  const manifest = await readJson(join(copy, 'manifest.json'), manifestSchema);
  for (const artifact of Object.values(manifest.artifacts)) {
    if (artifact.type === STACK) artifact.environment = `aws://${accountId}/${cell.region}`;
  }
  await rewrite(join(copy, 'manifest.json'), manifest);
  for (const file of (await readdir(copy)).filter((name) => name.endsWith('.assets.json'))) {
    const assets = await readJson(join(copy, file), assetsSchema);
    for (const { destinations } of Object.values(assets.files)) for (const each of Object.values(destinations)) each.region = cell.region;
    await rewrite(join(copy, file), assets);
  }
  return copy;
}

/**
 * The task of deploying `component` to a cell.
 * @throws FactoryError `COMPONENT_UNKNOWN` when registry or folder don't know it
 */
export async function componentTask(
  plan: Plan,
  name: string,
  build: ComponentBuild,
  { partition, runId, record }: { readonly partition: string; readonly runId: string; readonly record: RecordSent },
): Promise<(cell: VendedCell) => DeployTask> {
  const component = selectComponent(plan, name);
  if (component.kind === 'foundation') {
    throw new FactoryError('REFUSED', `${name} is what cells stand on, and no stack of its own`, { fix: 'run `cellctl deploy <cell>`' });
  }
  const template = await requireTemplate(name, build.assembly);
  const { Parameters: declared = {} } = templateSchema.parse(JSON.parse(template));
  return () => ({
    stackName: name,
    deploy: async (cell, { incomplete, session }, emit) => {
      const given = {
        ImageUri: build.image.replaceAll('{region}', cell.region),
        Version: build.version,
        ...registryParameters(component),
      };
      const parameters = Object.fromEntries(Object.entries(given).filter(([key]) => Object.hasOwn(declared, key)));
      const addressed = await addressTo(cell, partition, build.assembly);
      try {
        const recorded = await record(cell.name, { template, parameters });
        const result = await deployStack(addressed, name, emit, { parameters, incomplete, changeSetName: `cell-factory-${runId}` });
        await recorded(await stackTemplate(new CloudFormationClient(session), name));
        return result;
      } finally {
        await rm(addressed, { recursive: true, force: true });
      }
    },
  });
}
