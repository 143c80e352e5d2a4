/** The package where packages are not hoisted: installed by pnpm, into a repository that doesn't name its peer dependencies. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { pinned, stepsOfPage, YourRepository } from '../_helpers/your-repository.ts';

const ACCOUNTS = {
  organization: 'o-example123',
  control: { management: '100000000000', monitoring: '300000000000', tooling: '200000000000' },
  cells: { staging: '400000000000' },
};

let repository: YourRepository;

beforeAll(async () => {
  repository = await YourRepository.create();
  for (const step of await stepsOfPage()) if ('file' in step) await repository.write(step.file, step.text);
  await repository.write('registry/accounts.json', JSON.stringify(ACCOUNTS));
  await repository.write('package.json', JSON.stringify({ name: 'cells', private: true }));
  const pnpm = `'${resolve('node_modules/.bin/pnpm')}'`;
  const [cdk = ''] = await pinned('aws-cdk');
  const { code, stdout, stderr } = await repository.shell(`${pnpm} add --prefer-offline --ignore-scripts ./cell-factory.tgz ${cdk}`);
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout, stderr });
});

const lines = async (commands: string) => {
  const { code, stdout, stderr } = await repository.shell(`PATH="$PWD/node_modules/.bin:$PATH"\n${commands}`);
  expect({ code, stderr }).toEqual({ code: 0, stderr });
  return stdout.trimEnd().split('\n');
};

test('pnpm hoists nothing: the repository itself has no aws-cdk-lib', () => {
  expect(existsSync(join(repository.folder, 'node_modules', 'aws-cdk-lib'))).toBe(false);
});

test('the definitions are found and valid', async () => {
  expect(await lines('cellctl validate')).toEqual([expect.stringMatching(/^valid: acme, 1 cells, 1 component/)]);
});

test('a new component builds with the CDK of the factory', async () => {
  await lines('cellctl component new greeter --kind cloudformation');
  const checked = await lines('cellctl component check greeter --build');
  expect(checked.filter((line) => line.startsWith('✗'))).toEqual([]);
  expect(checked).toContainEqual(expect.stringMatching(/^✓ dist +component\.json, and greeter\.template\.json/));
});

test('its Makefile finds the factory that is installed above it, by itself', async () => {
  await lines('make -C greeter pipeline-build');
  expect(existsSync(join(repository.folder, 'greeter', 'dist', 'component.json'))).toBe(true);
});

test('the plain CDK lists and synthesizes the stacks', async () => {
  expect(await lines('cdk ls')).toEqual(expect.arrayContaining(['Rollouts', 'Pipelines', 'Pipeline-billing', 'Cell-staging']));
  await lines('cdk synth --quiet');
  expect(existsSync(join(repository.folder, 'cdk.out', 'Cell-staging.template.json'))).toBe(true);
});
