/** Drills: an alarm of a cell is made to fire, to see what rollouts and people do. */
import { CloudWatchClient, SetAlarmStateCommand, type StateValue } from '@aws-sdk/client-cloudwatch';
import { DRILL_ROLE } from '../aws/roles.ts';
import { assume, inRegion, type Session } from '../aws/session.ts';
import type { VendedCell } from '../plan/plan.ts';
import { FactoryError, isNamed, messageOf } from '../registry/index.ts';

/** One alarm of one cell. */
export class AlarmDrill {
  private readonly cloudwatch: CloudWatchClient;

  /** @param session tooling's */
  constructor(
    session: Session,
    partition: string,
    private readonly cell: VendedCell,
    /** Name of the alarm. */
    readonly alarm: string,
    private readonly by: string,
  ) {
    this.cloudwatch = new CloudWatchClient(assume(inRegion(session, cell.region), partition, cell.account.accountId, DRILL_ROLE));
  }

  /** Has the alarm fire. CloudWatch puts it right at its next look at the metric, which may be sooner than {@link calm}. @throws FactoryError `DRILL_FAILED` */
  raise(): Promise<void> {
    return this.set('ALARM', `drill by ${this.by}`);
  }

  /** Has it be quiet again. @throws FactoryError `DRILL_FAILED` */
  calm(): Promise<void> {
    return this.set('OK', `end of the drill by ${this.by}`);
  }

  private async set(StateValue: StateValue, StateReason: string): Promise<void> {
    try {
      await this.cloudwatch.send(new SetAlarmStateCommand({ AlarmName: this.alarm, StateValue, StateReason }));
    } catch (error) {
      const { name } = this.cell;
      if (isNamed(error, 'ResourceNotFound', 'ResourceNotFoundException')) {
        throw failed(
          `${name} has no alarm ${this.alarm}`,
          `recreate it with \`cellctl deploy ${name} --revert-drift\`, or roll out the component that it belongs to`,
          error,
        );
      }
      if (isNamed(error, 'AccessDenied', 'AccessDeniedException')) {
        throw failed(
          `role ${DRILL_ROLE} of ${name} can't be had, or may not set ${this.alarm}: ${messageOf(error)}`,
          `bring the foundation up to date with \`cellctl deploy ${name}\`: the role is part of it`,
          error,
        );
      }
      throw error;
    }
  }
}

const failed = (message: string, fix: string, cause: unknown) => new FactoryError('DRILL_FAILED', message, { fix, cause });
