/**
 * Every error that the factory raises on purpose, with the exit code `cellctl` ends with.
 * 1: the work failed. 2: the call or the registry is wrong, and nothing was changed.
 */
const ERROR_CODES = {
  USAGE: { exit: 2, meaning: 'the command line is wrong' },
  ORGANIZATION_NOT_FOUND: { exit: 2, meaning: 'the folder or document of the organization is missing or unreadable' },
  REGISTRY_INVALID: { exit: 2, meaning: 'the definitions break the schema or a rule; every problem is listed' },
  DOCUMENT_INVALID: { exit: 2, meaning: 'a published document is damaged or of an unknown version' },
  LOCK_FILE_INVALID: { exit: 2, meaning: 'accounts.json is not what cellctl wrote' },
  NETWORK_EXHAUSTED: { exit: 2, meaning: 'the network plan has no free block of the size that was asked for' },
  CELL_UNKNOWN: { exit: 2, meaning: 'no cell of that name in the registry' },
  CELL_WITHOUT_ACCOUNT: { exit: 2, meaning: 'the cell has no account yet' },
  CELL_WITHOUT_ZONES: { exit: 2, meaning: 'the lock file does not say in which availability zones the cell is' },
  CELL_NOT_ON_AWS: { exit: 2, meaning: 'the cell lives in another cloud, which this command does not reach' },
  COMPONENT_UNKNOWN: { exit: 2, meaning: 'no component of that name in the registry, or no assembly of it' },
  ARTIFACT_INVALID: { exit: 2, meaning: 'what was built can not go to every cell as it is: every reason is listed' },
  ARTIFACT_UNKNOWN: { exit: 2, meaning: 'nothing was published of the component under that version' },
  ARTIFACT_DIFFERS: { exit: 2, meaning: 'something else was published under that version, which stays what it is' },
  ARTIFACT_CHANGED: { exit: 1, meaning: 'what lies in the bucket of artifacts is not what was published' },
  IMAGE_NOT_BUILT: { exit: 2, meaning: 'the build holds no image, but what one would be made of' },
  IMAGE_FAILED: { exit: 1, meaning: 'a container engine could not build or push an image' },
  REPOSITORY_UNREACHABLE: { exit: 1, meaning: 'git could not clone a repository' },
  REPOSITORY_UNSUPPORTED: { exit: 2, meaning: 'what runs the pipeline can take no commits from where the repository is' },
  PIPELINE_TOO_LARGE: { exit: 2, meaning: 'a pipeline, or all of them, would pass a limit of what runs them' },
  PACKAGE_MISSING: { exit: 2, meaning: 'a package that the factory needs beside itself is not installed' },
  NOT_INITIALIZED: { exit: 2, meaning: '`cellctl init` has not been run for this organization' },
  WRONG_ACCOUNT: { exit: 2, meaning: 'the credentials belong to another account than the command needs' },
  REFUSED: { exit: 2, meaning: 'the command would do harm, and did nothing' },
  REPLACEMENT_REFUSED: { exit: 2, meaning: 'a deployment would lose data or a name that nobody has allowed it to; nothing was deployed' },
  DATABASE_REFUSED: { exit: 2, meaning: 'RDS would refuse what a deployment does to a database; nothing was deployed' },
  DOMAIN_NOT_DELEGATED: { exit: 2, meaning: "the domain that cells' names hang from is not delegated to tooling" },
  DNS_UNREACHABLE: { exit: 1, meaning: 'no answer from the DNS' },
  CLOUD_UNREACHABLE: { exit: 1, meaning: 'no answer from the cloud (endpoint, network or credentials)' },
  LOCAL_CLOUD_UNAVAILABLE: { exit: 1, meaning: 'the local cloud cannot be started, or is not running' },
  ORGANIZATION_CONFLICT: { exit: 1, meaning: 'what AWS Organizations holds contradicts the registry' },
  ACCOUNT_CREATION_FAILED: { exit: 1, meaning: 'AWS Organizations refused to create an account' },
  REGION_NOT_ENABLED: { exit: 1, meaning: 'AWS takes long to enable a region for an account; run again, it is waited for on' },
  ZONES_UNSUITABLE: { exit: 1, meaning: 'a region has too few availability zones with what a cell needs' },
  PUBLISH_CONFLICT: { exit: 1, meaning: 'somebody else published at the same time' },
  RECORD_CONFLICT: { exit: 1, meaning: 'others keep changing the same record' },
  RECORD_INVALID: { exit: 1, meaning: 'a record in the bucket is damaged' },
  REGISTRY_UNREACHABLE: { exit: 1, meaning: "the published registry can't be read, and nothing usable is known" },
  REVISION_NOT_FOUND: { exit: 1, meaning: 'the registry has no such revision' },
  WEBHOOK_SECRET: { exit: 2, meaning: 'a webhook lacks the secret that says where it is; nothing was deployed' },
  LOCKED: { exit: 1, meaning: 'somebody else is working on the same cell' },
  SYNTH_FAILED: { exit: 1, meaning: 'the CDK app could not be synthesized' },
  ROLLOUT_UNKNOWN: { exit: 2, meaning: 'there is no such rollout' },
  ROLLOUT_FAILED: { exit: 1, meaning: 'a rollout stopped, or was rolled back' },
  ROLLBACK_IMPOSSIBLE: { exit: 1, meaning: 'a rollback could not restore what runs in a cell; nothing was deployed over it' },
  PIPELINE_FAILED: { exit: 1, meaning: 'a step of a pipeline failed' },
  DRILL_FAILED: { exit: 1, meaning: 'an alarm could not be set, or was not what ended the wave that it was set for' },
  DEPLOY_FAILED: { exit: 1, meaning: 'one or more stacks could not be deployed' },
  INTERNAL: { exit: 1, meaning: 'a defect of the factory itself' },
} as const satisfies Record<string, { exit: 1 | 2; meaning: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** One thing that is wrong with a definition: where, what it is, what is allowed, how to mend it. */
export interface Problem {
  /** Stable identifier of the rule, e.g. `NETWORK_OVERLAP`. */
  readonly code: string;
  /** Dotted path in the organization, e.g. `cells.alpha.network.block`. */
  readonly path: string;
  /** What is wrong, with the actual value. */
  readonly message: string;
  /** How to mend it, and what is allowed. */
  readonly fix: string;
  /** File that it stands in, relative to the folder of definitions. */
  readonly file?: string;
  /** Line of the field in that file, from 1; absent when the field is not written there. */
  readonly line?: number;
}

export interface FactoryErrorOptions {
  /** What the reader can do about it: a command to run or a value to change. */
  readonly fix?: string;
  /** The error underneath. */
  readonly cause?: unknown;
  /** All problems found at once, for errors that come in numbers. */
  readonly problems?: readonly Problem[];
}

/** The one error class of the factory: a code from {@link ERROR_CODES}, what is wrong, and how to mend it. */
export class FactoryError extends Error {
  readonly code: ErrorCode;
  readonly fix: string | undefined;
  readonly problems: readonly Problem[];

  constructor(code: ErrorCode, message: string, options: FactoryErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'FactoryError';
    this.code = code;
    this.fix = options.fix;
    this.problems = options.problems ?? [];
  }

  /** Exit code of a command that ends with this error. */
  get exitCode(): 1 | 2 {
    return ERROR_CODES[this.code].exit;
  }
}

/** True for an error of the operating system or the AWS SDK with this code or name. By value: errors may come from another realm. */
export function isNamed(error: unknown, ...names: readonly string[]): error is Error {
  if (typeof error !== 'object' || error === null) return false;
  return ('code' in error && names.includes(String(error.code))) || ('name' in error && names.includes(String(error.name)));
}

/** What an error says, whatever was thrown. */
export function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
}

/** Node's words about a package that whoever installs the factory brings along. */
const PEER = /^Cannot find package '(aws-cdk-lib|constructs)'/;

/** The error behind `error` as the factory's own; anything unforeseen becomes `INTERNAL`. */
export function asFactoryError(error: unknown): FactoryError {
  if (error instanceof FactoryError) return error;
  const missing = isNamed(error, 'ERR_MODULE_NOT_FOUND') ? PEER.exec(messageOf(error))?.[1] : undefined;
  if (missing !== undefined) {
    return new FactoryError('PACKAGE_MISSING', `${missing} is not installed where the cell factory finds it`, {
      cause: error,
      fix: 'install the peer dependencies beside cell-factory: npm install aws-cdk-lib constructs',
    });
  }
  return new FactoryError('INTERNAL', messageOf(error), { cause: error });
}
