/** Is the domain that cells hang from delegated? Asked of the DNS, because that is whom ACM and customers ask. */
import { Resolver } from 'node:dns/promises';
import { GetHostedZoneCommand, ListHostedZonesByNameCommand, Route53Client } from '@aws-sdk/client-route-53';
import { FactoryError, messageOf } from '../registry/index.ts';
import type { Session } from './session.ts';

export interface DomainCheckOptions {
  /** `cells.<domain>`. */
  readonly domain: string;
  /** The organization's own domain, in which the record must stand. */
  readonly parent: string;
  /** A session of tooling, where the zone is. */
  readonly session: Session;
  /** Address and port of the DNS server to ask. @default - those of this machine */
  readonly resolver: string | undefined;
}

/** What the DNS says of the domain, and what it should say. */
export interface DomainState {
  readonly domain: string;
  /** Name servers of the zone in tooling. */
  readonly wanted: readonly string[];
  /** Name servers that the DNS knows; none when it knows no such name. */
  readonly found: readonly string[];
  readonly delegated: boolean;
  /** What the owner of the organization's domain has to do, while it isn't. */
  readonly advice: string;
}

const normalized = (servers: readonly string[]) => servers.map((server) => server.replace(/\.$/, '').toLowerCase()).sort();

export class DomainCheck {
  private answer: Promise<DomainState> | undefined;

  constructor(private readonly options: DomainCheckOptions) {}

  /** Looks once, however often it is asked. @throws FactoryError `NOT_INITIALIZED`, `DNS_UNREACHABLE` */
  state(): Promise<DomainState> {
    this.answer ??= this.look();
    return this.answer;
  }

  /** @throws FactoryError `DOMAIN_NOT_DELEGATED`, with the record that is missing */
  async requireDelegated(): Promise<void> {
    const { domain, found, delegated, advice } = await this.state();
    if (delegated) return;
    const instead = found.length === 0 ? 'the DNS knows no such zone' : `the DNS says ${found.join(', ')}`;
    throw new FactoryError('DOMAIN_NOT_DELEGATED', `${domain} is not delegated to tooling's zone: ${instead}`, {
      fix: `${advice}; names that were asked for before may take until their TTL ends`,
    });
  }

  private async look(): Promise<DomainState> {
    const { domain, parent } = this.options;
    const [wanted, found] = await Promise.all([this.serversOfZone(), this.serversInDns()]);
    const delegated = found.length > 0 && found.every((server) => wanted.includes(server));
    const advice = `in the zone of ${parent}, set: ${domain}. NS ${wanted.map((server) => `${server}.`).join(' ')}`;
    return { domain, wanted, found, delegated, advice };
  }

  private async serversOfZone(): Promise<string[]> {
    const { domain, session } = this.options;
    const client = new Route53Client(session);
    const { HostedZones = [] } = await client.send(new ListHostedZonesByNameCommand({ DNSName: domain, MaxItems: 1 }));
    const zone = HostedZones.find(({ Name, Config }) => Name === `${domain}.` && Config?.PrivateZone !== true);
    if (!zone) {
      throw new FactoryError('NOT_INITIALIZED', `there is no zone ${domain} in tooling`, {
        fix: 'run `cellctl init` with credentials of the management account: it makes what is missing',
      });
    }
    const { DelegationSet } = await client.send(new GetHostedZoneCommand({ Id: zone.Id }));
    return normalized(DelegationSet?.NameServers ?? []);
  }

  private async serversInDns(): Promise<string[]> {
    const { domain, resolver: server } = this.options;
    const resolver = new Resolver({ timeout: 3_000, tries: 2 });
    if (server !== undefined) resolver.setServers([server]);
    try {
      return normalized(await resolver.resolveNs(domain));
    } catch (error) {
      // These mean that somebody answered: there is no such name, or nothing of the kind behind it.
      if (/^E(NOTFOUND|NODATA|SERVFAIL)$/.test(String(Object(error).code))) return [];
      throw new FactoryError('DNS_UNREACHABLE', `asking the DNS for ${domain}: ${messageOf(error)}`, {
        cause: error,
        fix: 'look at the network; CELL_FACTORY_RESOLVER=<address>:<port> names another DNS server',
      });
    }
  }
}
