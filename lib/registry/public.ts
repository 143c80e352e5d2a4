/**
 * `cell-factory/registry`: what definitions are written with, and what reads the published registry. Published as a package
 * of its own with three dependencies, so what this imports, directly or not, is counted by a test.
 */
export {
  type AwsCellDefinition,
  type ComponentDefinition,
  defineCell,
  defineComponent,
  defineOrganization,
  type GcpCellDefinition,
  type OrganizationDefinition,
} from './define.ts';
export { type PublishedRegistry, parseDocument, SCHEMA_VERSION } from './document.ts';
export { type ErrorCode, FactoryError, type Problem } from './errors.ts';
export type { Life, LifeState } from './life.ts';
export type { AwsCell, Capacity, Cell, Component, Contacts, GcpCell, Organization, Size, Stage } from './model.ts';
export { type ReaderOptions, RegistryReader } from './reader.ts';
export type { Calendar } from './rollout-model.ts';
export { type Freshness, Snapshot } from './snapshot.ts';
