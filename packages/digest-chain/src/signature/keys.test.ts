import { generateKeyPairSync } from 'node:crypto';
import { createSigner } from '@multi-image/testing/signer';
import { describe, expect, it } from 'vitest';
import { DigestChainError } from '../errors.ts';
import { decodeBase64, parsePublicKeys, signerOf, verifies } from './keys.ts';

const message = Buffer.from('message');

function refusal(pem: string): string {
  try {
    parsePublicKeys(pem);
    return 'none';
  } catch (error) {
    if (error instanceof DigestChainError) return error.code;
    throw error;
  }
}

describe.each(['P-256', 'P-384', 'RSA', 'Ed25519'] as const)('a key of kind %s', (kind) => {
  const signer = createSigner(kind);
  const [key = never()] = signer.keys;

  it('verifies its signature and no other', async () => {
    const signature = signer.sign(message);
    expect(await verifies(key, message, signature)).toBe(true);
    expect(await verifies(key, Buffer.from('massage'), signature)).toBe(false);
    expect(await verifies(createSigner(kind).keys[0] ?? never(), message, signature)).toBe(false);
  });

  it('finds no signature in what is none', async () => {
    for (const bytes of [new Uint8Array(), Buffer.alloc(64), Buffer.alloc(10_000, 0x30)]) {
      expect(await verifies(key, message, bytes)).toBe(false);
    }
  });
});

describe('a file of keys', () => {
  it('holds several, and the one that signed is found', async () => {
    const [first, second] = [createSigner('P-256'), createSigner('Ed25519')];
    const keys = parsePublicKeys(`${first.pem}\n${second.pem}`);
    expect(keys.map((key) => key.kind)).toEqual(['ECDSA P-256', 'Ed25519']);
    expect((await signerOf(keys, message, second.sign(message)))?.id).toBe(second.keys[0]?.id);
    expect(await signerOf(keys, message, createSigner().sign(message))).toBeUndefined();
  });

  it.each([
    ['a comment above', (pem: string) => `# public key of Chains on our cluster\n${pem}`],
    [
      'what openssl -text writes',
      (pem: string) => `Public-Key: (256 bit)\npub:\n    04:6b:17\nNIST CURVE: P-256\n${pem}`,
    ],
    ['text between and below', (pem: string) => `${pem}and\n${createSigner().pem}\n-- end --`],
  ])('is read with %s (RFC 7468, section 2)', (_, around) => {
    const own = createSigner();
    expect(parsePublicKeys(around(own.pem))[0]?.id).toBe(own.keys[0]?.id);
  });

  it('is refused with a private key in it, though a public key could be derived', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    expect(refusal(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())).toBe('KEY_INVALID');
  });

  it.each([
    ['nothing', ''],
    ['text', 'cosign.pub'],
    ['half a block beside a key', `${createSigner().pem}-----BEGIN PUBLIC KEY-----\nMFk`],
    ['the end of a block beside a key', `-----END PUBLIC KEY-----\n${createSigner().pem}`],
    ['a broken key', createSigner().pem.replace(/MFk/, 'MFQ')],
    ['a short RSA key', pemOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey)],
    ['another curve', pemOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey)],
    ['a key for key agreement', pemOf(generateKeyPairSync('x25519').publicKey)],
    ['too many keys', createSigner().pem.repeat(33)],
  ])('is refused with %s', (_, pem) => {
    expect(refusal(pem)).toBe('KEY_INVALID');
  });
});

describe('base64', () => {
  it.each([
    ['AAEC', [0, 1, 2]],
    ['', []],
    ['+/8=', [0xfb, 0xff]],
    ['-_8=', [0xfb, 0xff]],
    ['-_8', [0xfb, 0xff]],
    ['AA==', [0]],
    ['AA', [0]],
    ['AA=', [0]],
    ['==', []],
  ])('is decoded: %j', (text, bytes) => {
    expect(decodeBase64(text)).toEqual(Buffer.from(bytes));
  });

  it.each(['*', '====', 'A===', 'AA=A', 'AA AA', 'AAEC\n', '+/8', '+/8==', '+_8=', '=AAA', 'AÄ=='])(
    'is refused whole: %j',
    (text) => {
      expect(decodeBase64(text)).toBeUndefined();
    },
  );

  it('is checked at any length', () => {
    const text = 'AAEC'.repeat(4 * 1024 * 1024);
    for (const whole of [text, `${text}AA==`, `-${text}AA==`]) {
      expect(decodeBase64(whole)?.length, whole.slice(-4)).toBe(Buffer.from(whole, 'base64url').length);
    }
    for (const broken of [`${text}*`, `*${text}`, '='.repeat(text.length)]) {
      expect(decodeBase64(broken) === undefined, broken.slice(-4)).toBe(true);
    }
  });
});

function pemOf(key: { export(options: { type: 'spki'; format: 'pem' }): string | Buffer }): string {
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

function never(): never {
  throw new Error('not there');
}
