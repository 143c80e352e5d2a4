/** Service-linked roles: without them, a service's first use in a new account fails. */
import { CreateServiceLinkedRoleCommand, type IAMClient, ListRolesCommand } from '@aws-sdk/client-iam';
import { isNamed } from '../registry/index.ts';

/** Creates the roles that are missing. Returns true when it created one. */
export async function ensureServiceRoles(client: IAMClient, services: readonly string[]): Promise<boolean> {
  if (services.length === 0) return false;
  const existing = await linkedServices(client);
  let changed = false;
  for (const service of services) {
    if (existing.has(service)) continue;
    try {
      await client.send(new CreateServiceLinkedRoleCommand({ AWSServiceName: service }));
      changed = true;
    } catch (error) {
      // Somebody was faster, or the service has made its role by itself.
      if (!isNamed(error, 'InvalidInputException', 'InvalidInput') || !/has been taken/.test(error.message)) throw error;
    }
  }
  return changed;
}

/** Services that have a role already: it lies at a path that carries their name. */
async function linkedServices(client: IAMClient): Promise<Set<string>> {
  const services = new Set<string>();
  let marker: string | undefined;
  do {
    const page = await client.send(new ListRolesCommand({ PathPrefix: '/aws-service-role/', ...(marker ? { Marker: marker } : {}) }));
    for (const { Path = '' } of page.Roles ?? []) services.add(Path.split('/')[2] ?? '');
    marker = page.IsTruncated === true ? page.Marker : undefined;
  } while (marker !== undefined);
  return services;
}
