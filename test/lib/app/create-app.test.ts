/** The feature flags of the CDK app: the same in every repository, whatever its cdk.json says. */
import { expect, test } from '@jest/globals';
import { CURRENTLY_RECOMMENDED_FLAGS } from 'aws-cdk-lib/cx-api';
import { createApp, FEATURE_FLAGS } from '../../../lib/app/create-app.ts';

test('an app without context has every flag of the factory', () => {
  expect(createApp().node.getAllContext()).toMatchObject(FEATURE_FLAGS);
});

test('the flags are those that the CDK recommends, so that an upgrade of aws-cdk-lib asks about new ones', () => {
  expect(FEATURE_FLAGS).toMatchObject(CURRENTLY_RECOMMENDED_FLAGS);
});

test('other context reaches the app, and a flag may be set to what the factory sets', () => {
  const app = createApp({ context: { organization: 'elsewhere', '@aws-cdk/core:target-partitions': ['aws', 'aws-cn'] } });
  expect(app.node.tryGetContext('organization')).toBe('elsewhere');
});

test.each([
  ['to another value', { '@aws-cdk/aws-iam:minimizePolicies': false }, '@aws-cdk/aws-iam:minimizePolicies is false, must be true'],
  [
    'that the factory leaves out',
    { '@aws-cdk/core:enableStackNameDuplicates': true },
    '@aws-cdk/core:enableStackNameDuplicates is true, must be left out',
  ],
])('context that sets a flag %s is refused, with its name', (_, context, said) => {
  expect(() => createApp({ context })).toThrow(
    expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(said), fix: expect.stringContaining('cdk.json') }),
  );
});
