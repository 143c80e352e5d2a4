/** Runs the CDK app, as cdk.json says. */
import { failureText } from '../lib/app/failure-text.ts';

const print = (text: string) => process.stderr.write(`${text}\n`);

async function main(): Promise<void> {
  // Not at the top: where aws-cdk-lib is missing, that is to be said in a sentence.
  const { synthesize } = await import('../lib/app/app.ts');
  await synthesize(print);
}

main().catch((error: unknown) => {
  print(failureText(error));
  process.exitCode = 1;
});
