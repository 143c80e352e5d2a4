import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Source } from '../aws/toolkit.ts';
import type { Context } from './context.ts';

/** Where the CDK app reads the organization: what was published, it needs as a file. */
export async function withSource<T>(context: Context, work: (source: Source) => Promise<T>): Promise<T> {
  if (!context.isPublished) return work(context.source);
  const [{ serialize, FactoryError }, registry] = await Promise.all([import('../registry/index.ts'), context.registry()]);
  if (!registry.published) throw new FactoryError('INTERNAL', 'what was published has no revision');
  const folder = await mkdtemp(join(tmpdir(), 'cell-factory-document-'));
  try {
    const organization = join(folder, 'registry.json');
    await writeFile(organization, serialize({ ...registry, published: registry.published }));
    return await work({ ...context.source, organization });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
