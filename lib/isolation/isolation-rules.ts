/** Ways in which one cell could reach another: for each, what must hold. docs/isolation.md lists them; a test keeps that list current. */

import type { IsolationRule } from './compared-stacks.ts';
import { NAME_RULES } from './name-rules.ts';
import { NETWORK_RULES } from './network-rules.ts';
import { POLICY_RULES } from './policy-rules.ts';
import { SHARING_RULES } from './sharing-rules.ts';

export const ISOLATION_RULES: readonly IsolationRule[] = [...SHARING_RULES, ...NAME_RULES, ...NETWORK_RULES, ...POLICY_RULES];
