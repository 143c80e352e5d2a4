import * as ssm from 'aws-cdk-lib/aws-ssm';
import type { Stack } from 'aws-cdk-lib/core';

/** The value that a parameter in tooling has when the stack is deployed. */
export const parameter = (scope: Stack, name: string): string => ssm.StringParameter.valueForStringParameter(scope, name);
