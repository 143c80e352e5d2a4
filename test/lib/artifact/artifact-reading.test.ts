import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { DefaultStackSynthesizer, type IStackSynthesizer, Stack } from 'aws-cdk-lib/core';
import fc from 'fast-check';
import { artifactDigest, fileKey, manifestKey, readArtifact, readFileChecked, stackParameters } from '../../../lib/artifact/artifacts.ts';
import { readAssembly } from '../../../lib/artifact/assembly.ts';
import { listArtifacts, publishArtifact } from '../../../lib/artifact/publishing.ts';
import { CellService } from '../../../lib/cell/service/cell-service.ts';
import { at, draft, failureOf, memory, NOW, stores, TEMPLATE } from '../../_helpers/artifacts.ts';
import { MemoryObjects } from '../../_helpers/objects.ts';
import { app } from '../../_helpers/synth.ts';

describe('reading an artifact', () => {
  test('that was never published says how to find those that were', async () => {
    const error = await failureOf(readArtifact(new MemoryObjects(), 'orders-api', '9'));
    expect(error).toMatchObject({ code: 'ARTIFACT_UNKNOWN', fix: expect.stringContaining('cellctl component releases orders-api') });
  });

  test.each<[string, (text: string) => string]>([
    ['is no JSON', () => 'x'],
    ['lacks a field', (text) => text.replace('"template"', '"tem"')],
    ['has another image than its digest says', (text) => text.replace('orders-api:1.0.0', 'orders-api:6.6.6')],
    ['is of another version', (text) => text.replace('"version":"1.0.0"', '"version":"1.0.1"')],
  ])('whose manifest %s is refused', async (_, change) => {
    const buckets = memory();
    await publishArtifact(draft(), stores(buckets), NOW);
    const store = at(buckets);
    const key = manifestKey('orders-api', '1.0.0');
    store.objects.set(key, change(store.objects.get(key) ?? ''));
    expect((await failureOf(readArtifact(store, 'orders-api', '1.0.0'))).code).toBe('ARTIFACT_CHANGED');
  });

  test('of another digest than was pinned is refused, also when it is sound', async () => {
    const buckets = memory();
    await publishArtifact(draft(), stores(buckets), NOW);
    expect((await failureOf(readArtifact(at(buckets), 'orders-api', '1.0.0', 'sha256:00'))).code).toBe('ARTIFACT_CHANGED');
  });

  test.each([
    ['is another', '{}'],
    ['is gone', undefined],
  ])('whose file %s is refused', async (_, text) => {
    const buckets = memory();
    const { manifest } = await publishArtifact(draft(), stores(buckets), NOW);
    const { objects } = at(buckets);
    const key = fileKey('orders-api', '1.0.0', manifest.template);
    if (text === undefined) objects.delete(key);
    else objects.set(key, text);
    const error = await failureOf(readFileChecked(at(buckets), manifest, manifest.template));
    expect({ code: error.code, names: error.message.includes(key) }).toEqual({ code: 'ARTIFACT_CHANGED', names: true });
  });
});

test('releases are listed newest first, each component’s for itself, and a damaged one hides no other', async () => {
  const buckets = memory();
  const publish = (version: string, day: number, component = 'orders-api') =>
    publishArtifact(draft({ version, component }), stores(buckets), new Date(Date.UTC(2030, 0, day)));
  await publish('1.0.0', 1);
  await publish('1.1.0', 3);
  await publish('1.0.1', 2);
  await publish('7', 4, 'orders');
  expect((await listArtifacts(at(buckets), 'orders-api')).map(({ version }) => version)).toEqual(['1.1.0', '1.0.1', '1.0.0']);
  at(buckets).objects.set(manifestKey('orders-api', '1.1.0'), '{}');
  expect((await listArtifacts(at(buckets), 'orders-api')).map(({ version, artifact }) => [version, 'unreadable' in artifact])).toEqual([
    ['1.0.1', false],
    ['1.0.0', false],
    ['1.1.0', true],
  ]);
});

test('a digest is of what an artifact is, and of nothing else', () => {
  const text = fc.string({ maxLength: 5 });
  const contents = fc.record({
    component: text,
    kind: fc.constant('cloudformation' as const),
    version: text,
    files: fc.dictionary(text, fc.record({ sha256: fc.constant('a'.repeat(64)), bytes: fc.nat() }), { maxKeys: 3 }),
    template: text,
    parameters: fc.dictionary(text, text, { maxKeys: 3 }),
    images: fc.dictionary(text, text, { maxKeys: 3 }),
  });
  fc.assert(
    fc.property(contents, (content) => {
      const turned = Object.fromEntries(Object.entries(content).reverse()) as typeof content;
      expect(artifactDigest({ ...turned, by: 'anybody' } as typeof content)).toBe(artifactDigest(content));
      expect(artifactDigest({ ...content, version: `${content.version}x` })).not.toBe(artifactDigest(content));
    }),
  );
});

test('a stack is given what its template takes: images of its region, the version, and what the registry says', () => {
  const { parameters, images, version } = draft({ parameters: { Unknown: 'x' } });
  expect(stackParameters({ parameters, images, version }, TEMPLATE, 'us-east-1', { ListenerPriority: '100', More: '1' })).toEqual({
    ImageUri: '200000000000.dkr.ecr.us-east-1.amazonaws.com/orders-api:1.0.0',
    Version: '1.0.0',
    ListenerPriority: '100',
  });
});

describe('the assembly of a component', () => {
  let folder: string;
  beforeAll(() => {
    const scope = app();
    const stack = new Stack(scope, 'orders-api', {
      synthesizer: new DefaultStackSynthesizer({ generateBootstrapVersionRule: false }) as IStackSynthesizer,
    });
    new CellService(stack, 'Service', { component: 'orders-api', path: '/orders*' });
    folder = scope.synth().directory;
  });

  test('of the factory’s own construct is published as it is', async () => {
    const built = await readAssembly(folder, 'orders-api');
    expect([...built.files.keys()]).toEqual(['orders-api.template.json']);
    expect(await publishArtifact({ ...draft(), ...built }, stores(memory()))).toMatchObject({ state: 'published' });
  });

  test.each([
    ['of another component', () => folder, 'billing', 'holds no stack called billing'],
    ['that is none', () => tmpdir(), 'orders-api', 'is no cloud assembly'],
  ])('%s is refused', async (_, where, component, reason) => {
    const error = await failureOf(readAssembly(where(), component));
    expect({ code: error.code, message: error.message }).toEqual({ code: 'COMPONENT_UNKNOWN', message: expect.stringContaining(reason) });
  });

  test('that is damaged is refused with the file that is', async () => {
    const damaged = async (files: Readonly<Record<string, string>>) => {
      const at = await mkdtemp(join(tmpdir(), 'cell-factory-damaged-'));
      for (const [name, text] of Object.entries(files)) await writeFile(join(at, name), text);
      return (await failureOf(readAssembly(at, 'orders-api'))).message;
    };
    const stack = {
      type: 'aws:cloudformation:stack',
      properties: { templateFile: 'orders-api.template.json' },
      dependencies: ['orders-api.assets'],
    };
    const assets = { type: 'cdk:asset-manifest', properties: { file: 'orders-api.assets.json' } };
    const manifest = JSON.stringify({ artifacts: { 'orders-api': stack, 'orders-api.assets': assets } });
    expect(await damaged({ 'manifest.json': '{' })).toMatch(/manifest\.json is no JSON: /);
    expect(await damaged({ 'manifest.json': manifest, 'orders-api.assets.json': '<' })).toMatch(/orders-api\.assets\.json is no JSON: /);
    expect(await damaged({ 'manifest.json': manifest, 'orders-api.assets.json': '{"files": 1}' })).toMatch(
      /orders-api\.assets\.json: .*files/,
    );
    expect(await damaged({ 'manifest.json': manifest, 'orders-api.assets.json': '{}' })).toMatch(
      /orders-api\.template\.json can't be read: /,
    );
  });

  test('that needs assets is refused', async () => {
    const code = join(await mkdtemp(join(tmpdir(), 'cell-factory-asset-')), 'code.txt');
    await writeFile(code, 'code');
    const scope = app();
    const stack = new Stack(scope, 'orders-api');
    const { httpUrl } = new Asset(stack, 'Code', { path: code });
    new StringParameter(stack, 'Where', { stringValue: httpUrl });
    const error = await failureOf(readAssembly(scope.synth().directory, 'orders-api'));
    expect({ code: error.code, message: error.message }).toEqual({
      code: 'ARTIFACT_INVALID',
      message: expect.stringMatching(/^orders-api needs assets of the CDK.*\.txt/),
    });
  });
});
