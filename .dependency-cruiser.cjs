/** The arrows of the layout, and no cycles. docs/architecture.md draws them. */

/** Files in `from` import nothing of `to`. */
const never = (name, from, to, comment) => ({ name, severity: 'error', comment, from: { path: from }, to: { path: to } });

const MIDDLE = ['cell', 'accounts', 'access', 'rollout', 'monitoring', 'local'];

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, pathNot: ['^registry/(organization|cells/|components/)', '^bin/', '^lib/messages'] /* types only */ },
      to: {},
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    never('registry-is-the-bottom', '^registry/', '^(lib|pipelines|bin)/', 'the registry is read by everybody and knows nobody'),
    never('registry-without-cdk', '^registry/', 'node_modules/(aws-cdk-lib|constructs)/', 'readers install the registry without the CDK'),
    never('plan-reads-the-registry-only', '^lib/plan/', '^lib/(?!plan/)', 'plans are pure'),
    never('plan-without-io', '^lib/plan/', 'node_modules/(@aws-sdk|aws-cdk-lib|@aws-cdk)/', 'plans are pure'),
    never(
      'aws-is-below-the-plan',
      '^lib/aws/',
      '^lib/(plan|cli|cell|accounts|access|rollout|monitoring|local)/',
      'sessions and the toolkit serve every projection',
    ),
    ...MIDDLE.map((folder) =>
      never(
        `${folder}-keeps-to-itself`,
        `^lib/${folder}/`,
        `^lib/(${MIDDLE.filter((other) => other !== folder).join('|')})/|^pipelines/|^lib/cli/|^bin/`,
        'projections never import each other: what two need belongs in the plan',
      ),
    ),
    never('cli-is-the-top', '^(lib/(?!cli/)|registry/|pipelines/)', '^lib/cli/', 'only lib/cli prints'),
    never('bin-is-the-top', '^(lib|registry|pipelines)/', '^bin/', 'nobody imports a program'),
    {
      name: 'help-answers-at-once',
      severity: 'error',
      comment: 'what a command needs is imported when it runs (await import), so that cellctl --help loads nothing of it',
      from: { path: '^lib/cli/' },
      to: {
        path: '^(registry|pipelines|lib/(?!cli/|package-root))|node_modules/(aws-cdk-lib|constructs|@aws-cdk|@aws-sdk|zod)/',
        dynamic: false,
      },
    },
    {
      name: 'only-the-toolkit-knows-the-toolkit',
      severity: 'error',
      from: { path: '^(bin|lib|registry)/', pathNot: '^lib/aws/toolkit' },
      to: { path: 'node_modules/@aws-cdk/toolkit-lib/' },
    },
    {
      name: 'only-one-file-compares-templates',
      severity: 'error',
      from: { path: '^(bin|lib|registry)/', pathNot: '^lib/cell/template-diff' },
      to: { path: 'node_modules/@aws-cdk/cloudformation-diff/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: false,
    tsConfig: { fileName: 'tsconfig.json' },
    exclude: { path: '^(dist|pipelines/templates)/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
