/** The package in a repository of one's own, installed by npm, from nothing to a rollout: docs/your-repository.md, word for word. */
import { existsSync } from 'node:fs';
import { cp, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { INSTALL_FACTORY } from '../../pipelines/commands.ts';
import { pinned, stepsOfPage, YourRepository } from '../_helpers/your-repository.ts';

/** npx itself takes a second each time; one step uses it, the others what it would run. */
const NPX = 'npx() { "node_modules/.bin/$@"; }\n';

let repository: YourRepository;
const said: string[] = [];
const steps = await stepsOfPage();

beforeAll(async () => {
  repository = await YourRepository.create();
});
afterAll(async () => {
  await repository.shell('node_modules/.bin/cellctl local down');
});

describe('docs/your-repository.md', () => {
  test.each(steps.map((step) => ['file' in step ? step.file : step.commands.trim().replaceAll('\n', '; '), step] as const))(
    '%s',
    async (_, step) => {
      if ('file' in step) return repository.write(step.file, step.text);
      const tested = (await pinned('aws-cdk', 'aws-cdk-lib', 'constructs')).join(' ');
      if (step.commands.includes('npm install')) expect(step.commands).toContain(` ${tested}\n`);
      const commands = step.commands
        .replace(tested, `${tested} --prefer-offline --no-audit --no-fund`)
        // As long as the cloud is needed: it ends after the last test.
        .replace('npx cellctl local down\n', '');
      const { code, stdout, stderr } = await repository.shell(commands.includes('validate') ? commands : NPX + commands);
      said.push(stdout, stderr);
      expect({ code, stderr }).toEqual({ code: 0, stderr });
    },
  );

  test('brings the component to its cell, and cdk diff shows no differences after it', () => {
    const all = said.join('\n');
    expect(all).toContain('billing-1 succeeded');
    expect(all).toMatch(/^staging +staging +1\.0\.0$/m);
    expect(all.match(/Number of stacks with differences: \d+/g)).toEqual([
      'Number of stacks with differences: 0',
      'Number of stacks with differences: 0',
    ]);
    for (const stack of ['Vending', 'Registry', 'Domain', 'Artifacts', 'Rollouts', 'Pipelines', 'Pipeline-billing', 'Cell-staging'])
      expect(all).toMatch(new RegExp(`^Stack ${stack}( .*)?\\nThere were no differences$`, 'm'));
  });
});

describe('the installed package', () => {
  const installed = (...path: string[]) => join(repository.folder, 'node_modules', 'cell-factory', ...path);

  test('shares aws-cdk-lib and constructs with the repository', () => {
    const places = ['aws-cdk-lib', 'constructs'].flatMap((name) => [
      join(repository.folder, 'node_modules', name),
      installed('node_modules', name),
    ]);
    expect(places.map((place) => existsSync(place))).toEqual([true, false, true, false]);
  });

  test('writes nothing into itself', async () => {
    expect((await readdir(installed())).sort()).toEqual(['README.md', 'bin', 'dist', 'docs', 'lib', 'package.json', 'pipelines', 'tools']);
    expect(await readdir(repository.folder)).toEqual(expect.arrayContaining(['.local-cloud', 'cdk.out']));
  });

  test('holds every page that its pages lead to', async () => {
    const pages = (await readdir(installed('docs'), { recursive: true })).filter((file) => file.endsWith('.md'));
    expect(pages).toContain('your-repository.md');
    for (const page of ['README.md', ...pages.map((file) => join('docs', file))]) {
      const links = [...(await readFile(installed(page), 'utf8')).matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, target]) => target ?? '');
      const broken = links.filter((target) => !target.startsWith('http') && !existsSync(installed(dirname(page), target)));
      expect({ page, broken }).toEqual({ page, broken: [] });
    }
  });

  test('names pages of its documentation where they are', async () => {
    const commands = ['validate', 'verify isolation', 'cell add', 'pipelines hook'].map((each) => `cellctl ${each} --help`);
    const { stdout } = await repository.shell(`PATH="node_modules/.bin:$PATH"\n${commands.join('\n')}`);
    const pages = [...new Set(stdout.match(/[\w./-]*docs\/[\w-]+\.md/g))];
    expect(pages.sort()).toEqual(
      ['cells.md', 'components.md', 'isolation.md', 'registry.md'].map((page) => `node_modules/cell-factory/docs/${page}`),
    );
    expect(pages.filter((page) => !existsSync(join(repository.folder, page)))).toEqual([]);
  });

  test('comes to a pipeline with its lock file, from which npm ci installs all that the pipeline of pipelines needs', async () => {
    const out = join(repository.folder, 'cdk.out');
    const assets = (await readdir(out)).filter((name) => existsSync(join(out, name, 'dist', 'package-lock.json')));
    expect(assets).toHaveLength(1);
    const factory = join(dirname(repository.folder), 'factory');
    await cp(join(out, assets[0] ?? ''), factory, { recursive: true });
    const script = [
      `${INSTALL_FACTORY} --prefer-offline`,
      `export CELL_FACTORY_ORGANIZATION="s3://acme-cell-registry-$(aws_account)"`,
      'bin/cellctl validate',
      'bin/cellctl pipelines diff',
    ];
    const account = `aws_account() { node -p 'JSON.parse(fs.readFileSync(process.env.CELL_FACTORY_ACCOUNTS)).control.tooling'; }`;
    const { code, stdout, stderr } = await repository.shell([account, ...script].join('\n'), factory);
    expect({ code, stderr }).toEqual({ code: 0, stderr });
    expect(stdout).toContain('valid: acme, 1 cells, 1 component');
  });
});
