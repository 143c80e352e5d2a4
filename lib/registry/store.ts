/**
 * The registry on S3. `revisions/<n>.json` are immutable, `latest.json` points at the newest.
 * A revision is written first and pointed at second; a revision that nobody points at (its publisher died between the two)
 * is pointed at by whoever publishes next, before anything else. So numbers have no gaps, and nothing that was written is lost.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { draft, type Publication, type PublishedRegistry, parseDocument, type Registry, serialize } from './document.ts';
import { FactoryError } from './errors.ts';
import { type Flaw, flawsOf, type Inspected } from './history-check.ts';
import { after, exists, type Life, type LifeEvent, lifeSchema, movedOn } from './life.ts';
import { type Changes, changesBetween, merge } from './merge.ts';
import type { Organization } from './model.ts';
import type { Objects } from './objects.ts';
import { POINTER_KEY, type Pointer, parsePointer, REVISIONS, revisionKey } from './pointer.ts';
import { Records } from './records.ts';
import { accountIds } from './rules/account-ids.ts';
import { type CellZones, movedCells, rezonedCells } from './rules/cell-life.ts';
import type { CellPlace, RuleFinding } from './rules/subject.ts';
import { takeApart } from './shape.ts';
import { resourcesOf } from './sizes.ts';
import { invalid, validate } from './validate.ts';

/** Revisions that are read at once. */
const CONCURRENCY = 20;
/** Lost races before a publisher gives up; each one means that somebody else has published. */
const ATTEMPTS = 60;
/** Longest pause after a lost race, in milliseconds. Random, so that publishers who collided don't collide again. */
const PAUSE_MS = 200;

type PointerObject = Pointer & { readonly etag: string };

export interface PublishOptions {
  /** Who publishes, for the history. */
  readonly by: string;
  /** Revision that the definitions started from. @default - the newest one when publishing begins */
  readonly base?: number | undefined;
  /** The time. @default - the machine's */
  readonly now?: () => Date;
}

/** What a publication did. */
export interface PublishResult {
  readonly registry: PublishedRegistry;
  /** False when the newest revision already had this content and nothing was written. */
  readonly changed: boolean;
  /** What differs from the revision before. */
  readonly changes: Changes;
  /** Cells whose life has moved on since the revision before. */
  readonly movedOn: readonly string[];
  /** Publication of somebody else on top of which our changes were put. */
  readonly mergedOnto?: Publication;
  /** How what is published now differs from the definitions, because of what others have published. */
  readonly others: Changes;
  /** The revision of a dead publisher that was rolled forward first. */
  readonly rolledForward?: number;
}

/** What `verify` found. */
export interface Verification {
  /** How many revisions there are. */
  readonly revisions: number;
  /** Each with what is wrong and how to mend it; empty when all is well. */
  readonly flaws: readonly Flaw[];
}

const NOTHING: Organization = { cells: {}, components: {} } as unknown as Organization;

export class RegistryStore {
  /** The life of cells: a record each, changed by compare-and-swap, merged into the document at the next publication. */
  private readonly life: Records<Life>;

  constructor(private readonly objects: Objects) {
    this.life = new Records(objects, 'life/', lifeSchema);
  }

  /** Notes what has happened to `cell`. It is part of the document from the next publication on. */
  async note(cell: string, event: LifeEvent, now = new Date()): Promise<void> {
    await this.life.update(cell, (life) => after(event, life, now));
  }

  /** The life of all cells that have been seen, as it is now. */
  lives(): Promise<Map<string, Life>> {
    return this.life.all();
  }

  /** The newest revision, or undefined when nothing was published yet. */
  async latest(): Promise<PublishedRegistry | undefined> {
    const pointer = await this.pointer();
    if (pointer) return this.revision(pointer.revision);
    if (!(await this.tryRevision(1))) return undefined;
    throw new FactoryError('DOCUMENT_INVALID', `s3://${this.objects.bucket}/${POINTER_KEY} is missing, though there are revisions`, {
      fix: 'restore its previous version in S3, or run `cellctl publish`: it points at the newest revision again',
    });
  }

  /** Revision `revision`. @throws FactoryError `REVISION_NOT_FOUND`, `DOCUMENT_INVALID` */
  async revision(revision: number): Promise<PublishedRegistry> {
    const found = await this.tryRevision(revision);
    if (found) return found;
    throw new FactoryError('REVISION_NOT_FOUND', `the registry has no revision ${revision}`, {
      fix: '`cellctl registry history` lists those there are, `cellctl registry verify` says what is missing',
    });
  }

  /** The newest `limit` revisions by number, newest first; one that can't be read with the reason. */
  async history(limit: number): Promise<{ revision: number; registry: PublishedRegistry | { unreadable: string } }[]> {
    const newest = (await this.pointer())?.revision ?? 0;
    const numbers = Array.from({ length: Math.min(limit, newest) }, (_, index) => newest - index);
    const atOnce = pLimit(CONCURRENCY);
    return Promise.all(
      numbers.map((revision) => atOnce(async () => ({ revision, registry: await readable(() => this.revision(revision)) }))),
    );
  }

  /**
   * Publishes `organization`, with the life of its cells as recorded, as the next revision. Writes nothing when the newest
   * one has the same content. When somebody else has published since `base`, our changes are put on top of theirs.
   * @throws FactoryError `PUBLISH_CONFLICT` when both changed the same entry, `REGISTRY_INVALID` when both together break a rule
   */
  async publish(organization: Organization, { by, base, now = () => new Date() }: PublishOptions): Promise<PublishResult> {
    let from: PublishedRegistry | undefined = base === undefined ? undefined : await this.revision(base);
    let rolledForward: number | undefined;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const current = await this.rollForward(await this.pointer());
      rolledForward ??= current.rolledForward;
      const newest = current.pointer && (await this.revision(current.pointer.revision));
      // What the first look finds is what the definitions are taken to have started from.
      if (attempt === 0) from ??= newest;
      const next = await this.contentAfter(from, organization, newest);
      const result = (registry: PublishedRegistry, changed: boolean): PublishResult => ({
        registry,
        changed,
        changes: changesBetween(newest?.organization ?? NOTHING, next.organization),
        movedOn: movedOn(newest?.life ?? {}, next.life),
        others: changesBetween(organization, next.organization),
        ...(newest && newest.published.revision !== from?.published.revision ? { mergedOnto: newest.published } : {}),
        ...(rolledForward === undefined ? {} : { rolledForward }),
      });
      if (newest?.digest === next.digest) return result(newest, false);
      const registry = { ...next, published: following(newest?.published, by, now()) };
      if (await this.write(registry, current.pointer)) return result(registry, true);
      await sleep(Math.random() * PAUSE_MS);
    }
    throw new FactoryError('PUBLISH_CONFLICT', `lost ${ATTEMPTS} races against other publishers`, { fix: 'run `cellctl publish` again' });
  }

  /** Publishes the organization of an old revision as the next one. Account ids and zones stay as they are now: they say where cells are. */
  async rollback(revision: number, options: Omit<PublishOptions, 'base'>): Promise<PublishResult> {
    const [old, newest] = await Promise.all([this.revision(revision), this.latest()]);
    const cells = Object.entries(old.organization.cells).map(([name, cell]) => {
      const now = newest?.organization.cells[name];
      if (cell.cloud !== 'aws' || now?.cloud !== 'aws') return [name, cell] as const;
      const { accountId: _, zones: __, ...rest } = cell;
      const { accountId, zones } = now;
      return [name, { ...rest, ...(accountId === undefined ? {} : { accountId }), ...(zones === undefined ? {} : { zones }) }] as const;
    });
    const organization: Organization = { ...old.organization, cells: Object.fromEntries(cells) };
    return this.publish(organization, { ...options, base: newest?.published.revision });
  }

  /** Reads every revision, and says what is wrong with the history. */
  async verify(): Promise<Verification> {
    const keys = await this.objects.list(REVISIONS);
    const newest = Math.max(0, ...keys.map((key) => Number(/(\d+)\.json$/.exec(key)?.[1] ?? 0)));
    const atOnce = pLimit(CONCURRENCY);
    const numbers = Array.from({ length: newest }, (_, index) => index + 1);
    const revisions = await Promise.all(
      numbers.map((number) =>
        atOnce(() =>
          readable(async (): Promise<Inspected> => {
            const { digest, published } = await this.revision(number);
            return { digest, at: published.at };
          }),
        ),
      ),
    );
    return { revisions: newest, flaws: flawsOf(revisions, await readable(() => this.pointer())) };
  }

  /** What would be published: what we changed since `from`, on top of `newest`, with the life of cells as it is now. */
  private async contentAfter(
    from: PublishedRegistry | undefined,
    mine: Organization,
    newest: PublishedRegistry | undefined,
  ): Promise<Registry> {
    const life = await this.life.all();
    const { merged, conflicts } = merge(from?.organization ?? NOTHING, mine, newest?.organization ?? NOTHING);
    if (conflicts.length > 0) {
      throw new FactoryError(
        'PUBLISH_CONFLICT',
        `revision ${newest?.published.revision} by ${newest?.published.by} also changed ${conflicts.join(', ')} since revision ${from?.published.revision ?? 0}`,
        {
          fix: `\`cellctl registry diff ${from?.published.revision ?? 0} ${newest?.published.revision}\` shows what they did; bring it into your definitions and publish again`,
        },
      );
    }
    const existing = new Map(
      [...life].filter(([, each]) => exists(each)).map(([cell, { state, since }]) => [cell, `${state} since ${since}`]),
    );
    const settled = newest ? settledIds(newest, life) : new Map<string, string>();
    const places = newest ? placesOf(newest, life) : new Map<string, CellPlace>();
    const storage = newest ? storageOf(newest, life) : new Map<string, number>();
    const organization = validate(takeApart(merged), 'what would be published', { existing, settled, places, storage });
    // A cell that has ended and is defined no more is history, which older revisions keep.
    return draft(organization, Object.fromEntries([...life].filter(([cell]) => organization.cells[cell] !== undefined)));
  }

  /**
   * Makes sure that the definitions have no existing cell elsewhere than where it is: who deploys or deletes by them would
   * touch the wrong place, or lack the protection of the right one.
   * @throws FactoryError `REGISTRY_INVALID`
   */
  async refuseMoved(cells: readonly (CellPlace & { readonly name: string })[]): Promise<void> {
    await this.refuse('CELL_MOVED', (newest, life) =>
      movedCells(
        cells.map((cell) => [cell.name, cell]),
        placesOf(newest, life),
      ),
    );
  }

  /**
   * Makes sure that the definitions have no existing cell in other availability zones than published: all its subnets would
   * be replaced, which fails. For whoever deploys by them.
   * @throws FactoryError `REGISTRY_INVALID`
   */
  async refuseRezoned(cells: ReadonlyMap<string, CellZones>): Promise<void> {
    await this.refuse('ZONES_CHANGED', ({ organization }, life) =>
      rezonedCells(
        cells,
        new Map(
          Object.entries(organization.cells).flatMap(([name, cell]) =>
            cell.cloud === 'aws' && exists(life.get(name)) ? [[name, cell]] : [],
          ),
        ),
      ),
    );
  }

  private async refuse(
    code: string,
    check: (newest: PublishedRegistry, life: ReadonlyMap<string, Life>) => Iterable<RuleFinding>,
  ): Promise<void> {
    const [newest, life] = await Promise.all([this.latest(), this.life.all()]);
    if (!newest) return;
    const problems = [...check(newest, life)].map((finding) => ({ code, ...finding }));
    if (problems.length > 0) throw invalid(problems, `the definitions, compared with revision ${newest.published.revision}`);
  }

  /** Writes a revision and points at it. @returns false when somebody else was first with that number */
  private async write(registry: PublishedRegistry, pointer: PointerObject | undefined): Promise<boolean> {
    const { revision } = registry.published;
    if ((await this.objects.put(revisionKey(revision), serialize(registry), { absent: true })) === undefined) return false;
    // If the pointer has moved meanwhile, then to this revision: nobody publishes the next one without rolling it forward.
    await this.point(registry, pointer);
    return true;
  }

  /** Points at the newest revision, if it is not pointed at: its publisher died, or the pointer was lost. */
  private async rollForward(pointer: PointerObject | undefined): Promise<{ pointer: PointerObject | undefined; rolledForward?: number }> {
    let orphan: PublishedRegistry | undefined;
    for (let revision = (pointer?.revision ?? 0) + 1; ; revision++) {
      const next = await this.tryRevision(revision);
      if (!next) break;
      orphan = next;
    }
    if (!orphan) return { pointer };
    const moved = await this.point(orphan, pointer);
    // Somebody else was faster, perhaps the publisher itself, who was only slow. Look again where things stand now.
    return moved ? { pointer: moved, rolledForward: orphan.published.revision } : this.rollForward(await this.pointer());
  }

  private async point(registry: PublishedRegistry, previous: PointerObject | undefined): Promise<PointerObject | undefined> {
    const target = { revision: registry.published.revision, digest: registry.digest };
    const etag = await this.objects.put(POINTER_KEY, JSON.stringify(target), previous ? { etag: previous.etag } : { absent: true });
    return etag === undefined ? undefined : { ...target, etag };
  }

  private async pointer(): Promise<PointerObject | undefined> {
    const found = await this.objects.get(POINTER_KEY);
    return found && { ...parsePointer(found.text, `s3://${this.objects.bucket}/${POINTER_KEY}`), etag: found.etag };
  }

  private async tryRevision(revision: number): Promise<PublishedRegistry | undefined> {
    const key = revisionKey(revision);
    const found = await this.objects.get(key);
    if (!found) return undefined;
    const registry = parseDocument(found.text, `s3://${this.objects.bucket}/${key}`);
    if (registry.published.revision === revision) return registry;
    throw new FactoryError('DOCUMENT_INVALID', `${key} holds revision ${registry.published.revision}`, {
      fix: 'restore its first version in S3',
    });
  }
}

/** What `read` gives, or why it can't be read. An error of the cloud is no flaw of what is stored, and goes on. */
async function readable<T>(read: () => Promise<T>): Promise<T | { unreadable: string }> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof FactoryError && (error.code === 'DOCUMENT_INVALID' || error.code === 'REVISION_NOT_FOUND')) {
      return { unreadable: error.message };
    }
    throw error;
  }
}

/** The publication after `newest`. Its time is never before the one before it, whatever the publisher's clock says. */
function following(newest: Publication | undefined, by: string, now: Date): Publication {
  const at = new Date(Math.max(now.getTime(), newest ? Date.parse(newest.at) : 0)).toISOString();
  return { revision: (newest?.revision ?? 0) + 1, at, by };
}

/** Where the cells that exist were published to be. */
const placesOf = ({ organization }: PublishedRegistry, life: ReadonlyMap<string, Life>): Map<string, CellPlace> =>
  new Map(Object.entries(organization.cells).filter(([cell]) => exists(life.get(cell))));

/** Storage of the databases of cells that exist, as it was published. */
const storageOf = ({ organization }: PublishedRegistry, life: ReadonlyMap<string, Life>): Map<string, number> =>
  new Map(
    Object.entries(organization.cells).flatMap(([cell, definition]): [string, number][] =>
      definition.cloud === 'aws' && exists(life.get(cell)) ? [[cell, resourcesOf(definition).database.storageGiB]] : [],
    ),
  );

/** Ids that may not change any more: of cells that nothing has happened to since they were published, and all that are no cell's. */
function settledIds({ organization, life: published }: PublishedRegistry, life: ReadonlyMap<string, Life>): Map<string, string> {
  const unchanged = (cell: string) => {
    const now = life.get(cell);
    return exists(now) && now?.since === published[cell]?.since && now?.state === published[cell]?.state;
  };
  return new Map(
    [...accountIds(organization)].filter(([path]) => {
      const [section, cell = '', what] = path.split('.');
      // A cell that was never built may need other zones before it is: what there is of it, `cellctl accounts` keeps.
      if (what === 'zones' && life.get(cell)?.state === 'provisioning') return false;
      return section !== 'cells' || unchanged(cell);
    }),
  );
}
