/** A cell's definition as a person would write it, formatted as Biome formats this repository. */
import type { AwsCellDefinition } from './define.ts';

/** Characters of a line at most. */
const LINE_WIDTH = 140;
const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

/** Fields in the order in which people read them: who it is, where, how large, and then the rest. */
const ORDER = [
  'name',
  'stage',
  'region',
  'size',
  'tier',
  'owner',
  'expiresAt',
  'network',
  'capacity',
  'overrides',
  'platforms',
  'importance',
  'trafficWeight',
  'intent',
  'calendar',
  'endpoints',
  'email',
  'tags',
] as const satisfies readonly (keyof AwsCellDefinition)[];

/** A text in single quotes, or in double quotes if that saves escapes. */
function quoted(text: string): string {
  const body = JSON.stringify(text).slice(1, -1);
  const count = (quote: string) => text.split(quote).length - 1;
  return count('"') < count("'") ? `"${body}"` : `'${body.replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

/** What stands between braces or brackets: on one line where that fits, otherwise each on its own. */
function enclosed(items: readonly string[], [open, close]: readonly [string, string], room: number, indent: string): string {
  const space = open === '{' ? ' ' : '';
  const line = `${open}${space}${items.join(', ')}${space}${close}`;
  if (items.length === 0) return open + close;
  return line.length <= room && !line.includes('\n')
    ? line
    : `${open}\n${items.map((item) => `${indent}  ${item},\n`).join('')}${indent}${close}`;
}

/** @param before characters of the line that stand before the value, the comma after it counted */
function valueText(value: unknown, indent: string, before: number): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value !== 'object' || value === null) return String(value);
  const inner = `${indent}  `;
  const room = LINE_WIDTH - before;
  if (Array.isArray(value))
    return enclosed(
      value.map((each) => valueText(each, inner, inner.length + 1)),
      ['[', ']'],
      room,
      indent,
    );
  return enclosed(fieldTexts(Object.entries(value), inner), ['{', '}'], room, indent);
}

function fieldTexts(fields: readonly (readonly [string, unknown])[], indent: string): string[] {
  return fields.flatMap(([key, value]) => {
    if (value === undefined) return [];
    const name = `${IDENTIFIER.test(key) ? key : quoted(key)}: `;
    return [name + valueText(value, indent, indent.length + name.length + 1)];
  });
}

/**
 * The text of a file that holds `definition`.
 * @param remark one line that says what the cell is, or where it comes from
 */
export function definitionText(definition: AwsCellDefinition, remark: string): string {
  const fields = fieldTexts(
    ORDER.map((key) => [key, definition[key]] as const),
    '  ',
  );
  return [
    "import { defineCell } from 'cell-factory/registry';",
    '',
    `/** ${remark} */`,
    'export default defineCell({',
    ...fields.map((field) => `  ${field},`),
    '});',
    '',
  ].join('\n');
}
