import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { TektonLocalError } from '../errors.ts';
import type { PipelineRunOutcome } from '../outcome.ts';
import type { Plan } from '../plan/plan.ts';
import { imagesInResults } from './image-results.ts';
import { provenanceOf, subjectsOf, taskRunsOf } from './provenance.ts';
import { pushSignedLayer } from './signed-layers.ts';

/** What was signed for a run. */
export interface ChainsOutcome {
  /** PEM, for `cosign verify --key`. */
  publicKey: string;
  /** Images with a signature of their own: `repository@digest`. */
  signed: string[];
  /** Images that got the provenance of the whole run. */
  attested: string[];
}

const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';
const DSSE = 'application/vnd.dsse.envelope.v1+json';
const IN_TOTO = 'application/vnd.in-toto+json';
const SIGNATURE = 'dev.cosignproject.cosign/signature';
const SLSA = 'https://slsa.dev/provenance/v0.2';

/** A key for one run, where none is given. */
export function throwawayKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/** A private key in PEM (ECDSA P-256, as cosign's own). */
export function readKey(pem: string): KeyObject {
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
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
  const succeeded = taskRunsOf(outcome).filter((task) => task.status === 'Succeeded');
  const images = new Map(
    succeeded
      .flatMap((task) => imagesInResults(task.results))
      .map((image) => [`${image.repository}@${image.digest}`, image]),
  );
  for (const image of images.values()) {
    const bytes = Buffer.from(
      JSON.stringify({
        critical: {
          identity: { 'docker-reference': image.repository },
          image: { 'docker-manifest-digest': image.digest },
          type: 'cosign container image signature',
        },
        optional: null,
      }),
    );
    const annotations = { [SIGNATURE]: sign('sha256', bytes, key).toString('base64') };
    await pushSignedLayer(image, 'sig', { mediaType: SIMPLE_SIGNING, bytes, annotations }, signal);
  }
  const subjects = subjectsOf(outcome);
  if (subjects.length > 0) {
    const bytes = envelope(provenanceOf(plan, outcome, subjects), key);
    // cosign looks for the annotation at attestations as well, and leaves it empty.
    const annotations = { [SIGNATURE]: '', predicateType: SLSA };
    for (const image of subjects) await pushSignedLayer(image, 'att', { mediaType: DSSE, bytes, annotations }, signal);
  }
  return {
    publicKey,
    signed: [...images.keys()],
    attested: subjects.map(({ repository, digest }) => `${repository}@${digest}`),
  };
}

/** DSSE: the signature is over the type and the payload with their lengths (dsse/protocol.md, PAE). */
function envelope(statement: object, key: KeyObject): Buffer {
  const payload = Buffer.from(JSON.stringify(statement));
  const signed = Buffer.concat([
    Buffer.from(`DSSEv1 ${Buffer.byteLength(IN_TOTO)} ${IN_TOTO} ${payload.length} `),
    payload,
  ]);
  const keyid = `SHA256:${createHash('sha256')
    .update(createPublicKey(key).export({ type: 'spki', format: 'der' }))
    .digest('base64')
    .replace(/=+$/, '')}`;
  const signature = { keyid, sig: sign('sha256', signed, key).toString('base64') };
  return Buffer.from(
    JSON.stringify({ payloadType: IN_TOTO, payload: payload.toString('base64'), signatures: [signature] }),
  );
}
