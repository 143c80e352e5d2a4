/** What was published, for who wants to know what runs: it may be gone by now, or another. */
import { type ArtifactManifest, readFileChecked, templateFor, tryReadArtifact } from '../artifact/artifacts.ts';
import { FactoryError, type Objects } from '../registry/index.ts';

/** Undefined for what is not published, or no longer what it was: then it is no source for anything. */
export async function unlessChanged<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof FactoryError && (error.code === 'ARTIFACT_CHANGED' || error.code === 'ARTIFACT_UNKNOWN')) return undefined;
    throw error;
  }
}

/** The template of the artifact for the cell. @returns undefined where it has none: it was made without the cell */
export async function templateIn(objects: Objects, artifact: ArtifactManifest, cell: string): Promise<string | undefined> {
  const file = templateFor(artifact, cell);
  return Object.hasOwn(artifact.files, file) ? unlessChanged(() => readFileChecked(objects, artifact, file)) : undefined;
}

/** The artifact of a version, with its template for the cell; undefined for one that tells nothing. */
export async function publishedFor(
  objects: Objects,
  component: string,
  version: string,
  cell: string,
): Promise<{ readonly artifact: ArtifactManifest; readonly template: string } | undefined> {
  const artifact = await unlessChanged(() => tryReadArtifact(objects, component, version));
  const template = artifact && (await templateIn(objects, artifact, cell));
  return artifact && template !== undefined ? { artifact, template } : undefined;
}
