import { reasonOf } from '../../../kit/src/errors.ts';
import { readUpTo } from '../bounded-file.ts';
import { DigestChainError } from '../errors.ts';
import { refuseKeyReference } from './key-references.ts';
import { parsePublicKeys, type VerificationKey } from './keys.ts';

const MAX_KEY_FILE = 64 * 1024;

/** Before the name of a variable of the environment, as cosign has it: what a pipeline hands on is in no file. */
const VARIABLE = 'env://';

/**
 * The public keys in all of these files, or variables (`env://<variable>`). Throws `KEY_INVALID`: also for a reference to a
 * key that is in no file, with what to do then.
 */
export async function readKeys(paths: readonly string[] = []): Promise<readonly VerificationKey[]> {
  const keys: VerificationKey[] = [];
  for (const path of paths) {
    refuseKeyReference(path);
    try {
      keys.push(...parsePublicKeys(path.startsWith(VARIABLE) ? readVariable(path) : await readKeyFile(path)));
    } catch (error) {
      throw error instanceof DigestChainError ? inFile(path, error) : error;
    }
  }
  return keys;
}

/** Of several files the reader has to know which one. */
function inFile(path: string, error: DigestChainError): DigestChainError {
  const { code, message, expected, found, cause } = error;
  return new DigestChainError(code, `${message}: ${path}`, {
    expected,
    found,
    hint: 'a public key is a PEM file that begins with -----BEGIN PUBLIC KEY-----; cosign public-key --key <key> prints one',
    cause,
  });
}

function readVariable(path: string): string {
  const text = process.env[path.slice(VARIABLE.length)] ?? '';
  if (text !== '') return text.slice(0, MAX_KEY_FILE);
  throw new DigestChainError('KEY_INVALID', 'the variable with the key is not set', { found: 'nothing' });
}

async function readKeyFile(path: string): Promise<string> {
  try {
    return (await readUpTo(path, MAX_KEY_FILE)).toString();
  } catch (cause) {
    throw new DigestChainError('KEY_INVALID', 'a key file could not be read', { found: reasonOf(cause), cause });
  }
}
