import { describe, expect, test } from '@jest/globals';
import { wantedStacks } from '../../../lib/app/wanted.ts';

const KNOWN = new Set(['Registry', 'Cell-alpha', 'Cell-bravo']);
const wanted = (asked: Parameters<typeof wantedStacks>[0], commandLine = '') => {
  const answer = wantedStacks(asked, commandLine.split(' '), KNOWN, (cell) => `Cell-${cell}`);
  return typeof answer === 'string' ? answer : [...answer];
};
const EVERYTHING = { bundling: ['**'] };

describe('the CDK app builds', () => {
  test.each([
    ['node cdk deploy Cell-alpha', ['Cell-alpha']],
    ['node cdk diff Cell-alpha Cell-bravo', ['Cell-alpha', 'Cell-bravo']],
    ['node cdk --profile tooling deploy Cell-alpha --require-approval never', ['Cell-alpha']],
    ['node cdk synth -q Cell-bravo', ['Cell-bravo']],
  ])('what the command line names: %s', (commandLine, stacks) => {
    expect(wanted(EVERYTHING, commandLine)).toEqual(stacks);
  });

  test.each([
    'node cdk deploy --all',
    'node cdk deploy Cell-*',
    'node cdk synth',
    'node cdk deploy Cell-alpha Cell-*',
    'node cdk deploy Nothing',
    'node app.js',
  ])('everything when it is not told exactly: %s', (commandLine) => {
    expect(wanted(EVERYTHING, commandLine)).toBe('all');
  });

  test('names only when the CDK lists or deletes', () => {
    expect(wanted({ bundling: [] }, 'node cdk ls')).toBe('names');
    expect(wanted({ bundling: [] }, 'node cdk destroy Cell-alpha')).toBe('names');
  });

  test('what --exclusively hands over', () => {
    expect(wanted({ bundling: ['Cell-bravo'] })).toEqual(['Cell-bravo']);
  });

  test('what its context says, before anything else', () => {
    expect(wanted({ ...EVERYTHING, cells: 'alpha,bravo' }, 'node cdk deploy Cell-bravo')).toEqual(['Cell-alpha', 'Cell-bravo']);
  });
});
