import type { Stack } from '@aws-sdk/client-cloudformation';
import type { CellHealth } from '../../lib/rollout/health.ts';
import type { CellRecord, RolloutCell, RolloutPlan } from '../../lib/rollout/rollout-record.ts';
import { NEW, type Window } from './simulator-scenario.ts';

/** A cell as it really is. */
export class Place {
  version: string | undefined;
  /** Which of CloudFormation's endings the last operation had. */
  status: Stack['StackStatus'];
  operation: { readonly to: string | undefined; readonly until: number; readonly fails: boolean } | undefined;
  readonly sets = new Map<string, { readonly to: string; readonly from: number }>();
  readonly alarms: (Window & { readonly causedBy: 'version' | 'coincidence' })[] = [];
  readonly silences: Window[] = [];
  requestsPerSecond = 10;
  /** How it is while nothing is wrong. */
  readonly well: CellHealth;
  /** How often something was begun here, by version. */
  readonly begun = new Map<string, number>();

  constructor(
    readonly cell: RolloutCell,
    readonly wave: number,
    before: string | undefined,
  ) {
    this.version = before;
    this.status = before === undefined ? undefined : 'UPDATE_COMPLETE';
    const alarms = [cell.healthAlarm, ...cell.alarms].map((name) => ({ name, state: 'OK' as const }));
    this.well = { cell: cell.name, alarms, missing: [], fired: [], requests: undefined };
  }
}

/** Who watches what really happens to cells. */
export class Auditor {
  readonly violations: string[] = [];
  /** When the new version began to come to a cell, each time. */
  readonly beginnings: number[] = [];
  /** Cells on the new version, or on the way to it, that this rollout has brought there. */
  private readonly exposed = new Map<string, Place>();
  private readonly exposedIn = new Map<number, number>();
  /** The region in which a wave began. */
  private readonly regions = new Map<number, string>();
  private weight = 0;
  private readonly deploying = new Set<string>();
  /** When the last cell of a wave had it, by wave. */
  private readonly settledAt = new Map<number, number>();
  readonly failedAt = new Map<number, number>();
  /** Cells that nobody could roll back, and that were named. */
  stuck: ReadonlySet<string> = new Set();

  constructor(
    private readonly plan: RolloutPlan,
    private readonly total: number,
    private readonly skipped: ReadonlySet<number>,
  ) {}

  private complain(now: number, what: string): void {
    if (this.violations.length < 20) this.violations.push(`${new Date(now).toISOString()} ${what}`);
  }

  /** Somebody has had a change set made: the cell has begun. */
  proposed(place: Place, now: number): void {
    const failed = this.failedAt.get(place.wave);
    if (failed !== undefined && failed < now) this.complain(now, `${place.cell.name} begins after a failure in wave ${place.wave}`);
  }

  /** What is written down of a cell: one that has the version is not begun again. */
  written(name: string, from: CellRecord['status'], to: CellRecord['status'] | undefined, now: number): void {
    if (from === 'deployed' && to === 'deploying') this.complain(now, `${name} has the version, and begins again`);
  }

  /** The new version begins to come to a cell. */
  begins(place: Place, now: number, status: CellRecord['status']): void {
    const { wave, cell } = place;
    const { policy, waves } = this.plan;
    if (place.version === NEW || status === 'deployed') this.complain(now, `${cell.name} has the version already, and gets it again`);
    this.beginnings.push(now);
    this.deploying.add(cell.name);
    if (this.deploying.size > policy.concurrency) this.complain(now, `${this.deploying.size} cells at once`);
    this.expose(place, 1);
    for (const [number, count] of this.exposedIn) {
      if (number <= wave || count === 0) continue;
      const named = [...this.stuck].filter((name) => this.exposed.get(name)?.wave === number).length;
      if (count > named) this.complain(now, `wave ${wave} begins while ${count} cells of wave ${number} have the version`);
    }
    const share = this.total === 0 ? 0 : this.weight / this.total;
    if (share > (waves[wave]?.exposure ?? 0) + 1e-6 && this.stuck.size === 0) {
      this.complain(now, `${share} of the traffic in wave ${wave}, which allows ${waves[wave]?.exposure}`);
    }
    for (let before = 0; before < wave; before++) {
      const settled = this.settledAt.get(before);
      const bake = (waves[before]?.bakeSeconds ?? 0) * policy.timeScale;
      if (settled !== undefined && now - settled < bake * 1_000 && !this.skipped.has(before)) {
        this.complain(now, `wave ${wave} begins ${(now - settled) / 1_000} s after wave ${before}, which bakes ${bake} s`);
      }
    }
    const region = this.regions.get(wave) ?? cell.region;
    this.regions.set(wave, region);
    if (wave > 0 && wave < policy.multiRegionFromWave && region !== cell.region) this.complain(now, `wave ${wave} is in ${region}, too`);
  }

  /** An operation has ended. */
  ended(place: Place, now: number): void {
    this.deploying.delete(place.cell.name);
    if (place.version === NEW) this.settledAt.set(place.wave, now);
    else this.expose(place, -1);
  }

  private expose(place: Place, sign: 1 | -1): void {
    const { name, weight, stage } = place.cell;
    if (this.exposed.has(name) === (sign === 1)) return;
    if (sign === 1) this.exposed.set(name, place);
    else this.exposed.delete(name);
    this.exposedIn.set(place.wave, (this.exposedIn.get(place.wave) ?? 0) + sign);
    if (stage !== 'staging') this.weight += sign * weight;
  }
}
