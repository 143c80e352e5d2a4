/** Whether the secrets are there that webhooks are made with. */
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Session } from '../aws/session.ts';
import type { Plan } from '../plan/plan.ts';
import { FactoryError, isNamed, type Problem } from '../registry/index.ts';

/** What a secret must hold. The header may be any text where the address asks for none, but CloudFormation takes no empty one. */
const FIELDS = ['url', 'authorization'] as const;

/**
 * Looks before anything is deployed: CloudFormation would find out in the middle, and take the whole stack back.
 * @param session tooling's, in the home region
 * @throws FactoryError `WEBHOOK_SECRET`, with all that is missing
 */
export async function requireWebhookSecrets({ notifications: { webhooks } }: Pick<Plan, 'notifications'>, session: Session): Promise<void> {
  const client = new SecretsManagerClient(session);
  const found = await Promise.all(Object.entries(webhooks).map(([name, { secret }]) => problemOf(client, name, secret)));
  const problems = found.filter((problem) => problem !== undefined);
  if (problems.length === 0) return;
  throw new FactoryError(
    'WEBHOOK_SECRET',
    `${problems.length === 1 ? 'a webhook lacks its' : `${problems.length} webhooks lack their`} secret`,
    {
      problems,
      fix: 'make it with credentials of tooling, and run this again',
    },
  );
}

async function problemOf(client: SecretsManagerClient, name: string, secret: string): Promise<Problem | undefined> {
  const problem = (message: string, verb: 'create-secret --name' | 'put-secret-value --secret-id'): Problem => ({
    code: 'WEBHOOK_SECRET',
    path: `notifications.webhooks.${name}.secret`,
    message,
    fix: `aws secretsmanager ${verb} ${secret} --secret-string '{"url": "https://…", "authorization": "…"}'`,
  });
  const text = await textOf(client, secret);
  if (text === undefined) return problem(`there is no secret ${secret} in tooling`, 'create-secret --name');
  const lacking = lackingIn(text);
  // Nothing of what it holds is shown.
  return lacking === undefined ? undefined : problem(`${secret} holds ${lacking}`, 'put-secret-value --secret-id');
}

async function textOf(client: SecretsManagerClient, SecretId: string): Promise<string | undefined> {
  try {
    return (await client.send(new GetSecretValueCommand({ SecretId }))).SecretString ?? '';
  } catch (error) {
    if (isNamed(error, 'ResourceNotFoundException')) return undefined;
    throw error;
  }
}

/** What is wrong with a secret's value; undefined where nothing is. */
function lackingIn(text: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'no JSON';
  }
  const fields = Object(value) as Record<string, unknown>;
  const missing = FIELDS.filter((field) => typeof fields[field] !== 'string' || fields[field] === '');
  if (missing.length > 0) return `no text as ${missing.map((field) => `"${field}"`).join(' and ')}`;
  const url = String(fields['url']);
  return URL.canParse(url) && new URL(url).protocol === 'https:' ? undefined : 'an "url" that is not https://…';
}
