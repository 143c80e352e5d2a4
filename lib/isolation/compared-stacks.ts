/** What the rules of isolation look at: every stack of every cell, and what tells one cell's from another's. Pure. */
import { cellDelegationRoleName, cellDelegationStackName, cellStackName } from '../registry/index.ts';
import { type Block, parseBlock } from '../registry/rules/subject.ts';
import { type Statement, statementsOf } from './statements.ts';
import {
  anyPlace,
  asText,
  entry,
  isList,
  isValues,
  type Place,
  type ResolvedTemplate,
  resolveTemplate,
  type Value,
  type Values,
} from './template.ts';

/** What a cell is, as far as isolation asks. A cell of the plan that has its account is one. */
export interface CellFacts {
  readonly name: string;
  readonly region: string;
  readonly block: string;
  readonly clients: readonly string[];
  readonly domain: string;
  readonly stackName: string;
  readonly account: { readonly accountId: string };
  /** Where its name is delegated. */
  readonly parentZone: { readonly accountId: string; readonly region: string };
  /** Where its components' artifacts are. */
  readonly tooling: { readonly artifactBucket: string };
}

/** What a stack is for: a cell's foundation, its delegation in tooling, or a component, whose template goes to every cell. */
type Purpose = 'foundation' | 'delegation' | 'component';

/** A synthesized stack. */
export interface StackInput {
  readonly purpose: Purpose;
  readonly stackName: string;
  readonly template: Values;
  /** Whose it is; a component is every cell's. */
  readonly cell?: string;
}

export interface IsolationInput {
  readonly cells: readonly CellFacts[];
  readonly stacks: readonly StackInput[];
  /** The zone that cells' zones hang from. */
  readonly cellsDomain: string;
  /** Accounts of the factory itself, by name. */
  readonly control: { readonly tooling: string } & Readonly<Record<string, string>>;
}

/** A property, at any depth. */
export interface Field {
  readonly logicalId: string;
  /** Type of the resource; empty for an output. */
  readonly type: string;
  readonly path: string;
  /** The last part of the path. */
  readonly key: string;
  readonly value: Value;
}

/** A stack as rules see it. */
export interface Stack extends Place, ResolvedTemplate {
  readonly purpose: Purpose;
  /** Whose it is; undefined for a component. */
  readonly cell: CellFacts | undefined;
  readonly statements: readonly Statement[];
  /** Every property of resources and outputs, however deep. */
  readonly fields: readonly Field[];
}

export interface ComparedStacks extends IsolationInput {
  readonly looked: readonly Stack[];
  readonly byName: ReadonlyMap<string, CellFacts>;
  /** Names of accounts by number: a cell's, or a control account's. */
  readonly accounts: ReadonlyMap<string, string>;
  readonly blocks: ReadonlyMap<string, Block>;
}

/** Something that reaches out of a cell. The allow-list then says whether it may. */
export interface Crossing {
  readonly logicalId: string;
  readonly path: string;
  /** Type of the resource. */
  readonly type: string;
  /** Which other cells, or accounts, are on the other end. */
  readonly reaches: string;
  /** What was found, alone: what the allow-list looks at. */
  readonly value: string;
  readonly message: string;
  readonly fix: string;
  /** The statement that it is part of. */
  readonly statement?: Statement;
  /** The network rule that it is part of. */
  readonly rule?: Values;
}

/** One way in which cells could reach each other. */
export interface IsolationRule {
  /** Stable identifier. */
  readonly kind: string;
  /** One sentence: what must hold. */
  readonly description: string;
  readonly check: (stack: Stack, subject: ComparedStacks) => Iterable<Crossing>;
}

export const EVERY_CELL = 'every cell';
export const OUTSIDE = 'outside';

function* fieldsIn(value: Value, path: string, logicalId: string, type: string): Generator<Field> {
  const children: (readonly [string, Value])[] = isList(value)
    ? value.map((item, index) => [String(index), item] as const)
    : Object.entries(isValues(value) ? value : {});
  for (const [key, each] of children) {
    const at = `${path}.${key}`;
    yield { logicalId, type, path: at, key, value: each };
    yield* fieldsIn(each, at, logicalId, type);
  }
}

const fieldsOf = ({ resources, outputs }: ResolvedTemplate): Field[] => [
  ...resources.flatMap(({ logicalId, type, properties }) => [...fieldsIn(properties, 'Properties', logicalId, type)]),
  ...Object.entries(outputs).flatMap(([name, output]) => [...fieldsIn(output, `Outputs.${name}`, name, '')]),
];

function prepareStack(input: StackInput, byName: ReadonlyMap<string, CellFacts>): Stack {
  const { purpose, stackName, template } = input;
  const cell = input.cell === undefined ? undefined : byName.get(input.cell);
  const homes: Record<Purpose, Place | undefined> = {
    foundation: cell && { accountId: cell.account.accountId, region: cell.region, stackName },
    delegation: cell && { accountId: cell.parentZone.accountId, region: cell.parentZone.region, stackName },
    component: anyPlace(stackName),
  };
  const place = homes[purpose];
  if (!place) throw new Error(`the stack ${stackName} belongs to no cell that is looked at`);
  const resolved = resolveTemplate(template, place);
  return { ...place, ...resolved, purpose, cell, statements: resolved.resources.flatMap(statementsOf), fields: fieldsOf(resolved) };
}

/** What the rules look at. */
export function prepareSubject(input: IsolationInput): ComparedStacks {
  const byName = new Map(input.cells.map((cell) => [cell.name, cell]));
  const control = Object.entries(input.control).map(([name, id]) => [id, name] as const);
  return {
    ...input,
    byName,
    // A cell in a control account is found by its own rule; here the account stays the control account's.
    accounts: new Map([...input.cells.map((cell) => [cell.account.accountId, cell.name] as const), ...control]),
    blocks: new Map(input.cells.map((cell) => [cell.name, parseBlock(cell.name, cell.block)])),
    looked: input.stacks.map((stack) => prepareStack(stack, byName)),
  };
}

/** Names of cells in a sentence: all others are every cell, none is the world outside. */
export function reached(cells: readonly string[], { cells: all }: ComparedStacks): string {
  if (cells.length === 0) return OUTSIDE;
  return cells.length > 1 && cells.length >= all.length - 1 ? EVERY_CELL : cells.join(', ');
}

/** Whose an account is: a cell's name, a control account's, or nobody's that we know. */
export const ownerOf = (accountId: string, { accounts }: ComparedStacks) => accounts.get(accountId) ?? OUTSIDE;

/** True for a stack of an account that cells share. */
export const isShared = (stack: Stack, { control }: ComparedStacks) => Object.values(control).includes(stack.accountId);

/**
 * True for text that is one reference to what the same template makes, or to a parameter whose value CloudFormation reads
 * from Systems Manager in the stack's own account.
 */
export function isOwn(text: string, { own, parameters }: Stack): boolean {
  const name = /^<(?:Ref|GetAtt) ([A-Za-z0-9]+)(?:\.[^<>]*)?>$/.exec(text)?.[1];
  if (name === undefined) return false;
  if (own.has(name)) return true;
  const parameter = entry(parameters, name);
  return asText(entry(parameter, 'Type')).startsWith('AWS::SSM::') && !asText(entry(parameter, 'Default')).startsWith('arn:');
}

/** The block that text is; undefined for text that is none. */
export function blockOf(text: string): Block | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}(\/\d{1,2})?$/.test(text)) return undefined;
  try {
    return parseBlock('', text);
  } catch {
    // Numbers above 255 or 32: a version, perhaps; no address in any case.
    return undefined;
  }
}

/** True for a block inside the cell's own, or text that is the network's own block, or the address of what the template makes. */
export function isOwnBlock(text: string, stack: Stack, { blocks }: ComparedStacks): boolean {
  const found = blockOf(text);
  const own = stack.cell && blocks.get(stack.cell.name);
  if (found && own) return found.start >= own.start && found.end <= own.end;
  return (isOwn(text, stack) && text.endsWith('.CidrBlock>')) || (text.endsWith('/32') && isOwn(text.slice(0, -'/32'.length), stack));
}

/** The other cells whose blocks share addresses with this one. */
export function cellsIn(block: Block, stack: Stack, { blocks }: ComparedStacks): string[] {
  return [...blocks.values()]
    .filter(({ name, start, end }) => name !== stack.cell?.name && start <= block.end && block.start <= end)
    .map(({ name }) => name);
}

/** The stacks and the role that are called after a cell; nothing else of the name may be somebody else's. */
export const namesOf = (cell: string) => [cellStackName(cell), cellDelegationStackName(cell), cellDelegationRoleName(cell)];
