import { expect, test } from '@jest/globals';
import { run } from '../../_helpers/cellctl.ts';

test('the CDK app loads the CDK, and nothing of the AWS SDK: each synth would pay for it', async () => {
  const program = `
    const { createRequire } = await import('node:module');
    await import('./dist/lib/app/app.js');
    const loaded = Object.keys(createRequire(import.meta.url).cache);
    const of = (name) => loaded.filter((file) => file.includes('node_modules/' + name)).length;
    console.log(JSON.stringify({ cdk: of('aws-cdk-lib') > 0, sdk: of('@aws-sdk') + of('@smithy') }));`;
  const { stdout, stderr } = await run('node', ['--input-type=module', '-e', program]);
  expect({ stdout, stderr }).toEqual({ stdout: '{"cdk":true,"sdk":0}\n', stderr: '' });
});
