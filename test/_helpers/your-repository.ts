/** An empty repository elsewhere into which the package is installed, and what docs/your-repository.md does there. */
import { mkdir, mkdtemp, readFile, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { type Ended, run } from '../../lib/program.ts';

/** A file that the page shows, or commands that it gives. */
export type PageStep = { readonly file: string; readonly text: string } | { readonly commands: string };

/** The steps of docs/your-repository.md, in its order: a file has its path in front, commands are blocks of `sh`. */
export async function stepsOfPage(): Promise<readonly PageStep[]> {
  const page = await readFile('docs/your-repository.md', 'utf8');
  return [...page.matchAll(/(?:^`([^`\n]+)`:\n\n)?^```([a-z]*)\n([\s\S]*?)^```/gm)].map(([, file, language, text = '']): PageStep => {
    if (file !== undefined) return { file, text };
    if (language === 'sh') return { commands: text };
    throw new Error(`docs/your-repository.md has a block of ${language || 'no language'} that is neither a file nor commands: ${text}`);
  });
}

const manifestSchema = z.object({ devDependencies: z.record(z.string(), z.string()) });

/** `name@version` of packages that repositories install beside the factory, as this repository pins them. */
export async function pinned(...names: readonly string[]): Promise<readonly string[]> {
  const { devDependencies } = manifestSchema.parse(JSON.parse(await readFile('package.json', 'utf8')));
  return names.map((name) => `${name}@${devDependencies[name] ?? 'missing in devDependencies'}`);
}

/** Variables of the developer and of the test run that must not reach the repository. */
const OURS = /^(AWS_|CELL|NODE_OPTIONS|JEST|CDK|npm_|INIT_CWD|BASH_ENV)/;

/** No command of a page takes longer, on a machine that does other things too. */
const DEADLINE = 240_000;

export class YourRepository {
  private constructor(
    private readonly parent: string,
    readonly folder: string,
  ) {}

  /** An empty folder, with the packed package in it as `cell-factory.tgz`. */
  static async create(): Promise<YourRepository> {
    const parent = await mkdtemp(join(tmpdir(), 'cell-factory-your-'));
    const folder = join(parent, 'cells');
    await mkdir(folder);
    // Without scripts: make test has built it, and a second build beside running tests would take the files from under them.
    const packing = ['pack', '--ignore-scripts', '--json', '--pack-destination', parent];
    const { code, stdout, stderr } = await run('npm', packing, { without: OURS, timeout: DEADLINE });
    if (code !== 0) throw new Error(`npm pack failed: ${stderr}`);
    const [packed] = z.array(z.object({ filename: z.string() })).parse(JSON.parse(stdout));
    await rename(join(parent, packed?.filename ?? ''), join(folder, 'cell-factory.tgz'));
    return new YourRepository(parent, folder);
  }

  /** Runs bash in the repository. Variables that commands export are there for later ones. */
  async shell(commands: string, folder = this.folder): Promise<Ended> {
    const kept = join(this.parent, 'environment.sh');
    const script = `[ ! -f '${kept}' ] || . '${kept}'\n${commands}\nexport -p > '${kept}'\n`;
    return run('bash', ['-euo', 'pipefail', '-c', script], {
      folder,
      environment: { NO_COLOR: '1', CDK_VALIDATION: 'false', CDK_DISABLE_CLI_TELEMETRY: 'true', AWS_EC2_METADATA_DISABLED: 'true' },
      without: OURS,
      timeout: DEADLINE,
    });
  }

  async write(file: string, text: string): Promise<void> {
    const path = resolve(this.folder, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
}
