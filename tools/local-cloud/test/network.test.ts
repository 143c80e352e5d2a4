import { describe, expect, test } from '@jest/globals';
import { aws, deploy, destroy, ec2, network, TAGS, tagged } from './cell.ts';
import { REGION, type Template, textOf } from './server.ts';

describe('a network', () => {
  const SERVICES = ['ecr.api', 'ecr.dkr', 'logs', 'secretsmanager', 'ssm', 'sqs', 'sts', 'kms'];

  test('has endpoints for services, which are changed in place and leave nothing behind', async () => {
    const template = (subnets: string[]): Template => ({
      Resources: {
        ...network(),
        ...Object.fromEntries(
          SERVICES.map((service) => [
            `Endpoint${service.replace('.', '')}`,
            {
              Type: 'AWS::EC2::VPCEndpoint',
              Properties: {
                ServiceName: `com.amazonaws.${REGION}.${service}`,
                VpcEndpointType: 'Interface',
                VpcId: { Ref: 'Vpc' },
                PrivateDnsEnabled: true,
                SecurityGroupIds: [{ 'Fn::GetAtt': ['Group', 'GroupId'] }],
                SubnetIds: subnets.map((subnet) => ({ Ref: subnet })),
                Tags: TAGS,
              },
            },
          ]),
        ),
        Storage: {
          Type: 'AWS::EC2::VPCEndpoint',
          Properties: {
            ServiceName: { 'Fn::Join': ['', ['com.amazonaws.', { Ref: 'AWS::Region' }, '.s3']] },
            VpcEndpointType: 'Gateway',
            VpcId: { Ref: 'Vpc' },
            RouteTableIds: [{ Ref: 'Table' }],
          },
        },
      },
      Outputs: {
        Id: { Value: { Ref: 'Endpointsqs' } },
        Group: { Value: { Ref: 'Group' } },
        Dns: { Value: { 'Fn::Select': [0, { 'Fn::GetAtt': ['Endpointsqs', 'DnsEntries'] }] } },
      },
    });
    const before = await deploy('endpoints', template(['SubnetA']));
    const listed = await ec2('DescribeVpcEndpoints');
    expect(listed.match(/<vpcEndpointType>Interface</g)).toHaveLength(SERVICES.length);
    expect(listed.match(/<vpcEndpointType>Gateway</g)).toHaveLength(1);
    expect(listed.match(/<privateDnsEnabled>true</g)).toHaveLength(SERVICES.length);
    expect(before['Dns']).toMatch(/^\w+:vpce-/);
    const sqs = { 'VpcEndpointId.1': before['Id'] ?? '' };
    expect(textOf(await ec2('DescribeVpcEndpoints', sqs), 'groupId')).toBe(before['Group']);
    expect(await ec2('DescribeVpcEndpoints', sqs)).toMatch(/<key>cell<\/key>\s*<value>alpha</);
    const interfaces = async () => (await ec2('DescribeNetworkInterfaces')).match(/<networkInterfaceId>/g)?.length ?? 0;
    expect(await interfaces()).toBe(SERVICES.length);

    expect(await deploy('endpoints', template(['SubnetA', 'SubnetB']))).toEqual(before);
    expect(await interfaces()).toBe(2 * SERVICES.length);

    await destroy('endpoints');
    expect(await ec2('DescribeVpcEndpoints')).not.toContain('vpce-');
    expect(await interfaces()).toBe(0);
  });

  test('goes out through an instance of the newest image', async () => {
    const template = (size: string, name: string): Template => ({
      Parameters: {
        Image: {
          Type: 'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>',
          Default: '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.1-arm64',
        },
      },
      Resources: {
        ...network(),
        Role: {
          Type: 'AWS::IAM::Role',
          Properties: {
            AssumeRolePolicyDocument: {
              Version: '2012-10-17',
              Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'ec2.amazonaws.com' } }],
            },
          },
        },
        Profile: { Type: 'AWS::IAM::InstanceProfile', Properties: { Roles: [{ Ref: 'Role' }] } },
        Launch: {
          Type: 'AWS::EC2::LaunchTemplate',
          Properties: { LaunchTemplateName: 'nat', LaunchTemplateData: { MetadataOptions: { HttpTokens: 'required' } } },
        },
        Nat: {
          Type: 'AWS::EC2::Instance',
          DependsOn: ['Role'],
          Properties: {
            AvailabilityZone: { 'Fn::Select': [0, { 'Fn::GetAZs': '' }] },
            IamInstanceProfile: { Ref: 'Profile' },
            ImageId: { Ref: 'Image' },
            InstanceType: size,
            LaunchTemplate: { LaunchTemplateName: 'nat', Version: { 'Fn::GetAtt': ['Launch', 'LatestVersionNumber'] } },
            NetworkInterfaces: [
              {
                AssociatePublicIpAddress: true,
                DeviceIndex: '0',
                GroupSet: [{ 'Fn::GetAtt': ['Group', 'GroupId'] }],
                SubnetId: { Ref: 'SubnetA' },
              },
            ],
            SourceDestCheck: false,
            Tags: [{ Key: 'Name', Value: name }, ...TAGS],
            UserData: { 'Fn::Base64': '#!/bin/bash\nyum install -y iptables' },
          },
        },
        Route: {
          Type: 'AWS::EC2::Route',
          Properties: { RouteTableId: { Ref: 'Table' }, DestinationCidrBlock: '0.0.0.0/0', InstanceId: { Ref: 'Nat' } },
        },
      },
      Outputs: {
        Id: { Value: { Ref: 'Nat' } },
        Image: { Value: { Ref: 'Image' } },
        Group: { Value: { Ref: 'Group' } },
        Private: { Value: { 'Fn::GetAtt': ['Nat', 'PrivateIp'] } },
        Public: { Value: { 'Fn::GetAtt': ['Nat', 'PublicIp'] } },
      },
    });
    const before = await deploy('nat', template('t4g.nano', 'one'));
    const which = { 'InstanceId.1': before['Id'] ?? '' };
    const described = await ec2('DescribeInstances', which);
    expect(textOf(described, 'imageId')).toBe(before['Image']);
    expect(before['Image']).toMatch(/^ami-/);
    expect(textOf(described, 'sourceDestCheck')).toBe('false');
    expect(textOf(described, 'groupId')).toBe(before['Group']);
    expect(described).toContain(':instance-profile/');
    expect(before['Private']).toMatch(/^10\.7\.0\./);
    expect(await ec2('DescribeRouteTables')).toContain(`<instanceId>${before['Id']}</instanceId>`);
    const data = await ec2('DescribeInstanceAttribute', { InstanceId: before['Id'] ?? '', Attribute: 'userData' });
    expect(Buffer.from(/<userData>\s*<value>([^<]+)</.exec(data)?.[1] ?? '', 'base64').toString()).toMatch(/^#!\/bin\/bash/);

    expect(await deploy('nat', template('t4g.nano', 'two'))).toEqual(before);
    // For another size it has to stop.
    expect(await deploy('nat', template('t4g.micro', 'two'))).toEqual({
      ...before,
      Public: expect.not.stringMatching(before['Public'] ?? ''),
    });
    const changed = await ec2('DescribeInstances', which);
    expect(textOf(changed, 'instanceType')).toBe('t4g.micro');
    expect(changed).toContain('<value>two</value>');
    expect((await tagged()).some((arn) => arn.endsWith(`instance/${before['Id']}`))).toBe(true);

    await destroy('nat');
    expect(textOf(await ec2('DescribeInstances', which), 'name')).toBe('terminated');
    expect(await ec2('DescribeVpcs')).not.toContain('10.7.0.0');
  });
});

describe('a front door', () => {
  test('speaks HTTPS with a certificate, sends HTTP there, and logs', async () => {
    const template = (policy: string): Template => ({
      Resources: {
        ...network(),
        Logs: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'access-logs' } },
        Zone: { Type: 'AWS::Route53::HostedZone', Properties: { Name: 'door.example' } },
        Certificate: {
          Type: 'AWS::CertificateManager::Certificate',
          DeletionPolicy: 'Retain',
          Properties: {
            DomainName: 'door.example',
            ValidationMethod: 'DNS',
            DomainValidationOptions: [{ DomainName: 'door.example', HostedZoneId: { Ref: 'Zone' } }],
          },
        },
        Balancer: {
          Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer',
          Properties: {
            Type: 'application',
            Scheme: 'internet-facing',
            Subnets: [{ Ref: 'SubnetA' }, { Ref: 'SubnetB' }],
            SecurityGroups: [{ 'Fn::GetAtt': ['Group', 'GroupId'] }],
            LoadBalancerAttributes: [
              { Key: 'deletion_protection.enabled', Value: 'false' },
              { Key: 'access_logs.s3.enabled', Value: 'true' },
              { Key: 'access_logs.s3.bucket', Value: { Ref: 'Logs' } },
              { Key: 'access_logs.s3.prefix', Value: 'alpha' },
              { Key: 'routing.http.drop_invalid_header_fields.enabled', Value: 'true' },
            ],
            Tags: TAGS,
          },
        },
        Https: {
          Type: 'AWS::ElasticLoadBalancingV2::Listener',
          Properties: {
            LoadBalancerArn: { Ref: 'Balancer' },
            Port: 443,
            Protocol: 'HTTPS',
            SslPolicy: policy,
            Certificates: [{ CertificateArn: { Ref: 'Certificate' } }],
            DefaultActions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '404' } }],
          },
        },
        Http: {
          Type: 'AWS::ElasticLoadBalancingV2::Listener',
          Properties: {
            LoadBalancerArn: { Ref: 'Balancer' },
            Port: 80,
            Protocol: 'HTTP',
            DefaultActions: [{ Type: 'redirect', RedirectConfig: { Port: '443', Protocol: 'HTTPS', StatusCode: 'HTTP_301' } }],
          },
        },
      },
      Outputs: {
        Balancer: { Value: { Ref: 'Balancer' } },
        Https: { Value: { Ref: 'Https' } },
        Certificate: { Value: { Ref: 'Certificate' } },
      },
    });
    const balancing = (action: string, parameters: Record<string, string>) => aws.query('elasticloadbalancing', action, parameters);
    const before = await deploy('door', template('ELBSecurityPolicy-TLS13-1-2-2021-06'));
    const balancer = { LoadBalancerArn: before['Balancer'] ?? '' };
    const listeners = await balancing('DescribeListeners', balancer);
    expect(listeners).toContain(`<CertificateArn>${before['Certificate']}</CertificateArn>`);
    expect(listeners).toContain('<StatusCode>HTTP_301</StatusCode>');
    const attributes = await balancing('DescribeLoadBalancerAttributes', balancer);
    expect(attributes).toMatch(/access_logs\.s3\.bucket<\/Key>\s*<Value>access-logs/);
    expect(await tagged()).toContain(before['Balancer']);

    expect(await deploy('door', template('ELBSecurityPolicy-TLS13-1-3-2021-06'))).toEqual(before);
    expect(await balancing('DescribeListeners', balancer)).toContain('ELBSecurityPolicy-TLS13-1-3-2021-06');
  });
});
