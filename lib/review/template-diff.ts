/**
 * Two templates compared, resource by resource. The only file that knows @aws-cdk/cloudformation-diff, which knows from
 * each resource's schema what changes in place and what is replaced, also by way of a resource that it refers to.
 */
import { fullDiff, type ResourceDifference, ResourceImpact } from '@aws-cdk/cloudformation-diff';
import { type PropertyChange, type ResourceChange, TEMPLATE } from './changes.ts';
import { changesInPlace } from './stateful.ts';

/** A value longer than this tells nobody anything. */
const READABLE = 40;

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const keyOf = (tag: unknown) => (isObject(tag) ? String(tag['Key']) : '');
const isTags = (value: unknown): value is readonly Json[] =>
  Array.isArray(value) && value.length > 0 && value.every((each) => isObject(each) && 'Key' in each && 'Value' in each);

/**
 * Sections that CloudFormation changes only along with a resource: alone, they are no change ("CloudFormation template Metadata
 * syntax" and "CloudFormation template Description syntax", AWS CloudFormation User Guide, read 2026-12-01).
 */
const GO_ALONG: readonly string[] = ['Description', 'Metadata'];

/** Metadata that only the CDK and linters read. */
const ofTheCdk = (key: string) => key.startsWith('aws:') || key === 'cdk_nag' || key === 'cfn-lint';

/** The template without what makes no difference to what is deployed: the CDK's own metadata and statistics, and the order of tags. */
function withoutNoise(value: unknown): unknown {
  if (isTags(value)) return [...value].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  if (Array.isArray(value)) return value.map(withoutNoise);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => {
      if (isObject(each) && each['Type'] === 'AWS::CDK::Metadata') return [];
      if (key !== 'Metadata' || !isObject(each)) return [[key, withoutNoise(each)]];
      const rest = Object.entries(each).filter(([name]) => !ofTheCdk(name));
      return rest.length === 0 ? [] : [[key, Object.fromEntries(rest)]];
    }),
  );
}

/** A value as people read it; undefined for what is too long or has parts. */
function readable(value: unknown): string | undefined {
  if (isObject(value) && Object.keys(value).length === 1 && typeof value['Ref'] === 'string') return value['Ref'];
  const text = ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : '';
  return text === '' || text.length > READABLE ? undefined : text;
}

function propertyChange(name: string, oldValue: unknown, newValue: unknown): PropertyChange {
  const before = readable(oldValue);
  const after = readable(newValue);
  // One of the two alone would read as if the other were nothing.
  if ((before === undefined && oldValue !== undefined) || (after === undefined && newValue !== undefined)) return { name };
  return { name, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
}

/** What is left of the resource: by its own policy when it goes, by the new template's when it is replaced. */
function keptOf(resource: Json | undefined, policy: 'DeletionPolicy' | 'UpdateReplacePolicy'): ResourceChange['kept'] {
  const value = resource?.[policy];
  if (value === 'Retain' || value === 'RetainExceptOnCreate') return 'all';
  return value === 'Snapshot' ? 'snapshot' : 'nothing';
}

function updated(logicalId: string, difference: ResourceDifference): ResourceChange {
  const type = difference.newResourceType ?? '';
  const certain = { logicalId, type, certain: true, kept: 'nothing' } as const;
  const kept = keptOf(difference.newValue, 'UpdateReplacePolicy');
  if (difference.resourceTypeChanged) {
    // What goes is what was there: its type says what is lost.
    const before = difference.oldResourceType ?? '';
    return { ...certain, type: before, change: 'replace', kept, properties: [{ name: 'Type', before, after: type }] };
  }
  const properties = Object.entries(difference.propertyUpdates).map(([name, { changeImpact: impact, oldValue, newValue }]) => ({
    impact: impact === ResourceImpact.MAY_REPLACE && changesInPlace(type, name) ? ResourceImpact.WILL_UPDATE : impact,
    property: propertyChange(name, oldValue, newValue),
  }));
  const forcing = (...impacts: ResourceImpact[]) =>
    properties.filter(({ impact }) => impact !== undefined && impacts.includes(impact)).map(({ property }) => property);
  const will = forcing(ResourceImpact.WILL_REPLACE);
  if (will.length > 0) return { ...certain, change: 'replace', kept, properties: will };
  const may = forcing(ResourceImpact.MAY_REPLACE);
  if (may.length > 0) return { ...certain, change: 'replace', certain: false, kept, properties: may };
  const others = Object.entries(difference.otherChanges).map(([name, { oldValue, newValue }]) => propertyChange(name, oldValue, newValue));
  return { ...certain, change: 'change', properties: [...properties.map(({ property }) => property), ...others] };
}

function resourceChange(logicalId: string, difference: ResourceDifference): ResourceChange {
  const nothing = { logicalId, properties: [], certain: true, kept: 'nothing' } as const;
  if (difference.isAddition) return { ...nothing, change: 'add', type: difference.newResourceType ?? '' };
  if (difference.isRemoval) {
    return { ...nothing, change: 'remove', type: difference.oldResourceType ?? '', kept: keptOf(difference.oldValue, 'DeletionPolicy') };
  }
  return updated(logicalId, difference);
}

/** What deploying `after` over `before` would do, by logical id. What is not about resources counts as a change of `(template)`. */
export function compareTemplates(before: object, after: object): ResourceChange[] {
  const { Resources: old = {}, ...oldRest } = withoutNoise(before) as Json;
  const { Resources: wanted = {}, ...rest } = withoutNoise(after) as Json;
  const resources: ResourceChange[] = [];
  fullDiff({ Resources: old }, { Resources: wanted }).resources.forEachDifference((logicalId, difference) => {
    resources.push(resourceChange(logicalId, difference));
  });
  resources.sort((a, b) => (a.logicalId < b.logicalId ? -1 : 1));
  const sections = [...new Set([...Object.keys(oldRest), ...Object.keys(rest)])].filter(
    (name) => !GO_ALONG.includes(name) && JSON.stringify(oldRest[name]) !== JSON.stringify(rest[name]),
  );
  if (sections.length === 0 || Object.keys(before).length === 0) return resources;
  const properties = sections.map((name) => propertyChange(name, oldRest[name], rest[name]));
  return [...resources, { logicalId: TEMPLATE, type: '', change: 'change', certain: true, kept: 'nothing', properties }];
}
