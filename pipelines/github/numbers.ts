/** What GitHub numbers a repository by, asked of its API. */
import { z } from 'zod';
import { messageOf } from '../../lib/registry/errors.ts';

/** What there is to know of a repository; or, as a sentence, why it isn't known. */
export type Numbers =
  | { readonly ownerId: number; readonly repositoryId: number /** ISO 8601. */; readonly createdAt: string }
  | { readonly unknown: string };

export interface GitHubApi {
  /** Address of the API, without a slash at its end. */
  readonly url: string;
  /** For repositories that not everybody may see. @default - asked as nobody */
  readonly token?: string | undefined;
}

/** How long GitHub may take to answer, in milliseconds. */
const ANSWERS_WITHIN = 10_000;

/** "Get a repository", GitHub REST API. */
const repositorySchema = z.object({
  id: z.int().positive(),
  created_at: z.iso.datetime({ offset: true }),
  owner: z.object({ id: z.int().positive() }),
});

/** The numbers of repository `id`, its owner and its name. Never throws: nobody's check depends on GitHub's being reached. */
export async function numbersOf(id: string, { url, token }: GitHubApi): Promise<Numbers> {
  try {
    const answer = await fetch(`${url}/repos/${id}`, {
      headers: { accept: 'application/vnd.github+json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      signal: AbortSignal.timeout(ANSWERS_WITHIN),
    });
    if (!answer.ok)
      return { unknown: `GitHub answers ${answer.status}: where it is private, set GITHUB_TOKEN to a token that may read it` };
    const { id: repositoryId, owner, created_at } = repositorySchema.parse(await answer.json());
    return { ownerId: owner.id, repositoryId, createdAt: created_at };
  } catch (error) {
    return { unknown: `GitHub was not reached: ${messageOf(error)}` };
  }
}
