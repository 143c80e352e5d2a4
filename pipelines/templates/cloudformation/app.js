/** The component's CDK app: one stack, the same for every cell. */
import { App, DefaultStackSynthesizer, Stack } from 'aws-cdk-lib/core';
import { CellService } from 'cell-factory/cell';

const app = new App();
const stack = new Stack(app, '__COMPONENT__', {
  description: '__COMPONENT__',
  // No rule that looks up the bootstrap version: the template must not depend on where it is deployed.
  synthesizer: new DefaultStackSynthesizer({ generateBootstrapVersionRule: false }),
});
new CellService(stack, 'Service', { component: '__COMPONENT__', path: '/__COMPONENT__*' });
app.synth();
