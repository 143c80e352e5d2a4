/**
 * What every component's repository promises: targets of its Makefile, and the variables that they are called with. The
 * factory calls nothing else of a component, and a component may count on nothing else. docs/components.md is made of this.
 */

interface ContractTarget {
  readonly name: string;
  /** Who calls it, and when. */
  readonly called: string;
  /** What it does. */
  readonly does: string;
  /** Whether a component may have nothing to do there. The target is there all the same: who calls it need not know. */
  readonly optional: boolean;
}

/** In the order in which a component meets them. */
export const CONTRACT_TARGETS = [
  {
    name: 'pipeline-build',
    called: 'by the pipeline, once for each commit, without credentials',
    does: 'tests and builds, and leaves `dist/component.json` beside what it names',
    optional: false,
  },
  {
    name: 'pipeline-publish',
    called: 'by the pipeline, after the build, with credentials of tooling',
    does: 'publishes `dist/` to every region; the same again changes nothing',
    optional: false,
  },
  {
    name: 'cell-bootstrap',
    called: 'for each new cell on AWS, before the first deployment to it, with credentials of the cell',
    does: 'makes what the component needs there once; may be called again',
    optional: true,
  },
  {
    name: 'gcp-cell-bootstrap',
    called: 'the same for a cell on Google Cloud',
    does: 'makes what the component needs there once; may be called again',
    optional: true,
  },
  {
    name: 'cell-teardown',
    called: 'for each cell that retires, before its stacks go, with credentials of the cell',
    does: 'removes what no stack removes; may be called again',
    optional: true,
  },
  {
    name: 'integration-test',
    called: 'for each cell that was deployed to, while it is watched',
    does: 'asks the cell at its endpoint whether the component works, and fails if not',
    optional: true,
  },
] as const satisfies readonly ContractTarget[];

type ContractTargetName = (typeof CONTRACT_TARGETS)[number]['name'];

interface ContractVariable {
  readonly name: string;
  readonly meaning: string;
  readonly example: string;
  /** Targets that it is set in. */
  readonly targets: readonly ContractTargetName[];
}

const ALL = CONTRACT_TARGETS.map(({ name }) => name);
const PIPELINE: readonly ContractTargetName[] = ['pipeline-build', 'pipeline-publish'];
const CELL = ALL.filter((name) => !PIPELINE.includes(name));
const ON_AWS = CELL.filter((name) => name !== 'gcp-cell-bootstrap');

/** Variables of the environment. Where one is not set, a Makefile gives it a default for people: `COMMIT ?=`. */
export const CONTRACT_VARIABLES: readonly ContractVariable[] = [
  { name: 'COMPONENT', meaning: 'name of the component in the registry', example: '`orders-api`', targets: ALL },
  {
    name: 'COMPONENT_VERSION',
    meaning: 'version that is built or published, or runs in the cell',
    example: '`1.4.2`',
    targets: [...PIPELINE, 'integration-test'],
  },
  { name: 'COMMIT', meaning: 'commit that it is built from', example: '`3f0c2a9…`', targets: PIPELINE },
  {
    name: 'CELL_FACTORY',
    meaning: 'folder of the factory: `$(CELL_FACTORY)/bin/cellctl` packages and publishes',
    example: '`/opt/cell-factory`',
    targets: PIPELINE,
  },
  {
    name: 'ARTIFACT_BUCKET',
    meaning: "bucket of artifacts in tooling's home region",
    example: '`acme-cell-artifacts-…`',
    targets: ['pipeline-publish'],
  },
  { name: 'CELL_NAME', meaning: 'name of the cell', example: '`alpha`', targets: CELL },
  { name: 'CELL_STAGE', meaning: 'its stage', example: '`production`', targets: CELL },
  { name: 'CELL_REGION', meaning: 'its region', example: '`eu-west-1`', targets: CELL },
  { name: 'CELL_ENDPOINT', meaning: 'where clients reach it', example: '`https://alpha.cells.example.com`', targets: CELL },
  { name: 'CELL_ACCOUNT_ID', meaning: 'its account on AWS', example: '12 digits', targets: ON_AWS },
  { name: 'CELL_PROJECT', meaning: 'its project on Google Cloud', example: '`acme-alpha`', targets: ['gcp-cell-bootstrap'] },
];
