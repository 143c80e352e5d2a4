/**
 * The environment's variables: the only file of the product that reads `process.env`. Each is read when it is asked for.
 * Loads nothing: the operator is bundled with it, and `cellctl --help` starts with it.
 */

type Variables = Readonly<Record<string, string | undefined>>;

/** Hosts that are this machine. */
const HERE = /^(localhost|127(\.\d+){3}|\[::1\]|.+\.localhost)$/;

/**
 * Whether calls go to AWS, or to somebody who may pass them on. The SDK prefers the endpoint of a service to that of all.
 * @param variables the process's
 */
export function reachesAws(variables: Variables): boolean {
  const { AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_CLOUDWATCH, AWS_ENDPOINT_URL_STS, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS } = variables;
  if (AWS_IGNORE_CONFIGURED_ENDPOINT_URLS === 'true') return true;
  const endpoints = [AWS_ENDPOINT_URL_CLOUDWATCH, AWS_ENDPOINT_URL_STS].map((endpoint) => endpoint ?? AWS_ENDPOINT_URL ?? '');
  return !endpoints.every((endpoint) => URL.canParse(endpoint) && HERE.test(new URL(endpoint).hostname));
}

export const environment = {
  /** Where the organization is defined, unless `--organization` says otherwise. */
  get organization(): string | undefined {
    return process.env['CELL_FACTORY_ORGANIZATION'];
  },

  /** The lock file of account ids, in place of the one beside the definitions. */
  get accountsFile(): string | undefined {
    return process.env['CELL_FACTORY_ACCOUNTS'];
  },

  /** Factor on the rates that AWS's quotas allow, as somebody wrote it. @default '1' */
  get pace(): string {
    return process.env['CELL_FACTORY_PACE'] ?? '1';
  },

  /** Address of the DNS server to ask in place of the public DNS. */
  get resolver(): string | undefined {
    return process.env['CELL_FACTORY_RESOLVER'];
  },

  /** GitHub's API and the token to ask it with, as GitHub's own tools read them. */
  get github(): { readonly url: string; readonly token: string | undefined } {
    return {
      url: process.env['GITHUB_API_URL'] ?? 'https://api.github.com',
      token: process.env['GITHUB_TOKEN'] ?? process.env['GH_TOKEN'],
    };
  },

  /** Who drives rollouts from wave to wave, as their pipeline calls itself. */
  get driver(): string | undefined {
    return process.env['CELL_FACTORY_DRIVER'];
  },

  /** Whether the stack of an unexpected error is shown. */
  get debug(): boolean {
    return process.env['CELLCTL_DEBUG'] !== undefined;
  },

  /** The region of the caller, as the SDK reads it. */
  get region(): string | undefined {
    return process.env['AWS_REGION'];
  },

  /** The endpoint of all services in place of AWS's, as the SDK reads it. */
  get endpoint(): string | undefined {
    return process.env['AWS_ENDPOINT_URL'];
  },

  /** Names of the variables that give a single service an endpoint of its own. */
  get serviceEndpoints(): readonly string[] {
    return Object.keys(process.env).filter((name) => name.startsWith('AWS_ENDPOINT_URL_'));
  },

  /** Whether calls go to AWS, or to somebody who may pass them on. */
  get reachesAws(): boolean {
    return reachesAws(process.env);
  },

  /** What the operator's stack tells its function: the table of rollouts, the bucket of artifacts, and that of the registry. */
  get operator(): { readonly table: string | undefined; readonly bucket: string | undefined; readonly registry: string | undefined } {
    return {
      table: process.env['ROLLOUTS_TABLE'],
      bucket: process.env['ARTIFACTS_BUCKET'],
      registry: process.env['REGISTRY_BUCKET'],
    };
  },

  /** What the same stack tells the function that tells of rollouts: the bus besides. */
  get teller(): { readonly bus: string | undefined; readonly table: string | undefined; readonly bucket: string | undefined } {
    return { bus: process.env['EVENT_BUS'], table: process.env['ROLLOUTS_TABLE'], bucket: process.env['ARTIFACTS_BUCKET'] };
  },
};

/**
 * The variables that a program inherits which we start.
 * @param without names that it must not see
 */
export function inheritedEnvironment(without?: RegExp): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !without?.test(name)));
}

/** Keeps the SDK from warning once per process that its versions of 2027 want Node 22: ours are pinned and run on 20. */
export function silenceNodeWarning(): void {
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
}
