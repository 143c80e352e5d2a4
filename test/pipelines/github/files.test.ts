import { mkdtemp, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { checkWorkflows, writeWorkflows } from '../../../pipelines/github/files.ts';
import { renderWorkflow, type Workflow } from '../../../pipelines/github/workflow.ts';
import { pipelineWith, wave } from '../../_helpers/pipelines.ts';

const rendered = (...waves: ReturnType<typeof wave>[]): Workflow => {
  const { plan, pipeline } = pipelineWith({ rollout: { waves } });
  return renderWorkflow(plan, pipeline);
};
const wanted = rendered(wave('everywhere'));
const PATH = '.github/workflows/deliver-orders-api.yml';

describe('workflow files', () => {
  let folder: string;
  const states = async (workflow = wanted) => (await checkWorkflows(folder, [workflow])).map(({ state }) => state);
  const change = async (edit: (text: string) => string) => writeFile(join(folder, PATH), edit(await readFile(join(folder, PATH), 'utf8')));

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cell-factory-files-'));
  });

  test('are missing, then written where GitHub looks for them, then current', async () => {
    expect(await states()).toEqual(['missing']);
    expect((await writeWorkflows(folder, [wanted])).map(({ state }) => state)).toEqual(['missing']);
    expect(await readFile(join(folder, PATH), 'utf8')).toBe(wanted.text);
    expect(await states()).toEqual(['current']);
  });

  test('are not written again when nothing changes', async () => {
    await writeWorkflows(folder, [wanted]);
    const long = new Date('2020-01-01');
    await utimes(join(folder, PATH), long, long);
    await writeWorkflows(folder, [wanted]);
    expect((await stat(join(folder, PATH))).mtime).toEqual(long);
  });

  test('are stale when the policy has changed since, and written anew', async () => {
    await writeWorkflows(folder, [rendered(wave('first', { admit: { cells: 1 } }), wave('rest'))]);
    expect(await states()).toEqual(['stale']);
    await writeWorkflows(folder, [wanted]);
    expect(await states()).toEqual(['current']);
  });

  test.each<[string, (text: string) => string]>([
    ['a line is changed', (text) => text.replace('timeout-minutes: 60', 'timeout-minutes: 90')],
    ['a line is added', (text) => `${text}# a remark\n`],
    ['the digest is another', (text) => text.replace(/sha256:[0-9a-f]{64}/, `sha256:${'0'.repeat(64)}`)],
    ['the digest is gone', (text) => text.slice(text.indexOf('\n') + 1)],
    ['it is emptied', () => ''],
  ])('are edited by hand when %s', async (_, edit) => {
    await writeWorkflows(folder, [wanted]);
    await change(edit);
    expect(await states()).toEqual(['edited by hand']);
  });

  test('line ends that git has changed are no edit', async () => {
    await writeWorkflows(folder, [wanted]);
    await change((text) => text.replaceAll('\n', '\r\n'));
    expect(await states()).toEqual(['current']);
  });
});
