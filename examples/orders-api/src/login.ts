/** User and password of a server: read when they are first needed, and again when the server refuses them, because they are rotated. */
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { LoginSettings } from './settings.ts';

export interface Login {
  readonly username: string | undefined;
  readonly password: string | undefined;
}

export interface LoginSource {
  read(): Promise<Login>;
  /** The server refused what was read: the next `read` asks again. */
  forget(): void;
}

/** RDS keeps a JSON object in its secret. Neither the text nor a parser's message, which quotes it, may reach a log. */
export function databaseLogin(text: string): Login {
  const { username, password } = parsed(text);
  if (typeof username !== 'string' || typeof password !== 'string') {
    throw new Error("the database's secret is not what RDS writes: a JSON object with username and password");
  }
  return { username, password };
}

function parsed(text: string): Record<string, unknown> {
  try {
    return (JSON.parse(text) ?? {}) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** The cell's secret for the cache is the bare password, of the default user. */
export const cacheLogin = (text: string): Login => ({ username: undefined, password: text });

/**
 * @param parse what the text of the secret says
 * @param client used only if the settings name a secret
 */
export function loginSource(
  settings: LoginSettings,
  parse: (text: string) => Login,
  client: Pick<SecretsManagerClient, 'send'>,
): LoginSource {
  if (!('secretArn' in settings)) return { read: async () => settings, forget: () => {} };
  let known: Login | undefined;
  return {
    async read() {
      if (known) return known;
      const command = new GetSecretValueCommand({ SecretId: settings.secretArn });
      const { SecretString = '' } = await client.send(command, { abortSignal: AbortSignal.timeout(5000) });
      known = parse(SecretString);
      return known;
    },
    forget() {
      known = undefined;
    },
  };
}
