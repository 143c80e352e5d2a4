/** The proof of isolation: what each cell's account holds, listed from inside, and that it holds nothing of another cell. */
import { paginateGetResources, ResourceGroupsTaggingAPIClient } from '@aws-sdk/client-resource-groups-tagging-api';
import { assumeLookup, inRegion, type Session } from '../aws/session.ts';
import { findStack } from '../aws/stacks.ts';
import type { VendedCell } from '../plan/plan.ts';

/** A resource as the account's own inventory lists it. */
interface TaggedResource {
  readonly arn: string;
  /** Value of the tag `cell`. */
  readonly cell: string;
}

interface CellInventory {
  readonly cell: string;
  readonly accountId: string;
  readonly resources: readonly TaggedResource[];
}

export interface IsolationProof {
  readonly inventories: readonly CellInventory[];
  /** Pairs of cells (from, to) that were checked. */
  readonly checkedPairs: number;
  /** What one cell's account can see of another cell. Empty is the proof. */
  readonly violations: readonly string[];
}

async function taggedResources(session: Session): Promise<TaggedResource[]> {
  const client = new ResourceGroupsTaggingAPIClient(session);
  const resources: TaggedResource[] = [];
  for await (const page of paginateGetResources({ client }, { TagFilters: [{ Key: 'cell' }] })) {
    for (const { ResourceARN: arn = '', Tags = [] } of page.ResourceTagMappingList ?? []) {
      resources.push({ arn, cell: Tags.find((tag) => tag.Key === 'cell')?.Value ?? '' });
    }
  }
  return resources.sort((a, b) => (a.arn < b.arn ? -1 : 1));
}

/**
 * Looks from inside each cell's account, in every region that any cell uses: all resources tagged with a cell must be
 * its own and in its own account, and no other cell's stack may be visible.
 */
export async function proveIsolation(cells: readonly VendedCell[], session: Session, partition: string): Promise<IsolationProof> {
  const regions = [...new Set(cells.map((cell) => cell.region))].sort();
  const violations: string[] = [];
  const inventories: CellInventory[] = [];
  for (const cell of cells) {
    const { accountId } = cell.account;
    const cellSession = assumeLookup(session, partition, accountId, cell.region);
    const byRegion = await Promise.all(regions.map((region) => taggedResources(inRegion(cellSession, region))));
    const resources = byRegion.flat();
    for (const { arn, cell: owner } of resources) {
      if (owner !== cell.name) violations.push(`${cell.name} sees ${arn}, tagged as ${owner}'s`);
      const owningAccount = arn.split(':')[4];
      if (owningAccount !== '' && owningAccount !== accountId)
        violations.push(`${cell.name} sees ${arn}, which is in account ${owningAccount}`);
    }
    for (const other of cells.filter((each) => each.name !== cell.name)) {
      if (await findStack(inRegion(cellSession, other.region), other.stackName))
        violations.push(`${cell.name} sees the stack ${other.stackName}`);
    }
    inventories.push({ cell: cell.name, accountId, resources });
  }
  return { inventories, checkedPairs: cells.length * (cells.length - 1), violations };
}
