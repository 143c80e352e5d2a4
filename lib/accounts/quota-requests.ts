/** Asks AWS for the quotas that a cell's size needs, or the organization's. Nothing here keeps an account from being ready: AWS answers in hours. */
import {
  GetServiceQuotaCommand,
  ListRequestedServiceQuotaChangeHistoryByQuotaCommand,
  RequestServiceQuotaIncreaseCommand,
  type ServiceQuotasClient,
} from '@aws-sdk/client-service-quotas';
import type { QuotaNeed } from '../plan/quotas.ts';
import { isNamed, messageOf } from '../registry/index.ts';

const OPEN = ['PENDING', 'CASE_OPENED'];

/**
 * Looks at each quota, and requests what is too low and not requested yet. Never throws: what it can't do becomes a warning.
 * @param clientIn asks in a region; without one, in the account's own
 * @param whose who needs them, as people read it
 */
export async function requestQuotas(
  clientIn: (region?: string) => ServiceQuotasClient,
  needs: readonly QuotaNeed[],
  whose = 'the cell',
): Promise<{ changed: boolean; warnings: string[] }> {
  const outcomes: { requested: boolean; warning?: string }[] = [];
  for (const need of needs) {
    try {
      outcomes.push(await requestQuota(clientIn(need.region), need, whose));
    } catch (error) {
      outcomes.push({ requested: false, warning: `quota "${need.name}" (${need.service}): ${reason(error)}` });
    }
  }
  return {
    changed: outcomes.some(({ requested }) => requested),
    warnings: outcomes.flatMap(({ warning }) => (warning === undefined ? [] : [warning])),
  };
}

async function requestQuota(
  client: ServiceQuotasClient,
  need: QuotaNeed,
  whose: string,
): Promise<{ requested: boolean; warning?: string }> {
  const key = { ServiceCode: need.service, QuotaCode: need.code };
  const { Quota } = await client.send(new GetServiceQuotaCommand(key));
  const now = Quota?.Value ?? 0;
  if (now >= need.atLeast) return { requested: false };
  const { RequestedQuotas = [] } = await client.send(new ListRequestedServiceQuotaChangeHistoryByQuotaCommand(key));
  const open = RequestedQuotas.find(({ Status = '' }) => OPEN.includes(Status));
  const warning = `quota "${need.name}" (${need.service}) is ${now}, ${whose} needs ${need.atLeast}`;
  if (open) return { requested: false, warning: `${warning}: asked for ${open.DesiredValue}, AWS has not answered yet` };
  await client.send(new RequestServiceQuotaIncreaseCommand({ ...key, DesiredValue: need.atLeast }));
  return { requested: true, warning: `${warning}: asked for it now` };
}

/** A new account has few requests to spare: two open ones per region. */
const reason = (error: unknown): string =>
  isNamed(error, 'QuotaExceededException') ? 'too many requests are open; run the command again when AWS has answered' : messageOf(error);
