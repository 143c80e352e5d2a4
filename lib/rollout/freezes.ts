/**
 * Freezes: until when no rollout begins anything in a cell, of a component, or anywhere. Records of their own in the table of
 * rollouts, so that they hold for rollouts that run already, and need no publication. The operator reads them before each
 * thing that it begins; nothing holds a rollback.
 */
import { z } from 'zod';
import { instant } from '../registry/values.ts';
import type { RolloutTable } from './rollout-table.ts';

/** The longest freeze, in days. Longer ones are the registry's, where they are reviewed. */
export const MOST_FREEZE_DAYS = 14;

/** What a freeze is about. */
export type FreezeScope = { readonly on: 'cell' | 'component'; readonly name: string } | { readonly on: 'all' };

const lifted = z.object({ by: z.string(), at: instant, reason: z.string().optional() });

/** A freeze as it is stored. `version` is that of this shape. */
const freezeSchema = z.object({
  version: z.literal(1),
  by: z.string(),
  at: instant,
  until: instant,
  reason: z.string(),
  lifted: lifted.optional(),
});

/** A freeze that holds, or would have. */
export interface Freeze {
  readonly scope: FreezeScope;
  readonly by: string;
  /** When it was asked for, ISO 8601. */
  readonly at: string;
  /** When it ends by itself, ISO 8601; undefined where the record can't be read: then it holds until it is lifted. */
  readonly until: string | undefined;
  readonly reason: string;
}

const FREEZES = 'freezes';

const skOf = (scope: FreezeScope): string => (scope.on === 'all' ? scope.on : `${scope.on}#${scope.name}`);

function scopeOf(sk: string): FreezeScope {
  const [on, ...name] = sk.split('#');
  return on === 'cell' || on === 'component' ? { on, name: name.join('#') } : { on: 'all' };
}

/** The scope as people say it. */
export const frozen = (scope: FreezeScope): string => (scope.on === 'all' ? 'everything' : scope.name);

/** The options that name the scope on the command line. */
export const optionOf = (scope: FreezeScope): string => (scope.on === 'all' ? '--all' : `--${scope.on} ${scope.name}`);

/** Why nothing begins: a whole sentence. */
export const sentenceOf = ({ scope, by, until, reason }: Freeze): string =>
  `${frozen(scope)} is frozen ${until === undefined ? '' : `until ${until} `}by ${by}: ${reason}`;

/** The freeze that keeps the component from being begun in the cell: of several, the one that ends last. */
export function freezeOf(freezes: readonly Freeze[], component: string, cell: string): Freeze | undefined {
  const holds = ({ scope }: Freeze) => scope.on === 'all' || scope.name === (scope.on === 'cell' ? cell : component);
  const end = ({ until }: Freeze) => (until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until));
  return freezes.filter(holds).sort((a, b) => end(b) - end(a))[0];
}

/** Freezes as the table has them. */
export class Freezes {
  constructor(private readonly table: RolloutTable) {}

  /** Those that hold now. A record that can't be read holds: nobody knows what it was to prevent. */
  async list(now: Date): Promise<readonly Freeze[]> {
    const entries = await this.table.entries(FREEZES, '');
    return entries.flatMap(({ sk, item }): Freeze[] => {
      const scope = scopeOf(sk);
      const parsed = freezeSchema.safeParse(item);
      if (!parsed.success) {
        const reason = `its record can't be read; lift it with \`cellctl unfreeze ${optionOf(scope)}\``;
        return [{ scope, by: 'somebody', at: now.toISOString(), until: undefined, reason }];
      }
      const { by, at, until, reason } = parsed.data;
      return parsed.data.lifted !== undefined || Date.parse(until) <= now.getTime() ? [] : [{ scope, by, at, until, reason }];
    });
  }

  /** Writes a freeze down, in place of an earlier one of the same scope. */
  async add({ scope, by, at, until, reason }: Freeze): Promise<void> {
    await this.table.update(FREEZES, skOf(scope), { version: 1, by, at, until, reason, lifted: undefined });
  }

  /** Ends a freeze before its time. Who did it stays written down until the next freeze of the scope. */
  async lift(freeze: Freeze, by: string, at: string, reason: string | undefined): Promise<void> {
    const sk = skOf(freeze.scope);
    if (freeze.until === undefined) await this.table.delete(FREEZES, sk, { ConditionExpression: 'attribute_exists(pk)' });
    else await this.table.update(FREEZES, sk, { lifted: { by, at, reason } }, { at: freeze.at });
  }
}
