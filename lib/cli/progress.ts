/** Renders the library's messages: a live view on a terminal, plain lines elsewhere, JSON lines with --json. */
import { createLogUpdate } from 'log-update';
import pc from 'picocolors';
import type { Message } from '../messages.ts';

export interface Progress {
  show(message: Message): void;
  end(): void;
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 80;

const MARKS = { done: pc.green('✓'), unchanged: pc.dim('='), failed: pc.red('✗'), warning: pc.yellow('!') } as const;

const isEnd = (kind: Message['kind']): kind is 'done' | 'unchanged' | 'failed' =>
  kind === 'done' || kind === 'unchanged' || kind === 'failed';

class JsonLines implements Progress {
  constructor(private readonly stream: NodeJS.WriteStream) {}

  show(message: Message): void {
    this.stream.write(`${JSON.stringify({ at: new Date().toISOString(), ...message })}\n`);
  }

  end(): void {}
}

/** Lines for logs: every step, but of a stack's resources only each quarter, so that a log of many cells stays readable. */
class PlainLines implements Progress {
  private readonly quarters = new Map<string, number>();

  constructor(private readonly stream: NodeJS.WriteStream) {}

  show({ kind, subject, text, progress }: Message): void {
    if (progress) {
      const quarter = Math.floor((4 * progress.completed) / Math.max(1, progress.total));
      if ((this.quarters.get(subject) ?? 0) >= quarter || quarter >= 4) return;
      this.quarters.set(subject, quarter);
      this.line(' ', subject, `${progress.completed}/${progress.total} resources`);
      return;
    }
    if (kind === 'started') this.quarters.delete(subject);
    this.line(kind === 'started' || kind === 'progress' ? ' ' : MARKS[kind], subject, text);
  }

  end(): void {}

  private line(mark: string, subject: string, text: string): void {
    this.stream.write(`${mark} ${subject.padEnd(12)} ${pc.dim(text)}\n`);
  }
}

interface Row {
  text: string;
  since: number;
  bar: string;
}

function bar({ completed, total }: NonNullable<Message['progress']>): string {
  const width = 20;
  const filled = Math.min(width, Math.round((width * completed) / Math.max(1, total)));
  return `${pc.green('━'.repeat(filled))}${pc.dim('━'.repeat(width - filled))} ${completed}/${total} `;
}

/** What is under way stays at the bottom and moves; what has ended scrolls up above it. */
class LiveView implements Progress {
  private readonly rows = new Map<string, Row>();
  private readonly update: ReturnType<typeof createLogUpdate>;
  private readonly timer: NodeJS.Timeout;
  private frame = 0;

  constructor(private readonly stream: NodeJS.WriteStream) {
    this.update = createLogUpdate(stream);
    this.timer = setInterval(() => this.draw(), FRAME_MS);
    this.timer.unref();
  }

  show({ kind, subject, text, progress }: Message): void {
    if (isEnd(kind) || kind === 'warning') {
      const since = this.rows.get(subject)?.since;
      if (kind !== 'warning') this.rows.delete(subject);
      const seconds = since === undefined ? '' : pc.dim(` ${((Date.now() - since) / 1000).toFixed(1)} s`);
      this.update.clear();
      this.stream.write(`${MARKS[kind]} ${pc.bold(subject.padEnd(12))} ${text}${seconds}\n`);
      this.draw();
      return;
    }
    const row = this.rows.get(subject) ?? { text, since: Date.now(), bar: '' };
    row.text = text;
    if (progress) row.bar = bar(progress);
    this.rows.set(subject, row);
  }

  end(): void {
    clearInterval(this.timer);
    this.update.clear();
    this.update.done();
  }

  private draw(): void {
    this.frame = (this.frame + 1) % FRAMES.length;
    const width = this.stream.columns ?? 100;
    const lines = [...this.rows].map(([subject, row]) => {
      const room = Math.max(10, width - 14 - (row.bar === '' ? 0 : 32));
      return `${pc.cyan(FRAMES[this.frame] ?? '')} ${pc.bold(subject.padEnd(12))} ${row.bar}${pc.dim(row.text.slice(0, room))}`;
    });
    // A terminal can't take back what has scrolled out of it.
    const room = Math.max(1, (this.stream.rows ?? 24) - 2);
    const more = lines.length - room;
    this.update((more > 0 ? [...lines.slice(0, room), pc.dim(`… and ${more} more`)] : lines).join('\n'));
  }
}

class Silence implements Progress {
  constructor(private readonly plain: PlainLines) {}

  /** Also with --quiet a failure is said. */
  show(message: Message): void {
    if (message.kind === 'failed' || message.kind === 'warning') this.plain.show(message);
  }

  end(): void {}
}

export function createProgress(stream: NodeJS.WriteStream, options: { json: boolean; quiet: boolean }): Progress {
  if (options.json) return new JsonLines(stream);
  if (options.quiet) return new Silence(new PlainLines(stream));
  return stream.isTTY ? new LiveView(stream) : new PlainLines(stream);
}
