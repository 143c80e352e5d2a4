/** Physical names that can exist once: in the world, in a cell, or in the template itself. Pure. */
import { CELL_PARAMETERS, PROBE_PARAMETERS } from '../plan/cell-parameters.ts';
import { type ComponentTemplate, type Finding, isSection, resourcesOf } from './template.ts';

/** Names of which AWS has one for all accounts, by the type that they are given to. */
const UNIQUE_BEYOND_ACCOUNTS: Readonly<Record<string, readonly string[]>> = {
  'AWS::S3::Bucket': ['BucketName'],
  'AWS::S3Express::DirectoryBucket': ['BucketName'],
  'AWS::Cognito::UserPoolDomain': ['Domain'],
  'AWS::ApiGateway::DomainName': ['DomainName'],
  'AWS::ApiGatewayV2::DomainName': ['DomainName'],
  'AWS::AppSync::DomainName': ['DomainName'],
  'AWS::CloudFront::Distribution': ['DistributionConfig.Aliases'],
  'AWS::ElasticBeanstalk::Environment': ['CNAMEPrefix'],
};

/** Names of which an account has one in a region, by type. Types that share names have the same word before the colon. */
const UNIQUE_IN_CELL: Readonly<Record<string, string>> = {
  'AWS::CloudWatch::Alarm': 'alarm:AlarmName',
  'AWS::CloudWatch::CompositeAlarm': 'alarm:AlarmName',
  'AWS::DynamoDB::Table': 'table:TableName',
  'AWS::ECR::Repository': 'repository:RepositoryName',
  'AWS::ECS::Cluster': 'cluster:ClusterName',
  'AWS::ECS::Service': 'service:ServiceName',
  'AWS::ElasticLoadBalancingV2::TargetGroup': 'target group:Name',
  'AWS::Events::Rule': 'rule:Name',
  'AWS::IAM::ManagedPolicy': 'policy:ManagedPolicyName',
  'AWS::IAM::Role': 'role:RoleName',
  'AWS::KMS::Alias': 'alias:AliasName',
  'AWS::Kinesis::Stream': 'stream:Name',
  'AWS::Lambda::Function': 'function:FunctionName',
  'AWS::Logs::LogGroup': 'log group:LogGroupName',
  'AWS::S3::Bucket': 'bucket:BucketName',
  'AWS::SNS::Topic': 'topic:TopicName',
  'AWS::SQS::Queue': 'queue:QueueName',
  'AWS::SSM::Parameter': 'parameter:Name',
  'AWS::SecretsManager::Secret': 'secret:Name',
  'AWS::StepFunctions::StateMachine': 'state machine:StateMachineName',
};

/** Parameters of cells that say the same in many of them. */
const ALIKE: ReadonlySet<unknown> = new Set([
  CELL_PARAMETERS.stage,
  CELL_PARAMETERS.serviceCpu,
  CELL_PARAMETERS.serviceMemory,
  CELL_PARAMETERS.serviceMinTasks,
  CELL_PARAMETERS.serviceMaxTasks,
  CELL_PARAMETERS.databasePort,
  CELL_PARAMETERS.databaseName,
  CELL_PARAMETERS.cachePort,
  CELL_PARAMETERS.foundationVersion,
]);

const at = (value: unknown, path: string): unknown =>
  path.split('.').reduce((found: unknown, key) => (isSection(found) ? found[key] : undefined), value);

/** True for what a name refers to where that is the same in every cell. */
function namedAlike(name: string, { Parameters = {} }: ComponentTemplate): boolean {
  if (name.startsWith('AWS::')) return name !== 'AWS::AccountId' && name !== 'AWS::StackId';
  // What stands for a resource is made up by CloudFormation.
  if (name.includes('.') || !Object.hasOwn(Parameters, name)) return false;
  const { Type, Default } = Parameters[name] ?? {};
  return String(Type).startsWith('AWS::SSM::') ? ALIKE.has(Default) : true;
}

/** True for a value that is the same in every cell, as far as the template tells. */
function isAlike(value: unknown, template: ComponentTemplate): boolean {
  if (typeof value === 'string') return !value.includes('{{resolve:');
  if (typeof value !== 'object' || value === null) return true;
  const [key, inner] = Object.entries(value)[0] ?? [];
  if (key === 'Ref') return namedAlike(String(inner), template);
  if (key === 'Fn::GetAtt' || key === 'Fn::ImportValue') return false;
  if (key === 'Fn::Sub') {
    const [text, variables = {}] = Array.isArray(inner) ? (inner as unknown[]) : [inner];
    const names = [...String(text).matchAll(/\$\{([^!}][^}]*)\}/g)].map(([, name = '']) => name.trim());
    const own = isSection(variables) ? variables : {};
    return names.every((name) => (Object.hasOwn(own, name) ? isAlike(own[name], template) : namedAlike(name, template)));
  }
  return Object.values(value).every((each) => isAlike(each, template));
}

const shown = (value: unknown) => (typeof value === 'string' ? `"${value}"` : JSON.stringify(value));

/** Names that the second cell could not have, because the first one does. */
function* takenInTheWorld(template: ComponentTemplate): Generator<Finding> {
  for (const { id, type, properties } of resourcesOf(template)) {
    for (const property of UNIQUE_BEYOND_ACCOUNTS[type] ?? []) {
      const value = at(properties, property);
      if (value === undefined || !isAlike(value, template)) continue;
      yield {
        path: `Resources.${id}.Properties.${property}`,
        message: `is ${shown(value)} in every cell, and can exist once: AWS has such a name for one account only`,
        fix: 'leave the name out, or put the name of the cell (/cell/name) or AWS::AccountId into it',
      };
    }
  }
}

/** Names that the template gives twice, or that the cell itself has. */
function* takenInTheCell(component: string, template: ComponentTemplate): Generator<Finding> {
  const first = new Map<string, string>();
  for (const { id, type, properties } of resourcesOf(template)) {
    const [kind = '', property = ''] = UNIQUE_IN_CELL[type]?.split(':') ?? [];
    const value = properties[property];
    if (value === undefined) continue;
    const path = `Resources.${id}.Properties.${property}`;
    const key = `${kind} ${JSON.stringify(value)}`;
    const other = first.get(key);
    if (other !== undefined) {
      yield {
        path,
        message: `is ${shown(value)}, as of ${other}, and can exist once in a cell`,
        fix: 'give each a name of its own, or none',
      };
    } else first.set(key, id);
    if (kind === 'parameter' && typeof value === 'string' && value.startsWith('/cell/') && value !== `${PROBE_PARAMETERS}/${component}`) {
      const message = `is "${value}": what is below /cell/ is the cell's own, but for ${PROBE_PARAMETERS}/${component}`;
      yield { path, message, fix: `write it below /${component}/` };
    }
  }
}

/** Names that can exist once, and would have to exist more often. */
export function* takenNames(component: string, template: ComponentTemplate): Generator<Finding> {
  yield* takenInTheWorld(template);
  yield* takenInTheCell(component, template);
}
