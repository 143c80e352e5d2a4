/** Container engines that are none: what calls them is tested, not containers. */
import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENGINES } from '../../lib/artifact/containers.ts';

const SCRIPTS = {
  /** As on a machine without any, or whose server is down. */
  none: '#!/bin/sh\nexit 1\n',
  /** Builds nothing, and says that it did. */
  builds: `#!/bin/sh
case "$1" in
  build) while [ $# -gt 1 ]; do [ "$1" = --iidfile ] && echo sha256:${'1'.repeat(64)} > "$2"; shift; done;;
esac
`,
};

/** The environment in which these are what `docker`, `podman` and `finch` are. */
export async function engines(what: keyof typeof SCRIPTS): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'cell-factory-engines-'));
  for (const name of ENGINES) {
    await writeFile(join(folder, name), SCRIPTS[what]);
    await chmod(join(folder, name), 0o755);
  }
  return { PATH: `${folder}:${process.env['PATH']}` };
}
