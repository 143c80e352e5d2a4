import { isThrottled, isUnknownOutcome } from '../../aws/transient.ts';
import { isNamed } from '../../registry/index.ts';

/** Names that the machines know: these are worth another try. */
export const RETRIED = ['Throttled', 'Unavailable'] as const;

/** What the operator throws. Its name is what `Retry` and `Catch` of the machines match. */
export class OperatorError extends Error {
  constructor(
    override readonly name: (typeof RETRIED)[number] | 'BadInput',
    message: string,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

/** The error as the machines know it: too many calls and no answer are tried again, the rest is what it is. */
export function asOperatorError(error: unknown, doing: string): unknown {
  if (error instanceof OperatorError) return error;
  const said = error instanceof Error ? error.message : String(error);
  if (isThrottled(error)) return new OperatorError('Throttled', `${doing}: ${said}`, error);
  if (isUnknownOutcome(error) || isNamed(error, 'ProvisionedThroughputExceededException', 'TransactionConflictException')) {
    return new OperatorError('Unavailable', `${doing}: ${said}`, error);
  }
  return error;
}
