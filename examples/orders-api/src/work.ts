/** What happens to an order after it was placed: its message is sent, received, and the order is confirmed. */
import { Loop } from './loop.ts';
import { confirmOrder, type Log, type OrderCache, type OrderQueue, type OrderStore, reasonOf } from './orders.ts';

export interface WorkProps {
  readonly store: OrderStore;
  readonly cache: OrderCache;
  readonly queue: OrderQueue;
  readonly log: Log;
  /** Pause of loops that have nothing to do, in milliseconds. @default 1000 */
  readonly idle?: number;
}

/** Sends the messages that are still to be sent. */
export const startSending = ({ store, queue, ...props }: WorkProps): Loop =>
  new Loop({
    ...props,
    name: 'sending messages',
    step: async () => {
      const { sent, refused } = await store.sendWaiting((ids) => queue.send(ids));
      if (refused > 0) throw new Error(`the queue refused ${refused} of ${sent + refused} messages; they are sent again`);
      return sent > 0;
    },
  });

/** Receives messages and confirms their orders. */
export const startConfirming = ({ store, cache, queue, log, ...props }: WorkProps): Loop =>
  new Loop({
    ...props,
    log,
    name: 'receiving messages',
    step: async () => {
      // Every receipt counts, and after a few the queue gives a message up for dead: without a database, leave them where they are.
      await store.check();
      for (const message of await queue.receive()) {
        try {
          await confirmOrder(message, store, cache, log);
          await message.done();
        } catch (error) {
          // It comes again, or it is given up; the messages behind it need not wait for that.
          log('error', { during: 'confirming an order', message: reasonOf(error) });
        }
      }
      return true;
    },
  });
