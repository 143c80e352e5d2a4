import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  artifactDigest,
  fileKey,
  madeFor,
  manifestKey,
  readArtifact,
  readFileChecked,
  sha256,
  templateFor,
} from '../../../lib/artifact/artifacts.ts';
import { publishArtifact } from '../../../lib/artifact/publishing.ts';
import type { FactoryError } from '../../../lib/registry/index.ts';
import { at, draft, failureOf, foundation, HOME, IMAGE, memory, NOW, stores, TEMPLATE, type Template } from '../../_helpers/artifacts.ts';
import { MemoryObjects } from '../../_helpers/objects.ts';

describe('publishing an artifact', () => {
  test('writes it to every region alike, and says who, when, and what it is', async () => {
    const buckets = memory('us-east-1');
    const { manifest, state, regions } = await publishArtifact(draft(), stores(buckets), NOW);
    expect({ state, regions }).toEqual({ state: 'published', regions: ['eu-west-1', 'us-east-1'] });
    const text = draft().files.get('orders-api.template.json') ?? '';
    expect(manifest).toEqual({
      component: 'orders-api',
      kind: 'cloudformation',
      version: '1.0.0',
      files: { 'orders-api.template.json': { sha256: sha256(text), bytes: text.length } },
      template: 'orders-api.template.json',
      parameters: {},
      images: { ImageUri: IMAGE },
      digest: artifactDigest(manifest),
      commit: 'abc123',
      publishedAt: '2030-01-10T00:00:00.000Z',
      by: 'ada',
    });
    for (const store of buckets.values()) {
      expect(await readArtifact(store, 'orders-api', '1.0.0', manifest.digest)).toEqual(manifest);
      expect(await readFileChecked(store, manifest, manifest.template)).toBe(text);
    }
    expect([...at(buckets, 'us-east-1').objects.keys()].sort()).toEqual([
      'artifacts/orders-api/1.0.0/files/orders-api.template.json',
      'artifacts/orders-api/1.0.0/manifest.json',
    ]);
  });

  test('again changes nothing: whoever does it, whenever, from whichever commit', async () => {
    const buckets = memory('us-east-1');
    const first = await publishArtifact(draft(), stores(buckets), NOW);
    const before = [...buckets.values()].map(({ objects }) => [...objects]);
    const again = await publishArtifact(draft({ by: 'bob', commit: undefined }), stores(buckets), new Date());
    expect(again).toEqual({ manifest: first.manifest, state: 'unchanged', regions: [] });
    expect([...buckets.values()].map(({ objects }) => [...objects])).toEqual(before);
  });

  test('again brings it to regions that lack it', async () => {
    const buckets = memory();
    const first = await publishArtifact(draft(), stores(buckets), NOW);
    buckets.set('us-east-1', new MemoryObjects());
    const again = await publishArtifact(draft(), stores(buckets), new Date());
    expect(again).toEqual({ manifest: first.manifest, state: 'unchanged', regions: ['us-east-1'] });
    expect(await readArtifact(at(buckets, 'us-east-1'), 'orders-api', '1.0.0')).toEqual(first.manifest);
  });

  test.each<[string, Partial<Parameters<typeof draft>[0]>, string]>([
    ['template', { template: { ...TEMPLATE, Description: 'other' } }, 'file orders-api.template.json'],
    ['image', { images: { ImageUri: `${IMAGE}-2` } }, 'image ImageUri'],
    [
      'parameter',
      {
        template: { ...TEMPLATE, Parameters: { ...Object(TEMPLATE['Parameters']), Level: { Type: 'String', Default: 'info' } } },
        parameters: { Level: 'debug' },
      },
      'file orders-api.template.json, parameter Level',
    ],
  ])('of something else under the same version is refused, and says what differs: the %s', async (_, change, what) => {
    const buckets = memory('us-east-1');
    await publishArtifact(draft(), stores(buckets), NOW);
    const before = [...buckets.values()].map(({ objects }) => [...objects]);
    const error = await failureOf(publishArtifact(draft({ by: 'bob', ...change }), stores(buckets)));
    expect({ code: error.code, message: error.message }).toEqual({
      code: 'ARTIFACT_DIFFERS',
      message: `orders-api 1.0.0 was published by ada at 2030-01-10T00:00:00.000Z, with another ${what}`,
    });
    expect([...buckets.values()].map(({ objects }) => [...objects])).toEqual(before);
  });

  test('at once by two: exactly one wins, whatever each does when, and regions agree', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        class Slow extends MemoryObjects {
          override async get(key: string) {
            await scheduler.schedule(Promise.resolve(), `get ${key}`);
            return super.get(key);
          }
          override async put(...args: Parameters<MemoryObjects['put']>) {
            await scheduler.schedule(Promise.resolve(), `put ${args[0]}`);
            return super.put(...args);
          }
        }
        // One has an older registry, which doesn't know all regions.
        const all = new Map([HOME, 'ap-south-1', 'us-east-1'].map((region) => [region, new Slow()]));
        const fewer = new Map([...all].filter(([region]) => region !== 'ap-south-1'));
        const runs = Promise.allSettled([
          publishArtifact(draft({ by: 'ada' }), stores(all), NOW),
          publishArtifact(draft({ by: 'bob', images: { ImageUri: `${IMAGE}-2` } }), stores(fewer), NOW),
        ]);
        const [ada, bob] = await scheduler.waitFor(runs);
        const won = [ada, bob].filter(({ status }) => status === 'fulfilled');
        const lost = [ada, bob].flatMap((each) => (each.status === 'rejected' ? [each.reason as FactoryError] : []));
        expect([won.length, lost.map(({ code }) => code)]).toEqual([1, ['ARTIFACT_DIFFERS']]);
        const winners = await Promise.all([...all.values()].map(({ objects }) => objects.get(manifestKey('orders-api', '1.0.0'))));
        expect(new Set(winners.filter((each) => each !== undefined)).size).toBe(1);
      }),
      { numRuns: 50 },
    );
  });

  test('carries on where somebody died, with the same content only', async () => {
    class Dying extends MemoryObjects {
      left = 1;
      override async put(...args: Parameters<MemoryObjects['put']>) {
        this.left -= 1;
        if (this.left < 0) throw new Error('died');
        return super.put(...args);
      }
    }
    const store = new Dying();
    const buckets = new Map([[HOME, store]]);
    await expect(publishArtifact(draft(), stores(buckets), NOW)).rejects.toThrow('died');
    store.left = 100;
    expect((await failureOf(readArtifact(store, 'orders-api', '1.0.0'))).code).toBe('ARTIFACT_UNKNOWN');
    const other = await failureOf(publishArtifact(draft({ images: { ImageUri: 'other' } }), stores(buckets)));
    expect(other.message).toContain('was begun by ada');
    expect(await publishArtifact(draft({ by: 'bob' }), stores(buckets))).toMatchObject({ state: 'published', manifest: { by: 'ada' } });
  });

  test('never overwrites what lies there, though nobody published it', async () => {
    const buckets = memory();
    at(buckets).objects.set(fileKey('orders-api', '1.0.0', 'orders-api.template.json'), '{}');
    expect((await failureOf(publishArtifact(draft(), stores(buckets)))).code).toBe('ARTIFACT_CHANGED');
    expect(at(buckets).objects.get(fileKey('orders-api', '1.0.0', 'orders-api.template.json'))).toBe('{}');
  });
});

describe('what can’t go to every cell is refused, and nothing is written:', () => {
  const withProperty = (value: unknown): Template => ({
    ...TEMPLATE,
    Resources: { Queue: { Type: 'AWS::SQS::Queue', Properties: { Value: value } } },
  });
  const withResource = (It: object): Template => ({ ...TEMPLATE, Resources: { It } });
  const withParameter = (name: string, parameter: object): Template => ({
    ...TEMPLATE,
    Parameters: { ...Object(TEMPLATE['Parameters']), [name]: parameter },
  });

  test.each<[string, Parameters<typeof draft>[0], string]>([
    ['a version that is no name', { version: '../1' }, '"../1" is no version'],
    ['a version that begins with a dot', { version: '.hidden' }, '".hidden" is no version'],
    ['a version that is too long', { version: '1'.repeat(65) }, 'is no version'],
    ['an account', { template: withProperty('arn:x:sqs:::111122223333') }, 'names an account'],
    ['a region', { template: withProperty({ 'Fn::Join': ['.', ['sqs', 'eu-west-1']] }) }, 'names a region: eu-west-1'],
    ['a partition', { template: withProperty('arn:aws:sqs:x') }, 'names a partition'],
    ['an asset', { template: withProperty({ 'Fn::Sub': 'cdk-hnb659fds-assets-x' }) }, 'names an asset of the CDK'],
    ['a template beyond the limit', { template: { ...TEMPLATE, Description: 'x'.repeat(1_000_000) } }, 'CloudFormation takes 1,000,000'],
    ['a value that the template doesn’t take', { parameters: { Level: 'debug' } }, 'the template has no parameter Level'],
    ['a value that is the registry’s', { parameters: { ListenerPriority: '7' } }, 'ListenerPriority is not the build’s to say'],
    ['a value that is the cell’s', { parameters: { CellName: 'alpha' } }, 'CellName is read from the cell'],
    ['a parameter without a value', { template: withParameter('Level', { Type: 'String' }) }, 'nothing says what Level is'],
    ['a template without its image', { images: {} }, 'nothing says what ImageUri is'],
    [
      'a parameter that rollouts can’t read',
      { template: withParameter('BootstrapVersion', { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/cdk-bootstrap/x/version' }) },
      'reads /cdk-bootstrap/x/version of the cell, which rollouts may not',
    ],
    [
      'a nested stack',
      { template: withResource({ Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL: 'x' } }) },
      'It (AWS::CloudFormation::Stack) is a nested stack: what a change does to its resources can’t be seen before it happens',
    ],
    ['a module', { template: withResource({ Type: 'Acme::Store::Tables::MODULE' }) }, 'is a module'],
    ['a macro for the template', { template: { ...TEMPLATE, Transform: ['AWS::Serverless-2016-10-31'] } }, 'AWS::Serverless-2016-10-31'],
    [
      'a macro inside of it',
      { template: withProperty({ 'Fn::Transform': { Name: 'AWS::Include' } }) },
      'runs the macro "AWS::Include", so that what is deployed isn’t what was published',
    ],
    [
      'an image of one region',
      { images: { ImageUri: '200000000000.dkr.ecr.eu-west-1.amazonaws.com/orders-api:1' } },
      'is pulled from eu-west-1 by every cell',
    ],
  ])('%s', async (_, change, reason) => {
    const buckets = memory();
    const error = await failureOf(publishArtifact(draft(change), stores(buckets)));
    const said = [error.message, ...error.problems.map(({ message }) => message)].join('\n').replaceAll("'", '’');
    expect({ code: error.code, said }).toEqual({ code: 'ARTIFACT_INVALID', said: expect.stringContaining(reason) });
    expect(at(buckets).objects.size).toBe(0);
  });

  test.each<[string, Parameters<typeof draft>[0], string]>([
    [
      'an asset that is not part of it',
      { files: new Map([['alpha.json', JSON.stringify(withProperty(`${'a'.repeat(64)}.zip`))]]) },
      `needs ${'a'.repeat(64)}.zip, which is not part of it`,
    ],
    ['a template that is none', { files: new Map([['alpha.json', '{']]) }, 'alpha.json is no JSON'],
    [
      'a template beyond the limit',
      { files: new Map([['alpha.json', `{"Description":"${'x'.repeat(1_000_000)}"}`]]) },
      'CloudFormation takes',
    ],
    [
      'a nested stack',
      { files: new Map([['alpha.json', JSON.stringify(withResource({ Type: 'AWS::CloudFormation::Stack' }))]]) },
      'is a nested stack',
    ],
    ['an image', { images: { ImageUri: IMAGE } }, 'a foundation takes no such thing'],
  ])('of foundations, %s', async (_, change, reason) => {
    const buckets = memory();
    const error = await failureOf(publishArtifact(foundation(change), stores(buckets)));
    const said = [error.message, ...error.problems.map(({ message }) => message)].join('\n');
    expect({ code: error.code, said }).toEqual({ code: 'ARTIFACT_INVALID', said: expect.stringContaining(reason) });
    expect(at(buckets).objects.size).toBe(0);
  });

  test('but a foundation is for one cell, and may name its account and region', async () => {
    const buckets = memory();
    const text = JSON.stringify(withProperty('arn:aws:sqs:eu-west-1:111122223333:x'));
    const { manifest } = await publishArtifact(foundation({ files: new Map([['alpha.json', text]]) }), stores(buckets));
    expect(madeFor(manifest.template, Object.keys(manifest.files))).toEqual(new Set(['alpha']));
    expect(templateFor(manifest, 'alpha')).toBe('alpha.json');
  });

  test('and every reason is said at once', async () => {
    const template = {
      ...withProperty(['eu-west-1', 'arn:aws:x']),
      Parameters: { ...Object(TEMPLATE['Parameters']), Level: { Type: 'String' } },
    };
    expect((await failureOf(publishArtifact(draft({ template }), stores(memory())))).problems).toHaveLength(3);
  });

  test('but a table by region leads nowhere, nor does a number for accountants', async () => {
    const template = {
      ...TEMPLATE,
      Mappings: { Sizes: { 'eu-west-1': { size: '2' } } },
      Conditions: { IsHome: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'eu-west-1'] } },
      Resources: { Queue: { Type: 'AWS::SQS::Queue', Properties: { Tags: [{ Key: 'cost-center', Value: '111122223333' }] } } },
    };
    expect(await publishArtifact(draft({ template }), stores(memory()))).toMatchObject({ state: 'published' });
  });
});
