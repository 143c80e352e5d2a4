/** `cell-factory/registry`: what definitions are written with, and what reads the published document. */
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
export { digestOf, draft, parseDocument, type Registry, SCHEMA_VERSION, serialize } from './document.ts';
export { asFactoryError, ERROR_CODES, type ErrorCode, FactoryError, isNamed, messageOf, type Problem } from './errors.ts';
export { accountsFileOf, type LoadOptions, loadRegistry } from './load.ts';
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
export { Records } from './records.ts';
export { REGION_ZONES } from './regions.ts';
export { type PublishedRegistry, type PublishResult, RegistryStore } from './store.ts';
export { check, type UncheckedOrganization, validate } from './validate.ts';
