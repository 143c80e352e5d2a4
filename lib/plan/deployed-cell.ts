/**
 * What the template of a foundation says of the cell that it was made for, so that a review compares with what is deployed and
 * not with what was published last. It is metadata of the template, of which nothing is deployed, and which CloudFormation
 * keeps as of the last change of a resource ("CloudFormation template Metadata syntax", AWS CloudFormation User Guide, read
 * 2026-12-01).
 */
import { z } from 'zod';
import { capacity, resources, SIZES } from '../registry/model.ts';
import type { CellPlan } from './plan.ts';

/** Key among the metadata of the template. */
const KEY = 'Cell/Definition';

const schema = z.strictObject({
  size: z.enum(SIZES),
  resources,
  capacity,
  /** Blocks from which requests may come. */
  clients: z.array(z.string()).readonly(),
  /** Whether the cell is protected against deletion. */
  protected: z.boolean(),
});

/** What is known of a cell by its deployed template. */
export type DeployedCell = Readonly<z.infer<typeof schema>>;

/** Metadata for the template of the cell's foundation. As text: cfn-lint knows no fractions in metadata. */
export function definitionMetadata({ size, resources: each, capacity: caps, clients, profile }: CellPlan): Record<string, string> {
  const definition: DeployedCell = { size, resources: each, capacity: caps, clients, protected: profile.protected };
  return { [KEY]: JSON.stringify(definition) };
}

/** What a deployed template says; undefined for one of another factory, which says nothing, or says it in another way. */
export function readDefinition(template: object): DeployedCell | undefined {
  const { Metadata } = template as { readonly Metadata?: Readonly<Record<string, unknown>> };
  const text = Metadata?.[KEY];
  return typeof text === 'string' ? schema.safeParse(parsed(text)).data : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The cell as it is deployed: of what no template says, as it is planned. */
export const asDeployed = (cell: CellPlan, { protected: isProtected, ...deployed }: DeployedCell): CellPlan => ({
  ...cell,
  ...deployed,
  profile: { ...cell.profile, protected: isProtected },
});
