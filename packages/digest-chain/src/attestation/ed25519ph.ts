import { createHash } from 'node:crypto';

// RFC 8032, "Ed25519ph, Ed25519ctx, and Ed25519": the curve -x² + y² = 1 + dx²y² over the integers modulo P.
const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = modulo(-121665n * power(121666n, P - 2n));
const TWO_D = modulo(2n * D);
const SQRT_MINUS_ONE = power(2n, (P - 1n) / 4n);

/** A point in extended coordinates: x = X/Z, y = Y/Z, T = XY/Z. */
type Point = readonly [X: bigint, Y: bigint, Z: bigint, T: bigint];

const NEUTRAL: Point = [0n, 1n, 1n, 0n];

/** What of a message is signed: its SHA-512. */
export function ed25519Prehash(message: Uint8Array): Uint8Array {
  return createHash('sha512').update(message).digest();
}

/** Whether a signature is one over the message with this {@link ed25519Prehash}. */
export type Ed25519phVerifier = (prehash: Uint8Array, signature: Uint8Array) => boolean;

/**
 * Verifies Ed25519ph signatures (RFC 8032, section 5.1.7, without a context): Ed25519 over the SHA-512 of the message,
 * which is what cosign makes with an Ed25519 key, of images and of DSSE envelopes alike. Node's crypto has only the plain
 * scheme. Everything here is public, so it need not run in constant time. Whoever may push may push a thousand
 * signatures: the multiples of the key are computed once, and a signature then takes 128 additions.
 */
export function ed25519phVerifier(publicKey: Uint8Array): Ed25519phVerifier {
  const A = publicKey.length === 32 ? decompress(publicKey) : undefined;
  if (A === undefined) return () => false;
  const [X, Y, Z, T] = A;
  const multiplesOfMinusA = multiplesOf([modulo(-X), Y, Z, modulo(-T)]);
  return (prehash, signature) => {
    if (signature.length !== 64) return false;
    const R = signature.subarray(0, 32);
    const s = littleEndian(signature.subarray(32));
    if (s >= L) return false;
    const hash = createHash('sha512')
      .update('SigEd25519 no Ed25519 collisions')
      .update(Uint8Array.of(1, 0))
      .update(R)
      .update(publicKey)
      .update(prehash)
      .digest();
    const k = littleEndian(hash) % L;
    multiplesOfBase ??= multiplesOf(BASE);
    // R = [s]B - [k]A, compared as it is encoded: one signature has one form.
    return isEncodedAs(multiply(multiplesOfMinusA, k, multiply(multiplesOfBase, s)), R);
  };
}

const BASE = decompress(Buffer.from('58'.padEnd(64, '6'), 'hex')) ?? NEUTRAL;
let multiplesOfBase: Multiples | undefined;

function add([X1, Y1, Z1, T1]: Point, [X2, Y2, Z2, T2]: Point): Point {
  const a = (Y1 - X1) * (Y2 - X2);
  const b = (Y1 + X1) * (Y2 + X2);
  const c = modulo(T1 * T2) * TWO_D;
  const d = 2n * Z1 * Z2;
  const [e, f, g, h] = [modulo(b - a), modulo(d - c), modulo(d + c), modulo(b + a)];
  return [modulo(e * f), modulo(g * h), modulo(f * g), modulo(e * h)];
}

const DIGITS = 64;

/** For each hexadecimal digit of a scalar, the lowest first, what it comes to: [digit · 16^place]P. */
type Multiples = readonly (readonly Point[])[];

function multiplesOf(point: Point): Multiples {
  let unit = point;
  return Array.from({ length: DIGITS }, () => {
    const multiples = [NEUTRAL];
    for (let digit = 1; digit <= 16; digit++) multiples.push(add(multiples[digit - 1] ?? NEUTRAL, unit));
    unit = multiples.pop() ?? NEUTRAL;
    return multiples;
  });
}

/** `sum` and the multiple of the point by the scalar. */
function multiply(multiples: Multiples, scalar: bigint, sum: Point = NEUTRAL): Point {
  let result = sum;
  const digits = scalar.toString(16);
  for (let place = 0; place < digits.length; place++) {
    const digit = Number.parseInt(digits.charAt(digits.length - 1 - place), 16);
    if (digit > 0) result = add(result, multiples[place]?.[digit] ?? NEUTRAL);
  }
  return result;
}

/** Section 5.1.3; undefined where the bytes are no point, or not written in the one way. */
function decompress(bytes: Uint8Array): Point | undefined {
  const encoded = littleEndian(bytes);
  const sign = encoded >> 255n;
  const y = encoded & ((1n << 255n) - 1n);
  if (y >= P) return undefined;
  const u = modulo(y * y - 1n);
  const v = modulo(D * y * y + 1n);
  let x = modulo(u * power(v, 3n) * power(modulo(u * power(v, 7n)), (P - 5n) / 8n));
  const check = modulo(v * x * x);
  if (check === modulo(-u)) x = modulo(x * SQRT_MINUS_ONE);
  else if (check !== u) return undefined;
  if (x === 0n && sign === 1n) return undefined;
  if ((x & 1n) !== sign) x = P - x;
  return [x, y, 1n, modulo(x * y)];
}

/** Section 5.1.2. What differs in y is told without the inverse, which would take as long as all the rest. */
function isEncodedAs([X, Y, Z]: Point, bytes: Uint8Array): boolean {
  const encoded = littleEndian(bytes);
  const y = encoded & ((1n << 255n) - 1n);
  if (y >= P || modulo(y * Z) !== Y) return false;
  return (modulo(X * power(Z, P - 2n)) & 1n) === encoded >> 255n;
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}

function modulo(value: bigint): bigint {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = base % P, rest = exponent; rest > 0n; square = (square * square) % P, rest >>= 1n) {
    if (rest & 1n) result = (result * square) % P;
  }
  return result;
}
