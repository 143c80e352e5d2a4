import { describe, expect, test } from '@jest/globals';
import { aws, cloud, parameterValue, secretValue } from './management.ts';
import { MANAGEMENT_ACCOUNT, outputsOf, REGION, type Template, textOf } from './server.ts';

describe('resources', () => {
  test('a cache keeps its endpoints through a change', async () => {
    const cache = (replicas: number): Template => ({
      Resources: {
        ...network().Resources,
        Group: { Type: 'AWS::ElastiCache::SubnetGroup', Properties: { Description: 'd', SubnetIds: [{ Ref: 'Subnet' }] } },
        Cache: {
          Type: 'AWS::ElastiCache::ReplicationGroup',
          Properties: {
            ReplicationGroupDescription: 'd',
            Engine: 'redis',
            NumCacheClusters: replicas,
            CacheSubnetGroupName: { Ref: 'Group' },
          },
        },
      },
      Outputs: {
        Primary: { Value: { 'Fn::GetAtt': ['Cache', 'PrimaryEndPoint.Address'] } },
        Port: { Value: { 'Fn::GetAtt': ['Cache', 'PrimaryEndPoint.Port'] } },
        Reader: { Value: { 'Fn::GetAtt': ['Cache', 'ReaderEndPoint.Address'] } },
      },
    });
    const outputs = outputsOf(await aws.deploy('cache', cache(2)));
    expect(outputs).toEqual({ Primary: expect.stringMatching(/^master\./), Port: '6379', Reader: expect.stringMatching(/^replica\./) });

    expect(outputsOf(await aws.deploy('cache', cache(3)))).toEqual(outputs);

    expect(await aws.query('elasticache', 'DescribeReplicationGroups')).toMatch(/-003</);
    await aws.destroy('cache');
    expect(await aws.query('elasticache', 'DescribeReplicationGroups')).not.toContain('-001<');
  });

  test('a secret is generated once, and its value can be used in a template', async () => {
    const secret = (description: string): Template => ({
      Resources: {
        Secret: {
          Type: 'AWS::SecretsManager::Secret',
          Properties: {
            Name: 'generated',
            Description: description,
            GenerateSecretString: { SecretStringTemplate: '{"username":"u"}', GenerateStringKey: 'password', ExcludePunctuation: true },
          },
        },
        Copy: {
          Type: 'AWS::SSM::Parameter',
          Properties: {
            Name: '/copy/secret',
            Type: 'String',
            // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder is the template's.
            Value: { 'Fn::Sub': '{{resolve:secretsmanager:${Secret}:SecretString:password::}}' },
          },
        },
      },
    });
    await aws.deploy('secret', secret('one'));
    const before = await secretValue('generated');

    await aws.deploy('secret', secret('two'));

    expect(await secretValue('generated')).toBe(before);
    expect(JSON.parse(before)).toEqual({ username: 'u', password: await parameterValue('/copy/secret') });
    await aws.destroy('secret');
    await expect(secretValue('generated')).rejects.toThrow('ResourceNotFoundException');
  });

  test('policies of a queue and a bucket are set', async () => {
    const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }] };
    await aws.deploy('policies', {
      Resources: {
        Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'with-policy' } },
        QueuePolicy: { Type: 'AWS::SQS::QueuePolicy', Properties: { Queues: [{ Ref: 'Queue' }], PolicyDocument: policy } },
        Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'with-policy' } },
        BucketPolicy: { Type: 'AWS::S3::BucketPolicy', Properties: { Bucket: { Ref: 'Bucket' }, PolicyDocument: policy } },
      },
    });

    const { Attributes: attributes } = await aws.json<{ Attributes: { Policy: string } }>('sqs', 'AmazonSQS.GetQueueAttributes', {
      QueueUrl: `${cloud.running.endpoint}/${MANAGEMENT_ACCOUNT}/with-policy`,
      AttributeNames: ['Policy'],
    });
    expect(JSON.parse(attributes.Policy)).toEqual(policy);
    expect(JSON.parse(await aws.rest('s3', 'GET', '/with-policy?policy'))).toEqual(policy);
  });

  test('a bucket policy that denies on a condition does not deny everything', async () => {
    const insecure = { Bool: { 'aws:SecureTransport': 'false' } };
    const statement = { Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: '*', Condition: insecure };
    await aws.deploy('ssl', {
      Resources: {
        Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'secure', VersioningConfiguration: { Status: 'Enabled' } } },
        Policy: {
          Type: 'AWS::S3::BucketPolicy',
          Properties: { Bucket: { Ref: 'Bucket' }, PolicyDocument: { Version: '2012-10-17', Statement: [statement] } },
        },
      },
    });

    await aws.rest('s3', 'PUT', '/secure/object', 'content');

    expect(await aws.rest('s3', 'GET', '/secure/object')).toBe('content');
    expect(await aws.rest('s3', 'GET', '/secure?versioning')).toContain('<Status>Enabled</Status>');
  });

  test('a database has its endpoint, and its managed password is a secret', async () => {
    const database = (size: string): Template => ({
      Resources: {
        Database: {
          Type: 'AWS::RDS::DBInstance',
          Properties: {
            DBInstanceIdentifier: 'db',
            Engine: 'postgres',
            DBInstanceClass: size,
            AllocatedStorage: '20',
            MasterUsername: 'postgres',
            ManageMasterUserPassword: true,
          },
        },
      },
      Outputs: {
        Address: { Value: { 'Fn::GetAtt': ['Database', 'Endpoint.Address'] } },
        Port: { Value: { 'Fn::GetAtt': ['Database', 'Endpoint.Port'] } },
        Secret: { Value: { 'Fn::GetAtt': ['Database', 'MasterUserSecret.SecretArn'] } },
      },
    });
    const outputs = outputsOf(await aws.deploy('database', database('db.t4g.micro')));
    expect(outputs).toMatchObject({ Address: expect.stringMatching(/^db\./), Port: '5432' });
    expect(JSON.parse(await secretValue(outputs['Secret'] ?? ''))).toMatchObject({ username: 'postgres' });

    expect(outputsOf(await aws.deploy('database', database('db.t4g.large')))).toEqual(outputs);

    expect(textOf(await aws.query('rds', 'DescribeDBInstances'), 'DBInstanceClass')).toBe('db.t4g.large');
    await aws.destroy('database');
    await expect(secretValue(outputs['Secret'] ?? '')).rejects.toThrow('ResourceNotFoundException');
  });

  test("a load balancer's names and ARNs can be read, and a whole network is deleted", async () => {
    const stack = await aws.deploy('network', {
      Resources: {
        ...network().Resources,
        ...gateways(),
        Balancer: {
          Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer',
          Properties: { Name: 'front', Subnets: [{ Ref: 'Subnet' }], SecurityGroups: [{ 'Fn::GetAtt': ['Front', 'GroupId'] }] },
        },
        Targets: {
          Type: 'AWS::ElasticLoadBalancingV2::TargetGroup',
          Properties: { Name: 'targets', Port: 80, Protocol: 'HTTP', TargetType: 'ip', VpcId: { Ref: 'Vpc' } },
        },
        Listener: {
          Type: 'AWS::ElasticLoadBalancingV2::Listener',
          Properties: {
            LoadBalancerArn: { Ref: 'Balancer' },
            Port: 80,
            Protocol: 'HTTP',
            DefaultActions: [{ Type: 'forward', TargetGroupArn: { Ref: 'Targets' } }],
          },
        },
      },
      Outputs: {
        Dns: { Value: { 'Fn::GetAtt': ['Balancer', 'DNSName'] } },
        Zone: { Value: { 'Fn::GetAtt': ['Balancer', 'CanonicalHostedZoneID'] } },
        Balancer: { Value: { 'Fn::GetAtt': ['Balancer', 'LoadBalancerFullName'] } },
        Arn: { Value: { 'Fn::GetAtt': ['Balancer', 'LoadBalancerArn'] } },
        Listener: { Value: { 'Fn::GetAtt': ['Listener', 'ListenerArn'] } },
        Targets: { Value: { 'Fn::GetAtt': ['Targets', 'TargetGroupFullName'] } },
        Zones: { Value: { 'Fn::GetAtt': ['Subnet', 'AvailabilityZone'] } },
      },
    });
    expect(outputsOf(stack)).toEqual({
      Dns: expect.stringMatching(/^front-.*elb\.amazonaws\.com$/),
      Zone: expect.any(String),
      Balancer: expect.stringMatching(/^app\/front\//),
      Arn: expect.stringMatching(/:loadbalancer\/app\/front\//),
      Listener: expect.stringMatching(/:listener\/app\/front\//),
      Targets: expect.stringMatching(/^targetgroup\/targets\//),
      Zones: `${REGION}a`,
    });

    expect(await aws.destroy('network')).toMatchObject({ StackStatus: 'DELETE_COMPLETE' });

    const left = await Promise.all(
      ['DescribeVpcs', 'DescribeInternetGateways', 'DescribeAddresses', 'DescribeSecurityGroups'].map((action) => aws.query('ec2', action)),
    );
    expect(left.join('')).not.toMatch(/10\.9\.0\.0|igw-|eipalloc-|GroupDescription>front/);
    expect(await aws.query('elasticloadbalancing', 'DescribeTargetGroups')).not.toContain('targets');
  });

  test("a key's policy is a document and can be changed", async () => {
    const key = (id: string): Template => ({
      Resources: { Key: { Type: 'AWS::KMS::Key', Properties: { KeyPolicy: { Version: '2012-10-17', Id: id, Statement: [allowRoot()] } } } },
      Outputs: { Id: { Value: { Ref: 'Key' } }, Arn: { Value: { 'Fn::GetAtt': ['Key', 'Arn'] } } },
    });
    const outputs = outputsOf(await aws.deploy('key', key('one')));
    expect(outputs['Arn']).toMatch(/^arn:aws:kms:/);

    await aws.deploy('key', key('two'));

    const { Policy: policy } = await aws.json<{ Policy: string }>('kms', 'TrentService.GetKeyPolicy', {
      KeyId: outputs['Id'],
      PolicyName: 'default',
    });
    expect(JSON.parse(policy)).toMatchObject({ Id: 'two' });
  });
});

function allowRoot(): object {
  return { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${MANAGEMENT_ACCOUNT}:root` }, Action: 'kms:*', Resource: '*' };
}

function network(): Template {
  return {
    Resources: {
      Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: '10.9.0.0/16', EnableDnsHostnames: true } },
      Subnet: {
        Type: 'AWS::EC2::Subnet',
        Properties: {
          VpcId: { Ref: 'Vpc' },
          CidrBlock: { 'Fn::Select': [1, { 'Fn::Cidr': [{ 'Fn::GetAtt': ['Vpc', 'CidrBlock'] }, 2, 8] }] },
          AvailabilityZone: { 'Fn::Select': [0, { 'Fn::GetAZs': '' }] },
        },
      },
    },
  };
}

/** Ways out of the network above, and security groups that refer to each other. */
function gateways(): Template['Resources'] {
  const rule = (from: string, to: string, port: number) => ({
    Type: 'AWS::EC2::SecurityGroupIngress',
    Properties: {
      GroupId: { 'Fn::GetAtt': [to, 'GroupId'] },
      SourceSecurityGroupId: { 'Fn::GetAtt': [from, 'GroupId'] },
      IpProtocol: 'tcp',
      FromPort: port,
      ToPort: port,
    },
  });
  const group = (name: string) => ({
    Type: 'AWS::EC2::SecurityGroup',
    Properties: {
      GroupDescription: name,
      VpcId: { Ref: 'Vpc' },
      SecurityGroupIngress: [{ IpProtocol: '-1', CidrIp: '10.0.0.0/8' }],
      SecurityGroupEgress: [{ IpProtocol: '-1', CidrIp: '0.0.0.0/0' }],
    },
  });
  return {
    Internet: { Type: 'AWS::EC2::InternetGateway' },
    Attachment: { Type: 'AWS::EC2::VPCGatewayAttachment', Properties: { VpcId: { Ref: 'Vpc' }, InternetGatewayId: { Ref: 'Internet' } } },
    Address: { Type: 'AWS::EC2::EIP', DependsOn: 'Attachment', Properties: { Domain: 'vpc' } },
    Nat: {
      Type: 'AWS::EC2::NatGateway',
      Properties: { SubnetId: { Ref: 'Subnet' }, AllocationId: { 'Fn::GetAtt': ['Address', 'AllocationId'] } },
    },
    Routes: { Type: 'AWS::EC2::RouteTable', Properties: { VpcId: { Ref: 'Vpc' } } },
    Association: {
      Type: 'AWS::EC2::SubnetRouteTableAssociation',
      Properties: { SubnetId: { Ref: 'Subnet' }, RouteTableId: { Ref: 'Routes' } },
    },
    Route: {
      Type: 'AWS::EC2::Route',
      DependsOn: 'Attachment',
      Properties: { RouteTableId: { Ref: 'Routes' }, DestinationCidrBlock: '0.0.0.0/0', NatGatewayId: { Ref: 'Nat' } },
    },
    Front: group('front'),
    Back: group('back'),
    FrontToBack: rule('Front', 'Back', 80),
    BackToFront: rule('Back', 'Front', 81),
    FrontOut: {
      Type: 'AWS::EC2::SecurityGroupEgress',
      Properties: {
        GroupId: { 'Fn::GetAtt': ['Front', 'GroupId'] },
        DestinationSecurityGroupId: { 'Fn::GetAtt': ['Back', 'GroupId'] },
        IpProtocol: 'tcp',
        FromPort: 80,
        ToPort: 80,
      },
    },
  };
}
