import { readFile } from 'node:fs/promises';
import { parsePublicKeys, refuseKeyReference, type VerificationKey } from '@multi-image/digest-chain';
import { reasonOf } from '@multi-image/kit/errors';
import { E2eError } from '../errors.ts';

/** The keys of all files; undefined where none was named. Throws `KEY_UNREADABLE`. */
export async function readKeyFiles(files: readonly string[] = []): Promise<readonly VerificationKey[] | undefined> {
  if (files.length === 0) return undefined;
  const keys = await Promise.all(
    files.map(async (file) => {
      refuseKeyReference(file);
      const pem = await readFile(file, 'utf8').catch((cause) => {
        throw new E2eError('KEY_UNREADABLE', `the key ${file} can't be read`, {
          expected: 'a PEM file of public keys, such as cosign.pub',
          found: reasonOf(cause),
          cause,
        });
      });
      return parsePublicKeys(pem);
    }),
  );
  return keys.flat();
}
