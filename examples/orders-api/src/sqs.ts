/** The cell's queue. */
import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { type Message, messageFor, type OrderQueue } from './orders.ts';

/**
 * How long the queue lets wait for a message. It offers 20, but stopping takes as long: a call that is cut off may be given messages
 * all the same, which nobody else sees then before their visibility timeout is over.
 */
const WAIT_SECONDS = 5;

const soon = () => AbortSignal.timeout(5000);

export class SqsQueue implements OrderQueue {
  private readonly client: SQSClient;
  private readonly url: string;

  constructor(url: string, region: string) {
    // A connection without a word for longer than the queue lets wait is dead.
    this.client = new SQSClient({ region, requestHandler: { connectionTimeout: 2000, socketTimeout: (WAIT_SECONDS + 5) * 1000 } });
    this.url = url;
  }

  async send(ids: string[]): Promise<string[]> {
    const { Successful = [] } = await this.client.send(
      new SendMessageBatchCommand({ QueueUrl: this.url, Entries: ids.map((id) => ({ Id: id, MessageBody: messageFor(id) })) }),
      { abortSignal: soon() },
    );
    return Successful.map(({ Id = '' }) => Id);
  }

  async receive(): Promise<Message[]> {
    const { Messages = [] } = await this.client.send(
      new ReceiveMessageCommand({ QueueUrl: this.url, MaxNumberOfMessages: 10, WaitTimeSeconds: WAIT_SECONDS }),
    );
    return Messages.map(({ Body = '', ReceiptHandle }) => ({
      body: Body,
      done: async () => {
        await this.client.send(new DeleteMessageCommand({ QueueUrl: this.url, ReceiptHandle }), { abortSignal: soon() });
      },
    }));
  }

  async check(): Promise<void> {
    await this.client.send(new GetQueueAttributesCommand({ QueueUrl: this.url, AttributeNames: ['QueueArn'] }), { abortSignal: soon() });
  }

  close(): void {
    this.client.destroy();
  }
}
