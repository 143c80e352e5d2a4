/**
 * Whom GitHub's tokens speak for. A token's subject says repository and branch, and is what roles in tooling trust.
 * Source: "OpenID Connect reference" (immutable subject claims), GitHub Docs, read on 2026-11-30.
 */
import type { Plan } from '../../lib/plan/plan.ts';
import type { Component } from '../../lib/registry/index.ts';
import { requireHosting } from '../hosting.ts';

/** Repositories made from then on have subjects with numbers, and so have those that were renamed or moved since, and who asks for it. */
export const NUMBERED_SINCE = '2026-07-15';

/**
 * Subjects of the tokens that the component's workflow gets on its branch. With GitHub's numbers of the repository, whoever
 * takes over its name is not taken for it.
 * @throws FactoryError `REPOSITORY_UNSUPPORTED` for a repository that is not on GitHub
 */
export function subjectsOf(plan: Pick<Plan, 'pipelines'>, component: Component): string[] {
  const { branch, github } = component.repository;
  const { id } = requireHosting(plan, component);
  const [owner, name] = id.split('/');
  const subject = (repository: string) => `repo:${repository}:ref:refs/heads/${branch}`;
  if (!github) return [subject(id)];
  const numbered = subject(`${owner}@${github.ownerId}/${name}@${github.repositoryId}`);
  return github.alsoByName ? [numbered, subject(id)] : [numbered];
}
