import { types } from 'node:util';
import { asFactoryError, FactoryError } from '../registry/index.ts';

const UNREACHABLE = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH']);
const CREDENTIALS = new Set([
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidClientTokenId',
  'UnrecognizedClientException',
]);

/** The errors from `error` down to its first cause; connection failures hide in there, also behind an AggregateError. */
function* chain(error: unknown, depth = 0): Generator<Error & { code?: unknown }> {
  if (!types.isNativeError(error) || depth > 5) return;
  yield error;
  if ('errors' in error && Array.isArray(error.errors)) for (const each of error.errors) yield* chain(each, depth + 1);
  yield* chain(error.cause, depth + 1);
}

/**
 * `error` as the factory's own: no connection and no credentials get a code and a cure, the rest becomes `INTERNAL`.
 * @param endpoint the endpoint in use when it isn't AWS itself, for the message
 */
export function asCloudError(error: unknown, endpoint?: string): FactoryError {
  if (error instanceof FactoryError) return error;
  for (const each of chain(error)) {
    const code = typeof each.code === 'string' ? each.code : '';
    if (UNREACHABLE.has(code) || /ECONNREFUSED|ENOTFOUND/.test(each.message)) {
      return new FactoryError('CLOUD_UNREACHABLE', `no answer from ${endpoint ?? 'the cloud'} (${each.message || code})`, {
        fix: endpoint
          ? 'is the local cloud up? `cellctl local up`, then `eval "$(cellctl local env)"`'
          : 'check the network, the region and AWS_ENDPOINT_URL',
        cause: error,
      });
    }
    if (CREDENTIALS.has(each.name)) {
      return new FactoryError('CLOUD_UNREACHABLE', `no valid credentials: ${each.message}`, {
        fix: 'sign in (`aws sso login`), set AWS_PROFILE, or for the local cloud `eval "$(cellctl local env)"`',
        cause: error,
      });
    }
  }
  return asFactoryError(error);
}
