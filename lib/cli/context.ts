/** What every command starts from: the global options, and the registry and session they lead to. */
import { execFile } from 'node:child_process';
import { hostname, userInfo } from 'node:os';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import type { Registries } from '../artifact/image-copies.ts';
import type { ArtifactStores } from '../artifact/publishing.ts';
import type { Session } from '../aws/session.ts';
import { environment } from '../environment.ts';
import type { InitializedPlan, Plan } from '../plan/plan.ts';
import type { LoadedRegistry } from '../registry/load.ts';
import { defaultOrganization } from '../repository-root.ts';
import type { RolloutClient } from '../rollout/client.ts';
import { Output } from './output.ts';

/** The bucket of the registry, as an organization. */
const BUCKET = /^s3:\/\/([a-z0-9.-]+)$/;

/** How much of the organization is read. */
type Part = 'everything' | 'settings';

/** What was made under the key before, or else is made now. */
function kept<K, V>(made: Map<K, V>, key: K, make: () => V): V {
  const value = made.get(key) ?? make();
  made.set(key, value);
  return value;
}

interface GlobalOptions {
  readonly organization?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export class Context {
  readonly output: Output;
  /** Unique to this run: names change sets and locks. */
  readonly runId = `${Date.now().toString(36)}-${process.pid}`;
  /** Whether somebody has stopped us: what fails then, fails for that. */
  isStopped = false;
  private readonly farewells: { readonly farewell: string; readonly tidy: () => Promise<unknown> }[] = [];
  private readonly options: GlobalOptions;
  private readonly loaded = new Map<Part, Promise<LoadedRegistry>>();
  private readonly planned = new Map<Part, Promise<Plan>>();

  constructor(command: Command) {
    this.options = command.optsWithGlobals<GlobalOptions>();
    this.output = new Output({ json: this.options.json === true, quiet: this.options.quiet === true });
  }

  /** Where the organization is defined: a folder of definitions, a published document, or `s3://` with the registry's bucket. */
  get organization(): string {
    return this.options.organization ?? environment.organization ?? defaultOrganization();
  }

  /** True for the registry's bucket. */
  get isPublished(): boolean {
    return BUCKET.test(this.organization);
  }

  /** True for a published document in place of definitions. */
  async isDocument(): Promise<boolean> {
    const { accountsFileOf } = await import('../registry/index.ts');
    return accountsFileOf(this.organization) === undefined;
  }

  /** What a command must be given to find the same organization: nothing for the default one. */
  get organizationOption(): string {
    return this.options.organization === undefined ? '' : ` --organization ${this.options.organization}`;
  }

  /** The lock file where it is not beside the definitions, as an absolute path. */
  get accountsElsewhere(): string | undefined {
    const file = environment.accountsFile;
    return file === undefined ? undefined : resolve(file);
  }

  /** The lock file that account ids are written to. @throws FactoryError `USAGE` for a published document, which can't be written to */
  async accountsFile(): Promise<string> {
    const { accountsFileOf, FactoryError } = await import('../registry/index.ts');
    const file = accountsFileOf(this.organization, { accountsFile: this.accountsElsewhere });
    if (file !== undefined) return file;
    throw new FactoryError('USAGE', `${this.organization} is a published document; account ids are written beside definitions`, {
      fix: 'pass the folder of definitions with --organization',
    });
  }

  /** Factor on the rates that AWS's quotas allow; 1 unless `CELL_FACTORY_PACE` says otherwise. @throws FactoryError `USAGE` */
  async pace(): Promise<number> {
    const text = environment.pace;
    const pace = Number(text);
    if (pace > 0) return pace;
    const { FactoryError } = await import('../registry/index.ts');
    throw new FactoryError('USAGE', `CELL_FACTORY_PACE is "${text}"`, { fix: 'unset it, or set a number above 0; 1 is what AWS allows' });
  }

  /** The organization, read and checked once per command. @param only leaves out cells and components, which may be wrong */
  registry(only?: Part): Promise<LoadedRegistry> {
    const part = this.partFor(only);
    return kept(this.loaded, part, () => this.load(part));
  }

  /** Reads the organization again: `cellctl init` has written the ids of accounts beside it. */
  forget(): void {
    this.loaded.clear();
    this.planned.clear();
  }

  /** A published document is read as a whole. */
  private partFor(only: Part = 'everything'): Part {
    return this.isPublished ? 'everything' : only;
  }

  private async load(part: Part): Promise<LoadedRegistry> {
    const bucket = BUCKET.exec(this.organization)?.[1];
    if (bucket !== undefined) return this.publishedIn(bucket);
    const { loadRegistry } = await import('../registry/index.ts');
    return loadRegistry(this.organization, { accountsFile: this.accountsElsewhere, ...(part === 'everything' ? {} : { only: part }) });
  }

  /** The newest revision in the bucket: all that a pipeline knows of the organization. */
  private async publishedIn(bucket: string): Promise<LoadedRegistry> {
    const [{ RegistryStore, FactoryError }, { S3Objects }, { s3Client }] = await Promise.all([
      import('../registry/index.ts'),
      import('../aws/s3-objects.ts'),
      import('../aws/s3.ts'),
    ]);
    const { region } = environment;
    if (region === undefined) {
      throw new FactoryError('USAGE', `${this.organization} needs a region`, { fix: "set AWS_REGION to the bucket's" });
    }
    const registry = await new RegistryStore(new S3Objects(s3Client(await this.session(region)), bucket)).latest();
    if (registry) return { ...registry, warnings: [] };
    throw new FactoryError('ORGANIZATION_NOT_FOUND', `nothing was published in ${this.organization}`, { fix: 'run `cellctl publish`' });
  }

  /** The plan of the organization, made once per command. @param only as of the registry */
  plan(only?: Part): Promise<Plan> {
    return kept(this.planned, this.partFor(only), async () => {
      const { createPlan } = await import('../plan/plan.ts');
      return createPlan(await this.registry(only));
    });
  }

  async initializedPlan(): Promise<InitializedPlan> {
    const { requireInitialized } = await import('../plan/plan.ts');
    return requireInitialized(await this.plan());
  }

  /** The plan without cells: what it takes to find the published registry, whatever is wrong with the definitions here. */
  private async settingsPlan(): Promise<InitializedPlan> {
    const { requireInitialized } = await import('../plan/plan.ts');
    return requireInitialized(await this.plan('settings'));
  }

  async session(region: string): Promise<Session> {
    const { defaultSession } = await import('../aws/session.ts');
    return defaultSession(region);
  }

  /** The session of the tooling account, and what it takes to work from there. @throws FactoryError `NOT_INITIALIZED`, `WRONG_ACCOUNT` */
  async tooling(what: Part = 'everything'): Promise<{ plan: InitializedPlan; session: Session; partition: string }> {
    const plan = what === 'settings' ? await this.settingsPlan() : await this.initializedPlan();
    const session = await this.session(plan.homeRegion);
    const { requireCaller } = await import('../aws/session.ts');
    const { partition } = await requireCaller(session, plan.tooling.accountId, 'tooling');
    return { plan, session, partition };
  }

  /** A session in tooling for whoever has credentials of management. */
  async insideTooling({ tooling }: InitializedPlan, session: Session): Promise<Session> {
    const [{ assume, identify }, { ORGANIZATION_ROLE }] = await Promise.all([import('../aws/session.ts'), import('../aws/roles.ts')]);
    const { partition } = await identify(session);
    return assume(session, partition, tooling.accountId, ORGANIZATION_ROLE);
  }

  /** The store of published revisions. */
  async store(plan: InitializedPlan, session: Session) {
    const [{ RegistryStore }, { S3Objects }, { s3Client }] = await Promise.all([
      import('../registry/index.ts'),
      import('../aws/s3-objects.ts'),
      import('../aws/s3.ts'),
    ]);
    return new RegistryStore(new S3Objects(s3Client(session), plan.registryBucket));
  }

  /** The plan of the newest published revision; undefined when nothing was published yet. */
  async publishedPlan(plan: InitializedPlan, session: Session): Promise<Plan | undefined> {
    // By `--organization s3://<bucket>`, it has been read already.
    if (BUCKET.exec(this.organization)?.[1] === plan.registryBucket) return this.plan();
    const [store, { createPlan }] = await Promise.all([this.store(plan, session), import('../plan/plan.ts')]);
    const registry = await store.latest();
    return registry && createPlan(registry);
  }

  /** What starts and follows rollouts. @throws FactoryError `NOT_INITIALIZED` while tooling has no stack for them */
  async rollouts(plan: InitializedPlan, session: Session): Promise<RolloutClient> {
    const [{ RolloutClient }, { artifactBucketName }] = await Promise.all([import('../rollout/client.ts'), import('../registry/index.ts')]);
    return RolloutClient.connect(session, artifactBucketName(plan.organization, plan.tooling.accountId, plan.homeRegion));
  }

  /** Whether what we do may reach customers: unless the SDK is pointed at an endpoint on this machine. */
  get reachesCustomers(): boolean {
    return environment.reachesAws;
  }

  /** The buckets of artifacts, in every region that cells use. */
  async artifactStores(plan: InitializedPlan, session: Session): Promise<ArtifactStores> {
    const [{ artifactBucketName }, { S3Objects }, { s3Client }, { inRegion }] = await Promise.all([
      import('../registry/index.ts'),
      import('../aws/s3-objects.ts'),
      import('../aws/s3.ts'),
      import('../aws/session.ts'),
    ]);
    const store = (region: string) => {
      const bucket = artifactBucketName(plan.organization, plan.tooling.accountId, region);
      return new S3Objects(s3Client(inRegion(session, region)), bucket, 'run `cellctl deploy --tooling`');
    };
    return { homeRegion: plan.homeRegion, byRegion: new Map(plan.regions.map((region) => [region, store(region)])) };
  }

  /** ECR, in every region that cells use. */
  async registries(plan: InitializedPlan, session: Session): Promise<Registries> {
    const [{ ECRClient }, { inRegion }] = await Promise.all([import('@aws-sdk/client-ecr'), import('../aws/session.ts')]);
    const elsewhere = plan.regions.filter((region) => region !== plan.homeRegion);
    return {
      home: new ECRClient(session),
      elsewhere: new Map(elsewhere.map((region) => [region, new ECRClient(inRegion(session, region))])),
    };
  }

  /** What asks the DNS whether the cells' domain is delegated; of the server that `CELL_FACTORY_RESOLVER` names, if it does. */
  async domainCheck(plan: InitializedPlan, session: Session) {
    const { DomainCheck } = await import('../aws/domain-check.ts');
    return new DomainCheck({ domain: plan.cellsDomain, parent: plan.domain, session, resolver: environment.resolver });
  }

  /** @param farewell what to say when we are stopped */
  async leases(
    plan: InitializedPlan,
    session: Session,
    farewell = 'stopped: CloudFormation finishes what it has begun; run the command again to carry on',
  ) {
    const { Leases } = await import('../aws/lease.ts');
    const leases = new Leases(session, plan.registryBucket, `${this.who} (run ${this.runId})`);
    // Without this, the next run would have to wait until the leases run out.
    this.whenStopped(farewell, () => leases.releaseAll());
    return leases;
  }

  /** What to say, and to do first, when somebody stops us. */
  whenStopped(farewell: string, tidy: () => Promise<unknown> = async () => undefined): void {
    this.farewells.push({ farewell, tidy });
  }

  /** Ends with what was started when somebody stops us: programs first, then what else is to be done. A second signal ends at once. */
  endOnSignals(): void {
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      // Not `once`: libraries that show progress end the process themselves where nobody else listens.
      process.on(signal, async () => {
        if (this.isStopped) process.exit(code);
        this.isStopped = true;
        process.exitCode = code;
        for (const { farewell } of this.farewells) if (farewell !== '') this.output.note(`\n${farewell}`);
        const { endPrograms } = await import('../program.ts');
        await endPrograms();
        await Promise.allSettled(this.farewells.map(({ tidy }) => tidy()));
        process.exit(code);
      });
    }
  }

  /** Who runs us, as git knows them, or else the operating system; and how that is known. */
  async person(): Promise<{ name: string; source: string }> {
    const email = await promisify(execFile)('git', ['config', 'user.email']).then(
      ({ stdout }) => stdout.trim(),
      // No git, or nobody told it.
      () => '',
    );
    return email === ''
      ? { name: userInfo().username, source: 'the user of this machine' }
      : { name: email, source: 'git config user.email' };
  }

  /** Who runs us, for history and locks. */
  get who(): string {
    return `${userInfo().username}@${hostname()}`;
  }
}
