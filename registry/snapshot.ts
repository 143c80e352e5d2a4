import type { PublishedRegistry } from './document.ts';
import { FactoryError } from './errors.ts';
import type { Life } from './life.ts';
import type { Cell, Component, Organization, Stage } from './model.ts';
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

/** One published registry, and what is asked of it. Lookups take the same time whatever its size. */
export class Snapshot implements Freshness {
  readonly organization: Organization;
  /** Which publication it is: 1, 2, 3, … */
  readonly revision: number;
  readonly digest: string;
  readonly publishedAt: Date;
  readonly publisher: string;
  readonly confirmedAt: Date;
  readonly stale: string | undefined;
  readonly notSaved: string | undefined;
  private readonly byName: ReadonlyMap<string, Cell>;
  private readonly byAccount: ReadonlyMap<string, Cell>;
  private readonly life: PublishedRegistry['life'];
  private ordered: readonly Cell[] | undefined;

  constructor({ organization, life, digest, published }: PublishedRegistry, freshness: Freshness) {
    this.organization = organization;
    this.life = life;
    this.digest = digest;
    this.revision = published.revision;
    this.publishedAt = new Date(published.at);
    this.publisher = published.by;
    this.confirmedAt = freshness.confirmedAt;
    this.stale = freshness.stale;
    this.notSaved = freshness.notSaved;
    this.byName = new Map(Object.entries(organization.cells));
    const byAccount = new Map<string, Cell>();
    for (const cell of this.byName.values()) {
      if (cell.cloud === 'gcp') byAccount.set(cell.project, cell);
      else if (cell.accountId !== undefined) byAccount.set(cell.accountId, cell);
    }
    this.byAccount = byAccount;
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
    return this.byName.get(name);
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
    return this.byAccount.get(id);
  }

  /** All cells in the order in which a change reaches them: staging, production from the smallest impact to the largest, personal. */
  get cells(): readonly Cell[] {
    this.ordered ??= [...this.byName.values()].sort(byImpact);
    return this.ordered;
  }

  /** The cells of a stage, in the same order. */
  cellsOf(stage: Stage): readonly Cell[] {
    return this.cells.filter((cell) => cell.stage === stage);
  }

  /** What the cell called `name` is doing, and since when; undefined when it has not been seen yet. */
  lifeOf(name: string): Life | undefined {
    return Object.hasOwn(this.life, name) ? this.life[name] : undefined;
  }

  /** The component called `name`, or undefined. */
  tryFindComponent(name: string): Component | undefined {
    return Object.hasOwn(this.organization.components, name) ? this.organization.components[name] : undefined;
  }
}
