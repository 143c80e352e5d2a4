import { describe, expect, test } from '@jest/globals';
import { check, type Hook } from '../../../../lib/registry/index.ts';
import { component, unchecked } from '../../../_helpers/organization.ts';

describe('a pipeline', () => {
  const problemsOf = (rest: Partial<Parameters<typeof component>[2]>) => {
    const input = unchecked();
    Object.assign(input.components, { web: component('web', 9, rest) });
    return check(input).problems.map(({ code, path }) => `${code} ${path.replace('components.web.', '')}`);
  };
  const url = 'https://github.com/acme/web';

  test.each(['main', 'release/2026', 'feature_x.1'])('takes branch %s', (branch) => {
    expect(problemsOf({ repository: { url, branch } })).toEqual([]);
  });
  test.each([
    '-f',
    'a..b',
    'main.lock',
    'a b',
    '$(id)',
    '`id`',
    'main;id',
    ['$', '{{ github.token }}'].join(''),
    'a//b',
    '/main',
    'main/',
    'x\ny',
    '@{-1}',
  ])('takes no branch %p', (branch) => {
    expect(problemsOf({ repository: { url, branch } })).toEqual(['REPOSITORY_INVALID repository.branch']);
  });
  test.each(['https://github.com/acme/web.git', 'git@github.com:acme/web', 'ssh://git@github.com/acme/web', 'file:///srv/git/web'])(
    'takes repository %s',
    (address) => {
      expect(problemsOf({ repository: { url: address } })).toEqual([]);
    },
  );
  test.each([
    '--upload-pack=id',
    'ext::sh -c id',
    'https://github.com/acme/web;id',
    'http://github.com/acme/web',
    '/srv/web',
    'https://u:p@host/x',
  ])('takes no repository %p', (address) => {
    expect(problemsOf({ repository: { url: address } })).toEqual(['REPOSITORY_INVALID repository.url']);
  });
  test.each(['./services/web', 'services/./web', 'services/../web', '../web', '/web', 'services//web', './'])(
    'refuses folder %s',
    (path) => {
      expect(problemsOf({ repository: { url: 'https://github.com/acme/web', path } })).toEqual(['REPOSITORY_INVALID repository.path']);
    },
  );
  test.each(['.', 'services/web', '.github', 'a.b/c'])('takes folder %s', (path) => {
    expect(problemsOf({ repository: { url: 'https://github.com/acme/web', path } })).toEqual([]);
  });
  test('tells everything that is wrong with a step of a component’s own', () => {
    const hooks = [
      { name: 'both', after: 'staging', before: 'rest', run: 'x' },
      { name: 'nothing', before: 'build' },
      { name: 'nothing', after: 'staging', approval: true },
    ] as Hook[];
    expect(problemsOf({ pipeline: { hooks, paths: ['../other/**', '$(id)'] } }).sort()).toEqual([
      'HOOK_DUPLICATE pipeline.hooks.2.name',
      'HOOK_INVALID pipeline.hooks.0',
      'HOOK_INVALID pipeline.hooks.1',
      'HOOK_INVALID pipeline.hooks.1.before',
      'REPOSITORY_INVALID pipeline.paths.0',
      'REPOSITORY_INVALID pipeline.paths.1',
    ]);
  });
});
