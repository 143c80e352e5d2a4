/** Templates of different kinds, as teams write them: each passes, or is refused with the sentence that says why. */
import { describe, expect, test } from '@jest/globals';
import { TEMPLATE_CHECKS, templateProblems } from '../../../lib/artifact/template-check.ts';
import { draft, IMAGE, type Template } from '../../_helpers/artifacts.ts';

type Section = Record<string, unknown>;

/** A text of `Fn::Sub`: `<Name>` stands for what it takes in. */
const names = (text: string) => text.replaceAll(/<([^>]+)>/g, (_, name: string) => `$\{${name}}`);

const read = (path: string, type = 'String') => ({ Type: `AWS::SSM::Parameter::Value<${type}>`, Default: path });
const queue = (properties: Section = {}) => ({ Type: 'AWS::SQS::Queue', Properties: properties });
const of = (Resources: Section, rest: Section = {}): Template => ({ Resources, ...rest });
const filter = (dimensions: readonly string[]) => ({
  Type: 'AWS::Logs::MetricFilter',
  Properties: {
    LogGroupName: { Ref: 'Log' },
    FilterPattern: '{ $.event = "request" }',
    MetricTransformations: [
      {
        MetricNamespace: 'Cell',
        MetricName: 'Requests',
        MetricValue: '1',
        Dimensions: dimensions.map((Key) => ({ Key, Value: `$.${Key}` })),
      },
    ],
  },
});
const log = { Type: 'AWS::Logs::LogGroup', Properties: {} };
const role = (action: string) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: {
      Statement: [
        { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole', Condition: { Bool: { x: 'true' } } },
      ],
    },
    Policies: [{ PolicyName: 'x', PolicyDocument: { Statement: [{ Effect: 'Allow', Action: [action], Resource: '*' }] } }],
  },
});
const code = (variables: Section) => ({
  Type: 'AWS::Lambda::Function',
  Properties: {
    PackageType: 'Image',
    Code: { ImageUri: { Ref: 'ImageUri' } },
    Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
    Environment: { Variables: variables },
  },
});
const image = { Parameters: { ImageUri: { Type: 'String' } } };

interface Case {
  readonly template: Template;
  readonly images?: Record<string, string>;
  readonly parameters?: Record<string, string>;
  /** Requests that its bake needs. @default - 0 */
  readonly requests?: number;
  readonly route?: boolean;
  /** `code path: message`, a part of each; nothing for one that passes. */
  readonly says?: readonly (readonly [code: string, path: string, message: string, fix?: string])[];
}

const CASES: Readonly<Record<string, Case>> = {
  // Those that pass
  'a queue and nothing else': { template: of({ Queue: queue() }) },
  'a function from an image': {
    template: of({ Role: role('sqs:SendMessage'), Function: code({ LEVEL: 'info' }) }, image),
    images: { ImageUri: IMAGE },
  },
  'a service that counts its requests in its log': { template: of({ Log: log, Requests: filter(['cell', 'component']) }), requests: 100 },
  'a function that puts metrics itself': {
    template: of({ Role: role('cloudwatch:PutMetricData'), Function: code({}) }, image),
    images: { ImageUri: IMAGE },
    requests: 100,
  },
  'a function that emits metrics in its log lines, and says so': {
    template: of({ Log: log }, { Metadata: { 'Cell/Requests': 'embedded metric format' } }),
    requests: 100,
  },
  'a worker that serves no requests': { template: of({ Queue: queue() }), requests: 0, route: false },
  'subnets and a name of the cell': {
    template: of(
      { Queue: queue({ QueueName: { 'Fn::Sub': names('orders-<CellName>') } }) },
      { Parameters: { CellName: read('/cell/name'), Subnets: read('/cell/vpc/private-subnet-ids', 'List<String>') } },
    ),
  },
  "an image of AWS's own, from Parameter Store": {
    template: of(
      { Instance: { Type: 'AWS::EC2::Instance', Properties: { ImageId: { Ref: 'Ami' } } } },
      { Parameters: { Ami: read('/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64', 'AWS::EC2::Image::Id') } },
    ),
  },
  'a bucket that carries the account': {
    template: of({ Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: { 'Fn::Sub': names('orders-<AWS::AccountId>') } } } }),
  },
  'a UUID of zeros, telephone numbers, and an amount of twelve digits': {
    template: of({
      Queue: queue({ Value: '00000000-0000-0000-0000-000000000000', Other: '123e4567-e89b-12d3-a456-426614174000' }),
      Subscription: {
        Type: 'AWS::SNS::Subscription',
        Properties: { Protocol: 'sms', Endpoint: '+491701234567', TopicArn: { Ref: 'Topic' } },
      },
      Topic: { Type: 'AWS::SNS::Topic', Properties: { DisplayName: 'tel:491701234567', Bytes: 107_374_182_400 } },
    }),
  },
  'conditions, mappings, outputs, and what refers to them': {
    template: of(
      { Queue: { ...queue({ Delay: { 'Fn::FindInMap': ['Delays', { Ref: 'AWS::Region' }, 'seconds'] } }), Condition: 'IsLarge' } },
      {
        Parameters: { Stage: read('/cell/stage') },
        Mappings: { Delays: { 'eu-west-1': { seconds: 1 } } },
        Conditions: {
          IsProduction: { 'Fn::Equals': [{ Ref: 'Stage' }, 'production'] },
          IsLarge: { 'Fn::Not': [{ 'Fn::Not': [{ Condition: 'IsProduction' }] }] },
        },
        Outputs: {
          Url: { Condition: 'IsLarge', Value: { 'Fn::If': ['IsLarge', { 'Fn::GetAtt': 'Queue.Arn' }, { Ref: 'AWS::NoValue' }] } },
        },
      },
    ),
  },
  'a text of its own variables, and dollars that are none': {
    template: of({ Queue: queue({ Value: { 'Fn::Sub': [names('<Own>-<!Literal>-<AWS::Region>'), { Own: { Ref: 'AWS::StackName' } }] } }) }),
  },
  'a resource of a team’s own type': {
    template: of({ Thing: { Type: 'Custom::Thing', Properties: {} }, Other: { Type: 'Acme::Billing::Plan', Properties: {} } }),
  },

  // Those that are refused
  'no resources': { template: {}, says: [['TEMPLATE_INCOMPLETE', 'Resources', 'has no resources']] },
  'a resource without a type': {
    template: of({ Queue: { Properties: {} } }),
    says: [['TEMPLATE_INCOMPLETE', 'Resources.Queue.Type', 'is missing']],
  },
  'a serverless application that was not expanded': {
    template: of({ Queue: queue() }, { Transform: 'AWS::Serverless-2016-10-31' }),
    says: [['TEMPLATE_HIDES', 'Transform', 'runs the macro "AWS::Serverless-2016-10-31"', 'expand it in the build']],
  },
  'a macro inside a resource': {
    template: of({ Queue: queue({ 'Fn::Transform': { Name: 'AWS::Include' } }) }),
    says: [['TEMPLATE_HIDES', 'Resources.Queue.Properties.Fn::Transform', 'runs the macro "AWS::Include"']],
  },
  'a loop of the language extensions': {
    template: of({ 'Fn::ForEach::Queues': ['Name', ['a', 'b'], {}] }),
    says: [
      ['TEMPLATE_INCOMPLETE', 'Resources.Fn::ForEach::Queues.Type', 'is missing'],
      ['TEMPLATE_HIDES', 'Resources.Fn::ForEach::Queues', 'runs the macro "AWS::LanguageExtensions"'],
    ],
  },
  'a nested stack': {
    template: of({ Data: { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL: 'x' } } }),
    says: [['TEMPLATE_HIDES', 'Resources.Data', 'is a nested stack', 'split the component']],
  },
  'a reference to what is not there': {
    template: of({ Queue: queue({ KmsMasterKeyId: { Ref: 'Key' } }) }),
    says: [
      [
        'TEMPLATE_REFERENCE',
        'Resources.Queue.Properties.KmsMasterKeyId',
        'refers to Key, and the template has no such parameter or resource',
        '/cell/',
      ],
    ],
  },
  'an attribute of what is not there': {
    template: of({ Queue: queue({ RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': ['Dead', 'Arn'] } } }) }),
    says: [
      [
        'TEMPLATE_REFERENCE',
        'Resources.Queue.Properties.RedrivePolicy.deadLetterTargetArn',
        'refers to Dead, and the template has no such resource',
      ],
    ],
  },
  'a text with a name that is not there': {
    template: of({ Queue: queue({ Value: { 'Fn::Sub': names('x-<Dead.Arn>-<Level>') } }) }),
    says: [
      ['TEMPLATE_REFERENCE', 'Resources.Queue.Properties.Value', 'refers to Dead'],
      ['TEMPLATE_REFERENCE', 'Resources.Queue.Properties.Value', 'refers to Level'],
    ],
  },
  'an order, a condition and a mapping that are not there': {
    template: of({ Queue: { ...queue({ Delay: { 'Fn::FindInMap': ['Delays', 'a', 'b'] } }), DependsOn: ['Topic'], Condition: 'IsLarge' } }),
    says: [
      ['TEMPLATE_REFERENCE', 'Resources.Queue.Properties.Delay', 'refers to Delays, and the template has no such mapping'],
      ['TEMPLATE_REFERENCE', 'Resources.Queue.DependsOn', 'refers to Topic, and the template has no such resource'],
      ['TEMPLATE_REFERENCE', 'Resources.Queue.Condition', 'refers to IsLarge, and the template has no such condition'],
    ],
  },
  'a condition that asks for a resource': {
    template: of({ Queue: queue() }, { Conditions: { Is: { 'Fn::Equals': [{ Ref: 'Queue' }, 'x'] } } }),
    says: [['TEMPLATE_REFERENCE', 'Conditions.Is.Fn::Equals.0', 'refers to Queue, and the template has no such parameter']],
  },
  'an output of what is not there': {
    template: of({ Queue: queue() }, { Outputs: { Url: { Value: { Ref: 'Topic' } } } }),
    says: [['TEMPLATE_REFERENCE', 'Outputs.Url.Value', 'refers to Topic']],
  },
  'two security groups that need each other': {
    template: of({
      A: { Type: 'AWS::EC2::SecurityGroup', Properties: { GroupDescription: { Ref: 'B' } } },
      B: { Type: 'AWS::EC2::SecurityGroup', Properties: { GroupDescription: { Ref: 'A' } } },
    }),
    says: [['TEMPLATE_CIRCLE', 'Resources.A', 'needs itself: A -> B -> A']],
  },
  'a bucket with a name that all cells would share': {
    template: of({
      Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: { 'Fn::Join': ['-', ['orders', { Ref: 'AWS::Region' }]] } } },
    }),
    says: [['TEMPLATE_NAME', 'Resources.Bucket.Properties.BucketName', 'can exist once', '/cell/name']],
  },
  'the same name twice': {
    template: of({ A: queue({ QueueName: 'orders' }), B: queue({ QueueName: 'orders' }) }),
    says: [['TEMPLATE_NAME', 'Resources.B.Properties.QueueName', 'is "orders", as of A, and can exist once in a cell']],
  },
  'a parameter of the cell’s own': {
    template: of({ Name: { Type: 'AWS::SSM::Parameter', Properties: { Name: '/cell/name', Type: 'String', Value: 'x' } } }),
    says: [
      ['TEMPLATE_NAME', 'Resources.Name.Properties.Name', 'is "/cell/name": what is below /cell/ is the cell’s own', 'below /orders-api/'],
    ],
  },
  'a template that emits no requests': {
    template: of({ Queue: queue() }),
    requests: 100,
    says: [['TEMPLATE_REQUESTS', 'Resources', 'emits no Cell/Requests with the dimensions cell, component', 'minRequests: 0']],
  },
  'a template that emits them without the cell': {
    template: of({ Log: log, Requests: filter(['component']) }),
    requests: 7,
    says: [
      [
        'TEMPLATE_REQUESTS',
        'Resources',
        'emits Cell/Requests with the dimensions component, not cell, component, and its bake can’t pass before each cell has served 7',
      ],
    ],
  },
  'a network that is asked of whoever publishes': {
    template: of({ Queue: queue() }, { Parameters: { VpcId: { Type: 'String' } } }),
    says: [['TEMPLATE_VALUE', 'Parameters.VpcId', 'nothing says what VpcId is', 'Default /cell/vpc/id']],
  },
  'a level that is asked of whoever publishes': {
    template: of({ Queue: queue() }, { Parameters: { Level: { Type: 'String' } } }),
    says: [
      [
        'TEMPLATE_VALUE',
        'Parameters.Level',
        'nothing says what Level is',
        '/cell/…; what is the same in every cell gets a Default, or --parameter Level=…',
      ],
    ],
  },
  'a parameter that no cell has': {
    template: of({ Queue: queue() }, { Parameters: { Vpc: read('/cell/vpc/arn') } }),
    says: [['TEMPLATE_VALUE', 'Parameters.Vpc', 'reads /cell/vpc/arn, which no cell has', '/cell/vpc/id']],
  },
  'a secret in Parameter Store that is nobody’s of the cell': {
    template: of({ Queue: queue({ Value: '{{resolve:ssm:/acme/level:3}}' }) }),
    says: [['TEMPLATE_VALUE', 'Resources.Queue.Properties.Value', 'reads /acme/level:3 of the cell, which rollouts may not']],
  },
  'a listener rule without a route': {
    template: of({ Queue: queue() }, { Parameters: { ListenerPriority: { Type: 'Number' } } }),
    route: false,
    says: [['TEMPLATE_VALUE', 'Parameters.ListenerPriority', 'nothing says what ListenerPriority is', 'registry entry a route']],
  },
  'an account in a principal, as text and as a number': {
    template: of({
      Key: {
        Type: 'AWS::KMS::Key',
        Properties: { KeyPolicy: { Statement: [{ Principal: { AWS: 111122223333 } }, { Principal: { AWS: '111122223333' } }] } },
      },
    }),
    says: [
      ['TEMPLATE_PLACE', 'Resources.Key.Properties.KeyPolicy.Statement.0.Principal.AWS', 'names an account: 111122223333'],
      ['TEMPLATE_PLACE', 'Resources.Key.Properties.KeyPolicy.Statement.1.Principal.AWS', 'names an account: 111122223333'],
    ],
  },
};

describe('a component’s template', () => {
  test('is tried in thirty kinds and more', () => {
    expect(Object.keys(CASES).length).toBeGreaterThanOrEqual(30);
    const told = new Set(Object.values(CASES).flatMap(({ says = [] }) => says.map(([check]) => check)));
    // Its size is tried where it is published.
    expect([...told, 'TEMPLATE_TOO_LARGE'].sort()).toEqual(TEMPLATE_CHECKS.map((check) => check.code).sort());
  });

  test.each(Object.entries(CASES))('%s', (_, { template, images = {}, parameters = {}, requests = 0, route = true, says = [] }) => {
    const found = templateProblems(draft({ template, images, parameters }), { requests, route });
    const plain = (text: string) => text.replaceAll("'", '’');
    expect(found.map(({ code: check, path }) => `${check} ${path}`)).toEqual(says.map(([check, path]) => `${check} ${path}`));
    for (const [index, [, , message, fix = '']] of says.entries()) {
      expect(plain(found[index]?.message ?? '')).toContain(message);
      expect(plain(found[index]?.fix ?? '')).toContain(fix);
    }
  });
});
