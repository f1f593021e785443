import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { cacheFolder } from '../../../kit/src/cache-folder.ts';
import { reasonOf } from '../../../kit/src/errors.ts';
import { readUpTo } from '../bounded-file.ts';
import { DigestChainError } from '../errors.ts';
import { type DemandValues, SIGNER_OPTIONS } from '../options.ts';
import type { CertificateIdentity } from '../signature/keyless.ts';
import { fetchTrustedRoot, parseTrustedRoot, type TrustedRoot } from '../signature/keyless-root.ts';
import { usage } from './arguments.ts';

/**
 * Reads those of {@link SIGNER_OPTIONS} that are no key; none where none is given. Without a trusted root it is the one of
 * Sigstore's public instance, or of the TUF repository that is named. Throws `USAGE`, `TRUSTED_ROOT_INVALID`,
 * `TRUSTED_ROOT_UNAVAILABLE`, `KEYLESS_UNSUPPORTED`.
 */
export async function readIdentities(values: DemandValues): Promise<readonly CertificateIdentity[]> {
  const { key: _, ...options } = SIGNER_OPTIONS;
  const isGiven = (name: string): boolean => values[name as keyof DemandValues] !== undefined;
  if (!Object.keys(options).some(isGiven)) return [];
  const subject = wanted(values, 'certificate-identity');
  const issuer = wanted(values, 'certificate-oidc-issuer');
  return [{ subject, issuer, trustedRoot: await readTrustedRoot(values) }];
}

/** One of the two forms of an option, and one is needed, as with cosign: anybody may vouch for any subject. */
function wanted(values: DemandValues, name: 'certificate-identity' | 'certificate-oidc-issuer'): string | RegExp {
  const exact = values[name];
  const pattern = values[`${name}-regexp`];
  if (exact === undefined && pattern === undefined) {
    throw usage(`--${name} or --${name}-regexp is missing: who may have signed is a subject and who vouches for it`);
  }
  if (exact !== undefined && pattern !== undefined) throw usage(`give one of --${name} and --${name}-regexp`);
  return exact ?? parsePattern(`--${name}-regexp`, pattern ?? '');
}

/**
 * A regular expression as cosign takes it: it matches anywhere, unless ^ and $ say otherwise. What Go (RE2) and JavaScript
 * read differently is refused.
 */
function parsePattern(option: string, text: string): RegExp {
  try {
    if (/\[\[:\^?\w+:\]/.test(text)) throw new Error('it has a POSIX class');
    return new RegExp(text, 'u');
  } catch (cause) {
    throw usage(`${option} is no regular expression that is read everywhere alike: ${reasonOf(cause)}`);
  }
}

async function readTrustedRoot(values: DemandValues): Promise<TrustedRoot> {
  const { 'trusted-root': file, 'tuf-mirror': mirror, 'tuf-root': root } = values;
  if (file === undefined) return fetchTrustedRoot({ mirror, root, cache: await cacheOf(root) });
  if (mirror !== undefined || root !== undefined) throw usage('give one of --trusted-root and --tuf-mirror');
  return parseTrustedRoot(await readText(file));
}

/** What was fetched by the word of one root says nothing to who trusts another. */
async function cacheOf(root: string | undefined): Promise<string> {
  const trust =
    root === undefined
      ? 'public'
      : createHash('sha256')
          .update(await readText(root))
          .digest('hex');
  return cacheFolder('digest-chain', join('tuf', trust));
}

/** Bytes: those of Sigstore's public instance have some ten thousand. */
const MAX_ROOT_SIZE = 8 * 1024 * 1024;

async function readText(path: string): Promise<string> {
  const bytes = await readUpTo(path, MAX_ROOT_SIZE).catch((cause) => {
    throw new DigestChainError('TRUSTED_ROOT_INVALID', `${path} can't be read`, { found: reasonOf(cause), cause });
  });
  return bytes.toString();
}
