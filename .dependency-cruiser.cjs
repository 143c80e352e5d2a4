/** The arrows of the layout, and no cycles. docs/architecture.md draws them. */

/**
 * What each folder may import of the others, besides the files at the top of lib/ that belong to nobody. A folder that is not here
 * is refused, so that a new one is drawn before it is used.
 */
const PLAN = ['lib/registry', 'lib/plan'];
const REVIEWED = [...PLAN, 'lib/review', 'lib/aws'];
const PROJECTIONS = ['lib/accounts', 'lib/cell', 'lib/artifact', 'lib/access', 'lib/isolation', 'lib/kubernetes', 'lib/rollout'];
const ARROWS = {
  // By the name that others use, too: cell-factory/registry.
  registry: ['lib/registry'],
  'lib/registry': [],
  'lib/plan': ['lib/registry'],
  'lib/review': PLAN,
  // Below the projections, and without a plan: docs/decisions/0003.
  'lib/aws': ['lib/registry'],
  'lib/accounts': REVIEWED,
  'lib/cell': REVIEWED,
  'lib/artifact': REVIEWED,
  'lib/access': REVIEWED,
  'lib/isolation': REVIEWED,
  'lib/kubernetes': REVIEWED,
  'lib/rollout': [...REVIEWED, 'lib/artifact', 'lib/kubernetes'],
  'lib/lifecycle': [...REVIEWED, 'lib/accounts', 'lib/cell', 'lib/access', 'lib/rollout'],
  pipelines: [...REVIEWED, ...PROJECTIONS, 'lib/lifecycle'],
  'lib/monitoring': [...REVIEWED, ...PROJECTIONS, 'lib/lifecycle', 'pipelines'],
  'lib/app': [...REVIEWED, ...PROJECTIONS, 'lib/lifecycle', 'lib/monitoring', 'pipelines'],
  'tools/local-cloud': ['lib/registry', 'lib/aws'],
  'tools/aws-check': REVIEWED,
};

const within = (folders) => `^(${folders.join('|')})/`;

/** Files in `from` import nothing of `to`. */
const never = (name, from, to, comment) => ({ name, severity: 'error', comment, from: { path: from }, to: { path: to } });

/** Code of ours in a folder: everything but the programs on top, packages, and the files at the top of lib/. */
const FOLDER = '^(registry|pipelines|lib/[^/]+|bin|tools/[^/]+)/';

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, pathNot: ['^registry/', '^bin/', '^lib/messages', '^tools/[^/]+\\.ts$'] /* types only, and what is run */ },
      to: {},
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    ...Object.entries(ARROWS).map(([folder, allowed]) => ({
      name: `${folder.replace('/', '-')}-imports-what-is-drawn`,
      severity: 'error',
      comment: 'projections never import each other, except by an arrow of docs/architecture.md: what two need belongs in the plan',
      from: { path: `^${folder}/`, pathNot: '^tools/local-cloud/test/' },
      to: { path: FOLDER, pathNot: within([folder, ...allowed]) },
    })),
    {
      name: 'every-folder-is-drawn',
      severity: 'error',
      comment: 'a new folder needs its line in ARROWS first',
      from: { path: FOLDER, pathNot: within([...Object.keys(ARROWS), 'lib/cli', 'bin']) },
      to: {},
    },
    never(
      'lib-files-belong-to-nobody',
      '^lib/[^/]+\\.ts$',
      '^(lib/(?!registry/)[^/]+|pipelines|registry|bin|tools)/',
      'they serve every folder',
    ),
    never(
      'registry-without-cdk',
      '^lib/registry/',
      'node_modules/(aws-cdk-lib|constructs)/',
      'readers install the registry without the CDK',
    ),
    never('plan-without-io', '^lib/plan/', 'node_modules/(@aws-sdk|aws-cdk-lib|@aws-cdk)/', 'plans are pure'),
    never('review-without-io', '^lib/review/', 'node_modules/(@aws-sdk|aws-cdk-lib)/', 'reviews are pure: who calls them has looked'),
    never('cli-is-the-top', '^(lib/(?!cli/)|registry/|pipelines/)', '^lib/cli/', 'only lib/cli prints'),
    never('bin-is-the-top', '^(lib|registry|pipelines|tools)/', '^bin/', 'nobody imports a program'),
    {
      name: 'sdk-and-cdk-in-different-files',
      severity: 'error',
      comment: 'cellctl --help never loads aws-cdk-lib, and a stack needs no SDK',
      from: { path: '-stack\\.ts$|^lib/cell/(foundation|service)/[^/]+\\.ts$|^lib/app/' },
      to: { path: 'node_modules/@aws-sdk/' },
    },
    {
      name: 'help-answers-at-once',
      severity: 'error',
      comment: 'what a command needs is imported when it runs (await import), so that cellctl --help loads nothing of it',
      from: { path: '^lib/cli/' },
      to: {
        path: '^(registry|pipelines|tools|lib/(?!cli/|package-root|repository-root|environment))|node_modules/(aws-cdk-lib|constructs|@aws-cdk|@aws-sdk|zod)/',
        dynamic: false,
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'only-the-toolkit-knows-the-toolkit',
      severity: 'error',
      from: { path: '^(bin|lib|registry|pipelines|tools)/', pathNot: '^lib/aws/toolkit' },
      to: { path: 'node_modules/@aws-cdk/toolkit-lib/' },
    },
    {
      name: 'only-one-file-compares-templates',
      severity: 'error',
      from: { path: '^(bin|lib|registry|pipelines|tools)/', pathNot: '^lib/review/template-diff' },
      to: { path: 'node_modules/@aws-cdk/cloudformation-diff/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    exclude: { path: '^(dist|pipelines/templates|tools/local-cloud/(test|cell_factory_moto))/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
