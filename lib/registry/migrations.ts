import { cellEndpoint } from './names.ts';
import { isObject } from './shape.ts';

/**
 * How documents of older versions become documents of today's: the step of version n makes n + 1 of it. Steps are kept for
 * ever, because old revisions are: `registry show --revision 1` must work in ten years. They change what was read, never
 * what is stored, and the digest that is checked is the one of the document as it was published.
 */

/** A document's content before its shape is checked. */
export interface Untyped {
  readonly organization: Readonly<Record<string, unknown>>;
  readonly life: Readonly<Record<string, unknown>>;
}

export const MIGRATIONS: Readonly<Record<number, (content: Untyped) => Untyped>> = {
  /** Version 2 added contacts to the organization, and the life of cells. Of life before that nothing is known. */
  1: ({ organization }) => ({ organization: { contacts: {}, ...organization }, life: {} }),
  /** Version 3 added to cells on AWS what they override and where requests may come from, and the endpoint `api` that each has. */
  2: ({ organization, life }) => ({
    organization: {
      ...organization,
      cells: mapEntries(organization['cells'], (name, { overrides = {}, network, endpoints, ...cell }) =>
        cell['cloud'] === 'aws'
          ? {
              ...cell,
              overrides,
              network: { clients: ['0.0.0.0/0'], ...Object(network) },
              endpoints: { api: cellEndpoint(name, String(organization['domain'])), ...Object(endpoints) },
            }
          : undefined,
      ),
    },
    life,
  }),
  /** Version 4 added when cells may be deployed to, approvals, and what preflight, bake and rollback may take. */
  3: ({ organization, life }) => ({
    organization: {
      ...organization,
      rollout: withControls(organization['rollout']),
      cells: mapEntries(organization['cells'], (_, cell) => ({ ...cell, calendar: { timeZone: 'UTC', windows: [], blackouts: [] } })),
    },
    life,
  }),
  /** Version 5 added pipelines. */
  4: ({ organization, life }) => ({
    organization: {
      ...organization,
      pipelines: { engine: 'codepipeline', grace: '30d' },
      components: mapEntries(organization['components'], (_, component) => ({ ...component, pipeline: { paths: [], hooks: [] } })),
    },
    life,
  }),
  /** Version 6 added components of kind `foundation`, which have no route. What was there before is as it was. */
  5: (content) => content,
  /** Version 7 added how alarms are judged, what is tolerated, the waves of an emergency, and what is watched after a rollout. */
  6: ({ organization, life }) => ({ organization: { ...organization, rollout: withJudgement(organization['rollout']) }, life }),
  /** Version 8 added who is told of rollouts. */
  7: ({ organization, life }) => ({ organization: { notifications: { webhooks: {} }, ...organization }, life }),
  /** Version 9 added the zones of cells and GitHub's numbers of repositories. Both may be missing. */
  8: (content) => content,
  /** Version 10 added what becomes of a rollout whose pipeline is gone. Until then it kept its locks; now it stops, and that keeps what cells run. */
  9: ({ organization, life }) => ({
    organization: {
      ...organization,
      rollout: { onPipelineFailure: 'stop', betweenWaves: '7d', foundationAlone: true, ...Object(organization['rollout']) },
    },
    life,
  }),
};

/** A policy of version 3 as one of version 4: its waves as they were, which nobody had to approve. */
function withControls(rollout: unknown): object {
  const { waves, ...policy }: Record<string, unknown> = Object(rollout);
  return {
    ...policy,
    waves: Array.isArray(waves) ? waves.map((wave) => (isObject(wave) ? { ...wave, approval: false } : wave)) : waves,
    rollbackConcurrency: 20,
    alarmGrace: '10m',
    maxBakeExtension: '2h',
    calendar: { blackouts: [] },
  };
}

/** A policy of version 6 as one of version 7, with the defaults that version 7 began with. */
function withJudgement(rollout: unknown): object {
  const wave = { bake: '10m', approval: false };
  return {
    failureTolerance: { cells: 0 },
    alarmTolerance: { percent: 1 },
    diagnosisTime: '30m',
    watchAfter: '24h',
    emergency: [
      { name: 'emergency-first', prefer: 'low-traffic', admit: { cells: 1 }, ...wave },
      { name: 'emergency-rest', prefer: 'any', admit: { rest: true }, ...wave },
    ],
    ...Object(rollout),
  };
}

/** Changes the entries of a map, whatever shape the rest has. One of which `change` makes nothing stays as it is. */
function mapEntries(entries: unknown, change: (name: string, entry: Record<string, unknown>) => object | undefined): object {
  return Object.fromEntries(
    Object.entries(Object(entries)).map(([name, entry]) => [name, (isObject(entry) ? change(name, entry) : undefined) ?? entry]),
  );
}
