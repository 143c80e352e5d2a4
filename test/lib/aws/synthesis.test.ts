import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { withAssembly } from '../../../lib/aws/toolkit.ts';
import { createPlan } from '../../../lib/plan/plan.ts';
import { serialize } from '../../../lib/registry/index.ts';
import { run } from '../../_helpers/cellctl.ts';
import { registry } from '../../_helpers/organization.ts';

const STACKS = ['Registry', 'Rollouts', 'Cell-alpha', 'Delegation-alpha'];

const organization = registry();
const plan = createPlan(organization);

/** Templates by the name of their stack, as text. */
const texts = async (directory: string) =>
  Object.fromEntries(
    await Promise.all(STACKS.map(async (name) => [name, await readFile(join(directory, `${name}.template.json`), 'utf8')] as const)),
  );

const synthesized = () => withAssembly(plan, STACKS, ({ directory }) => texts(directory));

test('stacks are the same the first time, the next, and as `cdk synth` makes them', async () => {
  const first = await synthesized();
  expect(await synthesized()).toEqual(first);
  const folder = await mkdtemp(join(tmpdir(), 'synthesis-'));
  const document = join(folder, 'registry.json');
  await writeFile(document, serialize({ ...organization, published: { revision: 1, at: '2026-01-01T00:00:00.000Z', by: 'test' } }));
  const output = join(folder, 'cdk.out');
  const { code, stderr } = await run('npx', ['cdk', 'synth', '--quiet', '-o', output, '-c', `organization=${document}`, ...STACKS]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(await texts(output)).toEqual(first);
});

test('several at a time get what they asked for', async () => {
  const cells = ['alpha', 'bravo'];
  const names = await Promise.all(
    cells.map((cell) => withAssembly(plan, [`Cell-${cell}`], async ({ templates }) => [...templates.keys()].sort())),
  );
  expect(names).toEqual(cells.map((cell) => [`Cell-${cell}`, `Delegation-${cell}`]));
});

test('what a plan lacks is said, and the next synthesis is as good as any', async () => {
  await expect(withAssembly(plan, ['Cell-nobody'], async () => 0)).rejects.toMatchObject({
    code: 'SYNTH_FAILED',
    message: expect.stringContaining('no such cell: nobody'),
  });
  await expect(withAssembly({}, STACKS, async () => 0)).rejects.toMatchObject({ code: 'SYNTH_FAILED' });
  expect(Object.keys(await synthesized())).toEqual(STACKS);
});
