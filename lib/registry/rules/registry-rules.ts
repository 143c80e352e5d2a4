/**
 * Rules across fields and across definitions. What a single field may hold is the schema's business (`model.ts`);
 * nothing stands in both. Each rule sees only definitions that fit the schema, so none needs to guard against shape.
 * docs/registry.md lists them; a test keeps that list current.
 */
import { ACCESS_RULES } from './access-roles.ts';
import { ACCOUNT_RULES } from './account-ids.ts';
import { ADDRESSING_RULES } from './addressing.ts';
import { CELL_RULES } from './cell-life.ts';
import { COMPONENT_RULES } from './components.ts';
import { NAMING_RULES } from './naming.ts';
import { PIPELINE_RULES } from './pipelines.ts';
import { RESOURCE_RULES } from './resources.ts';
import { ROLLOUT_RULES } from './rollout-policy.ts';
import type { Rule } from './subject.ts';

/** What must hold, in the order in which problems are reported. */
export const RULES: readonly Rule[] = [
  ...NAMING_RULES,
  ...ADDRESSING_RULES,
  ...RESOURCE_RULES,
  ...ACCOUNT_RULES,
  ...CELL_RULES,
  ...COMPONENT_RULES,
  ...ROLLOUT_RULES,
  ...ACCESS_RULES,
  ...PIPELINE_RULES,
];
