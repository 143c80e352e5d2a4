import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { numbersOf } from '../../../pipelines/github/numbers.ts';

/** What {@link numbersOf} makes of what such a GitHub answers. */
async function asked(answer: RequestListener, token?: string) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await numbersOf('acme/shop', { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token });
  } finally {
    server.close();
  }
}
const says =
  (body: string, status = 200): RequestListener =>
  (_, response) =>
    response.writeHead(status).end(body);
const SHOP = { id: 456789, created_at: '2026-08-01T09:00:00Z', owner: { id: 123456, login: 'acme' }, name: 'shop' };

describe("GitHub's numbers of a repository", () => {
  test('are asked of its API, with a token where there is one', async () => {
    const seen: unknown[] = [];
    const listen: RequestListener = (request, response) => {
      seen.push([request.url, request.headers.authorization]);
      says(JSON.stringify(SHOP))(request, response);
    };
    expect(await asked(listen)).toEqual({ ownerId: 123456, repositoryId: 456789, createdAt: '2026-08-01T09:00:00Z' });
    await asked(listen, 'secret');
    expect(seen).toEqual([
      ['/repos/acme/shop', undefined],
      ['/repos/acme/shop', 'Bearer secret'],
    ]);
  });

  test.each([
    ['may not be seen by everybody', says('{"message":"Not Found"}', 404), /^GitHub answers 404: where it is private, set GITHUB_TOKEN/],
    ['are not what it says', says('{"id":"456789"}'), /^GitHub was not reached: /],
    ['come as no JSON', says('<html>'), /^GitHub was not reached: /],
    ['come to an end in the middle', (request) => void request.socket.destroy(), /^GitHub was not reached: /],
  ] satisfies [string, RequestListener, RegExp][])('that %s are not known, with the reason', async (_, answer, reason) => {
    expect(await asked(answer)).toEqual({ unknown: expect.stringMatching(reason) });
  });

  test('never show the token where GitHub refuses it', async () => {
    expect(JSON.stringify(await asked(says('{"message":"Bad credentials"}', 401), 'secret'))).not.toContain('secret');
  });
});
