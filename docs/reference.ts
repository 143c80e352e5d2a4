/**
 * Generates what the sources already say: the JSON Schema of the published document, and tables in the documentation.
 * `make reference` writes them, and a test holds them to the sources.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { FAILURES } from '../lib/accounts/failures.ts';
import { CREATIONS_IN_FLIGHT, LIMITS } from '../lib/accounts/rates.ts';
import { TEMPLATE_CHECKS } from '../lib/artifact/template-check.ts';
import { QUOTA_ROWS } from '../lib/plan/quotas.ts';
import { TEMPLATE_LIMITS } from '../lib/plan/template-limits.ts';
import { ELSEWHERE, EXCLUSIONS } from '../lib/plan/waves.ts';
import { defineCell, defineComponent, defineOrganization, ROLLOUT_DEFAULTS } from '../lib/registry/define.ts';
import { documentSchema, SCHEMA_VERSION } from '../lib/registry/document.ts';
import { cellSchema, componentSchema, settingsSchema } from '../lib/registry/model.ts';
import { ACCESS_NAMES, CELL_NAMES, COMPONENT_NAMES, type DerivedName, EMAIL_LIMIT, ORGANIZATION_NAMES } from '../lib/registry/names.ts';
import { RULES } from '../lib/registry/rules/registry-rules.ts';
import { WARNINGS } from '../lib/registry/rules/warnings.ts';
import { FIELD_CODES } from '../lib/registry/shape.ts';
import { SIZE_CLASSES, STAGE_PROFILES, type StageProfile } from '../lib/registry/sizes.ts';
import { STATEFUL } from '../lib/review/stateful.ts';
import { START_CHECKS } from '../lib/rollout/start-checks.ts';
import { CONTRACT_TARGETS, CONTRACT_VARIABLES } from '../pipelines/contract.ts';
import { alarmRows, resourceRows } from './cell-resources.ts';
import { code, fieldTable, table } from './field-tables.ts';
import { pipelineSizeRows } from './pipeline-sizes.ts';
import { cellStatusRows, operationRows, rolloutDrawing, rolloutStatusRows, waveDrawing, waveStatusRows } from './rollout-states.ts';

/** Where the schema of a version lies. */
export const schemaFile = (version: number) => `lib/registry/schema/v${version}.json`;
/** Digest of each version's schema. A line is only ever added. */
export const VERSIONS_FILE = 'lib/registry/schema/versions.json';
/** Pages with generated sections. */
export const REFERENCE_FILES = [
  'docs/registry.md',
  'docs/accounts.md',
  'docs/cells.md',
  'docs/cell.md',
  'docs/changes.md',
  'docs/components.md',
  'docs/pipelines.md',
  'docs/rollouts.md',
  'docs/rollout-states.md',
  'docs/before-a-rollout.md',
] as const;

const digestOfText = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;

/** The JSON Schema of the document as it is today. */
export const schemaText = () => `${JSON.stringify(z.toJSONSchema(documentSchema, { target: 'draft-2020-12' }), undefined, 2)}\n`;

const place = { name: 'x', region: 'eu-west-1', network: { block: '10.0.0.0/20' } } as const;
const cells = (['small', 'medium', 'large'] as const).map((size) => defineCell({ ...place, stage: 'production', size }));
const googleCell = defineCell({ ...place, cloud: 'gcp', stage: 'production', project: 'x' });
const component = defineComponent({ name: 'x', repository: { url: 'x' }, route: { priority: 1, path: '/' } });
const organization = defineOrganization({
  name: 'x',
  homeRegion: 'eu-west-1',
  domain: 'example.com',
  emailPattern: 'aws+{account}@example.com',
  network: { supernet: '10.0.0.0/8', prefixLength: 20 },
});

function variant(cloud: 'aws' | 'gcp'): z.ZodType {
  const found = cellSchema.options.find((option) => option.shape.cloud.value === cloud);
  if (!found) throw new Error(`no cells on ${cloud}`);
  return found;
}

const nameRows = (names: readonly (DerivedName & { readonly of: (...names: string[]) => string })[], ...parameters: string[]) =>
  names.map(({ what, limit, source, of }) => [what, code(of(...parameters)), String(limit), source]);

const CLASS_NAMES = ['personal', 'small', 'medium', 'large'] as const;
const STAGE_NAMES = ['production', 'staging', 'personal'] as const;

/** Every value of a size class, by the path under which a definition gives another. */
const sizeRows = () =>
  (['database', 'cache', 'service', 'capacity'] as const).flatMap((group) =>
    Object.keys(SIZE_CLASSES.small[group]).map((field) => [
      code(`${group === 'capacity' ? '' : 'overrides.'}${group}.${field}`),
      ...CLASS_NAMES.map((name) => String(Reflect.get(SIZE_CLASSES[name][group], field))),
    ]),
  );

const NAT_WORDS = { 'gateway-per-zone': 'a gateway in each zone', 'one-gateway': 'one gateway', instance: 'an instance' } as const;
const yes = (value: boolean) => (value ? 'yes' : 'no');

/** What a stage demands, in words, with the path under which a definition gives another; none where it can't. */
const STAGE_ROWS: Readonly<Record<keyof StageProfile, readonly [what: string, path: string, words: (profile: StageProfile) => string]>> = {
  zones: ['availability zones', '', ({ zones }) => String(zones)],
  nat: ['way out (NAT)', 'overrides.nat', ({ nat }) => NAT_WORDS[nat]],
  standby: ['database standby in another zone', 'overrides.database.standby', ({ standby }) => yes(standby)],
  replicas: ['cache nodes besides the primary', 'overrides.cache.replicas', ({ replicas }) => String(replicas)],
  backupDays: ['days of point-in-time recovery', 'overrides.database.backupDays', ({ backupDays }) => String(backupDays)],
  protected: ['guarded against deletion', '', (profile) => yes(profile.protected)],
  keepsData: ['snapshot, its key and logs are left when the stack goes', '', ({ keepsData }) => yes(keepsData)],
  privateEndpoints: ["private endpoints of AWS's services", '', ({ privateEndpoints }) => yes(privateEndpoints)],
  probeMinutes: ['minutes between two runs of the probe', '', ({ probeMinutes }) => String(probeMinutes)],
  logDays: ['days for which logs are kept', '', ({ logDays }) => String(logDays)],
};

type PolicyWave = (typeof ROLLOUT_DEFAULTS.waves)[number];

const PREFER_WORDS = { 'low-traffic': 'that has least traffic', busy: 'that has most traffic', any: 'that hurts least' } as const;

/** What a wave admits, in words. */
function admits({ admit, prefer }: PolicyWave): string {
  const first = `, first the one ${PREFER_WORDS[prefer]}`;
  if ('rest' in admit) return 'all that are left';
  if ('percent' in admit) return `${admit.percent} % of cells and of traffic${first}`;
  return admit.cells === 1 ? `the cell ${PREFER_WORDS[prefer]}` : `${admit.cells} cells${first}`;
}

/** The waves of the default policy, staging before them. */
const waveRows = () => [
  ['0', 'staging', 'all staging cells', ROLLOUT_DEFAULTS.stagingBake, 'any'],
  ...ROLLOUT_DEFAULTS.waves.map((wave, index) => [
    String(index + 1),
    wave.name,
    admits(wave),
    wave.bake,
    index + 1 < ROLLOUT_DEFAULTS.multiRegionFromWave ? 'one' : 'any',
  ]),
];

/** What is generated, by the name of its section. */
export const SECTIONS: Readonly<Record<string, () => string>> = {
  organization: () =>
    fieldTable('OrganizationSettings', settingsSchema, [organization], ['name', 'homeRegion', 'domain', 'emailPattern', 'network']),
  cell: () => fieldTable('AwsCell', variant('aws'), cells, ['name', 'stage', 'region', 'network']),
  'google-cell': () =>
    fieldTable('GcpCell', variant('gcp'), [googleCell], ['region', 'project'], ['cloud', 'region', 'platforms', 'project']),
  component: () => fieldTable('Component', componentSchema, [component], ['name', 'repository.url']),
  sizes: () => table(['field', ...CLASS_NAMES.map((name) => (name === 'personal' ? 'small, personal' : name))], sizeRows()),
  stages: () =>
    table(
      ['what', 'field', ...STAGE_NAMES],
      Object.values(STAGE_ROWS).map(([what, path, words]) => [
        what,
        path === '' ? '-' : code(path),
        ...STAGE_NAMES.map((stage) => words(STAGE_PROFILES[stage])),
      ]),
    ),
  'rollout-statuses': () => table(['rollout', 'is', 'means', 'what you can ask for'], rolloutStatusRows()),
  'wave-statuses': () => table(['wave', 'means'], waveStatusRows()),
  'cell-statuses': () => table(['cell', 'means'], cellStatusRows()),
  operations: () => table(['operation', 'the function', 'answers'], operationRows()),
  'drawing-rollout': rolloutDrawing,
  'drawing-wave': waveDrawing,
  waves: () => table(['wave', 'name', 'takes', 'bake', 'regions'], waveRows()),
  policy: () =>
    fieldTable(
      'RolloutPolicy',
      settingsSchema.shape.rollout,
      [ROLLOUT_DEFAULTS],
      [],
      Object.keys(ROLLOUT_DEFAULTS).filter((field) => field !== 'waves'),
    ),
  exclusions: () =>
    table(
      ['left out', 'for example'],
      [
        ...EXCLUSIONS.map(({ what, reason }) => [
          what,
          reason({ name: 'alpha', owner: 'ada@example.com', life: 'draining', platforms: ['eks'] }, component),
        ]),
        ['cells in another cloud', ELSEWHERE],
      ],
    ),
  'template-checks': () =>
    table(
      ['code', 'what must hold'],
      TEMPLATE_CHECKS.map(({ code: each, description }) => [code(each), description]),
    ),
  'start-checks': () =>
    table(
      ['code', 'what must hold', '`validate` and `publish`'],
      START_CHECKS.map(({ code: each, description, shownByDefinitions, refusedAtPublish }) => [
        code(each),
        description,
        shownByDefinitions ? (refusedAtPublish ? 'refuse where the policy alone breaks it; else warn' : 'warn') : '-',
      ]),
    ),
  rules: () =>
    table(
      ['code', 'what holds'],
      RULES.map(({ code: rule, description }) => [code(rule), description]),
    ),
  warnings: () =>
    table(
      ['code', 'what is wise'],
      WARNINGS.map(({ code: rule, description }) => [code(rule), description]),
    ),
  fields: () =>
    table(
      ['code', 'what was found'],
      Object.entries(FIELD_CODES).map(([field, meaning]) => [code(field), meaning]),
    ),
  limits: () =>
    table(
      ['what', 'at most', 'source'],
      [
        ...Object.values(LIMITS).map(({ call, perSecond, burst, source }) => [
          call,
          `${perSecond} per second${burst > 1 ? `, ${burst} at once` : ''}`,
          source,
        ]),
        ['creations under way', String(CREATIONS_IN_FLIGHT), LIMITS.create.source],
      ],
    ),
  failures: () =>
    table(
      ['reason', 'the factory', 'what you can do'],
      Object.entries(FAILURES).map(([reason, { action, endsCreation, advice }]) => [
        code(reason),
        endsCreation ? 'stops, and begins no other creation' : { retry: 'tries again', adopt: 'looks who has it', stop: 'stops' }[action],
        advice,
      ]),
    ),
  'contract-targets': () =>
    table(
      ['target', 'is called', 'does', 'may have nothing to do'],
      CONTRACT_TARGETS.map(({ name, called, does, optional }) => [code(name), called, does, yes(optional)]),
    ),
  'contract-variables': () =>
    table(
      ['variable', 'is', 'for example', 'set for'],
      CONTRACT_VARIABLES.map(({ name, meaning, example, targets }) => [
        code(name),
        meaning,
        example,
        targets.length === CONTRACT_TARGETS.length ? 'all' : targets.map(code).join(', '),
      ]),
    ),
  'pipeline-sizes': () => table(['cells', 'stages', 'actions', 'template', 'jobs', 'workflow file'], pipelineSizeRows()),
  resources: () => {
    const { head, rows } = resourceRows();
    return table(head, rows);
  },
  alarms: () => {
    const { head, rows } = alarmRows();
    return table(head, rows);
  },
  stateful: () =>
    table(
      ['resource', 'lost with it'],
      Object.entries(STATEFUL).map(([type, { lost }]) => [code(type), lost]),
    ),
  'template-limits': () =>
    table(
      ['a template has', 'at most', 'source'],
      TEMPLATE_LIMITS.map(({ what, limit, source }) => [what, limit.toLocaleString('en'), source]),
    ),
  quotas: () =>
    table(
      ['quota', 'code', 'small', 'medium', 'large'],
      QUOTA_ROWS.map(({ service, name, code: quota, needs }) => [
        `${name} (${service})`,
        code(quota),
        ...[needs.small, needs.medium, needs.large].map(String),
      ]),
    ),
  names: () =>
    table(
      ['name', 'is', 'at most', 'source'],
      [
        ...nameRows(ORGANIZATION_NAMES, '<organization>').map(([what = '', is = '', ...rest]) => [
          what,
          is.replace('000000000000', '<tooling account>'),
          ...rest,
        ]),
        ...nameRows(CELL_NAMES, '<cell>'),
        ...nameRows(COMPONENT_NAMES, '<component>').map((row) => row.map((text) => text.replace('s'.repeat(63), '<step>'))),
        ...nameRows(ACCESS_NAMES, '<cell>', '<role>'),
        [
          "an account's e-mail",
          "`emailPattern` with the account's name",
          String(EMAIL_LIMIT),
          'CreateAccount, AWS Organizations API Reference',
        ],
      ],
    ),
};

/** The text with its generated sections as they are now. A section stands between `<!-- generated: x -->` and `<!-- end -->`. */
export function withSections(text: string): string {
  return text.replace(/(<!-- generated: ([a-z-]+) -->\n)[\s\S]*?(<!-- end -->)/g, (_, begin: string, name: string, end: string) => {
    const section = SECTIONS[name];
    if (!section) throw new Error(`nothing generates "${name}"`);
    return `${begin}\n${section()}\n\n${end}`;
  });
}

/** Writes all that is generated. @throws Error when the shape changed and the version did not */
export function write(): void {
  const file = schemaFile(SCHEMA_VERSION);
  const text = schemaText();
  const versions = JSON.parse(readFileSync(VERSIONS_FILE, 'utf8')) as Record<string, string>;
  const known = versions[SCHEMA_VERSION];
  if (known !== undefined && known !== digestOfText(text)) {
    throw new Error(
      `the document's shape is no longer that of schema version ${SCHEMA_VERSION}: raise SCHEMA_VERSION in lib/registry/document.ts, add the step from ${SCHEMA_VERSION} to lib/registry/migrations.ts, and run this again`,
    );
  }
  writeFileSync(file, text);
  writeFileSync(VERSIONS_FILE, `${JSON.stringify({ ...versions, [SCHEMA_VERSION]: digestOfText(text) }, undefined, 2)}\n`);
  for (const page of REFERENCE_FILES) writeFileSync(page, withSections(readFileSync(page, 'utf8')));
}

if (process.argv[1]?.endsWith('reference.ts')) write();
