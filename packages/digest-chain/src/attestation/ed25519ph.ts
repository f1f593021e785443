import { createHash } from 'node:crypto';

// RFC 8032, "Ed25519ph, Ed25519ctx, and Ed25519": the curve -x² + y² = 1 + dx²y² over the integers modulo P.
const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = modulo(-121665n * power(121666n, P - 2n));
const SQRT_MINUS_ONE = power(2n, (P - 1n) / 4n);

/** A point in extended coordinates: x = X/Z, y = Y/Z, T = XY/Z. */
type Point = readonly [X: bigint, Y: bigint, Z: bigint, T: bigint];

const NEUTRAL: Point = [0n, 1n, 1n, 0n];
const BASE = decompress(Buffer.from('58'.padEnd(64, '6'), 'hex'));

/**
 * Verifies an Ed25519ph signature (RFC 8032, section 5.1.7, without a context): Ed25519 over the SHA-512 of the message,
 * which is what cosign makes with an Ed25519 key. Node's crypto has only the plain scheme. Everything here is public, so
 * it need not run in constant time.
 */
export function verifyEd25519ph(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  const R = signature.subarray(0, 32);
  const s = littleEndian(signature.subarray(32));
  const A = decompress(publicKey);
  if (A === undefined || BASE === undefined || s >= L) return false;
  const hash = createHash('sha512')
    .update('SigEd25519 no Ed25519 collisions')
    .update(Uint8Array.of(1, 0))
    .update(R)
    .update(publicKey)
    .update(createHash('sha512').update(message).digest())
    .digest();
  const k = littleEndian(hash) % L;
  const [X, Y, Z, T] = A;
  // R = [s]B - [k]A, compared as it is encoded: one signature has one form.
  return Buffer.compare(compress(add(multiply(BASE, s), multiply([modulo(-X), Y, Z, modulo(-T)], k))), R) === 0;
}

function add([X1, Y1, Z1, T1]: Point, [X2, Y2, Z2, T2]: Point): Point {
  const a = modulo((Y1 - X1) * (Y2 - X2));
  const b = modulo((Y1 + X1) * (Y2 + X2));
  const c = modulo(2n * D * T1 * T2);
  const d = modulo(2n * Z1 * Z2);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return [modulo(e * f), modulo(g * h), modulo(f * g), modulo(e * h)];
}

function multiply(point: Point, scalar: bigint): Point {
  let result = NEUTRAL;
  for (let doubled = point, rest = scalar; rest > 0n; doubled = add(doubled, doubled), rest >>= 1n) {
    if (rest & 1n) result = add(result, doubled);
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

function compress([X, Y, Z]: Point): Uint8Array {
  const inverse = power(Z, P - 2n);
  const x = modulo(X * inverse);
  const y = modulo(Y * inverse);
  return Buffer.from((y | ((x & 1n) << 255n)).toString(16).padStart(64, '0'), 'hex').reverse();
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
