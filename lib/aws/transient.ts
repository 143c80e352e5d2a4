/** Which answers of AWS are worth another try. */
import { isNamed } from '../registry/index.ts';

const THROTTLED = [
  'TooManyRequestsException',
  'TooManyRequests',
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'RequestLimitExceeded',
  'RequestThrottled',
];

/** No answer, or one from before the service itself: the call may have taken effect. */
const NO_ANSWER = ['TimeoutError', 'RequestTimeout', 'ECONNRESET', 'ECONNREFUSED', 'ETIMEDOUT', 'EPIPE', 'EAI_AGAIN', 'ServiceException'];

/** The service took none of it: too many calls. */
export const isThrottled = (error: unknown): boolean => isNamed(error, ...THROTTLED);

/** Nobody knows whether the call has taken effect. */
export function isUnknownOutcome(error: unknown): boolean {
  if (isNamed(error, ...NO_ANSWER)) return true;
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return false;
  const { httpStatusCode = 0 } = error.$metadata as { httpStatusCode?: number };
  return httpStatusCode >= 500;
}
