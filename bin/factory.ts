/** Runs the CDK app, as cdk.json says. */
import { failureText, synthesize } from '../lib/app/app.ts';

const print = (text: string) => process.stderr.write(`${text}\n`);

synthesize(print).catch((error: unknown) => {
  print(failureText(error));
  process.exitCode = 1;
});
