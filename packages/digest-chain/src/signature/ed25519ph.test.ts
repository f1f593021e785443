import { describe, expect, it } from 'vitest';
import { sha512, verifiesEd25519ph } from './ed25519ph.ts';

// RFC 8032, section 7.3.
const publicKey = Buffer.from('ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf', 'hex');
const message = Buffer.from('abc');
const signature = Buffer.from(
  '98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41' +
    '31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406',
  'hex',
);
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

const verifyEd25519ph = (key: Uint8Array, text: Uint8Array, bytes: Uint8Array): Promise<boolean> =>
  verifiesEd25519ph(key, sha512(text), bytes);

describe('Ed25519ph', () => {
  it('verifies the test vector of the RFC', async () => {
    expect(await verifyEd25519ph(publicKey, message, signature)).toBe(true);
  });

  it('verifies nothing else: every byte counts', async () => {
    expect(await verifyEd25519ph(publicKey, Buffer.from('abd'), signature)).toBe(false);
    for (let at = 0; at < signature.length; at += 7) {
      const changed = Buffer.from(signature);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(await verifyEd25519ph(publicKey, message, changed), `byte ${at}`).toBe(false);
    }
    const otherKey = Buffer.from(publicKey);
    otherKey[0] = (otherKey[0] ?? 0) ^ 1;
    expect(await verifyEd25519ph(otherKey, message, signature)).toBe(false);
  });

  it('takes a signature in its one form only', async () => {
    const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + L;
    const high = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse();
    expect(await verifyEd25519ph(publicKey, message, Buffer.concat([signature.subarray(0, 32), high]))).toBe(false);
  });

  it('verifies many signatures in little time', async () => {
    const prehash = sha512(message);
    const junk = Buffer.from(signature);
    const started = process.cpuUsage();
    let verified = 0;
    for (let each = 0; each < 1000; each++) {
      junk.writeUInt32LE(each, 32);
      if (await verifiesEd25519ph(publicKey, prehash, junk)) verified++;
    }
    expect(verified).toBe(0);
    expect(await verifiesEd25519ph(publicKey, prehash, signature)).toBe(true);
    expect(process.cpuUsage(started).user / 1e6).toBeLessThan(3);
  });

  it.each([
    ['a short key', publicKey.subarray(1), signature],
    ['a key that is no point', Buffer.from(`02${'00'.repeat(31)}`, 'hex'), signature],
    ['a key that is not reduced', Buffer.alloc(32, 0xff), signature],
    ['a short signature', publicKey, signature.subarray(1)],
    ['an empty signature', publicKey, Buffer.alloc(0)],
    ['a signature of zeros', publicKey, Buffer.alloc(64)],
  ])('refuses %s', async (_, key, bytes) => {
    expect(await verifyEd25519ph(key, message, bytes)).toBe(false);
  });
});
