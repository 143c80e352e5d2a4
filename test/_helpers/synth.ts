/** Synthesizes stacks in tests. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { type App, type Stack, Validations } from 'aws-cdk-lib/core';
import { AwsSolutionsChecks } from 'cdk-nag';
import { createApp } from '../../lib/app/create-app.ts';

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
}

/** The resources of a stack by logical id, those of `type` only when it is given. */
export function resources(stack: Stack, type?: string): Record<string, Resource> {
  const all = Template.fromStack(stack).toJSON() as { Resources: Record<string, Resource> };
  return Object.fromEntries(Object.entries(all.Resources).filter(([, resource]) => type === undefined || resource.Type === type));
}

/** What cfn-lint says of templates; undefined where it is not installed. */
export function lint(templates: readonly object[], region: string): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'cell-factory-lint-'));
  const files = templates.map((template, index) => {
    const file = join(folder, `${index}.template.json`);
    writeFileSync(file, JSON.stringify(template));
    return file;
  });
  try {
    return execFileSync('cfn-lint', ['--regions', region, '--template', ...files], { encoding: 'utf8' });
  } catch (error) {
    const { code, stdout } = error as { code?: string; stdout?: string };
    return code === 'ENOENT' ? undefined : (stdout ?? String(error));
  }
}
