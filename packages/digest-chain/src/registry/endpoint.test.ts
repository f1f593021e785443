import { expect, it } from 'vitest';
import { baseOf, isLoopback, redacted, urlOf } from './reach.ts';

it.each(['localhost', 'localhost:5000', 'LOCALHOST', '127.0.0.1', '127.1.2.3:80', '[::1]', '[::1]:5000'])(
  'takes %s for this machine',
  (registry) => expect(isLoopback(registry)).toBe(true),
);

it.each([
  'quay.io',
  '127.0.0.1.example.org',
  'localhost.example.org',
  'x.localhost',
  '[::2]:5000',
  '10.0.0.1',
  '128.0.0.1',
])('does not take %s for this machine', (registry) => expect(isLoopback(registry)).toBe(false));

it('leaves TLS out for this machine only, or as it is told', () => {
  expect(baseOf('127.0.0.1:5000', undefined).href).toBe('http://127.0.0.1:5000/');
  expect(baseOf('127.0.0.1:5000', false).href).toBe('https://127.0.0.1:5000/');
  expect(baseOf('quay.io', undefined).href).toBe('https://quay.io/');
  expect(baseOf('quay.io', true).href).toBe('http://quay.io/');
});

it('knows where Docker Hub answers', () => {
  const repository = { registry: 'docker.io', repository: 'library/x' };
  expect(urlOf(repository, 'manifests/1', undefined).href).toBe(
    'https://registry-1.docker.io/v2/library/x/manifests/1',
  );
});

it('shows neither query nor user nor fragment of a URL, and never much of it', () => {
  expect(redacted(new URL('https://u:p@h/a?x=1#f'))).toBe('https://h/a?…');
  expect(redacted(new URL(`https://h/${'a'.repeat(1000)}`))).toHaveLength(300);
});
