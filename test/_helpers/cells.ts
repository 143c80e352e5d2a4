/** Cells of every stage and size, as a plan has them. */
import { createPlan, isVended, type VendedCell } from '../../lib/plan/plan.ts';
import type { AwsCellDefinition, Size, Stage } from '../../lib/registry/index.ts';
import { cell, registry } from './organization.ts';

/** A cell of that stage and size, with an account. */
export function plannedCell(stage: Stage, size: Size = 'small', rest: Partial<AwsCellDefinition> = {}): VendedCell {
  const personal = stage === 'personal' ? { owner: 'ada', expiresAt: '2030-01-01T00:00:00Z' } : {};
  const plan = createPlan(
    registry((input) =>
      Object.assign(input.cells, { x: cell('x', 0, { stage, size, network: { block: '10.7.0.0/20' }, ...personal, ...rest }) }),
    ),
  );
  const found = plan.cells.filter(isVended).find((each) => each.name === 'x');
  if (!found) throw new Error('no such cell');
  return found;
}

export const STAGES = ['production', 'staging', 'personal'] as const;
export const SIZES = ['small', 'medium', 'large'] as const;

/** The most clients that a definition can ask for. */
export const ALL_CLIENTS = Array.from({ length: 20 }, (_, index) => `192.0.2.${index}/32`);
