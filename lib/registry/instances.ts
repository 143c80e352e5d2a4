/**
 * Instance classes that cells may use, with what rules need to know of them: what they sustain. What they cost stands in
 * `lib/review/prices.ts`, for the same names. A class that is missing here is added to both.
 */

export interface InstanceSize {
  /** Cores that it sustains; a burstable class counts with its baseline. */
  readonly vcpu: number;
  readonly memoryGiB: number;
}

/** Classes of a PostgreSQL instance. Source: "DB instance class types", Amazon RDS User Guide; baselines: "Burstable performance instances", Amazon EC2 User Guide. */
export const DATABASE_CLASSES = {
  't4g.micro': { vcpu: 0.2, memoryGiB: 1 },
  't4g.small': { vcpu: 0.4, memoryGiB: 2 },
  't4g.medium': { vcpu: 0.4, memoryGiB: 4 },
  't4g.large': { vcpu: 0.6, memoryGiB: 8 },
  'm7g.large': { vcpu: 2, memoryGiB: 8 },
  'm7g.xlarge': { vcpu: 4, memoryGiB: 16 },
  'm7g.2xlarge': { vcpu: 8, memoryGiB: 32 },
  'm7g.4xlarge': { vcpu: 16, memoryGiB: 64 },
  'r7g.large': { vcpu: 2, memoryGiB: 16 },
  'r7g.xlarge': { vcpu: 4, memoryGiB: 32 },
  'r7g.2xlarge': { vcpu: 8, memoryGiB: 64 },
  'r7g.4xlarge': { vcpu: 16, memoryGiB: 128 },
} as const satisfies Readonly<Record<string, InstanceSize>>;

/** Types of a cache node. Source: "Supported node types", Amazon ElastiCache User Guide. */
export const CACHE_TYPES = {
  'cache.t4g.micro': { vcpu: 0.2, memoryGiB: 0.5 },
  'cache.t4g.small': { vcpu: 0.4, memoryGiB: 1.37 },
  'cache.t4g.medium': { vcpu: 0.4, memoryGiB: 3.09 },
  'cache.m7g.large': { vcpu: 2, memoryGiB: 6.38 },
  'cache.m7g.xlarge': { vcpu: 4, memoryGiB: 12.93 },
  'cache.m7g.2xlarge': { vcpu: 8, memoryGiB: 26.04 },
  'cache.r7g.large': { vcpu: 2, memoryGiB: 13.07 },
  'cache.r7g.xlarge': { vcpu: 4, memoryGiB: 26.32 },
  'cache.r7g.2xlarge': { vcpu: 8, memoryGiB: 52.82 },
  'cache.r7g.4xlarge': { vcpu: 16, memoryGiB: 105.81 },
} as const satisfies Readonly<Record<string, InstanceSize>>;

/** Memory that goes with each number of processor units, in MiB. Source: "Task CPU and memory", Amazon ECS Developer Guide. */
export const FARGATE_MEMORY: Readonly<Record<number, { readonly min: number; readonly max: number; readonly step: number }>> = {
  256: { min: 512, max: 2_048, step: 512 },
  512: { min: 1_024, max: 4_096, step: 1_024 },
  1024: { min: 2_048, max: 8_192, step: 1_024 },
  2048: { min: 4_096, max: 16_384, step: 1_024 },
  4096: { min: 8_192, max: 30_720, step: 1_024 },
  8192: { min: 16_384, max: 61_440, step: 4_096 },
  16384: { min: 32_768, max: 122_880, step: 8_192 },
};

export type DatabaseClass = keyof typeof DATABASE_CLASSES;
export type CacheType = keyof typeof CACHE_TYPES;
