import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import getPort from 'get-port';
import { Caller, REGION, startProcess, startRestless } from './server.ts';

describe('start', () => {
  test('another version of moto is refused in one line', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'moto-'));
    await mkdir(path.join(folder, 'moto-9.9.9.dist-info'));
    await writeFile(path.join(folder, 'moto-9.9.9.dist-info', 'METADATA'), 'Metadata-Version: 2.1\nName: moto\nVersion: 9.9.9\n');

    const process = await startProcess(1, folder);
    let message = '';
    process.stderr?.on('data', (chunk: Buffer) => {
      message += chunk.toString();
    });
    const [code] = await once(process, 'exit');
    await rm(folder, { recursive: true });

    expect(code).toBe(1);
    expect(message).toMatch(/^The local cloud needs moto 5\.2\.1, found 9\.9\.9: pip install [^\n]*\n$/);
  });
});

describe('conditional writes', () => {
  test('of twenty that write the same object at once, one wins', async () => {
    const port = await getPort();
    const server = await startRestless(port);
    try {
      const restless = new Caller(`http://localhost:${port}`);
      const location = `<CreateBucketConfiguration><LocationConstraint>${REGION}</LocationConstraint></CreateBucketConfiguration>`;
      const created = () =>
        restless.rest('s3', 'PUT', '/races', location).then(
          () => true,
          () => false,
        );
      for (let attempt = 0; attempt < 100 && !(await created()); attempt++) await sleep(200);
      for (let key = 0; key < 10; key++) {
        const answers = await putTogether(port, `/races/${key}`, 20, 'if-none-match: *');
        expect(answers.sort()).toEqual([200, ...Array<number>(19).fill(412)]);
      }
    } finally {
      server.kill('SIGKILL');
    }
  });
});

/**
 * Puts one object from `count` connections, each of which has sent all but its last byte before any sends that: the server
 * has them in its threads at the same time. Gives the status codes.
 */
async function putTogether(port: number, resource: string, count: number, condition: string): Promise<number[]> {
  const head = [
    `PUT ${resource} HTTP/1.1`,
    `host: localhost:${port}`,
    `authorization: AWS4-HMAC-SHA256 Credential=AKIAMANAGEMENT/20260101/${REGION}/s3/aws4_request, SignedHeaders=host, Signature=unused`,
    condition,
    'content-length: 4',
    'connection: close',
  ];
  const sockets = await Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      socket.write(`${head.join('\r\n')}\r\n\r\nabc`);
      return socket;
    }),
  );
  await sleep(20);
  return Promise.all(
    sockets.map(async (socket) => {
      socket.write('d');
      let answer = '';
      for await (const chunk of socket) answer += String(chunk);
      return Number(answer.split(' ')[1]);
    }),
  );
}
