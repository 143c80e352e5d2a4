/** The registry as the rest of the factory uses it. What others import as `cell-factory/registry` is `public.ts`. */
export { type AccountsFile, type ControlAccount, readAccountsFile, updateAccountsFile, withAccounts } from './accounts-file.ts';
export {
  type AwsCellDefinition,
  CAPACITY,
  type ComponentDefinition,
  defineCell,
  defineComponent,
  defineOrganization,
  type GcpCellDefinition,
  type OrganizationDefinition,
} from './define.ts';
export { type Content, draft, type PublishedRegistry, parseDocument, type Registry, SCHEMA_VERSION, serialize } from './document.ts';
export { asFactoryError, ERROR_CODES, type ErrorCode, FactoryError, isNamed, messageOf, type Problem } from './errors.ts';
export { BLOCK_PREFIX, SUBNET_BITS, ZONES } from './layout.ts';
export type { Life, LifeEvent, LifeState } from './life.ts';
export { accountsFileOf, type LoadedRegistry, type LoadOptions, loadRegistry } from './load.ts';
export { type Changes, changesBetween, type FieldChange, fieldChanges } from './merge.ts';
export type {
  AccessPolicy,
  AwsCell,
  Capacity,
  Cell,
  Component,
  Contacts,
  GcpCell,
  Organization,
  OrganizationSettings,
  RolloutPolicy,
  Size,
  Stage,
} from './model.ts';
export { accountEmail, cellAccountName, cellHealthAlarmName, cellStackName, poolAccountName, registryBucketName } from './names.ts';
export { type Condition, type Objects, S3Objects, type StoredObject } from './objects.ts';
export { byImpact } from './order.ts';
export { Records } from './records.ts';
export { REGION_ZONES } from './regions.ts';
export { takeApart, type UncheckedOrganization } from './shape.ts';
export { type PublishResult, RegistryStore, type Verification } from './store.ts';
export { check, validate } from './validate.ts';
