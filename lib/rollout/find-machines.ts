/** Where rollouts are in tooling: the table of their records, and the machine that drives them. */
import { GetParametersCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { Session } from '../aws/session.ts';
import { ROLLOUT_PARAMETERS } from '../plan/plan.ts';
import { FactoryError, isNamed } from '../registry/index.ts';

interface Machines {
  readonly table: string;
  readonly machine: string;
}

/** @throws FactoryError `NOT_INITIALIZED` while stack `Rollouts` is missing */
export async function findMachines(session: Session): Promise<Machines> {
  const { table: tableName, machine: machineName } = ROLLOUT_PARAMETERS;
  try {
    const { Parameters = [] } = await new SSMClient(session).send(new GetParametersCommand({ Names: [tableName, machineName] }));
    const value = (name: string) => Parameters.find((parameter) => parameter.Name === name)?.Value;
    const [table, machine] = [value(tableName), value(machineName)];
    if (table !== undefined && machine !== undefined) return { table, machine };
  } catch (error) {
    if (!isNamed(error, 'ParameterNotFound')) throw error;
  }
  throw new FactoryError('NOT_INITIALIZED', 'tooling has no stack Rollouts', {
    fix: 'run `cellctl deploy --tooling` (or `cellctl init` with credentials of the management account)',
  });
}
