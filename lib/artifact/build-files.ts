/** Files that a build of the CDK has left. What is wrong with one is said with its name: a parser knows none. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { FactoryError, messageOf } from '../registry/index.ts';

const invalid = (message: string, cause: unknown) =>
  new FactoryError('ARTIFACT_INVALID', message, { fix: 'build it again: `make pipeline-build`, or `cdk synth`', cause });

/** The text of a file. @throws FactoryError `ARTIFACT_INVALID` with its path when it can't be read */
export async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw invalid(`${path} can't be read: ${messageOf(error)}`, error);
  });
}

/** What a file of JSON says. @throws FactoryError `ARTIFACT_INVALID` with its path when it can't be read, or is another thing */
export async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const text = await readText(path);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(`${path} is no JSON: ${messageOf(error)}`, error);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalid(`${path}: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`, parsed.error);
}
