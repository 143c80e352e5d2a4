import { type Size, type Stage, ZONES } from '../../registry/index.ts';

/** What a size class buys. One table, so that a figure stands in one place. */
export interface SizeClass {
  readonly database: { readonly instanceClass: string; readonly storageGiB: number; readonly maxStorageGiB: number };
  readonly cache: { readonly nodeType: string };
}

export const SIZE_CLASSES: Readonly<Record<Size, SizeClass>> = {
  small: { database: { instanceClass: 't4g.medium', storageGiB: 20, maxStorageGiB: 100 }, cache: { nodeType: 'cache.t4g.small' } },
  medium: { database: { instanceClass: 'm7g.large', storageGiB: 100, maxStorageGiB: 500 }, cache: { nodeType: 'cache.m7g.large' } },
  large: { database: { instanceClass: 'r7g.2xlarge', storageGiB: 400, maxStorageGiB: 2_000 }, cache: { nodeType: 'cache.r7g.xlarge' } },
};

/** What a stage demands, whatever the size. */
export interface StageProfile {
  /** Availability zones of the network. */
  readonly zones: 2 | 3;
  /** NAT gateways: one per zone in production, because a shared one is a shared fault. */
  readonly natGateways: 1 | 3;
  /** Database standby in another zone; cache replica with failover. */
  readonly standby: boolean;
  /** Guards against deletion of database and stack, and keeps data when the stack goes. */
  readonly protected: boolean;
  /** Days of point-in-time recovery. */
  readonly backupDays: number;
}

export const STAGE_PROFILES: Readonly<Record<Stage, StageProfile>> = {
  production: { zones: ZONES.production, natGateways: 3, standby: true, protected: true, backupDays: 14 },
  staging: { zones: ZONES.staging, natGateways: 1, standby: false, protected: false, backupDays: 7 },
  personal: { zones: ZONES.personal, natGateways: 1, standby: false, protected: false, backupDays: 1 },
};
