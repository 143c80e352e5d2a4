import { afterAll, beforeAll } from '@jest/globals';
import { TestCloud } from '../../../test/_helpers/cloud.ts';
import { Caller, type Template } from './server.ts';

export let cloud: TestCloud;
export let aws: Caller;

beforeAll(async () => {
  cloud = await TestCloud.start();
  aws = new Caller(cloud.running.endpoint);
});

afterAll(() => cloud.stop());

export function queue(): Template {
  return { Resources: { Queue: { Type: 'AWS::SQS::Queue' } } };
}

export async function parameterNames(caller: Caller): Promise<string[]> {
  const { Parameters: found } = await caller.json<{ Parameters: { Name: string }[] }>('ssm', 'AmazonSSM.DescribeParameters');
  return found.map((parameter) => parameter.Name);
}

export async function putParameter(name: string, value: string): Promise<void> {
  await aws.json('ssm', 'AmazonSSM.PutParameter', { Name: name, Value: value, Type: 'String', Overwrite: true });
}

export async function parameterValue(name: string): Promise<string> {
  return (await aws.json<{ Parameter: { Value: string } }>('ssm', 'AmazonSSM.GetParameter', { Name: name })).Parameter.Value;
}

export async function secretValue(id: string): Promise<string> {
  return (await aws.json<{ SecretString: string }>('secretsmanager', 'secretsmanager.GetSecretValue', { SecretId: id })).SecretString;
}
