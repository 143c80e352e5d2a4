/** Whether what was built can go to every cell as it is: the same bytes, whichever the cell. One list of checks. Pure. */
import type { TemplateNeeds } from '../plan/bake-requests.ts';
import { checkTemplate, TEMPLATE_LIMITS } from '../plan/template-limits.ts';
import { FactoryError, type Problem } from '../registry/index.ts';
import { assetFile, assetsIn, madeFor, templateFor } from './artifacts.ts';
import { type ComponentTemplate, type Finding, parseTemplate, type Unpublished } from './template.ts';
import { hiders } from './template-hiders.ts';
import { missingMetrics } from './template-metrics.ts';
import { takenNames } from './template-names.ts';
import { imagePlaces, places } from './template-places.ts';
import { circles, danglingReferences, incomplete } from './template-references.ts';
import { mismatchedValues } from './template-values.ts';

export type { Unpublished } from './template.ts';

/** Most bytes of a template that CloudFormation reads from S3. */
const MOST_BYTES = TEMPLATE_LIMITS.find(({ what }) => what === 'bytes')?.limit ?? 0;

function* excesses(template: ComponentTemplate, text: string): Generator<Finding> {
  const bytes = { what: 'bytes', used: Buffer.byteLength(text), limit: MOST_BYTES };
  const counted = checkTemplate(template, 1).filter(({ what }) => what !== 'bytes');
  for (const { what, used, limit } of [bytes, ...counted]) {
    if (used <= limit) continue;
    const message = `the template has ${used.toLocaleString('en')} ${what}; CloudFormation takes ${limit.toLocaleString('en')}`;
    yield { path: what, message, fix: 'split the component' };
  }
}

/** What a check looks at. */
interface Subject {
  readonly content: Unpublished;
  readonly template: ComponentTemplate;
  readonly text: string;
  readonly needs: TemplateNeeds;
}

interface TemplateCheck {
  /** Stable identifier. */
  readonly code: string;
  /** One sentence: what must hold. */
  readonly description: string;
  readonly check: (subject: Subject) => Iterable<Finding>;
}

/** What must hold of a component's template, in the order in which it is said. */
export const TEMPLATE_CHECKS: readonly TemplateCheck[] = [
  {
    code: 'TEMPLATE_INCOMPLETE',
    description: 'a template has resources, each with a type',
    check: ({ template }) => incomplete(template),
  },
  {
    code: 'TEMPLATE_TOO_LARGE',
    description: 'a template is within the limits of CloudFormation, and of what an account may have',
    check: ({ template, text }) => excesses(template, text),
  },
  {
    code: 'TEMPLATE_HIDES',
    description:
      'a template hides no resources from the check before a change: no nested stack, stack set, provisioned product, module or macro (`Transform`, `Fn::Transform`, `Fn::ForEach`)',
    check: ({ template }) => hiders(template),
  },
  {
    code: 'TEMPLATE_REFERENCE',
    description: 'what a template refers to is in it: parameters, resources, conditions, mappings',
    check: ({ template }) => danglingReferences(template),
  },
  {
    code: 'TEMPLATE_CIRCLE',
    description: 'no resource needs itself, by way of others',
    check: ({ template }) => circles(template),
  },
  {
    code: 'TEMPLATE_PLACE',
    description:
      'a template names no account, region, partition or asset of the CDK, and no image of one region; remarks, tags, mappings and conditions may',
    *check({ content, template }) {
      yield* places(template);
      yield* imagePlaces(content);
    },
  },
  {
    code: 'TEMPLATE_NAME',
    description: 'a physical name that can exist once, in the world or in a cell, is given once',
    check: ({ content, template }) => takenNames(content.component, template),
  },
  {
    code: 'TEMPLATE_VALUE',
    description:
      'every parameter has a value, from the build, the registry, its default, or the cell; what is read of Parameter Store is a parameter of the cell or of AWS (`/aws/service/…`)',
    check: ({ content, template, needs }) => mismatchedValues(content, template, needs.route),
  },
  {
    code: 'TEMPLATE_REQUESTS',
    description: 'a component whose bake waits for requests emits them: metric `Cell/Requests` with the dimensions `cell` and `component`',
    check: ({ template, needs }) => missingMetrics(template, needs.requests),
  },
];

/** What is asked of a template while nobody knows the component's registry entry. */
const UNKNOWN: TemplateNeeds = { route: true, requests: 0 };

/** Versions are part of keys. */
export const VERSION = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/;
export const VERSION_RULE = 'up to 64 letters, digits, dots, dashes and underscores, beginning with no dot: 1.4.2';

/** @throws FactoryError `ARTIFACT_INVALID` */
export function requireVersion(version: string): void {
  if (!VERSION.test(version)) throw new FactoryError('ARTIFACT_INVALID', `"${version}" is no version`, { fix: VERSION_RULE });
}

/**
 * Everything that is wrong with the template of a component, which goes to every cell as it is.
 * @param needs what the registry asks of it. @default - a component with a route, whose bake waits for no requests
 */
export function templateProblems(content: Unpublished, needs = UNKNOWN): readonly Problem[] {
  const text = content.files.get(content.template) ?? '';
  const subject = { content, template: parseTemplate(content.template, text), text, needs };
  return TEMPLATE_CHECKS.flatMap(({ code, check }) => [...check(subject)].map((finding) => ({ code, ...finding })));
}

const INVALID = { code: 'ARTIFACT_INVALID' } as const;

/** What is wrong with the template of one cell's own stack. It names its account and its region: it goes nowhere else. */
function* ownProblems(name: string, { files }: Unpublished): Generator<Problem> {
  const text = files.get(name) ?? '';
  const template = parseTemplate(name, text);
  for (const problem of [...excesses(template, text), ...hiders(template)])
    yield { ...INVALID, ...problem, path: `${name}: ${problem.path}` };
  for (const key of assetsIn(text)) {
    if (files.has(assetFile(key))) continue;
    const fix = 'package it again: `cellctl component package … --foundations` takes along what the CDK puts beside a template';
    yield { ...INVALID, path: name, message: `needs ${key}, which is not part of it`, fix };
  }
}

/** What is wrong with the cells' own stacks. */
function foundationProblems(content: Unpublished): readonly Problem[] {
  const { template, files, parameters, images } = content;
  const given = [...Object.keys(parameters), ...Object.keys(images)];
  return [
    ...given.map((path) => ({ ...INVALID, path, message: 'a foundation takes no such thing', fix: 'leave it out' })),
    ...[...(madeFor(template, files.keys()) ?? [])].flatMap((cell) => [...ownProblems(templateFor(content, cell), content)]),
  ];
}

/**
 * Refuses what can't be published, with every reason.
 * @param needs as of {@link templateProblems}
 * @throws FactoryError `ARTIFACT_INVALID`
 */
export function requirePublishable(content: Unpublished, needs?: TemplateNeeds): void {
  const { component, kind, version } = content;
  requireVersion(version);
  const problems = kind === 'foundation' ? foundationProblems(content) : templateProblems(content, needs);
  if (problems.length === 0) return;
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  throw new FactoryError('ARTIFACT_INVALID', `${component} ${version} has ${count}; nothing was published`, { problems });
}
