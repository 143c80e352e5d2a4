/** A run of a pipeline on this machine, as the driver of its rollout: gives signs of life, and says when it leaves it. */
import type { RolloutClient } from './client.ts';
import { PROCESS_SILENCE, SIGN_SECONDS } from './drivers.ts';

/** Seconds of silence at least, however fast a rehearsal goes: a machine that is busy says nothing for a while. */
const LEAST_SILENCE = 20;

export class Driver {
  private rollout: string | undefined;
  private timer: NodeJS.Timeout | undefined;
  private readonly within: number;

  /** @param name what the run calls itself @param timeScale of its waits */
  constructor(
    private readonly client: Pick<RolloutClient, 'sign' | 'leave'>,
    readonly name: string,
    timeScale: number,
  ) {
    this.within = Math.max(LEAST_SILENCE, PROCESS_SILENCE * timeScale);
  }

  /** Begins to give signs of life, from the first wave to the last. A sign that is not heard is given again. */
  async drive(rollout: string): Promise<void> {
    if (this.rollout !== undefined) return;
    this.rollout = rollout;
    const sign = () => this.client.sign(rollout, { by: this.name, within: this.within, always: true });
    await sign();
    this.timer = setInterval(() => void sign().catch(() => undefined), (this.within / (PROCESS_SILENCE / SIGN_SECONDS)) * 1_000);
  }

  /** Gives no more signs: it is done. */
  rest(): void {
    clearInterval(this.timer);
  }

  /** Says that it leaves its rollout. Where that is not heard, silence says the same. @returns the rollout, if it has one */
  async leave(why: string): Promise<string | undefined> {
    this.rest();
    if (this.rollout === undefined) return undefined;
    const left = await this.client.leave(this.rollout, this.name, why).catch(() => true);
    return left ? this.rollout : undefined;
  }
}
