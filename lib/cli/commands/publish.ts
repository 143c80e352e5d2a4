import { Command } from 'commander';
import { action } from '../action.ts';

export const publishCommand = () =>
  new Command('publish')
    .description('write the registry to S3 as the next revision; nothing is written when nothing changed')
    .addHelpText('after', '\nExamples:\n  cellctl publish\n  cellctl publish --json')
    .action(
      action(async (context) => {
        const { organization } = await context.registry();
        const { plan, session } = await context.tooling();
        const store = await context.store(plan, session);
        const { registry, changed, rolledForward } = await store.publish(organization, context.who);
        const { revision } = registry.published;
        context.output.result(
          { revision, digest: registry.digest, changed, ...(rolledForward === undefined ? {} : { rolledForward }) },
          () => {
            if (rolledForward !== undefined) context.output.say(`revision ${rolledForward} of a publisher that died was completed first`);
            context.output.say(
              changed ? `published revision ${revision} to s3://${plan.registryBucket}` : `unchanged: revision ${revision} is current`,
            );
          },
        );
        return 0;
      }),
    );
