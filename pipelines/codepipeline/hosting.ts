/** Who hosts a repository, as AWS CodeConnections calls it. Pure. */
import { type Component, FactoryError } from '../../registry/index.ts';

/** Hosts that a connection reaches without anything of the organization's own in between. */
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

/** Who hosts the repository; undefined where no connection leads. */
export function hostingOf({ repository }: Component): Hosting | undefined {
  const [, web, ssh, id] = ADDRESS.exec(repository.url) ?? [];
  const host = (web ?? ssh ?? '').toLowerCase();
  const provider = Object.entries(PROVIDERS).find(([name]) => name === host)?.[1];
  if (provider === undefined || id === undefined) return undefined;
  // Only GitLab has groups of groups.
  return id.split('/').length === 2 || provider.name === 'gitlab' ? { provider, id } : undefined;
}

/** Who hosts the repository. @throws FactoryError `REPOSITORY_UNSUPPORTED` where no connection leads */
export function requireHosting(component: Component): Hosting {
  const hosting = hostingOf(component);
  if (hosting) return hosting;
  throw new FactoryError(
    'REPOSITORY_UNSUPPORTED',
    `CodePipeline takes no commits from ${component.repository.url}, the repository of ${component.name}`,
    {
      fix: `move it to ${Object.keys(PROVIDERS).join(', ')}, as https://host/owner/name; or use engine github-actions, or \`cellctl pipelines run ${component.name}\``,
    },
  );
}
