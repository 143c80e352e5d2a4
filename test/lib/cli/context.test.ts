/** Commands read the organization once: the definitions write down how often they are evaluated. */
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Command } from 'commander';
import { Context } from '../../../lib/cli/context.ts';
import { run } from '../../../lib/cli/main.ts';
import { definitionsFolder } from '../../_helpers/organization.ts';

/** Says that the caller is in tooling, and refuses everything else. */
const cloud = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => {
    body += chunk.toString();
  });
  request.on('end', () => {
    const asked = body.includes('Action=GetCallerIdentity');
    const answer = asked
      ? '<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::200000000002:role/x</Arn><Account>200000000002</Account></GetCallerIdentityResult></GetCallerIdentityResponse>'
      : '<ErrorResponse><Error><Code>AccessDenied</Code><Message>not here</Message></Error></ErrorResponse>';
    response.writeHead(asked ? 200 : 403, { 'content-type': 'text/xml' }).end(answer);
  });
});

const before = { ...process.env };
let folder: string;
let count: string;

beforeAll(async () => {
  folder = await definitionsFolder();
  count = join(folder, 'evaluations');
  const accounts = {
    organization: 'o-abcdefghij',
    control: { management: '100000000001', tooling: '200000000002', monitoring: '300000000003' },
    cells: { staging: '400000000001', alpha: '400000000002', bravo: '400000000003', charlie: '400000000004' },
    zones: {
      staging: 'eu-west-1a eu-west-1b',
      alpha: 'eu-west-1a eu-west-1b eu-west-1c',
      bravo: 'eu-west-1a eu-west-1b eu-west-1c',
      charlie: 'us-east-1a us-east-1b us-east-1c',
    },
  };
  await writeFile(join(folder, 'accounts.json'), JSON.stringify(accounts));
  const counting = `import { appendFileSync } from 'node:fs';\nappendFileSync(${JSON.stringify(count)}, \`\${process.pid}\\n\`);\n`;
  const settings = join(folder, 'organization.ts');
  await writeFile(settings, `${counting}${await readFile(settings, 'utf8')}`);
  await new Promise<void>((resolve) => cloud.listen(0, '127.0.0.1', resolve));
  process.env['AWS_ENDPOINT_URL'] = `http://127.0.0.1:${(cloud.address() as AddressInfo).port}`;
  process.env['AWS_ACCESS_KEY_ID'] = 'test';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'test';
});

beforeEach(async () => {
  await writeFile(count, '');
});

afterEach(() => {
  jest.restoreAllMocks();
  process.exitCode = undefined;
});

afterAll(async () => {
  process.env = before;
  await new Promise((resolve) => cloud.close(resolve));
});

/** How often this process has evaluated the definitions: the CDK app, which is a process of its own, needs them once more. */
const evaluations = async () => (await readFile(count, 'utf8')).split('\n').filter((pid) => pid === String(process.pid)).length;

/** Runs `cellctl` in this process. @returns what it wrote */
async function cellctl(...words: string[]): Promise<string> {
  const written: string[] = [];
  const keep = (text: unknown) => {
    written.push(String(text));
    return true;
  };
  jest.spyOn(process.stdout, 'write').mockImplementation(keep);
  jest.spyOn(process.stderr, 'write').mockImplementation(keep);
  await run([...words, '--organization', folder]);
  jest.restoreAllMocks();
  return written.join('');
}

describe('the organization is read once by', () => {
  // Two imports at once of what both need confuse jest's linker now and then.
  beforeAll(async () => {
    await import('../../../lib/review/review.ts');
    await import('../../../lib/monitoring/gone.ts');
  });

  // What needs more than to know who calls ends at the first call that is refused: all that it reads here, it has read by then.
  test.each([
    ['plan', 'not here'],
    ['publish', 'not here'],
    ['deploy --all', 'not here'],
    ['status', 'not here'],
    ['destroy staging --yes', 'not here'],
    ['drill alarm --cell alpha --for 10m', 'not here'],
    ['rollout plan orders-api', 'not here'],
    ['validate', 'cells'],
  ])('cellctl %s', async (words, said) => {
    expect(await cellctl(...words.split(' '))).toContain(said);
    expect(await evaluations()).toBe(1);
  });
});

describe('a context', () => {
  const context = () => new Context(new Command().option('-o, --organization <folder>').parse(['-o', folder], { from: 'user' }));

  test('gives everybody the same registry and the same plan', async () => {
    const one = context();
    const [registry, plan, initialized] = await Promise.all([one.registry(), one.plan(), one.initializedPlan()]);
    expect(await one.registry()).toBe(registry);
    expect([await one.plan(), initialized]).toEqual([plan, plan]);
    expect(initialized).toBe(plan);
    expect(await evaluations()).toBe(1);
  });

  test('reads settings apart from everything, for those who can do without cells', async () => {
    const one = context();
    expect((await one.plan('settings')).cells).toEqual([]);
    expect((await one.plan()).cells).not.toEqual([]);
    expect((await one.plan('settings')).cells).toEqual([]);
    expect(await evaluations()).toBe(2);
  });

  test('reads again what it was told to forget', async () => {
    const one = context();
    const plan = await one.plan();
    one.forget();
    expect(await one.plan()).not.toBe(plan);
    expect(await evaluations()).toBe(2);
  });
});
