/**
 * What the library says while it works. It never prints: `lib/cli` renders these, as a live view, as lines or as JSON.
 */
export interface Message {
  /** `started` and one of `done`, `unchanged`, `failed` make a span for a subject; `progress` and `warning` come in between. */
  readonly kind: 'started' | 'progress' | 'done' | 'unchanged' | 'failed' | 'warning';
  /** What it is about: an account, a stack, a cell. */
  readonly subject: string;
  /** One line for people. */
  readonly text: string;
  /** How far a deployment is, in resources. */
  readonly progress?: { readonly completed: number; readonly total: number };
}

export type Emit = (message: Message) => void;
