/** Puts a component into a cell. The template is the same for every cell; only where it goes differs. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { FactoryError } from '../../registry/index.ts';
import { deployStack } from '../aws/toolkit.ts';
import type { Plan, VendedCell } from '../plan/plan.ts';
import type { DeployTask } from './deploy.ts';

/** What was built of a component. */
export interface ComponentBuild {
  /** Folder of the cloud assembly that holds the stack named after the component. */
  readonly assembly: string;
  readonly image: string;
  readonly version: string;
}

const manifestSchema = z.looseObject({
  artifacts: z.record(z.string(), z.looseObject({ type: z.string(), environment: z.string().optional() })),
});
type Manifest = z.infer<typeof manifestSchema>;

const STACK = 'aws:cloudformation:stack';

async function readAssembly(component: string, folder: string): Promise<Manifest> {
  const fail = (message: string, cause?: unknown) =>
    new FactoryError('COMPONENT_UNKNOWN', message, {
      fix: 'build the component first (`make pipeline-build`), and pass its dist folder with --from',
      cause,
    });
  try {
    const manifest = manifestSchema.parse(JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')));
    const artifact = manifest.artifacts[component];
    if (artifact?.type !== STACK) throw fail(`${folder} holds no stack called ${component}`);
    return manifest;
  } catch (error) {
    throw error instanceof FactoryError ? error : fail(`${folder} is no cloud assembly of ${component}`, error);
  }
}

/** A copy of the assembly whose stacks are bound to the cell's account and region. The CDK takes the address from there; the template stays as it is. */
async function bindTo(cell: VendedCell, folder: string, manifest: Manifest): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'cell-factory-component-'));
  await cp(folder, copy, { recursive: true });
  const artifacts = Object.fromEntries(
    Object.entries(manifest.artifacts).map(([name, artifact]) => [
      name,
      artifact.type === STACK ? { ...artifact, environment: `aws://${cell.account.accountId}/${cell.region}` } : artifact,
    ]),
  );
  await writeFile(join(copy, 'manifest.json'), JSON.stringify({ ...manifest, artifacts }));
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
  runId: string,
): Promise<(cell: VendedCell) => DeployTask> {
  const component = plan.components.find((each) => each.name === name);
  if (!component) {
    throw new FactoryError('COMPONENT_UNKNOWN', `no such component: ${name}`, {
      fix: `the registry knows ${plan.components.map((each) => each.name).join(', ') || 'no component'}`,
    });
  }
  const manifest = await readAssembly(name, build.assembly);
  const parameters = { ImageUri: build.image, Version: build.version, ListenerPriority: String(component.route.priority) };
  return () => ({
    stackName: name,
    deploy: async (cell, emit) => {
      const bound = await bindTo(cell, build.assembly, manifest);
      try {
        return await deployStack(bound, name, emit, { parameters, changeSetName: `cell-factory-${runId}` });
      } finally {
        await rm(bound, { recursive: true, force: true });
      }
    },
  });
}
