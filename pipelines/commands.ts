/**
 * The shell of each step, the same on every engine: an engine brings the commit, the variables and the credentials, and
 * runs these lines. Besides what steps leave to each other, every step has CELL_FACTORY, the folder of the factory,
 * CELL_FACTORY_ORGANIZATION, `s3://<bucket of the registry>`, and COMPONENT. Nothing of a document stands in the lines but
 * numbers, and names that its rules have checked; what a commit brings, such as its message, is never part of them.
 */
import type { Step } from './graph.ts';

/** What a step takes from the steps before it, and what it leaves to those after it. */
export type PipelineVariable = 'COMPONENT_VERSION' | 'COMMIT' | 'ROLLOUT';

export interface StepShell {
  /** Run by bash with `-euo pipefail`, in the component's folder. */
  readonly lines: readonly string[];
  readonly takes: readonly PipelineVariable[];
  /** Variables that are set when the lines have run, for the steps after it. */
  readonly leaves: readonly PipelineVariable[];
}

/**
 * The version that a commit is built as: when it was made (UTC), and which it is. The same commit is the same version,
 * whoever builds it; and versions sort by time.
 */
const VERSION_OF_COMMIT = ['log', '-1', '--format=%cd-%h', '--date=format-local:%Y%m%dT%H%M%S', '--abbrev=12'] as const;

/** Sets the commit and the version that it is built as. */
export const VERSION_LINES: readonly string[] = [
  // Not in one: `export` would end well where what it exports has failed.
  `COMMIT="$(git rev-parse HEAD)"`,
  `COMPONENT_VERSION="$(TZ=UTC git ${VERSION_OF_COMMIT.map((word) => (word.includes('%') ? `'${word}'` : word)).join(' ')})"`,
  'export COMMIT COMPONENT_VERSION',
];

/** Minutes after which a step is given up, on every engine. A hook after a wave goes through its cells. */
const MINUTES = { build: 60, publish: 60, start: 30, hook: 480 } as const;

/** Minutes that a step may take; undefined for those that people and bakes decide. */
export const minutesOf = ({ kind }: Pick<Step, 'kind'>): number | undefined =>
  kind === 'source' || kind === 'approval' || kind === 'wave' ? undefined : MINUTES[kind];

const cellctl = '"$CELL_FACTORY/bin/cellctl"';

/**
 * The shell of a step; undefined for what is the engine's own: it brings the commit, and asks people.
 * @param waitSeconds after which the step of a wave ends, and ends well, although the wave goes on. @default - never
 */
export function shellOf(step: Exclude<Step, { kind: 'source' | 'approval' }>, waitSeconds?: number): StepShell;
export function shellOf(step: Step, waitSeconds?: number): StepShell | undefined;
export function shellOf(step: Step, waitSeconds?: number): StepShell | undefined {
  switch (step.kind) {
    case 'source':
    case 'approval':
      return undefined;
    case 'build':
      return {
        lines: [
          ...VERSION_LINES,
          'make pipeline-build',
          // Here, and not in the step that publishes: whoever builds it is at hand.
          'if [ ! -f dist/component.json ]; then echo "make pipeline-build has left no dist/component.json: package with \\$(CELL_FACTORY)/bin/cellctl component package" >&2; exit 1; fi',
        ],
        takes: [],
        leaves: ['COMMIT', 'COMPONENT_VERSION'],
      };
    case 'publish':
      return { lines: ['make pipeline-publish'], takes: ['COMMIT', 'COMPONENT_VERSION'], leaves: [] };
    case 'start':
      return {
        lines: [
          `started="$(${cellctl} rollout start "$COMPONENT" --release "$COMPONENT_VERSION" --queue --reason "commit $COMMIT" --yes --json)"`,
          `ROLLOUT="$(node -p 'JSON.parse(process.argv[1]).rollout.id' "$started")"`,
          'export ROLLOUT',
        ],
        takes: ['COMMIT', 'COMPONENT_VERSION'],
        leaves: ['ROLLOUT'],
      };
    case 'wave': {
      const { number, approved, last } = step.wave;
      const options = [
        `--wave ${number}`,
        ...(approved ? ['--approved'] : []),
        ...(last ? ['--last'] : []),
        ...(waitSeconds === undefined ? [] : [`--for ${waitSeconds}s`]),
      ];
      return { lines: [`${cellctl} rollout stage "$ROLLOUT" ${options.join(' ')}`], takes: ['ROLLOUT'], leaves: [] };
    }
    case 'hook':
      return step.wave === undefined
        ? { lines: [`make ${step.target}`], takes: ['COMMIT', 'COMPONENT_VERSION'], leaves: [] }
        : {
            lines: [`${cellctl} pipelines hook "$ROLLOUT" --wave ${step.wave} --target ${step.target}`],
            takes: ['ROLLOUT'],
            leaves: [],
          };
  }
}

/**
 * What the machine that builds hands to the one that publishes, where these are two: `dist/`, and the images that the build
 * left in its container engine. Run after the lines of the build, and before those of publishing; `HANDOVER` is a folder
 * that the engine brings from one to the other.
 */
export const HANDOVER = {
  pack: [
    'mkdir -p "$HANDOVER"',
    'cp -R dist "$HANDOVER/dist"',
    `node -p 'Object.values(JSON.parse(fs.readFileSync("dist/component.json", "utf8")).images).filter(({ status }) => status === "built").map(({ reference }) => reference).join("\\n")' | xargs -r docker save --output "$HANDOVER/images.tar"`,
  ],
  unpack: [
    'rm -rf dist',
    'cp -R "$HANDOVER/dist" dist',
    'if [ -f "$HANDOVER/images.tar" ]; then docker load --input "$HANDOVER/images.tar"; fi',
  ],
} as const;

/**
 * Installs what the factory depends on, in its folder: exactly what its lock file says, and none of their programs is run.
 * The lock file comes from `dist/`, because npm leaves one at the root out of packages.
 */
export const INSTALL_FACTORY = 'cp dist/package-lock.json . && npm ci --omit=dev --ignore-scripts --no-audit --no-fund';

/**
 * The shell of the pipeline of pipelines: checks, shows what differs, brings pipelines in step with the published registry.
 * @param isOwn whether it runs in a clone of the factory's own repository, whose definitions are then checked, too; elsewhere
 * it runs in the package
 * @param patience how long to wait for pipelines that are busy. @default - what the command does
 */
export const syncLines = (isOwn: boolean, patience?: string): readonly string[] => [
  isOwn ? 'make build' : INSTALL_FACTORY,
  'export CELL_FACTORY="$PWD"',
  ...(isOwn ? [`${cellctl} validate --organization registry`] : []),
  `${cellctl} validate`,
  `${cellctl} pipelines diff`,
  `${cellctl} pipelines sync --yes${patience === undefined ? '' : ` --patience ${patience}`}`,
];
