/** The table of rollouts: reads that see every write, and writes that carry their condition. */
import { ConditionalCheckFailedException, DynamoDBClient, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
  TransactWriteCommand,
  type TransactWriteCommandInput,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import type { Session } from '../aws/session.ts';

export type Item = Record<string, unknown>;
export type TransactItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

/** A condition on the item that is there, in DynamoDB's words. */
interface Condition {
  readonly ConditionExpression: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Item;
}

const isConflict = (error: unknown) => error instanceof ConditionalCheckFailedException || error instanceof TransactionCanceledException;

/** Does a write. @returns false when its condition does not hold, and nothing was written */
async function whether(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (isConflict(error)) return false;
    throw error;
  }
}

function withoutKeys<T>(item: Item): T {
  const { pk: _pk, sk: _sk, ...rest } = item;
  return rest as T;
}

export class RolloutTable {
  private readonly db: DynamoDBDocumentClient;

  constructor(
    session: Partial<Session>,
    readonly name: string,
  ) {
    const client = new DynamoDBClient({ ...session, maxAttempts: 6 });
    this.db = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
  }

  /** Always the newest. */
  async get<T>(pk: string, sk: string): Promise<T | undefined> {
    const { Item } = await this.db.send(new GetCommand({ TableName: this.name, Key: { pk, sk }, ConsistentRead: true }));
    return Item && withoutKeys<T>(Item);
  }

  /** Items under the key whose sort key begins so. */
  async query<T>(pk: string, prefix: string, options: { newestFirst?: boolean; limit?: number } = {}): Promise<T[]> {
    return (await this.entries(pk, prefix, options)).map(({ item }) => item as T);
  }

  /** The same with their sort keys, as they are stored. @param prefix empty for all */
  async entries(
    pk: string,
    prefix: string,
    { newestFirst = false, limit = Number.POSITIVE_INFINITY }: { newestFirst?: boolean; limit?: number } = {},
  ): Promise<{ sk: string; item: Item }[]> {
    const found: { sk: string; item: Item }[] = [];
    const pages = paginateQuery(
      { client: this.db },
      {
        TableName: this.name,
        // An empty prefix is no value that a key may have.
        KeyConditionExpression: prefix === '' ? 'pk = :pk' : 'pk = :pk AND begins_with(sk, :prefix)',
        ExpressionAttributeValues: { ':pk': pk, ...(prefix === '' ? {} : { ':prefix': prefix }) },
        ConsistentRead: true,
        ScanIndexForward: !newestFirst,
      },
    );
    for await (const page of pages) {
      found.push(...(page.Items ?? []).map((item) => ({ sk: String(item['sk']), item: withoutKeys<Item>(item) })));
      if (found.length >= limit) break;
    }
    return found.slice(0, limit);
  }

  /** All of it, or nothing. @returns false when a condition does not hold */
  async transact(TransactItems: TransactItem[]): Promise<boolean> {
    return whether(this.db.send(new TransactWriteCommand({ TransactItems })));
  }

  /** Sets what the patch holds, and removes what is `undefined` in it. @returns false when `expected` no longer holds */
  async update(pk: string, sk: string, patch: Item, expected: Item = {}): Promise<boolean> {
    return whether(this.db.send(new UpdateCommand({ TableName: this.name, Key: { pk, sk }, ...updateOf(patch, expected) })));
  }

  /** @returns false when the condition does not hold */
  async put(item: Item, condition: Condition): Promise<boolean> {
    return whether(this.db.send(new PutCommand({ TableName: this.name, Item: item, ...condition })));
  }

  /** @returns false when the condition does not hold */
  async delete(pk: string, sk: string, condition: Condition): Promise<boolean> {
    return whether(this.db.send(new DeleteCommand({ TableName: this.name, Key: { pk, sk }, ...condition })));
  }

  /** Adds one to a counter. @returns what it is then */
  async count(pk: string, sk: string, attribute: string): Promise<number> {
    const { Attributes } = await this.db.send(
      new UpdateCommand({
        TableName: this.name,
        Key: { pk, sk },
        UpdateExpression: 'ADD #count :one',
        ExpressionAttributeNames: { '#count': attribute },
        ExpressionAttributeValues: { ':one': 1 },
        ReturnValues: 'UPDATED_NEW',
      }),
    );
    return Number(Attributes?.[attribute]);
  }

  /** Adds one to a counter that is below a limit of the same item. @returns false when it is not, and nothing was added */
  async countBelow(pk: string, sk: string, attribute: string, limit: string): Promise<boolean> {
    return whether(
      this.db.send(
        new UpdateCommand({
          TableName: this.name,
          Key: { pk, sk },
          UpdateExpression: 'ADD #count :one',
          ConditionExpression: '#count < #limit',
          ExpressionAttributeNames: { '#count': attribute, '#limit': limit },
          ExpressionAttributeValues: { ':one': 1 },
        }),
      ),
    );
  }
}

/** An update of what the patch holds, under the condition that the item still holds `expected`; alone, or in a transaction. */
export function updateOf(patch: Item, expected: Item) {
  const names: Record<string, string> = {};
  const values: Item = {};
  const set: string[] = [];
  const remove: string[] = [];
  for (const [index, [name, value]] of Object.entries(patch).entries()) {
    names[`#n${index}`] = name;
    if (value === undefined) remove.push(`#n${index}`);
    else {
      values[`:v${index}`] = value;
      set.push(`#n${index} = :v${index}`);
    }
  }
  const conditions = Object.entries(expected).map(([name, value], index) => {
    names[`#e${index}`] = name;
    values[`:e${index}`] = value;
    return `#e${index} = :e${index}`;
  });
  const expression = [set.length > 0 ? `SET ${set.join(', ')}` : '', remove.length > 0 ? `REMOVE ${remove.join(', ')}` : ''];
  return {
    UpdateExpression: expression.join(' ').trim(),
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
    ...(conditions.length > 0 ? { ConditionExpression: conditions.join(' AND ') } : {}),
  };
}
