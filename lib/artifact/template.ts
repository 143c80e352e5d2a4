/** A component's template, as far as it is looked at: nothing of it is taken for granted, since anybody may have written it. Pure. */
import { FactoryError, type Problem } from '../registry/index.ts';
import type { ArtifactContent } from './artifacts.ts';

/** What is published, before it is. */
export type Unpublished = Omit<ArtifactContent, 'files'> & {
  /** Texts by name. */
  readonly files: ReadonlyMap<string, string>;
};

/** Anything that stands in JSON. */
type Section = Readonly<Record<string, unknown>>;

export interface ComponentTemplate {
  readonly Resources?: Section;
  readonly Outputs?: Section;
  readonly Parameters?: Readonly<Record<string, { readonly Default?: unknown; readonly Type?: unknown }>>;
  readonly Conditions?: Section;
  readonly Mappings?: Section;
  readonly Rules?: Section;
  readonly Metadata?: Section;
  readonly Transform?: unknown;
}

/** A problem that a check found; its code is the check's. */
export type Finding = Omit<Problem, 'code'>;

/** True for what has fields. */
export const isSection = (value: unknown): value is Section => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The template of that text. @throws FactoryError `ARTIFACT_INVALID` for what is no object of JSON */
export function parseTemplate(name: string, text: string): ComponentTemplate {
  const invalid = (cause?: unknown) =>
    new FactoryError('ARTIFACT_INVALID', `${name} is no JSON`, { fix: 'pass the cloud assembly that `cdk synth` wrote', cause });
  let template: unknown;
  try {
    template = JSON.parse(text);
  } catch (error) {
    throw invalid(error);
  }
  if (!isSection(template)) throw invalid();
  // Sections that are none would hide what is wrong with the rest: they count as missing.
  const sections = ['Resources', 'Outputs', 'Parameters', 'Conditions', 'Mappings', 'Rules', 'Metadata'] as const;
  const found = sections.flatMap((section) => (isSection(template[section]) ? [[section, template[section]] as const] : []));
  return { ...Object.fromEntries(found), ...('Transform' in template ? { Transform: template['Transform'] } : {}) };
}

interface Resource {
  readonly id: string;
  readonly type: string;
  readonly properties: Section;
  readonly dependsOn: unknown;
  readonly condition: unknown;
}

/** The resources of a template. */
export const resourcesOf = ({ Resources = {} }: ComponentTemplate): readonly Resource[] =>
  Object.entries(Resources).map(([id, value]) => {
    const resource = isSection(value) ? value : {};
    return {
      id,
      type: typeof resource['Type'] === 'string' ? resource['Type'] : '',
      properties: isSection(resource['Properties']) ? resource['Properties'] : {},
      dependsOn: resource['DependsOn'],
      condition: resource['Condition'],
    };
  });

/** Every text and number in a value, with where it stands. */
export function* textsIn(value: unknown, path: string): Generator<{ path: string; text: string; isNumber: boolean }> {
  if (typeof value === 'string' || typeof value === 'number') yield { path, text: String(value), isNumber: typeof value === 'number' };
  if (typeof value !== 'object' || value === null) return;
  for (const [key, each] of Object.entries(value)) yield* textsIn(each, path === '' ? key : `${path}.${key}`);
}
