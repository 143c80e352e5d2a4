/** Synthesizes stacks in tests. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { App, CloudFormationValidatePlugin, type Stack, Validations } from 'aws-cdk-lib/core';
import { AwsSolutionsChecks } from 'cdk-nag';
import { createApp } from '../../lib/app/create-app.ts';
import { runTool } from './python.ts';

/** An app as `cdk` would make it. With `nag`, every finding that nobody has explained makes the synthesis fail. */
export function app(nag = false): App {
  const created = createApp({ outdir: mkdtempSync(join(tmpdir(), 'cell-factory-synth-')) });
  if (nag) Validations.of(created).addPlugins(new AwsSolutionsChecks(created));
  return created;
}

export interface Resource {
  readonly Type: string;
  readonly Properties?: Record<string, unknown>;
  readonly DeletionPolicy?: string;
  readonly DependsOn?: readonly string[];
}

/** The resources of a stack by logical id, those of `type` only when it is given. */
export function resources(stack: Stack, type?: string): Record<string, Resource> {
  const all = Template.fromStack(stack).toJSON() as { Resources: Record<string, Resource> };
  return Object.fromEntries(Object.entries(all.Resources).filter(([, resource]) => type === undefined || resource.Type === type));
}

/** A template in a file, to be checked. */
export interface Checked {
  readonly file: string;
  readonly region: string;
  /** Rules that the stack's code explains why it doesn't follow. */
  readonly acknowledged: ReadonlySet<string>;
}

/** Rules that constructs below acknowledge, with their namespace. */
export const acknowledgedRules = (scope: App): ReadonlySet<string> =>
  new Set(
    scope.node
      .findAll()
      .flatMap(({ node }) => node.metadata.filter(({ type }) => type === 'aws:cdk:acknowledged-rules'))
      .flatMap(({ data }) => Object.keys(Object(data))),
  );

let validator: CloudFormationValidatePlugin | undefined;

/**
 * What the CDK's validation says of templates. A synthesis does the same where it is switched on (`CDK_VALIDATION`, which
 * tests switch off: starting the validator takes ten seconds of each process).
 */
export function validationFindings(templates: readonly Checked[]): string[] {
  validator ??= new CloudFormationValidatePlugin();
  const { violations } = validator.validate({
    templatePaths: templates.map(({ file }) => file),
    stackTemplates: templates.map(({ file, region }) => ({
      stackConstructPath: basename(file),
      templatePath: file,
      region,
      accountId: undefined,
    })),
    appConstruct: new App(),
  });
  return violations.flatMap(({ ruleName, description, violatingResources }) => {
    const left = violatingResources.filter(({ templatePath }) => {
      const template = templates.find(({ file }) => file === templatePath);
      return template?.acknowledged.has(`CloudFormation-Validate::${ruleName}`) !== true;
    });
    const where = left.map(({ templatePath = '', resourceLogicalId = '' }) => `${basename(templatePath)} ${resourceLogicalId}`);
    return left.length === 0 ? [] : [`${ruleName} ${description} (${where.join(', ')})`];
  });
}

/** What cfn-lint says of templates. */
export function lintFindings(templates: readonly Checked[]): Promise<string> {
  const regions = [...new Set(templates.map(({ region }) => region))];
  // W3691 takes a bare major version ("17") for one that was withdrawn, because the first of its minor versions was: decision 0031.
  return runTool('cfn-lint', ['--ignore-checks', 'W3691', '--regions', ...regions, '--template', ...templates.map(({ file }) => file)]);
}
