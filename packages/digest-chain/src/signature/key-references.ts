import { shellWord } from '../../../kit/src/shell.ts';
import { DigestChainError } from '../errors.ts';

/** Where cosign reads keys from that are no files, and how the public key is had from there (sigstore/cosign, KEY_MANAGEMENT.md). */
const REFERENCES: readonly (readonly [scheme: RegExp, what: string, toDo: (reference: string) => string])[] = [
  [/^k8s:\/\//, 'a secret of a cluster', fromSecret],
  [/^pkcs11:/, 'a PKCS#11 token', byCosign],
  [/^(?:awskms|gcpkms|azurekms|hashivault):\/\//, 'a key management service', byCosign],
  [/^gitlab:\/\//, 'a variable of a GitLab project', byCosign],
];

/**
 * Refuses what names a key that is in no file: cosign reads those with rights that a proof does without, and a proof is to
 * be the same wherever it is made. Throws `KEY_INVALID`, with the command that writes the key into a file.
 */
export function refuseKeyReference(path: string): void {
  const [, what, toDo] = REFERENCES.find(([scheme]) => scheme.test(path)) ?? [];
  if (what === undefined || toDo === undefined) return;
  throw new DigestChainError('KEY_INVALID', `a key in ${what} is not read: ${path}`, {
    expected: 'a file with the public key (PEM), or env://<variable>',
    found: path,
    hint: `${toDo(path)} writes it into a file`,
  });
}

function byCosign(reference: string): string {
  return `cosign public-key --key ${shellWord(reference)} > cosign.pub`;
}

function fromSecret(reference: string): string {
  const [namespace = '', name = ''] = reference.slice('k8s://'.length).split('/');
  const secret = `kubectl get secret ${shellWord(name || 'NAME')} -n ${shellWord(namespace || 'NAMESPACE')}`;
  return `${secret} -o jsonpath='{.data.cosign\\.pub}' | base64 -d > cosign.pub`;
}
