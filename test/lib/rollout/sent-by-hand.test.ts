/** What `cellctl component deploy` records of what it sends, as a rollout that comes later finds it. */
import { beforeEach, expect, test } from '@jest/globals';
import { PreviousVersion } from '../../../lib/rollout/operator/previous.ts';
import { sentKey } from '../../../lib/rollout/rollout-record.ts';
import { recordOf } from '../../../lib/rollout/sent.ts';
import { recordByHand } from '../../../lib/rollout/sent-by-hand.ts';
import { MemoryRolloutStore } from '../../_helpers/rollout-store.ts';
import { NOW, rollout } from '../../_helpers/rollout-view.ts';

const COMPONENT = 'orders-api';
const TEMPLATE = JSON.stringify({
  Parameters: { Version: { Type: 'String' }, Password: { Type: 'String', NoEcho: true, Default: 'none' } },
  Resources: {},
});
/** As the CDK writes a template that it does not upload. */
const YAML =
  'Parameters:\n  Version:\n    Type: String\n  Password:\n    Type: String\n    NoEcho: true\n    Default: none\nResources: {}\n';

let store: MemoryRolloutStore;
/** The template that the stack shows. */
let shown: string;

beforeEach(async () => {
  store = new MemoryRolloutStore(() => NOW);
  shown = TEMPLATE;
  // A rollout came before it, with the same template, of the same version, and a secret of its own.
  const key = sentKey('orders-api-6', 'staging');
  await store.writeOnce(key, await recordOf('1.0.0', undefined, TEMPLATE, { Version: '1.0.0', Password: 'one' }));
  await store.noteSent(COMPONENT, 'staging', key);
});

/** What a rollout keeps as what ran before it; it sends the secret of the one before. */
function keep() {
  const { view, cells } = rollout();
  const staging = cells[0]?.[0];
  if (!staging) throw new Error('the test has no staging cell');
  const parameters = { Version: '1.0.0', Password: '****' };
  const stack = {
    name: COMPONENT,
    find: async () => ({
      ...{ StackName: COMPONENT, CreationTime: NOW, StackStatus: 'UPDATE_COMPLETE' as const },
      Parameters: Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue })),
    }),
    template: async () => shown,
    propose: async () => ({ state: 'working' as const, sentence: '' }),
    look: async () => ({ state: 'absent' as const }),
    execute: async () => ({ state: 'working' as const, sentence: '' }),
    remove: async () => undefined,
    reason: async () => '',
  };
  return new PreviousVersion(store, view.plan, staging).keep(stack, async () => ({ Version: '2.0.0', Password: 'one' }));
}

const byHand = () =>
  recordByHand(store, {
    ...{ component: COMPONENT, cell: 'staging', version: '1.0.0', template: TEMPLATE, runId: 'run-1' },
    parameters: { Version: '1.0.0' },
  });

test('without a record, a rollback would bring a secret back that is not what runs', async () => {
  expect(await keep()).toMatchObject({ parameters: { Password: expect.anything() } });
});

test('what was deployed by hand is what a rollback brings back, and not what a rollout sent before it', async () => {
  await (await byHand())(TEMPLATE);
  expect(await keep()).toMatchObject({ there: true, version: '1.0.0', parameters: { Version: '1.0.0' } });
  expect(await store.sentKeys(COMPONENT, 'staging')).toEqual([sentKey('orders-api-by-hand-run-1', 'staging')]);
});

test('also where the stack shows the template as YAML', async () => {
  shown = YAML;
  await (await byHand())(YAML);
  expect(await keep()).toMatchObject({ there: true, parameters: { Version: '1.0.0' } });
});

test('a deployment by hand whose end nobody has seen leaves it open what runs, and what is hidden is refused', async () => {
  await byHand();
  expect(await store.sentKeys(COMPONENT, 'staging')).toHaveLength(2);
  const kept = keep();
  await expect(kept).rejects.toMatchObject({ code: 'ROLLBACK_IMPOSSIBLE', message: expect.stringContaining('Password') });
});
