/** A CDK app whose stack takes a name that a foundation needs. INTRUDED: account/region. */
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { App, Stack } from 'aws-cdk-lib/core';

const [account, region] = (process.env['INTRUDED'] ?? '').split('/');
const app = new App();
new StringParameter(new Stack(app, 'Intruder', { env: { account, region } }), 'Name', {
  parameterName: '/cell/name',
  stringValue: 'taken',
});
app.synth();
