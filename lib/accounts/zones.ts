/**
 * Chooses a cell's availability zones, once: where its subnets are, if it runs; otherwise zones that offer what it needs.
 * CloudFormation's own choice, `Fn::GetAZs`, takes zones that lack it (use1-az3), and may be another when AWS adds a zone
 * ("Fn::GetAZs", CloudFormation Template Reference, read 2026-11-30); another zone is another subnet.
 */
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import {
  DescribeAvailabilityZonesCommand,
  DescribeVpcEndpointServicesCommand,
  EC2Client,
  paginateDescribeInstanceTypeOfferings,
} from '@aws-sdk/client-ec2';
import { paginateDescribeOrderableDBInstanceOptions, RDSClient } from '@aws-sdk/client-rds';
import type { Session } from '../aws/session.ts';
import { subnetZones } from '../aws/subnet-zones.ts';
import type { ZoneNeeds } from '../plan/zones.ts';
import { FactoryError } from '../registry/index.ts';
import { FARGATE_ZONES } from '../registry/regions.ts';
import { whenAwake } from './activation.ts';
import type { Clock } from './clock.ts';
import type { ZoneFile } from './lock-file.ts';
import type { SetUpStep } from './setup.ts';

/** Clients of a cell's account, in its region. */
export interface ZoneClients {
  readonly cloudFormation: CloudFormationClient;
  readonly ec2: EC2Client;
  readonly rds: RDSClient;
}

/** A zone, and what speaks against it. */
interface Candidate {
  readonly name: string;
  /** What it lacks, as people read it. */
  readonly lacks: readonly string[];
  /** It may lack something, and nobody tells. */
  readonly doubtful: boolean;
}

/**
 * The step that writes a cell's zones down, and corrects what no longer holds: the line is another account's, or the cell was
 * destroyed and needs what its zones lack. Control accounts and those in the pool have none.
 */
export const zoning = (file: ZoneFile, clock: Clock, administrator: (accountId: string, region: string) => Session): SetUpStep => ({
  name: 'zones',
  run: async ({ account, accountId, bornAt }) => {
    const { zones: needs } = account;
    if (!needs) return { changed: false, warnings: [] };
    const written = await file.read();
    const recorded = Object.hasOwn(written, needs.cell) ? written[needs.cell] : undefined;
    const session = administrator(accountId, needs.region);
    const clients = { cloudFormation: new CloudFormationClient(session), ec2: new EC2Client(session), rds: new RDSClient(session) };
    const zones = await whenAwake(clock, accountId, bornAt, () => findZones(clients, needs, recorded));
    if (recorded?.join() === zones.join()) return { changed: false, warnings: [] };
    await file.note(needs.cell, zones);
    const warning = `its zones are ${zones.join(', ')} now, instead of ${recorded?.join(', ')}: commit the lock file and publish`;
    return { changed: true, warnings: recorded ? [warning] : [] };
  },
});

/**
 * Names of a cell's zones, in the order of its subnets. A cell whose stack was never complete keeps what there is of it.
 * @param recorded zones that are written down: kept where they agree with its subnets, and offer what it needs where it has none
 * @throws FactoryError `ZONES_UNSUITABLE` with what each zone lacks, or for subnets that contradict each other
 */
export async function findZones(clients: ZoneClients, needs: ZoneNeeds, recorded: readonly string[] = []): Promise<string[]> {
  const taken = positions(await subnetZones(clients.cloudFormation, clients.ec2, needs.stackName), needs);
  const missing = needs.count - taken.filter((zone) => zone !== undefined).length;
  if (missing === 0) return taken.flatMap((zone) => zone ?? []);
  const candidates = await look(clients, needs);
  const suits = (zone: string) => candidates.some(({ name, lacks }) => name === zone && lacks.length === 0);
  const holds = recorded.every((zone, index) => (taken[index] === undefined ? suits(zone) : taken[index] === zone));
  if (holds && recorded.length === needs.count && new Set(recorded).size === needs.count) return [...recorded];
  const free = candidates.filter(({ name, lacks }) => lacks.length === 0 && !taken.includes(name));
  if (free.length < missing) throw unsuitable(candidates, needs);
  // The names are AWS's own shuffle: by them, cells spread over the zones of a region.
  const chosen = [...free.filter(({ doubtful }) => !doubtful), ...free.filter(({ doubtful }) => doubtful)]
    .slice(0, missing)
    .map(({ name }) => name)
    .sort();
  return taken.flatMap((zone) => zone ?? chosen.shift() ?? []);
}

/** The zones of a cell's subnets by their number, from 0; undefined where there is none yet. */
function positions(zones: ReadonlyMap<string, string>, { count, stackName }: ZoneNeeds): (string | undefined)[] {
  const found = Array.from({ length: count }, (): string | undefined => undefined);
  for (const [logicalId, zone] of zones) {
    // The CDK numbers the subnets of each kind: NetworkVpcprivateSubnet1Subnet….
    const index = Number(/Subnet(\d+)Subnet/.exec(logicalId)?.[1]) - 1;
    if (!(index >= 0 && index < count)) continue;
    const other = found[index];
    if (other !== undefined && other !== zone) {
      throw new FactoryError('ZONES_UNSUITABLE', `${stackName}: its subnets of number ${index + 1} are in ${other} and in ${zone}`, {
        fix: 'no list of zones fits what is there: delete the stack, which has never been complete, and run the command again',
      });
    }
    found[index] = zone;
  }
  return found;
}

/** All zones of the region, with what speaks against each. */
async function look({ ec2, rds }: ZoneClients, needs: ZoneNeeds): Promise<Candidate[]> {
  const { region, instanceTypes, preferredType, databaseClass, endpoints } = needs;
  const [{ AvailabilityZones = [] }, types, classes, services] = await Promise.all([
    ec2.send(new DescribeAvailabilityZonesCommand({})),
    instanceOffers(ec2, [...instanceTypes, preferredType]),
    databaseOffers(rds, databaseClass),
    endpointOffers(ec2, region, endpoints),
  ]);
  const fargate = FARGATE_ZONES[region];
  return AvailabilityZones.filter(({ ZoneType = 'availability-zone', OptInStatus }) => {
    // Local zones and the like are listed where somebody has opted in.
    return ZoneType === 'availability-zone' && OptInStatus !== 'not-opted-in';
  })
    .map(({ ZoneName: name = '', ZoneId: id = '', State: state }) => ({
      name,
      lacks: [
        ...(state === undefined || state === 'available' ? [] : [`it is ${state}`]),
        ...instanceTypes.filter((type) => !types.has(`${name}/${type}`)).map((type) => `no ${type}`),
        ...(classes.has(name) ? [] : [`no ${databaseClass}`]),
        ...endpoints.filter((service) => !services.has(`${name}/${service}`)).map((service) => `no endpoint of ${service}`),
        ...(fargate && !fargate.includes(id) ? ['no Fargate'] : []),
      ],
      doubtful: !types.has(`${name}/${preferredType}`),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** `zone/type` for each of the types that a zone offers. */
async function instanceOffers(client: EC2Client, types: readonly string[]): Promise<Set<string>> {
  const offered = new Set<string>();
  const Filters = [{ Name: 'instance-type', Values: [...types] }];
  for await (const page of paginateDescribeInstanceTypeOfferings({ client }, { LocationType: 'availability-zone', Filters })) {
    for (const { Location, InstanceType } of page.InstanceTypeOfferings ?? []) offered.add(`${Location}/${InstanceType}`);
  }
  return offered;
}

/** Zones in which RDS offers a class of PostgreSQL on gp3. */
async function databaseOffers(client: RDSClient, DBInstanceClass: string): Promise<Set<string>> {
  const offered = new Set<string>();
  const wanted = { Engine: 'postgres', DBInstanceClass, Vpc: true };
  for await (const page of paginateDescribeOrderableDBInstanceOptions({ client }, wanted)) {
    for (const { StorageType, AvailabilityZones = [] } of page.OrderableDBInstanceOptions ?? []) {
      if (StorageType === 'gp3') for (const { Name } of AvailabilityZones) if (Name !== undefined) offered.add(Name);
    }
  }
  return offered;
}

/** `zone/service` for each of the services that have interface endpoints in a zone. */
async function endpointOffers(client: EC2Client, region: string, services: readonly string[]): Promise<Set<string>> {
  if (services.length === 0) return new Set();
  const prefix = `com.amazonaws.${region}.`;
  const Filters = [
    { Name: 'service-name', Values: services.map((service) => prefix + service) },
    { Name: 'service-type', Values: ['Interface'] },
  ];
  const { ServiceDetails = [] } = await client.send(new DescribeVpcEndpointServicesCommand({ Filters }));
  return new Set(
    ServiceDetails.flatMap(({ ServiceName = '', AvailabilityZones = [] }) =>
      AvailabilityZones.map((zone) => `${zone}/${ServiceName.slice(prefix.length)}`),
    ),
  );
}

function unsuitable(candidates: readonly Candidate[], { cell, count, region }: ZoneNeeds): FactoryError {
  const each = candidates.map(({ name, lacks }) => `${name}: ${lacks.length === 0 ? 'suits' : lacks.join(', ')}`);
  return new FactoryError('ZONES_UNSUITABLE', `${cell} needs ${count} zones of ${region} (${each.join('; ')})`, {
    fix: `choose another size or region in cells/${cell}.ts, or override what is missing (overrides: { database: { instanceClass: … } })`,
  });
}
