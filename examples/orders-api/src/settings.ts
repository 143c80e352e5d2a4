/** Everything the service knows about its cell it finds in its environment; docs/cell.md of the factory lists what is there. */

/** Where a password comes from: the cell's secret, or on a laptop the environment itself. */
export type LoginSettings =
  | { readonly secretArn: string }
  | { readonly username: string | undefined; readonly password: string | undefined };

export interface ServerSettings {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly login: LoginSettings;
}

/** Whose log lines these are. */
export interface Identity {
  readonly cell: string;
  readonly stage: string;
  readonly region: string;
  readonly component: string;
  readonly version: string;
}

export interface Settings {
  readonly identity: Identity;
  readonly port: number;
  readonly database: ServerSettings & { readonly name: string };
  readonly cache: ServerSettings;
  readonly queueUrl: string;
}

/** @throws Error that names every variable that is missing or wrong */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const problems: string[] = [];

  const required = (name: string, or?: string): string => {
    const value = env[name] || (or && env[or]);
    if (!value) problems.push(`${name} is missing`);
    return value || '';
  };
  const port = (name: string, fallback: number): number => {
    const value = Number(env[name] ?? fallback);
    if (!Number.isInteger(value) || value < 0 || value > 65_535) problems.push(`${name} is "${env[name]}", expected a port`);
    return value;
  };
  const server = (prefix: 'DATABASE' | 'CACHE', defaultPort: number): ServerSettings => {
    const tls = env[`${prefix}_TLS`] ?? 'on';
    if (tls !== 'on' && tls !== 'off') problems.push(`${prefix}_TLS is "${tls}", expected on or off`);
    const secretArn = env[`${prefix}_SECRET_ARN`];
    return {
      host: required(`${prefix}_HOST`),
      port: port(`${prefix}_PORT`, defaultPort),
      tls: tls === 'on',
      login: secretArn ? { secretArn } : { username: env[`${prefix}_USER`], password: env[`${prefix}_PASSWORD`] },
    };
  };

  const settings: Settings = {
    identity: {
      cell: env['CELL_NAME'] ?? 'none',
      stage: env['CELL_STAGE'] ?? 'none',
      region: required('CELL_REGION', 'AWS_REGION'),
      component: env['COMPONENT'] ?? 'orders-api',
      version: env['COMPONENT_VERSION'] ?? 'dev',
    },
    port: port('PORT', 8080),
    database: { ...server('DATABASE', 5432), name: env['DATABASE_NAME'] ?? 'cell' },
    cache: server('CACHE', 6379),
    queueUrl: required('QUEUE_URL'),
  };
  if (problems.length > 0) throw new Error(`${problems.join('; ')}. README.md shows a complete environment.`);
  return settings;
}
