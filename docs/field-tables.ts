/** Tables of the fields that definitions have. Meanings are the comments in the models. */
import { isDeepStrictEqual } from 'node:util';
import ts from 'typescript';
import { z } from 'zod';
import { WAVE_DEFAULTS } from '../lib/registry/define.ts';

type Schema = z.core.JSONSchema.JSONSchema;

const MODELS = ['lib/registry/model.ts', 'lib/registry/rollout-model.ts'];

/** Looks up comments in the models: of the field at a path of one of its types. */
function commentsOf(typeName: string): (path: readonly string[]) => string {
  const { tsBuildInfoFile: _, ...options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile('tsconfig.json', ts.sys.readFile).config,
    ts.sys,
    '.',
  ).options;
  const program = ts.createProgram(MODELS, { ...options, incremental: false });
  const checker = program.getTypeChecker();
  const exported = MODELS.flatMap((file) => {
    const source = program.getSourceFile(file);
    const module = source && checker.getSymbolAtLocation(source);
    return module ? checker.getExportsOfModule(module) : [];
  });
  const symbol = exported.find(({ name }) => name === typeName);
  if (!symbol) throw new Error(`no model exports a type ${typeName}`);
  const root = checker.getDeclaredTypeOfSymbol(symbol);
  return (path) => {
    let type = root;
    let comment = '';
    for (const step of path) {
      const inside = checker.getNonNullableType(type);
      const property = inside.getProperty(step);
      if (property) comment = ts.displayPartsToString(property.getDocumentationComment(checker));
      type = property ? checker.getTypeOfSymbol(property) : (inside.getNumberIndexType() ?? inside.getStringIndexType() ?? inside);
    }
    return comment.replaceAll('\n', ' ');
  };
}

interface Field {
  /** Steps from the top; `[]` is an element of a list, `<name>` an entry of a map. */
  readonly path: readonly string[];
  readonly schema: Schema;
  readonly required: boolean;
}

/** A schema's fields, those of an object before the ones inside it. */
function fieldsOf(schema: Schema, path: readonly string[] = []): Field[] {
  if (Array.isArray(schema.items) || schema.items === true || schema.items === false) return [];
  if (schema.items) return fieldsOf(schema.items as Schema, [...path, '[]']);
  if (schema.properties) {
    return Object.entries(schema.properties).flatMap(([name, value]) => {
      const inside = value as Schema;
      return [
        { path: [...path, name], schema: inside, required: schema.required?.includes(name) ?? false },
        ...fieldsOf(inside, [...path, name]),
      ];
    });
  }
  const entries = schema.additionalProperties;
  return typeof entries === 'object' && (entries as Schema).type === 'object' ? fieldsOf(entries as Schema, [...path, '<name>']) : [];
}

/** A value as code. */
export const code = (value: unknown) => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;

/** What patterns of the model mean, where the type alone says too little. */
const PATTERNS: Readonly<Record<string, string>> = {
  '^\\d{12}$': '12 digits',
  '^\\d+(s|m|h|d)$': 'duration: `90s`, `30m`, `12h`, `2d`',
  '^\\/.*': 'text that begins with /',
  '^([01]\\d|2[0-3]):[0-5]\\d$': 'time of day: `09:30`',
  '^(([01]\\d|2[0-3]):[0-5]\\d|24:00)$': 'time of day: `17:30`, or `24:00`',
};

/** What a field takes, in words. */
function takes(schema: Schema): string {
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum) return schema.enum.map(code).join(' \\| ');
  if (schema.anyOf) return schema.anyOf.map((each) => takes(each as Schema)).join(' \\| ');
  if (schema.type === 'boolean') return [true, false].map(code).join(' \\| ');
  if (schema.type === 'array') return `list of ${takes(schema.items as Schema)}`;
  if (schema.type === 'object' && schema.properties) return `{ ${Object.keys(schema.properties).join(', ')} }`;
  if (schema.type === 'object') return `map of ${takes(schema.additionalProperties as Schema)}`;
  if (schema.type === 'integer' || schema.type === 'number') {
    const above = schema.exclusiveMinimum === undefined ? '' : ` above ${schema.exclusiveMinimum}`;
    const least = schema.minimum === undefined ? '' : ` from ${schema.minimum}`;
    const most = schema.maximum === undefined || schema.maximum === Number.MAX_SAFE_INTEGER ? '' : ` to ${schema.maximum}`;
    return `${schema.type === 'integer' ? 'whole number' : 'number'}${above}${least}${most}`;
  }
  const words = schema.pattern === undefined ? undefined : PATTERNS[schema.pattern];
  if (words !== undefined) return words;
  if (schema.format !== undefined)
    return { 'date-time': 'time, ISO 8601', cidrv4: 'IPv4 block', hostname: 'host name' }[schema.format] ?? schema.format;
  return schema.maxLength === undefined ? 'text' : `text of at most ${schema.maxLength}`;
}

/** The value at a path of a definition. */
function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (current, step) => (typeof current === 'object' && current !== null ? Reflect.get(current, step) : undefined),
    value,
  );
}

/** What fields in lists are when they are left out; all others there are required. */
const DEFAULTS_IN_LISTS: ReadonlyMap<string, unknown> = new Map([['rollout.waves.[].approval', WAVE_DEFAULTS.approval]]);

/** What a field is when it is left out: taken from definitions that leave it out. */
function defaultOf({ path, schema, required }: Field, definitions: readonly unknown[], given: ReadonlySet<string>): string {
  const inList = DEFAULTS_IN_LISTS.get(path.join('.'));
  if (inList !== undefined) return code(inList);
  const [first, ...others] = definitions.map((definition) => valueAt(definition, path));
  if (path.some((_, index) => given.has(path.slice(0, index + 1).join('.'))) || path.some((step) => step === '[]' || step === '<name>'))
    return required ? 'required' : '-';
  if (first === undefined) return required ? 'required' : '-';
  if (typeof first === 'object' && !Array.isArray(first) && schema.properties) return '';
  if (Array.isArray(first) && typeof first[0] === 'object') return `${first.length} entries`;
  return path[0] === 'size' || others.every((other) => isDeepStrictEqual(other, first))
    ? code(first)
    : `by size: ${[first, ...others].map(code).join(', ')}`;
}

/**
 * The fields of a type of the model: what each takes, its default, and its meaning.
 * @param definitions that leave out all but what is `given`
 * @param only fields at the top that the table has
 */
export function fieldTable(
  typeName: string,
  schema: z.ZodType,
  definitions: readonly object[],
  given: readonly string[],
  only?: readonly string[],
): string {
  const comment = commentsOf(typeName);
  const fields = fieldsOf(z.toJSONSchema(schema)).filter(({ path }) => only === undefined || only.includes(path[0] ?? ''));
  const rows = fields.map((field) => {
    const meaning = comment(field.path);
    if (meaning === '') throw new Error(`${typeName} ${field.path.join('.')} has no comment`);
    const path = field.path.join('.').replaceAll('.[]', '[]');
    return [code(path), takes(field.schema), defaultOf(field, definitions, new Set(given)), meaning];
  });
  return table(['field', 'takes', 'default', 'meaning'], rows);
}

/** A table as the formatter leaves it. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, 3, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join('\n');
}
