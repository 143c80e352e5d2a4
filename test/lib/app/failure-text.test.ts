/** What the CDK app says before it ends. */
import { expect, test } from '@jest/globals';
import { failureText } from '../../../lib/app/failure-text.ts';

test('a missing peer dependency is said in a sentence, with how to install it', () => {
  const error = Object.assign(
    new Error("Cannot find package 'aws-cdk-lib' imported from /cells/node_modules/cell-factory/dist/lib/app/app.js"),
    {
      code: 'ERR_MODULE_NOT_FOUND',
    },
  );
  expect(failureText(error)).toBe(
    'PACKAGE_MISSING: aws-cdk-lib is not installed where the cell factory finds it\n' +
      'fix: install the peer dependencies beside cell-factory: npm install aws-cdk-lib constructs',
  );
});

test('an error that nobody foresaw keeps its stack', () => {
  expect(failureText(new TypeError('x is not a function'))).toMatch(
    /^INTERNAL: x is not a function\nTypeError: x is not a function\n +at /,
  );
});
