import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import {
  createRegistry,
  DSSE_ENVELOPE,
  formatReference,
  IN_TOTO,
  preAuthenticationEncoding,
  type Registry,
  repositoryName,
  SIGNATURE_ANNOTATION,
  SIMPLE_SIGNING,
  withSignal,
} from '@multi-image/digest-chain/oci';
import { TektonLocalError } from '../errors.ts';
import { type ChainsOutcome, type PipelineRunOutcome, type TaskOutcome, taskRunsOf } from '../outcome.ts';
import type { Plan } from '../plan/plan.ts';
import type { TaskRunShown } from '../run/task-run.ts';
import { type ImageResult, imagesInResults } from './image-results.ts';
import { type EndedTaskRun, provenanceOf, type RunIdentity, taskProvenanceOf } from './provenance.ts';
import { pushSignedLayer } from './signed-layers.ts';
import { StepImages } from './step-images.ts';

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

/** What cosign and Chains write of a signature that needs no certificate. */
const NO_CERTIFICATE = { 'dev.sigstore.cosign/certificate': '', 'dev.sigstore.cosign/chain': '' };

/** What a run is signed as, and with what. */
export interface SigningOptions {
  readonly plan: Plan;
  readonly key: KeyObject;
  readonly run: RunIdentity & { readonly name: string };
  /** Whether images in the registry at this host are signed. */
  readonly signsIn: (host: string) => boolean;
  /** The digest of an image that is on this machine. */
  readonly digestOf: (image: string) => Promise<string | undefined>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Does what Tekton Chains does in Konflux, and when it does: as soon as a TaskRun has succeeded it signs the images that
 * this returned (simple signing, at the tag `.sig`) and attaches its signed provenance to them; once the run has, that of
 * the run to every image of it (in-toto, SLSA v0.2, DSSE, at `.att`). Nothing is written to a transparency log.
 */
export class ChainsStandIn {
  readonly #options: SigningOptions;
  readonly #registry: Registry;
  readonly #signed = new Map<string, ImageResult>();
  readonly #pending: Promise<void>[] = [];
  readonly #shown = new Map<TaskOutcome, TaskRunShown>();
  readonly #images: StepImages;

  constructor(options: SigningOptions) {
    this.#options = options;
    this.#registry = withSignal(createRegistry(), options.signal);
    this.#images = new StepImages(options.digestOf);
  }

  /** Begins to sign; no task waits for that, as in a cluster. */
  taskRunEnded(outcome: TaskOutcome, shown: TaskRunShown): void {
    this.#shown.set(outcome, shown);
    if (outcome.status !== 'Succeeded') return;
    const signing = this.#signTaskRun(outcome);
    // Whoever asks for the run's signatures hears of it.
    signing.catch(() => undefined);
    this.#pending.push(signing);
  }

  /** Waits for what was begun; what failed of it is said by {@link runEnded}. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#pending);
  }

  /** Attests a run that has succeeded. */
  async runEnded(outcome: PipelineRunOutcome): Promise<ChainsOutcome> {
    const { plan, key, run } = this.#options;
    await this.settle();
    await Promise.all(this.#pending);
    // Of the tasks and of the run itself, as Chains finds them with deep inspection.
    const subjects = this.#imagesOf([...outcome.tasks.flatMap(taskRunsOf), outcome]);
    if (subjects.length > 0) {
      const ran = outcome.tasks.flatMap(taskRunsOf).filter(({ startedAt }) => startedAt !== undefined);
      const taskRuns = await Promise.all(ran.map((task) => this.#ended(task)));
      await this.#attest(provenanceOf(plan, outcome, taskRuns, subjects, run), subjects);
    }
    return {
      publicKey: createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString(),
      signed: [...this.#signed.keys()],
      attested: subjects.map(formatReference),
    };
  }

  async #signTaskRun(outcome: TaskOutcome): Promise<void> {
    const { plan, run } = this.#options;
    const images = this.#imagesOf([outcome]);
    for (const image of images) {
      const name = formatReference(image);
      // Of several tasks that return an image, one signature is enough.
      if (this.#signed.has(name)) continue;
      this.#signed.set(name, image);
      await this.#sign(image);
    }
    if (images.length === 0) return;
    await this.#attest(taskProvenanceOf(plan, await this.#ended(outcome), images, run), images);
  }

  async #ended(outcome: TaskOutcome): Promise<EndedTaskRun> {
    const { steps, sidecars } = this.#shown.get(outcome) ?? { steps: [], sidecars: [] };
    return {
      outcome,
      steps: await Promise.all(steps.map(async (shown) => ({ shown, image: await this.#images.of(shown) }))),
      sidecars: await Promise.all(sidecars.map((sidecar) => this.#images.of(sidecar))),
    };
  }

  #imagesOf(owners: Parameters<typeof imagesInResults>[0]): ImageResult[] {
    return imagesInResults(owners).filter(({ registry }) => this.#options.signsIn(registry));
  }

  async #sign(image: ImageResult): Promise<void> {
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
    const annotations = {
      ...NO_CERTIFICATE,
      [SIGNATURE_ANNOTATION]: sign('sha256', bytes, this.#options.key).toString('base64'),
    };
    await pushSignedLayer(this.#registry, image, 'sig', { mediaType: SIMPLE_SIGNING, bytes, annotations });
  }

  async #attest(statement: object, subjects: readonly ImageResult[]): Promise<void> {
    const bytes = envelope(statement, this.#options.key);
    // cosign looks for the annotation at attestations as well, and leaves it empty.
    const layer = { mediaType: DSSE_ENVELOPE, bytes, annotations: { ...NO_CERTIFICATE, [SIGNATURE_ANNOTATION]: '' } };
    for (const image of subjects) await pushSignedLayer(this.#registry, image, 'att', layer);
  }
}

/** A DSSE envelope around a statement, with one signature. */
function envelope(statement: object, key: KeyObject): Buffer {
  const payload = Buffer.from(JSON.stringify(statement));
  const signed = preAuthenticationEncoding(IN_TOTO, payload);
  const keyid = `SHA256:${createHash('sha256')
    .update(createPublicKey(key).export({ type: 'spki', format: 'der' }))
    .digest('base64')
    .replace(/=+$/, '')}`;
  const signature = { keyid, sig: sign('sha256', signed, key).toString('base64') };
  return Buffer.from(
    JSON.stringify({ payloadType: IN_TOTO, payload: payload.toString('base64'), signatures: [signature] }),
  );
}
