/**
 * What CloudFormation was sent for a component's stack in a cell: version, digests and parameters. It is recorded before it is
 * sent, because an API gives back less: a secret comes back masked, the value of an SSM parameter resolved.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { Stack } from '@aws-sdk/client-cloudformation';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { sha256 } from '../artifact/artifacts.ts';
import { FactoryError } from '../registry/index.ts';

const hash = promisify<string, Buffer, number, Buffer>(scrypt);
const DIGEST_BYTES = 32;

/** Digest of a secret value. Salted and slow: records are read by more people than passwords, and passwords can be guessed. */
const secretSchema = z.object({ salt: z.string(), scrypt: z.string() });

const sentSchema = z.object({
  /** 1 had neither digests nor secrets. */
  schemaVersion: z.literal([1, 2]).default(1),
  /** Empty where nobody knows: deployed by hand, from a template without the parameter `Version`. */
  version: z.string(),
  /** Digest of the artifact. @default - what ran was never published as it ran */
  artifact: z.string().optional(),
  /** {@link templateDigest}. */
  template: z.string().default(''),
  /** As they were sent; a parameter with `NoEcho` by its digest. */
  parameters: z.record(z.string(), z.union([z.string(), secretSchema])),
});

export type SecretDigest = z.infer<typeof secretSchema>;
export type Sent = z.infer<typeof sentSchema>;

const previousSchema = z.union([z.object({ there: z.literal(false) }), sentSchema.extend({ there: z.literal(true) })]);

/** What a cell ran before a rollout; `there` is false where the component was not there at all. */
export type Previous = z.infer<typeof previousSchema>;

/** Undefined for a record that is damaged: it tells nothing, as one that is gone. */
export function tryParseSent(text: string): Sent | undefined {
  const parsed = sentSchema.safeParse(tryParse(text));
  return parsed.success ? parsed.data : undefined;
}

/** @throws FactoryError `RECORD_INVALID` @param at where it is kept */
export function parsePrevious(text: string, at: string): Previous {
  const parsed = previousSchema.safeParse(tryParse(text));
  if (parsed.success) return parsed.data;
  throw new FactoryError('RECORD_INVALID', `${at} is damaged: ${parsed.error.message}`, { fix: 'restore its first version in S3' });
}

/** A template, as far as its parameters go. */
interface Parametrized {
  readonly Parameters?: Readonly<Record<string, { readonly Default?: unknown; readonly NoEcho?: unknown }>>;
}

/** The template as an object; undefined for YAML, which is what the CDK writes without a bootstrap bucket. */
function tryParse(text: string): Parametrized | undefined {
  try {
    return JSON.parse(text) as Parametrized;
  } catch {
    return undefined;
  }
}

/** SHA-256 of what the template says: white space and the order of keys don't count. */
export function templateDigest(text: string): string {
  const parsed = tryParse(text);
  return sha256(parsed === undefined ? text : (canonicalize(parsed) ?? text));
}

/** Whether a parameter is one whose value CloudFormation never shows. */
const isSecret = (template: Parametrized | undefined, name: string): boolean => String(template?.Parameters?.[name]?.NoEcho) === 'true';

/** What CloudFormation shows in place of a secret. */
export const MASKED = '****';

async function digestOf(value: string): Promise<SecretDigest> {
  const salt = randomBytes(16);
  return { salt: salt.toString('base64'), scrypt: (await hash(value, salt, DIGEST_BYTES)).toString('base64') };
}

/** Whether the digest is that of `value`. */
export async function isDigestOf({ salt, scrypt: digest }: SecretDigest, value: string): Promise<boolean> {
  return timingSafeEqual(await hash(value, Buffer.from(salt, 'base64'), DIGEST_BYTES), Buffer.from(digest, 'base64'));
}

/** The record of what is sent. */
export async function recordOf(
  version: string,
  artifact: string | undefined,
  text: string,
  parameters: Readonly<Record<string, string>>,
): Promise<Sent> {
  const template = tryParse(text);
  const recorded = await Promise.all(
    Object.entries(parameters).map(async ([name, value]) => [name, isSecret(template, name) ? await digestOf(value) : value] as const),
  );
  return {
    schemaVersion: 2,
    version,
    ...(artifact === undefined ? {} : { artifact }),
    template: templateDigest(text),
    parameters: Object.fromEntries(recorded),
  };
}

/** What a stack shows of itself. */
export interface Shown {
  readonly template: string;
  /** As they were given; of an SSM parameter its name. */
  readonly parameters: Readonly<Record<string, string>>;
}

export const shownParameters = ({ Parameters = [] }: Pick<Stack, 'Parameters'>): Record<string, string> =>
  Object.fromEntries(Parameters.map(({ ParameterKey = '', ParameterValue = '' }) => [ParameterKey, ParameterValue]));

/** Parameters whose values the stack hides. */
export const hiddenIn = ({ template, parameters }: Shown): string[] => {
  const parsed = tryParse(template);
  return Object.keys(parameters).filter((name) => isSecret(parsed, name) || parameters[name] === MASKED);
};

/**
 * Whether a stack that shows this may have been given that: the same template, and the same value of each parameter that is not
 * hidden. A parameter that was not sent must have its default.
 */
export function isWhatRuns({ template, parameters: given }: Pick<Sent, 'template' | 'parameters'>, shown: Shown): boolean {
  if (template !== templateDigest(shown.template)) return false;
  const hidden = hiddenIn(shown);
  const declared = tryParse(shown.template)?.Parameters ?? {};
  const defaultOf = (name: string) => (declared[name]?.Default === undefined ? undefined : String(declared[name].Default));
  return (
    Object.keys(given).every((name) => Object.hasOwn(shown.parameters, name)) &&
    Object.entries(shown.parameters).every(([name, value]) => hidden.includes(name) || (given[name] ?? defaultOf(name)) === value)
  );
}
