/** Drafts of artifacts, and stores in memory to publish them to. */
import type { ArtifactDraft, ArtifactStores } from '../../lib/artifact/publishing.ts';
import { FactoryError } from '../../lib/registry/index.ts';
import { MemoryObjects } from './objects.ts';

export const NOW = new Date('2030-01-10T00:00:00Z');
export const IMAGE = '200000000000.dkr.ecr.{region}.amazonaws.com/orders-api:1.0.0';

export type Template = Record<string, unknown>;

export const TEMPLATE: Template = {
  Parameters: {
    ImageUri: { Type: 'String' },
    Version: { Type: 'String' },
    ListenerPriority: { Type: 'Number' },
    CellName: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/cell/name' },
  },
  Resources: { Service: { Type: 'AWS::ECS::Service', Properties: { ServiceName: 'orders-api' } } },
};

/** A publication of `TEMPLATE`, changed by what the test is about. */
export function draft({
  template = TEMPLATE,
  ...rest
}: Partial<Omit<ArtifactDraft, 'template'>> & { template?: Template } = {}): ArtifactDraft {
  return {
    component: 'orders-api',
    kind: 'cloudformation',
    version: '1.0.0',
    template: 'orders-api.template.json',
    files: new Map([['orders-api.template.json', JSON.stringify(template, undefined, 1)]]),
    parameters: {},
    images: { ImageUri: IMAGE },
    commit: 'abc123',
    by: 'ada',
    ...rest,
  };
}

/** The same of a component that is the cells' own stacks. */
export const foundation = (rest: Parameters<typeof draft>[0] = {}): ArtifactDraft => ({
  ...draft({ images: {}, files: new Map([['alpha.json', '{}']]), ...rest }),
  kind: 'foundation',
  template: '{cell}.json',
});

export const HOME = 'eu-west-1';
export const memory = (...regions: string[]) => new Map([HOME, ...regions].map((region) => [region, new MemoryObjects()]));
export const stores = (byRegion: ReadonlyMap<string, MemoryObjects>): ArtifactStores => ({ homeRegion: HOME, byRegion });
export const at = (byRegion: ReadonlyMap<string, MemoryObjects>, region = HOME): MemoryObjects => {
  const found = byRegion.get(region);
  if (!found) throw new Error(`no ${region}`);
  return found;
};

export async function failureOf(work: Promise<unknown>): Promise<FactoryError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof FactoryError) return error;
  throw new Error(`no FactoryError but ${String(error)}`);
}
