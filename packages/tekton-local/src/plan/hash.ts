import { createRequire } from 'node:module';

/** A hash in hexadecimal digits. Node's cryptography takes longer to load than most runs to plan, which hash nothing. */
export function hashOf(algorithm: 'md5' | 'sha256', text: string): string {
  const { createHash } = createRequire(import.meta.url)('node:crypto') as typeof import('node:crypto');
  return createHash(algorithm).update(text).digest('hex');
}
