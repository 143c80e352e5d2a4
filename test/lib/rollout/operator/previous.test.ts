/** What is kept of a cell before a rollout, and what of it can be restored: the cases that published versions don't have. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { PreviousVersion } from '../../../../lib/rollout/operator/previous.ts';
import { previousKey, previousTemplateKey, sentKey } from '../../../../lib/rollout/rollout-record.ts';
import { isDigestOf, isWhatRuns, recordOf, templateDigest } from '../../../../lib/rollout/sent.ts';
import { MemoryRolloutStore } from '../../../_helpers/rollout-store.ts';
import { NOW, rollout } from '../../../_helpers/rollout-view.ts';

const TEMPLATE = JSON.stringify({
  Parameters: { Version: { Type: 'String' }, Password: { Type: 'String', NoEcho: true }, Size: { Type: 'String', Default: 'small' } },
  Resources: {},
});
const ID = 'orders-api-7';
const NAME = 'orders-api';

let store: MemoryRolloutStore;
/** What the stack shows. */
let template: string;
let parameters: Record<string, string>;

beforeEach(() => {
  store = new MemoryRolloutStore(() => NOW);
  template = TEMPLATE;
  parameters = { Version: '1.0.0', Password: '****', Size: 'small' };
});

const stack = () => ({
  name: NAME,
  find: async () => ({
    ...{ StackName: NAME, CreationTime: NOW, StackStatus: 'UPDATE_COMPLETE' as const },
    Parameters: Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue })),
  }),
  template: async () => template,
  propose: async () => ({ state: 'working' as const, sentence: '' }),
  look: async () => ({ state: 'absent' as const }),
  execute: async () => ({ state: 'working' as const, sentence: '' }),
  remove: async () => undefined,
  reason: async () => '',
});

function previousVersion(): PreviousVersion {
  const { view, cells } = rollout();
  const staging = cells[0]?.[0];
  if (!staging) throw new Error('the test has no staging cell');
  return new PreviousVersion(store, view.plan, staging);
}

/** Keeps what runs, before a version that is sent these parameters. */
const keep = (sending: Record<string, string> = {}) => previousVersion().keep(stack(), async () => sending);

/** Has a rollout before have sent this: nobody has its artifact any more. */
async function sent(values: Record<string, string>, rolloutId = 'orders-api-6') {
  const key = sentKey(rolloutId, 'staging');
  await store.writeOnce(key, await recordOf('1.0.0', undefined, TEMPLATE, values));
  return key;
}

describe('a secret of which only the digest is known', () => {
  beforeEach(async () => store.noteSent(NAME, 'staging', await sent({ Version: '1.0.0', Password: 'one' })));

  test('keeps its value where the rollout sends the same', async () => {
    const previous = await keep({ Version: '2.0.0', Password: 'one' });
    if (!previous.there) throw new Error('there is nothing');
    const desired = await previousVersion().desired(previous, () => 'https://nowhere');
    expect(desired).toEqual({ template: TEMPLATE, templateUrl: '', parameters: { Version: '1.0.0' }, keep: ['Password'] });
  });

  test.each([
    ['another', { Version: '2.0.0', Password: 'two' }],
    ['none', { Version: '2.0.0' }],
  ])('is refused where the rollout sends %s, and nothing is kept', async (_, sending) => {
    await expect(keep(sending)).rejects.toMatchObject({ code: 'ROLLBACK_IMPOSSIBLE', message: expect.stringContaining('Password') });
    expect(await store.objects.get(previousKey(ID, 'staging'))).toBeUndefined();
  });
});

test('of two records, the one counts that the stack shows: the last change has failed', async () => {
  const before = await sent({ Version: '1.0.0', Password: 'one' }, 'orders-api-5');
  const last = await sent({ Version: '1.1.0', Password: 'one' });
  await store.noteSent(NAME, 'staging', last, before);
  expect(await keep({ Password: 'one' })).toMatchObject({ there: true, version: '1.0.0', parameters: { Version: '1.0.0' } });
});

test('a record that is damaged, or says something else than the stack, counts for nothing', async () => {
  parameters = { Version: '0.9', Size: 'huge' };
  template = JSON.stringify({ Parameters: { Version: { Type: 'String' }, Size: { Type: 'String' } } });
  await store.writeOnce('damaged', { version: 1 });
  await store.noteSent(NAME, 'staging', await sent({ Version: '1.0.0', Password: 'one' }), 'damaged');
  expect(await keep()).toMatchObject({ there: true, version: '0.9', parameters });
});

test('a template that is too long for a call, and was never published, is refused', async () => {
  parameters = { Version: '0.9' };
  template = JSON.stringify({ Parameters: { Version: { Type: 'String' } }, Metadata: 'x'.repeat(51_200) });
  await expect(keep()).rejects.toMatchObject({ code: 'ROLLBACK_IMPOSSIBLE', message: expect.stringMatching(/a template of \d+ bytes/) });
});

test('what a release before this one has kept is restored, unless it is a mask', async () => {
  await store.writeOnce(previousKey(ID, 'staging'), { there: true, version: '1.0.0', parameters: { Version: '1.0.0', Size: 'small' } });
  await store.objects.put(previousTemplateKey(ID, 'staging'), TEMPLATE, { absent: true });
  const previous = await previousVersion().kept();
  if (!previous?.there) throw new Error('there is nothing');
  expect(await previousVersion().desired(previous, () => '')).toMatchObject({
    template: TEMPLATE,
    parameters: { Size: 'small' },
    keep: [],
  });
  const masked = { ...previous, parameters: { ...previous.parameters, Password: '****' } };
  await expect(previousVersion().desired(masked, () => '')).rejects.toMatchObject({ code: 'ROLLBACK_IMPOSSIBLE' });
});

test('a record never holds a secret, and recognizes it', async () => {
  const { parameters: recorded } = await recordOf('1', undefined, TEMPLATE, { Password: 'one', Size: 'small' });
  const { Password: digest } = recorded;
  if (digest === undefined || typeof digest === 'string') throw new Error('the password is in the record');
  expect(recorded).toEqual({ Password: { salt: expect.any(String), scrypt: expect.any(String) }, Size: 'small' });
  expect(await isDigestOf(digest, 'one')).toBe(true);
  expect(await isDigestOf(digest, 'two')).toBe(false);
});

test('what runs is what was sent: the template whatever its spaces, each value that shows, defaults included', () => {
  const given = { template: templateDigest(`\n${TEMPLATE} `), parameters: { Version: '1.0.0' } };
  const shown = { template: TEMPLATE, parameters };
  expect(isWhatRuns(given, shown)).toBe(true);
  expect(isWhatRuns(given, { ...shown, parameters: { ...parameters, Size: 'huge' } })).toBe(false);
  expect(isWhatRuns(given, { ...shown, parameters: { ...parameters, Version: '1.0.1' } })).toBe(false);
  expect(isWhatRuns(given, { ...shown, template: '{}' })).toBe(false);
  expect(isWhatRuns({ ...given, parameters: { Version: '1.0.0', Gone: 'x' } }, shown)).toBe(false);
});
