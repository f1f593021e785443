import { expect, it } from 'vitest';
import { furtherScopes, scopesOf } from './token.ts';

const repository = { registry: 'quay.io', repository: 'org/image' };

it('asks to pull, and to push with the same token where that is to come', () => {
  expect(scopesOf({ repository, access: 'pull' }, new Set())).toEqual(['repository:org/image:pull']);
  expect(scopesOf({ repository, access: 'push' }, new Set())).toEqual(['repository:org/image:pull,push']);
  expect(scopesOf({ repository, access: 'pull' }, new Set(['org/image']))).toEqual(['repository:org/image:pull,push']);
});

it('asks to pull from where it mounts', () => {
  const from = { registry: 'quay.io', repository: 'org/other' };
  const scopes = ['repository:org/image:pull,push', 'repository:org/other:pull'];
  expect(scopesOf({ repository, access: 'push', from }, new Set())).toEqual(scopes);
  expect(scopesOf({ repository, access: 'push', from: repository }, new Set())).toEqual(scopes.slice(0, 1));
});

it('adds what a challenge asks beyond that, and nothing that is no scope', () => {
  const asked = ['repository:org/image:pull,push'];
  expect(furtherScopes('repository:org/image:pull', asked)).toEqual([]);
  expect(furtherScopes('repository:org/image:push,pull repository:x:pull', asked)).toEqual(['repository:x:pull']);
  expect(furtherScopes('repository:org/image:delete', asked)).toEqual(['repository:org/image:delete']);
  expect(furtherScopes('registry:catalog:* repository(plugin):a/b:pull', asked)).toHaveLength(2);
  expect(furtherScopes('nonsense repository:a:pull&scope=x ::  a:b:', asked)).toEqual([]);
  expect(furtherScopes(undefined, asked)).toEqual([]);
  const many = Array.from({ length: 100 }, (_, index) => `repository:r${index}:pull`).join(' ');
  expect(furtherScopes(many, asked)).toHaveLength(8);
});
