/** Service Quotas: what an account may have. */
import { GetServiceQuotaCommand, ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import type { Session } from './session.ts';

/** The value of a quota in the session's account and region; undefined where AWS names none. */
export async function readQuota(session: Session, { service, code }: { service: string; code: string }): Promise<number | undefined> {
  const { Quota } = await new ServiceQuotasClient(session).send(new GetServiceQuotaCommand({ ServiceCode: service, QuotaCode: code }));
  return Quota?.Value;
}
