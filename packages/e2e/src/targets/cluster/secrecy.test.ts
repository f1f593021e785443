import { expect, test } from 'vitest';
import { Secrecy } from './secrecy.ts';

test.each([
  ['Authorization: Bearer abcdefghijklmnop', 'abcdefghijklmnop'],
  ['https://robot:hunter22@quay.io/v2/', 'hunter22'],
  ['git clone https://x-access-token:ghp_0123456789abcdefghij@github.com/a/b', 'ghp_0123456789abcdefghij'],
  ['eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl', 'eyJzdWIiOiJ4In0'],
  ['{"auths":{"quay.io":{"auth":"dXNlcjpwYXNz"}}}', 'dXNlcjpwYXNz'],
  ['curl -d password=hunter22&x=1', 'hunter22'],
  ['-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----', 'MHcCAQEE'],
  ['  MHcCAQEEIJ7\n  oAoGCCqGSM4\n  -----END EC PRIVATE KEY-----', 'oAoGCCqGSM4'],
  ['the token is my-very-own-token', 'my-very-own-token'],
  ['token: bXktdmVyeS1vd24tdG9rZW4=', 'bXktdmVyeS1vd24'],
])('hides what is secret in %j', (text, secret) => {
  expect(new Secrecy(() => ['my-very-own-token']).clean(text)).not.toContain(secret);
});

test.each([
  'quay.io/org/image1:latest@sha256:0123456789abcdef',
  'https://registry.example:5000/v2/',
  'error: basic auth required',
  'STEP 3/9: ENV IMAGE1_DIGEST=sha256:1111',
])('leaves %j as it is', (text) => {
  expect(new Secrecy().clean(text)).toBe(text);
});

test('cleans every text of a value', () => {
  expect(new Secrecy(() => ['secret-value']).cleanAll({ a: ['x secret-value y'], b: 1 })).toEqual({
    a: ['x [hidden] y'],
    b: 1,
  });
});
