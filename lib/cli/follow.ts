/** Follows a rollout, by what is written down of it. */
import type { RolloutClient } from '../rollout/client.ts';
import type { PipelineStage } from '../rollout/executions.ts';
import type { Picture } from '../rollout/picture.ts';
import type { RolloutView } from '../rollout/rollout-lookup.ts';
import type { RolloutCell } from '../rollout/rollout-record.ts';
import type { Context } from './context.ts';
import type { Look } from './watch.ts';

/** A stage of a pipeline, and until when it is followed, in milliseconds since 1970. */
export interface FollowedStage extends PipelineStage {
  readonly until: number;
  /** The execution that takes it on. */
  readonly started?: string | undefined;
  /** Gives a sign of life, now and then. */
  readonly sign?: () => Promise<void>;
}

/** Records of cells that one read of the table brings. */
const CELLS_PER_READ = 1_000;

/** The cells of each wave, as they are pinned: for forecasts. */
export const pinnedCells = ({ store }: RolloutClient, { plan }: RolloutView): Promise<readonly (readonly RolloutCell[])[]> =>
  Promise.all(plan.waves.map(({ number }) => store.cellsIn(plan.id, number)));

/** Watches until the rollout needs nobody's eyes any more. It only reads: who stops it stops nothing else. */
export async function follow(
  context: Context,
  client: RolloutClient,
  id: string,
  stage: FollowedStage | undefined = undefined,
): Promise<number> {
  const [{ watch }, { pictureOf }, { factsOf, pictureLines }, { stageOf }, { firstOf, reachOf }] = await Promise.all([
    import('./watch.ts'),
    import('../rollout/picture.ts'),
    import('./rollout-view.ts'),
    import('../rollout/rollout-lookup.ts'),
    import('../rollout/executions.ts'),
  ]);
  context.whenStopped(`${id} goes on; come back with \`cellctl rollout watch ${id}${context.organizationOption}\``);
  let started = stage?.started;
  let cells: readonly (readonly RolloutCell[])[] | undefined;
  let looksDead = false;
  let last: Picture | undefined;
  let state: ReturnType<typeof stageOf>['state'] | undefined;
  const look = async (): Promise<Look> => {
    await stage?.sign?.();
    const view = await client.view(id);
    cells ??= await pinnedCells(client, view);
    // An execution that has only just been started, or is being replaced, may not be seen yet: it is dead when it stays away.
    const isDead = !view.alive && looksDead;
    looksDead = !view.alive;
    const seen = { ...view, alive: view.alive || !isDead };
    const picture = pictureOf(seen, cells, new Date());
    last = picture;
    const reach = stage ? reachOf(stage, view.plan.waves) : 0;
    state = stage && stageOf(view, reach).state;
    // Where nobody drives it any more, somebody must; it is the stage's turn to.
    const isLeft = stage && state === 'going on' && (isDead || !(await client.isAwaited(view.record, started)));
    if (isLeft) started = await client.runStage(id, stage);
    return {
      draw: () => {
        const now = new Date();
        return pictureLines(pictureOf(seen, cells, now), now, context.output.columns).join('\n');
      },
      // What became of earlier waves, earlier stages have said.
      facts: factsOf(
        stage
          ? { ...picture, waves: picture.waves.filter(({ number }) => firstOf(stage, view.plan.waves) <= number && number <= reach) }
          : picture,
      ),
      data: picture,
      size: view.cells.length / CELLS_PER_READ,
      done: stage ? state !== 'going on' || Date.now() > stage.until : picture.halted,
      stuck: false,
    };
  };
  await watch(process.stdout, context.output.json, look);
  if (stage) return state === 'failed' ? 1 : 0;
  return last?.well === true ? 0 : 1;
}
