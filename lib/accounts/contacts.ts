/** Alternate contacts of an account: who AWS writes to besides its own e-mail. */
import {
  type AccountClient,
  type AlternateContactType,
  GetAlternateContactCommand,
  PutAlternateContactCommand,
} from '@aws-sdk/client-account';
import { type Contacts, isNamed } from '../registry/index.ts';

const TYPES = { billing: 'BILLING', operations: 'OPERATIONS', security: 'SECURITY' } as const satisfies Record<
  keyof Contacts,
  AlternateContactType
>;

/** Sets the contacts that differ; one that the registry doesn't name is left alone. Returns true when something changed. */
export async function ensureContacts(client: AccountClient, contacts: Contacts): Promise<boolean> {
  let changed = false;
  for (const purpose of ['billing', 'operations', 'security'] as const) {
    const contact = contacts[purpose];
    if (!contact) continue;
    const wanted = { Name: contact.name, Title: contact.title, EmailAddress: contact.email, PhoneNumber: contact.phone };
    const current = await contactOf(client, TYPES[purpose]);
    if (Object.entries(wanted).every(([key, value]) => current[key] === value)) continue;
    await client.send(new PutAlternateContactCommand({ AlternateContactType: TYPES[purpose], ...wanted }));
    changed = true;
  }
  return changed;
}

async function contactOf(client: AccountClient, type: AlternateContactType): Promise<Record<string, string | undefined>> {
  try {
    return { ...(await client.send(new GetAlternateContactCommand({ AlternateContactType: type }))).AlternateContact };
  } catch (error) {
    if (isNamed(error, 'ResourceNotFoundException')) return {};
    throw error;
  }
}
