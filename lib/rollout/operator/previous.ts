/** What ran in a cell before a rollout: found before anything is changed, refused where a rollback could not restore it. */
import {
  type ArtifactManifest,
  assetFile,
  assetsIn,
  readArtifact,
  readFileChecked,
  stackParameters,
  templateFor,
  tryReadArtifact,
} from '../../artifact/artifacts.ts';
import { FactoryError, type Objects } from '../../registry/index.ts';
import { publishedFor, templateIn, unlessChanged } from '../published.ts';
import { previousKey, previousTemplateKey, type RolloutCell, type RolloutPlan } from '../rollout-record.ts';
import type { RolloutStore } from '../rollout-store.ts';
import {
  hiddenIn,
  isDigestOf,
  isWhatRuns,
  MASKED,
  type Previous,
  parsePrevious,
  recordOf,
  type Sent,
  type Shown,
  shownParameters,
  templateDigest,
  tryParseSent,
} from '../sent.ts';
import type { CellAccess } from './cell-access.ts';
import { type Desired, INLINE_BYTES } from './change.ts';

/** What runs, and the hidden parameters of which nobody knows the value. */
interface Running {
  readonly sent: Sent;
  readonly unknown: readonly string[];
}

export class PreviousVersion {
  private readonly objects: Objects;

  constructor(
    private readonly store: RolloutStore,
    private readonly plan: RolloutPlan,
    private readonly cell: RolloutCell,
  ) {
    this.objects = store.objects;
  }

  /** What was kept by {@link keep}; undefined for a cell that nothing was begun in. */
  async kept(): Promise<Previous | undefined> {
    const key = previousKey(this.plan.id, this.cell.name);
    const found = await this.objects.get(key);
    return found && parsePrevious(found.text, `s3://${this.objects.bucket}/${key}`);
  }

  /**
   * Keeps what runs now, once: after a death in the middle, what runs is no longer what ran before.
   * @param sending the parameters that the rollout is about to send
   * @throws FactoryError `ROLLBACK_IMPOSSIBLE` when it has a secret parameter that a rollback could not restore
   */
  async keep(stack: ReturnType<CellAccess['stack']>, sending: () => Promise<Readonly<Record<string, string>>>): Promise<Previous> {
    const { id } = this.plan;
    const kept = await this.kept();
    if (kept) return kept;
    const found = await stack.find();
    const status = found?.StackStatus ?? '';
    const previous: Previous =
      !found || status === 'ROLLBACK_COMPLETE' || status === 'CREATE_FAILED' || status.startsWith('DELETE_')
        ? { there: false }
        : { there: true, ...(await this.restorable({ template: await stack.template(), parameters: shownParameters(found) }, sending)) };
    await this.store.writeOnce(previousKey(id, this.cell.name), previous);
    return previous;
  }

  /** What the stack is to become again. @throws FactoryError `ROLLBACK_IMPOSSIBLE` */
  async desired(previous: Sent, url: (file: string) => string): Promise<Desired> {
    const artifact = await this.artifactOf(previous);
    const file = templateFor(artifact ?? { template: '' }, this.cell.name);
    const kept = (await this.objects.get(previousTemplateKey(this.plan.id, this.cell.name)))?.text ?? '';
    const published = artifact && (await templateIn(this.objects, artifact, this.cell.name));
    const parameters: Record<string, string> = {};
    const keep: string[] = [];
    for (const [name, sent] of Object.entries(previous.parameters)) {
      const value = typeof sent === 'string' ? sent : await this.secretFrom(artifact, name, sent);
      // What `restorable` has found: the rollout has sent the same.
      if (value === undefined) keep.push(name);
      // Read back from the stack by a release before this one.
      else if (previous.schemaVersion === 1 && value === MASKED) throw this.impossible(previous.version, hidden([name]));
      else parameters[name] = value;
    }
    if (!artifact || published === undefined || templateDigest(published) !== templateDigest(kept)) {
      return { template: kept, templateUrl: '', parameters, keep };
    }
    const assets = this.plan.kind === 'foundation' ? assetsIn(published) : [];
    return {
      template: published,
      templateUrl: url(file),
      assets: new Map(assets.map((key) => [key, () => readFileChecked(this.objects, artifact, assetFile(key))])),
      parameters,
      keep,
    };
  }

  private async restorable(shown: Shown, sending: () => Promise<Readonly<Record<string, string>>>): Promise<Sent> {
    const { id } = this.plan;
    const { sent, unknown } = (await this.recorded(shown)) ?? (await this.published(shown)) ?? (await readBack(shown));
    const artifact = sent.artifact === undefined ? undefined : await this.artifactOf(sent);
    const lost = [...unknown];
    for (const [name, value] of Object.entries(sent.parameters)) {
      if (typeof value === 'string' || (await this.secretFrom(artifact, name, value)) !== undefined) continue;
      const next = (await sending())[name];
      if (next === undefined || !(await isDigestOf(value, next))) lost.push(name);
    }
    if (lost.length > 0) throw this.impossible(sent.version, hidden(lost));
    const bytes = Buffer.byteLength(shown.template);
    // The cell's own stack has a bucket of its own for it.
    if (this.plan.kind !== 'foundation' && !artifact && bytes > INLINE_BYTES) {
      throw this.impossible(sent.version, `a template of ${bytes} bytes that was never published; ${INLINE_BYTES} fit into a call`);
    }
    // Kept in any case: who restores does not depend on the artifact.
    await this.objects.put(previousTemplateKey(id, this.cell.name), shown.template, { absent: true });
    return sent;
  }

  /** What the records say: the last one that was written for the cell, or the one before it, where its change has failed. */
  private async recorded(shown: Shown): Promise<Running | undefined> {
    const { component } = this.plan;
    const keys = await this.store.sentKeys(component, this.cell.name);
    const texts = await Promise.all(keys.map(async (key) => (await this.objects.get(key))?.text));
    const records = texts.map((text) => (text === undefined ? undefined : tryParseSent(text)));
    const [last, before] = records.filter((sent) => sent !== undefined).filter((sent) => isWhatRuns(sent, shown));
    if (!last) return undefined;
    // A change whose end nobody has seen, and which may differ in what the stack hides: either may run.
    const either = before !== undefined && (last.artifact === undefined || before.artifact !== last.artifact);
    return { sent: last, unknown: either ? hiddenIn(shown) : [] };
  }

  /**
   * The artifact of the version that the stack names, if its template is the stack's: deployed by hand, or by a release that
   * kept no records. What the artifact says of a secret is believed where it says the truth of everything that can be seen.
   */
  private async published(shown: Shown): Promise<Running | undefined> {
    const { component, parameters: registry } = this.plan;
    const version = shown.parameters['Version'];
    const found = version === undefined ? undefined : await publishedFor(this.objects, component, version, this.cell.name);
    if (!found || version === undefined || templateDigest(found.template) !== templateDigest(shown.template)) return undefined;
    const { artifact, template: text } = found;
    // The registry may have said something else then.
    const then = Object.entries(shown.parameters).filter(([name]) => Object.hasOwn(registry, name));
    const given = stackParameters(artifact, JSON.parse(text), this.cell.region, Object.fromEntries(then));
    const sent = await recordOf(version, artifact.digest, text, given);
    if (isWhatRuns(sent, shown)) return { sent, unknown: [] };
    const { sent: seen, unknown } = await readBack(shown);
    return { sent: { ...seen, artifact: artifact.digest }, unknown };
  }

  /** What was published of the version; where its digest is known, exactly that. */
  private async artifactOf({ version, artifact }: Sent): Promise<ArtifactManifest | undefined> {
    const { component } = this.plan;
    return unlessChanged(() =>
      artifact === undefined ? tryReadArtifact(this.objects, component, version) : readArtifact(this.objects, component, version, artifact),
    );
  }

  /** The value of a secret that was sent, if the artifact still has it. */
  private async secretFrom(artifact: ArtifactManifest | undefined, name: string, digest: Exclude<Sent['parameters'][string], string>) {
    const value = artifact?.parameters[name];
    return value !== undefined && (await isDigestOf(digest, value)) ? value : undefined;
  }

  private impossible(version: string, why: string): FactoryError {
    const { component } = this.plan;
    return new FactoryError(
      'ROLLBACK_IMPOSSIBLE',
      `${this.cell.name} runs ${component} ${version || 'without a version'}, which a rollback could not restore: it has ${why}`,
      { fix: `bring the cell to a published version of ${component} by hand, template and parameters, then start again` },
    );
  }
}

/** Why a rollback could not restore these parameters. */
const hidden = (names: readonly string[]): string =>
  `the secret parameter${names.length === 1 ? '' : 's'} ${names.join(', ')}, whose value CloudFormation hides and neither record nor artifact tells`;

/** What the stack shows, where nothing else tells. What it hides stays unknown. */
async function readBack(shown: Shown): Promise<Running> {
  const unknown = hiddenIn(shown);
  const seen = Object.fromEntries(Object.entries(shown.parameters).filter(([name]) => !unknown.includes(name)));
  return { sent: await recordOf(shown.parameters['Version'] ?? '', undefined, shown.template, seen), unknown };
}
