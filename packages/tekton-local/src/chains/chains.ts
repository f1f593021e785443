import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import {
  createRegistry,
  DSSE_ENVELOPE,
  formatReference,
  IN_TOTO,
  preAuthenticationEncoding,
  repositoryName,
  SIGNATURE_ANNOTATION,
  SIMPLE_SIGNING,
  withSignal,
} from '@multi-image/digest-chain/oci';
import { TektonLocalError } from '../errors.ts';
import { type ChainsOutcome, type PipelineRunOutcome, taskRunsOf } from '../outcome.ts';
import type { Plan } from '../plan/plan.ts';
import { imagesInResults } from './image-results.ts';
import { provenanceOf, SLSA } from './provenance.ts';
import { pushSignedLayer } from './signed-layers.ts';

/** The private key to sign with, from PEM (ECDSA P-256, as cosign's own); one for this run where none is given. */
export function signingKey(pem: string | undefined): KeyObject {
  if (pem === undefined) return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    // The error of the parser could tell parts of the key.
    throw new TektonLocalError('USAGE', 'the key is not a private key in PEM without a password');
  }
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new TektonLocalError('USAGE', 'the key does not fit', {
      expected: 'ECDSA on P-256',
      found: key.asymmetricKeyType ?? 'something else',
    });
  }
  return key;
}

/**
 * Does what Tekton Chains does in Konflux: signs the images that each succeeded TaskRun returned (simple signing, at the
 * tag `.sig`), and attaches the signed provenance of the run to every image of it (in-toto, SLSA v0.2, DSSE, at `.att`).
 * Nothing is written to a transparency log.
 */
export async function signRun(
  plan: Plan,
  outcome: PipelineRunOutcome,
  key: KeyObject,
  signal?: AbortSignal,
): Promise<ChainsOutcome> {
  const registry = withSignal(createRegistry(), signal);
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
  const taskRuns = outcome.tasks.flatMap(taskRunsOf);
  const images = imagesInResults(taskRuns.filter(({ status }) => status === 'Succeeded'));
  for (const image of images) {
    const bytes = Buffer.from(
      JSON.stringify({
        critical: {
          identity: { 'docker-reference': repositoryName(image) },
          image: { 'docker-manifest-digest': image.digest },
          type: 'cosign container image signature',
        },
        optional: null,
      }),
    );
    const annotations = { [SIGNATURE_ANNOTATION]: sign('sha256', bytes, key).toString('base64') };
    await pushSignedLayer(registry, image, 'sig', { mediaType: SIMPLE_SIGNING, bytes, annotations });
  }
  // Of the tasks and of the run itself, as Chains finds them with deep inspection.
  const subjects = imagesInResults([...taskRuns, outcome]);
  if (subjects.length > 0) {
    const bytes = envelope(provenanceOf(plan, outcome, subjects), key);
    // cosign looks for the annotation at attestations as well, and leaves it empty.
    const layer = { mediaType: DSSE_ENVELOPE, bytes, annotations: { [SIGNATURE_ANNOTATION]: '', predicateType: SLSA } };
    for (const image of subjects) await pushSignedLayer(registry, image, 'att', layer);
  }
  return { publicKey, signed: images.map(formatReference), attested: subjects.map(formatReference) };
}

/** A DSSE envelope around a statement, with one signature. */
function envelope(statement: object, key: KeyObject): Buffer {
  const payload = Buffer.from(JSON.stringify(statement));
  const signed = preAuthenticationEncoding(IN_TOTO, payload);
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const keyid = `SHA256:${createHash('sha256').update(publicKey).digest('base64').replace(/=+$/, '')}`;
  const signature = { keyid, sig: sign('sha256', signed, key).toString('base64') };
  return Buffer.from(
    JSON.stringify({ payloadType: IN_TOTO, payload: payload.toString('base64'), signatures: [signature] }),
  );
}
