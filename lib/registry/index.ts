/** The registry as the rest of the factory uses it. What others import as `cell-factory/registry` is `public.ts`. */
export { type AccountsFile, readAccountsFile, updateAccountsFile, withAccounts } from './accounts-file.ts';
export {
  type AwsCellDefinition,
  type ComponentDefinition,
  defineCell,
  defineComponent,
  defineOrganization,
  ROLLOUT_DEFAULTS,
} from './define.ts';
export { draft, parseDocument, type Registry, SCHEMA_VERSION, serialize } from './document.ts';
export { asFactoryError, FactoryError, isNamed, messageOf, type Problem } from './errors.ts';
export { deepFreeze } from './freeze.ts';
export type { CacheType, DatabaseClass } from './instances.ts';
export { BLOCK_PREFIX, SUBNET_BITS } from './layout.ts';
export { exists, type LifeState, movedOn } from './life.ts';
export { accountsFileOf, loadRegistry } from './load.ts';
export { type Changes, changesBetween, fieldChanges } from './merge.ts';
export type {
  AwsCell,
  Capacity,
  Component,
  Contacts,
  Engine,
  Hook,
  Organization,
  Resources,
  Size,
  Stage,
  Tier,
} from './model.ts';
export {
  accountEmail,
  artifactBucketName,
  cellAccountName,
  cellDelegationRoleName,
  cellDelegationStackName,
  cellDomain,
  cellEndpoint,
  cellHealthAlarmName,
  cellProbeName,
  cellStackName,
  cellsDomain,
  componentAlarmPrefix,
  connectionName,
  isOfComponent,
  pipelineName,
  pipelineProjectName,
  pipelineStackName,
  poolAccountName,
  registryBucketName,
} from './names.ts';
export { type AddedCell, addCell } from './new-cell.ts';
export type { Condition, Objects, StoredObject } from './objects.ts';
export { byImpact } from './order.ts';
export { POINTER_KEY } from './pointer.ts';
export { Records } from './records.ts';
export { OPT_IN_REGIONS } from './regions.ts';
export type { Calendar, RolloutPolicy } from './rollout-model.ts';
export { approvalOf, FIRST_STAGES, MOST_STAGES, STAGING, START } from './rules/pipelines.ts';
export { parseBlock, seconds } from './rules/subject.ts';
export type { UncheckedOrganization } from './shape.ts';
export {
  cacheMachine,
  capacityOf,
  databaseMachine,
  type Override,
  overridesOf,
  resourcesOf,
  STAGE_PROFILES,
  type StageProfile,
} from './sizes.ts';
export { type PublishResult, RegistryStore } from './store.ts';
export { check, validate } from './validate.ts';
