import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  type Parameter,
  type Stack,
  type StackEvent,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import { pythonEnvironment } from '../launcher/python-environment.ts';

/** Where the Python package is. */
const MOTO_PLUGIN = path.resolve('tools/local-cloud');

/** moto's management account, which credentials that it does not know belong to. */
export const MANAGEMENT_ACCOUNT = '123456789012';

export const REGION = 'eu-west-1';

/** A CloudFormation template, as an object. */
export interface Template {
  Parameters?: Record<string, object>;
  Resources: Record<string, { Type: string; Properties?: Record<string, unknown>; [key: string]: unknown }>;
  Outputs?: Record<string, object>;
}

/** Starts the server's process; `pythonPath` is searched before everything else. */
export function startProcess(port: number, pythonPath = ''): Promise<ChildProcess> {
  return startPython(['-m', 'cell_factory_moto', '--port', String(port)], pythonPath);
}

/** Starts the server with threads that change all the time, so that what two of them do at once gets mixed. */
export function startRestless(port: number): Promise<ChildProcess> {
  const program = "import runpy, sys; sys.setswitchinterval(1e-6); runpy.run_module('cell_factory_moto', run_name='__main__')";
  return startPython(['-c', program, '--port', String(port)]);
}

async function startPython(args: readonly string[], pythonPath = ''): Promise<ChildProcess> {
  const { python, bytecode } = await pythonEnvironment();
  const env = {
    ...process.env,
    PYTHONDONTWRITEBYTECODE: '',
    PYTHONPYCACHEPREFIX: bytecode,
    PYTHONPATH: [pythonPath, MOTO_PLUGIN].filter(Boolean).join(path.delimiter),
  };
  return spawn(python, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Talks to any service of a local cloud, in one account, without a client of that service's own. */
export class Caller {
  public readonly stacks: CloudFormationClient;

  constructor(
    readonly endpoint: string,
    readonly accessKeyId = 'AKIAMANAGEMENT',
  ) {
    this.stacks = new CloudFormationClient({ endpoint, region: REGION, credentials: { accessKeyId, secretAccessKey: 'unused' } });
  }

  /** A caller in another account, by a role there. */
  async inAccount(account: string): Promise<Caller> {
    const xml = await this.query('sts', 'AssumeRole', { RoleArn: `arn:aws:iam::${account}:role/any`, RoleSessionName: 'test' });
    return new Caller(this.endpoint, textOf(xml, 'AccessKeyId'));
  }

  /** Calls a service with the query protocol (EC2, RDS, ElastiCache, ...) and gives the answer's XML. */
  async query(service: string, action: string, parameters: Record<string, string> = {}): Promise<string> {
    const version = API_VERSIONS[service];
    const body = new URLSearchParams({ Action: action, ...(version ? { Version: version } : {}), ...parameters });
    return this.send(service, 'POST', '/', body.toString(), { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' });
  }

  /** Calls a service with the JSON protocol; `target` is the prefix of its operations. */
  async json<T>(service: string, target: string, input: object = {}): Promise<T> {
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target };
    return JSON.parse((await this.send(service, 'POST', '/', JSON.stringify(input), headers)) || '{}') as T;
  }

  /** Calls a service with the REST protocol. */
  async rest(service: string, method: string, resource: string, body?: string): Promise<string> {
    return this.send(service, method, resource, body, {});
  }

  private async send(service: string, method: string, resource: string, body: string | undefined, headers: object): Promise<string> {
    // moto reads account, region and service from the credential; it does not check the signature.
    const credential = `${this.accessKeyId}/20260101/${REGION}/${service}/aws4_request`;
    const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=unused`;
    const answer = await fetch(this.endpoint + resource, { method, headers: { ...headers, authorization }, body: body ?? null });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${service} ${resource}: ${answer.status} ${text}`);
    return text;
  }

  /** Creates a stack, or updates it if there is one, and gives it in its final state. */
  async deploy(name: string, template: Template, parameters: Parameter[] = []): Promise<Stack> {
    const exists = await this.describe(name).then(
      () => true,
      () => false,
    );
    const input = { StackName: name, TemplateBody: JSON.stringify(template), Parameters: parameters };
    const { StackId: id } = exists
      ? await this.stacks.send(new UpdateStackCommand(input))
      : await this.stacks.send(new CreateStackCommand(input));
    return this.describe(id ?? name);
  }

  /** Deletes a stack and gives it in its final state. */
  async destroy(name: string): Promise<Stack> {
    const { StackId: id } = await this.describe(name);
    await this.stacks.send(new DeleteStackCommand({ StackName: name }));
    return this.describe(id ?? name);
  }

  async describe(name: string): Promise<Stack> {
    const { Stacks: stacks = [] } = await this.stacks.send(new DescribeStacksCommand({ StackName: name }));
    const stack = stacks[0];
    if (!stack) throw new Error(`No stack '${name}'.`);
    return stack;
  }

  /** The stack's events, oldest first. */
  async events(stack: Stack): Promise<StackEvent[]> {
    const { StackEvents: events = [] } = await this.stacks.send(new DescribeStackEventsCommand({ StackName: stack.StackId }));
    return events.reverse();
  }

  /** What the local cloud has left out. */
  async skipped(): Promise<{ account: string; region: string; stack: string; logicalId: string; type: string }[]> {
    const answer = await fetch(`${this.endpoint}/moto-api/cell-factory/skipped`);
    return ((await answer.json()) as { skipped: Awaited<ReturnType<Caller['skipped']>> }).skipped;
  }
}

const API_VERSIONS: Record<string, string> = {
  ec2: '2016-11-15',
  elasticache: '2015-02-02',
  elasticloadbalancing: '2015-12-01',
  iam: '2010-05-08',
  monitoring: '2010-08-01',
  rds: '2014-10-31',
  sns: '2010-03-31',
  sts: '2011-06-15',
};

/** The first value of an XML element. */
export function textOf(xml: string, element: string): string {
  const value = new RegExp(`<${element}>([^<]*)</${element}>`).exec(xml)?.[1];
  if (value === undefined) throw new Error(`No <${element}> in ${xml}`);
  return value;
}

/** A stack's outputs by key. */
export function outputsOf(stack: Stack): Record<string, string> {
  return Object.fromEntries((stack.Outputs ?? []).map((output) => [output.OutputKey ?? '', output.OutputValue ?? '']));
}
