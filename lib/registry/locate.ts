/** Finds the lines that problems are about, so that editors and CI can show them there. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem } from './errors.ts';

/** The file that defines what stands at `path`. */
function fileOf(path: string): string {
  const [kind, name] = path.split('.');
  if (name === undefined || (kind !== 'cells' && kind !== 'components')) return path === 'cells' ? 'cells' : 'organization.ts';
  return `${kind}/${name.replace(/\.ts$/, '')}.ts`;
}

/**
 * Line on which the field at `path` is written, from 1: its key, after the key of each field around it. Reading text, not
 * syntax: a definition may be computed, and then there is no line to name.
 */
function lineOf(path: string, text: string): number | undefined {
  const fields = path
    .replace(/^(cells|components)\.[^.]+\.?/, '')
    .split('.')
    .filter((field) => field !== '' && !/^\d+$/.test(field));
  let from = 0;
  for (const field of fields) {
    const found = new RegExp(`(^|[\\s{,])['"]?${field.replace(/[^\w-]/g, '\\$&')}['"]?\\s*:`, 'm').exec(text.slice(from));
    if (!found) return undefined;
    from += found.index + found[0].length;
  }
  return fields.length === 0 ? undefined : text.slice(0, from).split('\n').length;
}

/** The problems with file and, where it is written, line. @param folder of the definitions */
export async function locate(folder: string, problems: readonly Problem[]): Promise<Problem[]> {
  const texts = new Map<string, Promise<string | undefined>>();
  const textOf = (file: string) => {
    const known = texts.get(file) ?? readFile(join(folder, file), 'utf8').catch(() => undefined);
    texts.set(file, known);
    return known;
  };
  return Promise.all(
    problems.map(async (problem) => {
      const file = problem.path.endsWith('.ts') ? problem.path : fileOf(problem.path);
      const text = await textOf(file);
      if (text === undefined) return problem;
      const line = lineOf(problem.path, text);
      return { ...problem, file, ...(line === undefined ? {} : { line }) };
    }),
  );
}
