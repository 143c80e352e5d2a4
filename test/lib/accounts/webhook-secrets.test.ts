import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { requireWebhookSecrets } from '../../../lib/accounts/webhook-secrets.ts';
import { FactoryError } from '../../../lib/registry/index.ts';

/** What Secrets Manager holds, by name. */
const secrets = new Map<string, string>();
const server = createServer(async (request, answer) => {
  let body = '';
  for await (const part of request) body += String(part);
  const value = secrets.get((JSON.parse(body) as { SecretId: string }).SecretId);
  answer.writeHead(value === undefined ? 400 : 200, { 'content-type': 'application/x-amz-json-1.1' });
  answer.end(JSON.stringify(value === undefined ? { __type: 'ResourceNotFoundException', message: 'no' } : { SecretString: value }));
});
beforeAll(() => new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve)));
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const check = async (...names: string[]) => {
  const webhooks = Object.fromEntries(names.map((name) => [name, { events: 'all', body: 'chat', secret: `hooks/${name}` } as const]));
  const session = {
    region: 'eu-west-1',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
  };
  return requireWebhookSecrets({ notifications: { webhooks } }, session as never).then(
    () => undefined,
    (error: unknown) => error as FactoryError,
  );
};

test('secrets that hold an address and a header are good', async () => {
  secrets.set('hooks/good', '{"url": "https://chat.example.com/x", "authorization": "none"}');
  expect(await check()).toBeUndefined();
  expect(await check('good')).toBeUndefined();
});

test('all that is wrong is said at once, with the command that mends it, and nothing of what a secret holds', async () => {
  secrets.set('hooks/text', 'https://hidden.example.com');
  secrets.set('hooks/half', '{"url": "https://hidden.example.com"}');
  secrets.set('hooks/open', '{"url": "http://hidden.example.com", "authorization": "none"}');
  const error = await check('gone', 'text', 'half', 'open', 'good');
  expect(error).toBeInstanceOf(FactoryError);
  expect(error).toMatchObject({ code: 'WEBHOOK_SECRET', message: '4 webhooks lack their secret' });
  expect(error?.problems.map(({ path, message }) => `${path}: ${message}`)).toEqual([
    'notifications.webhooks.gone.secret: there is no secret hooks/gone in tooling',
    'notifications.webhooks.text.secret: hooks/text holds no JSON',
    'notifications.webhooks.half.secret: hooks/half holds no text as "authorization"',
    'notifications.webhooks.open.secret: hooks/open holds an "url" that is not https://…',
  ]);
  expect(error?.problems[0]?.fix).toContain('aws secretsmanager create-secret --name hooks/gone --secret-string');
  expect(JSON.stringify(error?.problems)).not.toContain('hidden');
});
