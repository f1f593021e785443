import { readIdentities, readKeys, type VerificationKey, type VerifyOptions } from '@multi-image/digest-chain';
import { shellWord } from '@multi-image/kit/shell';
import type { Values } from '../options.ts';

/** Who may have signed, by the command line. */
export interface Signers {
  /** Undefined where none was named. */
  readonly keys?: readonly VerificationKey[] | undefined;
  readonly identities?: VerifyOptions['identities'];
  /** See {@link signerArguments}. */
  readonly signer?: string | undefined;
}

/** Throws `KEY_INVALID`, `USAGE`, and what reading a trusted root throws. */
export async function readSigners(values: Values): Promise<Signers> {
  const keys = values.key && (await readKeys(values.key));
  return { keys, identities: await readIdentities(values), signer: signerArguments(values) };
}

/** The identities, as options of this command and of cosign alike; undefined where none was named. */
export function signerArguments(values: Values): string | undefined {
  const named = COSIGN_OPTIONS.filter((name) => values[name] !== undefined);
  return named.map((name) => `--${name} ${shellWord(values[name] ?? '')}`).join(' ') || undefined;
}

const COSIGN_OPTIONS = [
  'certificate-identity',
  'certificate-identity-regexp',
  'certificate-oidc-issuer',
  'certificate-oidc-issuer-regexp',
  'trusted-root',
] as const;
