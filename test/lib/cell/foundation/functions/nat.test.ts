/** The script of the NAT instance, run by a shell among programs that only write down how they were called. */
import { chmod, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { run } from '../../../../../lib/program.ts';

const SCRIPT = 'lib/cell/foundation/functions/nat/install.sh';
const PLACES = ['/swap', '/etc/', '/usr/local/sbin/', '/opt/aws/'];

/** Runs the script. @param behaviour by program: what it does besides being noted, as shell */
async function installed(behaviour: Readonly<Record<string, string>> = {}) {
  const root = await mkdtemp(join(tmpdir(), 'cell-factory-nat-'));
  const calls = join(root, 'calls');
  const programs = { dd: '', mkswap: '', swapon: '', dnf: '', sleep: '', sysctl: '', systemctl: '', 'cfn-signal': '' };
  const answers = { ip: 'echo "default via 10.0.0.1 dev ens5"', iptables: '[ "$3" != -C ]', awk: 'echo ens5', ...programs, ...behaviour };
  for (const folder of ['bin', 'etc/systemd/system', 'usr/local/sbin', 'opt/aws/bin']) await mkdir(join(root, folder), { recursive: true });
  for (const [name, does] of Object.entries(answers)) {
    const file = join(root, name === 'cfn-signal' ? 'opt/aws/bin' : 'bin', name);
    await writeFile(
      file,
      `#!/bin/bash\nCALLS=${calls}\n${name === 'awk' ? 'cat >/dev/null' : ''}\necho "${name} $*" >> ${calls}\n${does}\n`,
    );
    await chmod(file, 0o755);
  }
  await writeFile(join(root, 'swap.made'), '');
  const text = PLACES.reduce((script, place) => script.replaceAll(place, `${root}${place}`), await readFile(SCRIPT, 'utf8'));
  const script = `set -u; stack=Cell-x resource=Nat region=eu-west-1; PATH=${join(root, 'bin')}:$PATH\ndd() { command dd "$@"; touch ${root}/swap; }\n${text}`;
  const { code, stderr } = await run('bash', ['-c', script], { timeout: 20_000 });
  const called = (await readFile(calls, 'utf8')).trim().split('\n');
  return { code, stderr, called, of: (program: string) => called.filter((line) => line.startsWith(`${program} `)), root };
}

describe('the NAT instance', () => {
  test('has memory to install with, installs, routes, and says so', async () => {
    const { called, of, stderr } = await installed();
    expect(stderr).toBe('');
    expect(called.findIndex((line) => line.startsWith('swapon'))).toBeLessThan(called.findIndex((line) => line.startsWith('dnf')));
    expect(of('dnf')).toEqual(['dnf install -y iptables-services aws-cfn-bootstrap']);
    expect(of('iptables')).toContain('iptables -t nat -A POSTROUTING -o ens5 -j MASQUERADE');
    expect(of('sysctl')).toEqual(['sysctl -q -w net.ipv4.ip_forward=1']);
    expect(of('cfn-signal')).toEqual([
      'cfn-signal --exit-code 0 --reason the NAT instance can not route --stack Cell-x --resource Nat --region eu-west-1',
    ]);
  });

  test('tries again while something else holds the package manager', async () => {
    const { of } = await installed({
      dnf: '[ "$(grep -c ^dnf "$CALLS")" -gt 3 ]',
    });
    expect(of('dnf')).toHaveLength(4);
    expect(of('sleep')).toEqual(['sleep 5', 'sleep 10', 'sleep 20']);
    expect(of('cfn-signal')[0]).toContain('--exit-code 0');
  });

  test('that can not install gives up, and says that it does not route: its stack fails', async () => {
    const { of } = await installed({ dnf: 'exit 1', iptables: 'exit 127' });
    expect(of('dnf')).toHaveLength(9);
    expect(of('cfn-signal')[0]).toMatch(/--exit-code [1-9]/);
  });

  test('looks after its rule each minute, and adds it once', async () => {
    const { of, root } = await installed({ iptables: 'exit 0' });
    expect(of('iptables').filter((line) => line.includes('-A POSTROUTING'))).toEqual([]);
    expect(await readFile(join(root, 'etc/systemd/system/nat.timer'), 'utf8')).toContain('OnUnitInactiveSec=60');
    expect(of('systemctl')).toContain('systemctl enable --now nat.timer');
  });
});
