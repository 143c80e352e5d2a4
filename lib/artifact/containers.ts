/** The container engine of this machine: whichever of the usual ones answers. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastLines, type Run, run as runProgram } from '../program.ts';
import { FactoryError } from '../registry/index.ts';

/** In this order. They take the same words for all that is asked of them here. */
export const ENGINES = ['docker', 'podman', 'finch'] as const;

/** What cells run: `CellService` asks for Graviton, wherever the image was built. */
const PLATFORM = 'linux/arm64';

const ANSWERS_WITHIN = 10_000;
const WORKS_WITHIN = 30 * 60_000;

export class ContainerEngine {
  private constructor(
    readonly name: string,
    private readonly run: Run,
  ) {}

  /** The first engine that answers; a program that is installed and reaches no server is none. */
  static async find(run: Run = runProgram): Promise<ContainerEngine | undefined> {
    for (const name of ENGINES) {
      const { code } = await run(name, ['info'], { timeout: ANSWERS_WITHIN });
      if (code === 0) return new ContainerEngine(name, run);
    }
    return undefined;
  }

  /** Builds `context`. @returns the image's id, `sha256:…` @throws FactoryError `IMAGE_FAILED` */
  async build(context: string, reference: string): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'cell-factory-image-'));
    try {
      const file = join(folder, 'id');
      await this.do('build', '--platform', PLATFORM, '--iidfile', file, '--tag', reference, context);
      return (await readFile(file, 'utf8')).trim();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Signs in to a registry. The password is on nobody's command line. @throws FactoryError `IMAGE_FAILED` */
  async login(host: string, user: string, password: string): Promise<void> {
    await this.doWith(password, 'login', '--username', user, '--password-stdin', host);
  }

  /** Pushes the image `id` as `reference`. @throws FactoryError `IMAGE_FAILED` */
  async push(id: string, reference: string): Promise<void> {
    await this.do('tag', id, reference);
    await this.do('push', reference);
  }

  private do(...words: string[]): Promise<void> {
    return this.doWith(undefined, ...words);
  }

  private async doWith(input: string | undefined, ...words: string[]): Promise<void> {
    const ended = await this.run(this.name, words, { timeout: WORKS_WITHIN, ...(input === undefined ? {} : { input }) });
    if (ended.code === 0) return;
    throw new FactoryError('IMAGE_FAILED', `\`${this.name} ${words[0]}\` failed (${ended.code}): ${lastLines(ended, 5)}`, {
      fix: `run \`${this.name} ${words.join(' ')}\` to see all that it says`,
    });
  }
}
