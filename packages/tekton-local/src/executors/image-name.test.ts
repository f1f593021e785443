import { expect, it } from 'vitest';
import { isImageName } from './image-name.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;

it.each([
  'busybox',
  'docker:20.10',
  'localhost:5000/a/b:1',
  'localhost/a',
  'quay.io/org/x',
  'registry.example.com/a__b/c-d.e:V1.0_x',
  `gcr.io/x/y@${DIGEST}`,
  `[::1]:5000/a:1@${DIGEST}`,
])('takes %s', (name) => expect(isImageName(name)).toBe(true));

it.each([
  'oci-archive:/home/me/private.tar',
  'docker-archive:private.tar',
  'dir:/home/me/image',
  'oci:image',
  'docker-daemon:a:b',
  'containers-storage:a',
  'docker://a/b',
  '/home/me/image',
  './image',
  '--privileged',
  '--volume=/:/host',
  'a b',
  'a\n',
  'a/UPPER',
  '',
  'a'.repeat(100_000),
])('takes no other place to read from: %s', (name) => expect(isImageName(name)).toBe(false));
