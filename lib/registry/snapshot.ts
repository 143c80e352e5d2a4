import type { z } from 'zod';
import { type OpenedDocument, organizationOf } from './document.ts';
import { FactoryError } from './errors.ts';
import { deepFreeze } from './freeze.ts';
import { type Life, lifeSchema } from './life.ts';
import { type Cell, type Component, cellSchema, componentSchema, type Organization, type Stage } from './model.ts';
import { byImpact } from './order.ts';

/** How fresh a snapshot is. */
export interface Freshness {
  /** When S3 last confirmed that it is the newest. */
  readonly confirmedAt: Date;
  /** Why S3 could not be asked, or its answer not be used. @default - it was asked, and this is its answer */
  readonly stale?: string | undefined;
  /** Why it could not be kept on disk. @default - it was, or none is kept */
  readonly notSaved?: string | undefined;
}

/**
 * One published registry, and what is asked of it. Version and digest were checked when it was read; the shape of an entry
 * is checked when it is first asked for, so that a look-up costs the same whatever the registry's size. The first look-up
 * by account, and the first list, look at every cell once. What it gives is frozen: all who read share it.
 */
export class Snapshot implements Freshness {
  /** Which publication it is: 1, 2, 3, … */
  readonly revision: number;
  readonly digest: string;
  readonly publishedAt: Date;
  readonly publisher: string;
  readonly confirmedAt: Date;
  readonly stale: string | undefined;
  readonly notSaved: string | undefined;
  private readonly cellEntries: Entries<Cell>;
  private readonly componentEntries: Entries<Component>;
  private readonly lifeEntries: Entries<Life>;
  private byAccount: ReadonlyMap<string, string> | undefined;
  private whole: Organization | undefined;
  private ordered: readonly Cell[] | undefined;

  constructor(
    private readonly document: OpenedDocument,
    freshness: Freshness,
  ) {
    const { organization, life, digest, published } = document;
    this.digest = digest;
    this.revision = published.revision;
    this.publishedAt = new Date(published.at);
    this.publisher = published.by;
    this.confirmedAt = freshness.confirmedAt;
    this.stale = freshness.stale;
    this.notSaved = freshness.notSaved;
    const source = `revision ${this.revision}`;
    this.cellEntries = new Entries(organization['cells'], cellSchema, `${source}: cells`);
    this.componentEntries = new Entries(organization['components'], componentSchema, `${source}: components`);
    this.lifeEntries = new Entries(life, lifeSchema, `${source}: life`);
  }

  /** Everything. @throws FactoryError `DOCUMENT_INVALID` */
  get organization(): Organization {
    this.whole ??= deepFreeze(organizationOf(this.document, `revision ${this.revision}`));
    return this.whole;
  }

  /** The cell called `name`. @throws FactoryError `CELL_UNKNOWN` */
  findCell(name: string): Cell {
    const cell = this.tryFindCell(name);
    if (cell) return cell;
    throw new FactoryError('CELL_UNKNOWN', `revision ${this.revision} has no cell called ${name}`, {
      fix: '`cellctl registry show` lists them',
    });
  }

  /** The cell called `name`, or undefined. */
  tryFindCell(name: string): Cell | undefined {
    return this.cellEntries.get(name);
  }

  /** The cell in the AWS account (or Google Cloud project) `id`. @throws FactoryError `CELL_UNKNOWN` */
  findCellByAccount(id: string): Cell {
    const cell = this.tryFindCellByAccount(id);
    if (cell) return cell;
    throw new FactoryError('CELL_UNKNOWN', `revision ${this.revision} has no cell in account ${id}`, {
      fix: '`cellctl registry show` lists them',
    });
  }

  /** The cell in the AWS account (or Google Cloud project) `id`, or undefined. */
  tryFindCellByAccount(id: string): Cell | undefined {
    this.byAccount ??= new Map(this.cellEntries.raw.map(([name, cell]) => [Object(cell).accountId ?? Object(cell).project, name]));
    const name = this.byAccount.get(id);
    return name === undefined ? undefined : this.tryFindCell(name);
  }

  /** All cells in the order in which a change reaches them: staging, production from the smallest impact to the largest, personal. */
  get cells(): readonly Cell[] {
    this.ordered ??= Object.freeze(Object.values(this.organization.cells).sort(byImpact));
    return this.ordered;
  }

  /** The cells of a stage, in the same order. */
  cellsOf(stage: Stage): readonly Cell[] {
    return this.cells.filter((cell) => cell.stage === stage);
  }

  /** What the cell called `name` is doing, and since when; undefined when it has not been seen yet. */
  lifeOf(name: string): Life | undefined {
    return this.lifeEntries.get(name);
  }

  /** The component called `name`, or undefined. */
  tryFindComponent(name: string): Component | undefined {
    return this.componentEntries.get(name);
  }
}

/** Entries whose shape is checked when they are asked for, each once. */
class Entries<T extends object> {
  private readonly checked = new Map<string, T>();

  constructor(
    private readonly entries: unknown,
    private readonly schema: z.ZodType<T>,
    private readonly what: string,
  ) {}

  get raw(): [string, unknown][] {
    return Object.entries(Object(this.entries));
  }

  /** The entry called `name`, or undefined. @throws FactoryError `DOCUMENT_INVALID` */
  get(name: string): T | undefined {
    const known = this.checked.get(name);
    // Its own, not one that every object has: `constructor` is a name that a cell may bear.
    if (known !== undefined || !Object.hasOwn(Object(this.entries), name)) return known;
    const parsed = this.schema.safeParse(Object(this.entries)[name]);
    if (!parsed.success) {
      throw new FactoryError('DOCUMENT_INVALID', `${this.what}.${name} has not the shape of one`, {
        fix: 'publish it again with this version of cell-factory',
      });
    }
    // All who read share it.
    const entry = deepFreeze(parsed.data);
    this.checked.set(name, entry);
    return entry;
  }
}
