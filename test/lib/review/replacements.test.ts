import { describe, expect, test } from '@jest/globals';
import { refuseReplacements } from '../../../lib/review/replacements.ts';
import { change } from '../../_helpers/changes.ts';

const queue = change('Queue', 'replace', 'AWS::SQS::Queue', { properties: [{ name: 'QueueName', before: 'a', after: 'b' }] });
const key = change('Key', 'remove', 'AWS::KMS::Key');
const harmless = [change('A', 'add'), change('B'), change('Route', 'replace', 'AWS::EC2::Route'), change('Old', 'remove')];

/** What is said of a deployment to alpha and bravo. */
function refusal(allowed: readonly string[], alpha = [queue, key, ...harmless], bravo = [queue]) {
  try {
    refuseReplacements(
      [
        { cell: 'alpha', changes: alpha },
        { cell: 'bravo', changes: bravo },
      ],
      allowed,
    );
    return undefined;
  } catch (error) {
    return error as { code: string; message: string; fix: string; problems: { path: string; message: string; fix: string }[] };
  }
}
const paths = (...allowed: string[]) => refusal(allowed)?.problems.map(({ path }) => path);

describe('a deployment', () => {
  test('by which nothing is lost passes', () => {
    expect(refusal([], harmless, [])).toBeUndefined();
  });

  test('that loses something is refused, with every loss: what, why, what is lost, and how to allow or avoid it', () => {
    const found = refusal([]);
    expect(found).toMatchObject({ code: 'REPLACEMENT_REFUSED', message: expect.stringContaining('nothing was deployed') });
    expect(found?.problems.map(({ path }) => path)).toEqual(['alpha/Queue', 'alpha/Key', 'bravo/Queue']);
    expect(found?.problems[0]).toMatchObject({
      message: 'AWS::SQS::Queue would be replaced because of QueueName a → b; lost: messages that wait in the queue, and its address',
      fix: expect.stringMatching(/put QueueName back .*registry\/cells\/alpha\.ts.*--allow-replacement alpha\/Queue$/),
    });
    expect(found?.problems[1]?.message).toMatch(/^AWS::KMS::Key would be removed; lost: /);
  });

  test('is allowed loss by loss, each in its cell', () => {
    expect(paths('alpha/Queue')).toEqual(['alpha/Key', 'bravo/Queue']);
    expect(paths('alpha/Queue', 'bravo/Queue', 'alpha/Key')).toBeUndefined();
  });

  test.each([['Queue'], ['alpha/Queues'], ['bravo/Key'], ['zulu/Queue'], ['queue'], ['Route'], ['']])(
    'is refused for "%s", which names no loss: a typo is no consent',
    (name) => {
      expect(refusal(['alpha/Queue', 'bravo/Queue', 'alpha/Key', name])).toMatchObject({
        code: 'USAGE',
        message: expect.stringContaining(name),
        fix: expect.stringContaining('alpha/Queue, alpha/Key, bravo/Queue'),
      });
    },
  );

  test('is refused when something is allowed and nothing would be lost', () => {
    expect(refusal(['alpha/Queue'], harmless, [])).toMatchObject({ code: 'USAGE', fix: expect.stringContaining('nothing is lost') });
  });
});

describe('a loss', () => {
  const lost = (...changes: Parameters<typeof refuseReplacements>[0][number]['changes']) =>
    refusal([], [...changes], [])?.problems.length ?? 0;

  test('is no removal that leaves the resource where it is; one that leaves a snapshot is', () => {
    expect(lost(change('Key', 'remove', 'AWS::KMS::Key', { kept: 'all' }))).toBe(0);
    expect(lost(change('Database', 'remove', 'AWS::RDS::DBInstance', { kept: 'snapshot' }))).toBe(1);
  });

  test('is every replacement, whatever is left of the old one: the new one begins empty', () => {
    const replaced = change('Database', 'replace', 'AWS::RDS::DBInstance', {
      kept: 'all',
      certain: false,
      properties: [{ name: 'Engine' }],
    });
    expect(refusal([], [replaced], [])?.problems[0]?.message).toMatch(/may be replaced because of Engine; .*the old one stays/);
  });
});
