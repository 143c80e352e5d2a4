/** What a cell's stack is to become: the version, as exactly the bytes that were pinned. */
import { assetFile, assetsIn, fileKey, readArtifact, readFileChecked, stackParameters, templateFor } from '../../artifact/artifacts.ts';
import { FactoryError, type Objects } from '../../registry/index.ts';
import type { RolloutCell, RolloutPlan } from '../rollout-record.ts';
import type { ChangeProgress, Desired } from './change.ts';

/** @param url where CloudFormation finds what lies under a key */
export async function desiredOf(
  objects: Objects,
  plan: RolloutPlan,
  cell: RolloutCell,
  url: (key: string) => string,
): Promise<Desired | ChangeProgress> {
  const { component, kind, version, digest, parameters } = plan;
  try {
    const artifact = await readArtifact(objects, component, version, digest);
    const file = templateFor(artifact, cell.name);
    const template = await readFileChecked(objects, artifact, file);
    const assets = kind === 'foundation' ? assetsIn(template) : [];
    return {
      template,
      templateUrl: url(fileKey(component, version, file)),
      assets: new Map(assets.map((key) => [key, () => readFileChecked(objects, artifact, assetFile(key))])),
      parameters: stackParameters(artifact, JSON.parse(template), cell.region, parameters),
    };
  } catch (error) {
    if (error instanceof FactoryError) return { state: 'failed', sentence: error.message };
    throw error;
  }
}
