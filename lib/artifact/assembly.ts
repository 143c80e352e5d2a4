/** What a component's build left: a cloud assembly of the CDK, with the stack that is called after the component. */
import { join } from 'node:path';
import { z } from 'zod';
import { FactoryError, messageOf } from '../registry/index.ts';
import { readJson, readText } from './build-files.ts';

const manifestSchema = z.looseObject({
  artifacts: z.record(
    z.string(),
    z.looseObject({
      type: z.string(),
      properties: z.looseObject({ templateFile: z.string().optional(), file: z.string().optional() }).optional(),
      dependencies: z.array(z.string()).optional(),
    }),
  ),
});

const assetsSchema = z.looseObject({
  files: z.record(z.string(), z.looseObject({ source: z.looseObject({ path: z.string().optional() }) })).optional(),
  dockerImages: z.record(z.string(), z.unknown()).optional(),
});

/** The template of a component, as it was built. */
export interface BuiltTemplate {
  /** Name of the file. */
  readonly template: string;
  /** Texts by name. */
  readonly files: ReadonlyMap<string, string>;
}

/**
 * Reads the template of `component` from the assembly in `folder`, byte for byte.
 * @throws FactoryError `COMPONENT_UNKNOWN` when there is none, `ARTIFACT_INVALID` when it needs assets, which lie in one account
 */
export async function readAssembly(folder: string, component: string): Promise<BuiltTemplate> {
  const fail = (message: string, cause?: unknown) =>
    new FactoryError('COMPONENT_UNKNOWN', message, {
      fix: 'build the component first (`make pipeline-build`), and pass its dist folder with --from',
      cause,
    });
  const { artifacts } = await readJson(join(folder, 'manifest.json'), manifestSchema).catch((error: unknown) => {
    throw fail(`${folder} is no cloud assembly: ${messageOf(error)}`, error);
  });
  const stack = artifacts[component];
  const template = stack?.type === 'aws:cloudformation:stack' ? stack.properties?.templateFile : undefined;
  if (template === undefined) throw fail(`${folder} holds no stack called ${component}`);
  for (const name of stack?.dependencies ?? []) {
    const { type, properties } = artifacts[name] ?? {};
    if (type !== 'cdk:asset-manifest' || properties?.file === undefined) continue;
    const { files = {}, dockerImages = {} } = await readJson(join(folder, properties.file), assetsSchema);
    const assets = [
      ...Object.values(files).flatMap(({ source }) => (source.path === template ? [] : [source.path ?? 'a file'])),
      ...Object.keys(dockerImages),
    ];
    if (assets.length === 0) continue;
    throw new FactoryError('ARTIFACT_INVALID', `${component} needs assets of the CDK, which lie in one account: ${assets.join(', ')}`, {
      fix: 'put code into the image, and take that as a parameter (`CellService` does)',
    });
  }
  return { template, files: new Map([[template, await readText(join(folder, template))]]) };
}
