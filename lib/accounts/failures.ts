/**
 * What to do about each reason that AWS gives for an account that was not created. The only place that knows.
 * Source: CreateAccountStatus and CreateAccount (Errors), AWS Organizations API Reference.
 */
import type { CreateAccountFailureReason } from '@aws-sdk/client-organizations';

export interface Verdict {
  /** `retry`: the same again, later. `adopt`: somebody has the address, look who. `stop`: a person must do something first. */
  readonly action: 'retry' | 'adopt' | 'stop';
  /** What a person can do about it. */
  readonly advice: string;
  /** Every other creation would fail for the same reason: none is begun any more in this run. */
  readonly endsCreation?: true;
}

/** CreateAccount's own refusals, which never become a creation. */
type Refusal = 'ACCOUNT_NUMBER_LIMIT_EXCEEDED' | 'ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED' | 'ORGANIZATION_NOT_IN_ALL_FEATURES_MODE';

const retry = (advice: string): Verdict => ({ action: 'retry', advice });
const stop = (advice: string): Verdict => ({ action: 'stop', advice });
const endsCreation = (advice: string): Verdict => ({ action: 'stop', advice, endsCreation: true });

const RAISE_QUOTA =
  'ask for a higher quota "Default maximum number of accounts" of AWS Organizations in Service Quotas (in management), then run the command again';
const PAYMENT = 'add a valid payment method to the management account (Billing, Payment preferences), then run the command again';
const BUSINESS = 'complete the business validation of the management account (AWS shows it in Billing), then run the command again';

export const FAILURES: Readonly<Record<CreateAccountFailureReason | Refusal, Verdict>> = {
  INTERNAL_FAILURE: retry('run the command again in an hour; if it stays so, ask AWS Support'),
  CONCURRENT_ACCOUNT_MODIFICATION: retry('run the command again when nobody else changes the organization'),
  EMAIL_ALREADY_EXISTS: {
    action: 'adopt',
    advice: 'the address belongs to an account outside this organization: change emailPattern, or give the cell an email of its own',
  },
  ACCOUNT_LIMIT_EXCEEDED: endsCreation(RAISE_QUOTA),
  ACCOUNT_NUMBER_LIMIT_EXCEEDED: endsCreation(RAISE_QUOTA),
  ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED: endsCreation('AWS creates no more accounts for you today: run the command again tomorrow'),
  ORGANIZATION_NOT_IN_ALL_FEATURES_MODE: endsCreation('enable all features in AWS Organizations, then run `cellctl init` again'),
  INVALID_ADDRESS: endsCreation('correct the postal address of the management account, then run the command again'),
  INVALID_EMAIL: stop('correct emailPattern, or the email of the cell'),
  MISSING_PAYMENT_INSTRUMENT: endsCreation(PAYMENT),
  INVALID_PAYMENT_INSTRUMENT: endsCreation(PAYMENT),
  MISSING_BUSINESS_VALIDATION: endsCreation(BUSINESS),
  FAILED_BUSINESS_VALIDATION: endsCreation(BUSINESS),
  INVALID_IDENTITY_FOR_BUSINESS_VALIDATION: endsCreation(BUSINESS),
  UNKNOWN_BUSINESS_VALIDATION: endsCreation(BUSINESS),
  PENDING_BUSINESS_VALIDATION: endsCreation(
    'AWS is still validating your business: run the command again when it has told you that it is done',
  ),
  GOVCLOUD_ACCOUNT_ALREADY_EXISTS: stop('an AWS GovCloud account has this address already: give the cell an email of its own'),
  UPDATE_EXISTING_RESOURCE_POLICY_WITH_TAGS_NOT_SUPPORTED: endsCreation(
    "the organization's resource policy does not go with tags on new accounts: see AWS Organizations, Settings, and ask AWS Support",
  ),
};

const UNKNOWN = stop('see CreateAccountStatus in the API reference of AWS Organizations, or ask AWS Support');

/** What to do about `reason`; an unknown one stops. */
export function verdictOf(reason: string): Verdict {
  return (FAILURES as Readonly<Record<string, Verdict>>)[reason] ?? UNKNOWN;
}
