/** Stacks of a laboratory of rollouts: sessions, the component's template, and the operator's code where its function looks for it. */
import { readFileSync } from 'node:fs';
import type { Parameter } from '@aws-sdk/client-cloudformation';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { zipSync } from 'fflate';
import type { Session } from '../../lib/aws/session.ts';
import type { Template } from '../../tools/local-cloud/test/server.ts';

/** A session as an administrator of the account. The local cloud gives one to anybody. */
export function sessionIn(accountId: string, region: string): Session {
  const masterCredentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const params = { RoleArn: `arn:aws:iam::${accountId}:role/any`, RoleSessionName: 'test' };
  return { region, credentials: fromTemporaryCredentials({ masterCredentials, clientConfig: { region }, params }) };
}

export async function createStack(session: Session, name: string, template: Template, Parameters: Parameter[] = []): Promise<void> {
  const { CloudFormationClient, CreateStackCommand, waitUntilStackCreateComplete } = await import('@aws-sdk/client-cloudformation');
  const client = new CloudFormationClient(session);
  await client.send(new CreateStackCommand({ StackName: name, TemplateBody: JSON.stringify(template), Parameters }));
  await waitUntilStackCreateComplete({ client, maxWaitTime: 60, minDelay: 1, maxDelay: 1 }, { StackName: name });
}

/** The template of a component: what it says is what runs. */
export const templateOf = (name: string, more: Template['Resources'], declared: Template['Parameters'] = {}): Template => ({
  Parameters: { Version: { Type: 'String' }, ...declared },
  Resources: {
    Running: { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Name: `/${name}/version`, Value: { Ref: 'Version' } } },
    Probe: { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Name: `/cell/probe/${name}`, Value: `/${name}` } },
    ...more,
  },
});

/** The CDK asks for its bootstrap, which these tests don't need. */
export function withoutBootstrap(template: Record<string, unknown>): Template {
  const { Parameters, Rules: _rules, ...rest } = template;
  const { BootstrapVersion: _version, ...parameters } = Object(Parameters) as Record<string, unknown>;
  return { ...rest, Parameters: parameters } as unknown as Template;
}

/** The template with the operator's code where its function looks for it. */
export async function withCode(template: Template, session: Session): Promise<Template> {
  const zip = zipSync({ 'index.cjs': readFileSync('dist/operator/index.cjs') });
  const Bucket = 'operator-code';
  const s3 = new S3Client({ ...session, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'operator.zip', Body: zip }));
  for (const { Type, Properties } of Object.values(template.Resources)) {
    if (Type === 'AWS::Lambda::Function' && Properties) Properties['Code'] = { S3Bucket: Bucket, S3Key: 'operator.zip' };
  }
  return template;
}
