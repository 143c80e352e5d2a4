/** Who hosts a repository, and what takes commits from there. Pure. */
import { engineOf } from '../lib/plan/pipeline-stacks.ts';
import type { Plan } from '../lib/plan/plan.ts';
import { type Component, type Engine, FactoryError } from '../lib/registry/index.ts';

/** Hosts that AWS CodeConnections reaches without anything of the organization's own in between, as it calls them. */
const PROVIDERS = {
  'github.com': { name: 'github', type: 'GitHub' },
  'bitbucket.org': { name: 'bitbucket', type: 'Bitbucket' },
  'gitlab.com': { name: 'gitlab', type: 'GitLab' },
} as const;

export type Provider = (typeof PROVIDERS)[keyof typeof PROVIDERS];

export interface Hosting {
  readonly provider: Provider;
  /** Owner and name of the repository; at GitLab with groups in between. */
  readonly id: string;
}

/** `https://host/path`, `ssh://git@host/path` and `git@host:path`, none with a port. */
const ADDRESS = /^(?:(?:https|ssh):\/\/(?:git@)?([^/:@]+)\/|git@([^/:@]+):)([\w.-]+(?:\/[\w.-]+?)+)(?:\.git)?\/?$/;

/** Who hosts the repository at `address`; undefined where nobody does that we know. */
export function hostingAt(address: string): Hosting | undefined {
  const [, web, ssh, id] = ADDRESS.exec(address) ?? [];
  const host = (web ?? ssh ?? '').toLowerCase();
  const provider = Object.entries(PROVIDERS).find(([name]) => name === host)?.[1];
  if (provider === undefined || id === undefined) return undefined;
  // Only GitLab has groups of groups.
  return id.split('/').length === 2 || provider.name === 'gitlab' ? { provider, id } : undefined;
}

/** Who hosts the repository of a component. */
export const hostingOf = ({ repository }: Component): Hosting | undefined => hostingAt(repository.url);

/** GitHub runs workflows of its own repositories only. */
const takes = (engine: Engine, hosting: Hosting): boolean => engine === 'codepipeline' || hosting.provider.name === 'github';

const ENGINES = {
  codepipeline: { called: 'CodePipeline', hosts: Object.keys(PROVIDERS).join(', '), other: 'github-actions' },
  'github-actions': { called: 'GitHub Actions', hosts: 'github.com', other: 'codepipeline' },
} as const;

/** Who hosts the repository of a component. @throws FactoryError `REPOSITORY_UNSUPPORTED` where its engine takes no commits from */
export function requireHosting(plan: Pick<Plan, 'pipelines'>, component: Component): Hosting {
  const engine = engineOf(plan, component);
  const hosting = hostingOf(component);
  if (hosting && takes(engine, hosting)) return hosting;
  const { called, hosts, other } = ENGINES[engine];
  throw new FactoryError(
    'REPOSITORY_UNSUPPORTED',
    `${called} takes no commits from ${component.repository.url}, the repository of ${component.name}`,
    {
      fix: `move it to ${hosts}, as https://host/owner/name; or use engine ${other}, or \`cellctl pipelines run ${component.name}\``,
    },
  );
}

/** Why the component's engine can't deliver it, as a sentence; undefined where it can. */
export function unsupported(plan: Pick<Plan, 'pipelines'>, component: Component): string | undefined {
  try {
    requireHosting(plan, component);
    return undefined;
  } catch (error) {
    if (error instanceof FactoryError && error.code === 'REPOSITORY_UNSUPPORTED') return error.message;
    throw error;
  }
}
