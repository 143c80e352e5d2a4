/** The frame of the demo: what it does when a command fails, hangs, or when somebody stops it. Its commands are stubs here. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';

/** Seconds after which anything here has failed. */
const LIMIT = 120;

const WATCHED = '"rollout watch orders-api") exit 1;;';

/**
 * A clone of nothing but the demo, whose `cellctl` and `make` write down how they were called.
 * @param behaviour cases of what `cellctl` does by its arguments, as the shell has them
 */
function clone(behaviour: string) {
  const root = mkdtempSync(join(tmpdir(), 'cell-factory-demo-'));
  for (const folder of ['bin', 'examples/orders-api', 'stubs']) mkdirSync(join(root, folder), { recursive: true });
  copyFileSync('examples/demo.sh', join(root, 'examples/demo.sh'));
  writeFileSync(join(root, 'examples/orders-api/README.md'), 'A component.');
  writeFileSync(join(root, 'accounts.json'), JSON.stringify({ control: { tooling: '200000000000' } }));
  const program = (path: string, text: string) => {
    writeFileSync(join(root, path), `#!/usr/bin/env bash\necho "$(basename "$0") $*" >>"${root}/calls"\n${text}\n`);
    chmodSync(join(root, path), 0o755);
  };
  program(
    'bin/cellctl',
    `case "$*" in
${behaviour}
"local env --as "*) echo "export CELL_FACTORY_ACCOUNTS='${root}/accounts.json'";;
esac`,
  );
  program('stubs/make', '');
  execFileSync('git', ['init', '--quiet', root]);
  execFileSync('git', ['-C', root, 'add', 'examples']);
  return root;
}

function start(
  root: string,
  environment: Readonly<Record<string, string>> = {},
): { child: ChildProcess; text: () => string; ended: Promise<number> } {
  const child = spawn('bash', ['examples/demo.sh'], {
    cwd: root,
    env: { ...process.env, PATH: `${join(root, 'stubs')}:${process.env['PATH'] ?? ''}`, NO_COLOR: '1', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: Ctrl-C in a terminal goes to all of it.
    detached: true,
  });
  let text = '';
  const hear = (chunk: Buffer) => {
    text += chunk.toString();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const ended = new Promise<number>((resolve, reject) => {
    const late = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`the demo did not end within ${LIMIT} s: ${text}`));
    }, LIMIT * 1_000);
    // Not before its output is closed: whatever it has left running would keep that open.
    child.once('close', (code) => {
      clearTimeout(late);
      resolve(code ?? -1);
    });
  });
  return { child, text: () => text, ended };
}

async function demo(behaviour: string, environment: Readonly<Record<string, string>> = {}) {
  const root = clone(behaviour);
  const { ended, text } = start(root, environment);
  const code = await ended;
  return { code, text: text(), calls: readFileSync(join(root, 'calls'), 'utf8').trimEnd().split('\n') };
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (const deadline = Date.now() + LIMIT * 1_000; !isSo(); await sleep(50)) {
    if (Date.now() > deadline) throw new Error(`waited ${LIMIT} s for ${what}`);
  }
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('the demo', () => {
  test('goes through its steps, with a rollout that is started for its drill before the drill runs', async () => {
    const { code, text, calls } = await demo(WATCHED);
    expect({ code, text }).toEqual({ code: 0, text: expect.stringContaining('The local cloud is still up') });
    const third = calls.filter((call) => /rollout start .*3\.0\.0|drill alarm|rollout watch/.test(call));
    expect(third).toEqual([
      expect.stringMatching(/^cellctl rollout start orders-api --release 3\.0\.0 .*--drill alpha --drill-wave 2 --yes$/),
      expect.stringMatching(/^cellctl drill alarm --cell alpha --during orders-api --wait \d+m$/),
      'cellctl rollout watch orders-api',
    ]);
  });

  test('fails when the bad version gets through', async () => {
    const { code, text } = await demo('');
    expect(code).toBe(1);
    expect(text).toMatch(/The demo ended with code 1 after \d+ s, in step 8\. A version that turns bad late/);
    expect(text).toContain('in: cellctl rollout watch orders-api, which was to exit with code 1, and did with 0');
  });

  test('fails when the drill does, and goes no further', async () => {
    const { code, text, calls } = await demo(`"drill alarm "*) echo 'DRILL_FAILED: too late' >&2; exit 1;;\n${WATCHED}`);
    expect({ code, text }).toEqual({
      code: 1,
      text: expect.stringMatching(/DRILL_FAILED: too late\n\nThe demo ended with code 1 .*step 8\./),
    });
    expect(calls.at(-1)).toMatch(/^cellctl drill alarm/);
  });

  test('says which step failed, in what, and how to end the cloud', async () => {
    const { code, text } = await demo('"accounts") exit 3;;');
    expect(code).toBe(3);
    expect(text).toMatch(
      /in step 3\. The definitions .*\n {2}in: cellctl accounts\nThe local cloud is left as it is: .*cellctl local down/,
    );
  });

  test('ends a command that hangs, with all that it has started', async () => {
    const { code, text } = await demo('"init") sleep 600 & wait;;', { DEMO_COMMAND_SECONDS: '2' });
    expect(code).not.toBe(0);
    expect(text).toMatch(/in step 2\. The organization.*\n {2}in: cellctl init, which took longer than 2 s \(DEMO_COMMAND_SECONDS/);
  });

  test.each([
    ['Ctrl-C', 'SIGINT', 130],
    ['a termination', 'SIGTERM', 143],
  ] as const)('hears %s at once, and leaves nothing running', async (_, signal, expected) => {
    const root = clone(`"init") echo $$ >"$0.pid"; sleep 600;;`);
    const { child, text, ended } = start(root);
    const file = join(root, 'bin/cellctl.pid');
    const pid = () => {
      try {
        return Number(readFileSync(file, 'utf8'));
      } catch {
        return 0;
      }
    };
    await until('cellctl init to begin', () => pid() > 0);
    process.kill(-(child.pid ?? 0), signal);
    expect(await ended).toBe(expected);
    expect(text()).toContain(`The demo ended with code ${expected}`);
    await until('cellctl init to end', () => !isAlive(pid()));
  });

  test('is not led to another cloud by what its shell has', async () => {
    const { code, calls } = await demo(`"local up") [ -z "\${AWS_ENDPOINT_URL:-}\${CELL_FACTORY_ACCOUNTS:-}" ] || exit 9;;\n${WATCHED}`, {
      AWS_ENDPOINT_URL: 'http://localhost:1',
      CELL_FACTORY_ACCOUNTS: '/elsewhere.json',
    });
    expect({ code, first: calls[0] }).toEqual({ code: 0, first: 'cellctl local up' });
  });
});
