import type { Digest } from '@multi-image/digest-chain';
import { REVISION } from '@multi-image/testing/chain';
import type { MemoryRegistry } from '@multi-image/testing/memory-registry';
import { manifestAnswer } from './answers.ts';
import { Opa } from './opa.ts';

/** An image of a Snapshot. */
export interface Component {
  readonly name: string;
  readonly image: string;
  readonly digest: Digest | string;
  readonly revision?: string;
}

/** What Conforma has at hand when it judges a Snapshot. */
export interface Release {
  readonly registry: MemoryRegistry;
  readonly components: readonly Component[];
  /** Statements whose signatures it has checked, of every image. */
  readonly statements: readonly object[];
  readonly ruleData: object;
}

/** Why a release is denied; empty where it is not. */
export interface Verdict {
  /** The short names of the policy's rules. */
  readonly rules: readonly string[];
  /** What those say. */
  readonly messages: readonly string[];
  /** What Conforma finds itself; it does not ask the policy about such an image. */
  readonly itself: readonly string[];
}

// Each of them answers from what a registry held; what it does not know has no value, as with Conforma.
const RELEASES = `package judging

import rego.v1

blob(ref) := base64.decode(input.answers.blobs[ref])
descriptor(ref) := input.answers.descriptors[ref]
manifest(ref) := input.answers.manifests[ref]
index(ref) := input.answers.indexes[ref]

verdicts[id] := [verdict |
  some component in release.input.snapshot.components
  asked := object.union(release.input, {
    "component_name": component.name,
    "image": {"ref": component.containerImage},
    "answers": release.answers,
  })
  results := data.image_chain.deny with input as asked
    with data.rule_data__configuration__ as {"image_chain": release.ruleData}
    with ec.oci.blob as blob
    with ec.oci.descriptor as descriptor
    with ec.oci.image_manifest as manifest
    with ec.oci.image_index as index
  verdict := {
    "rules": {trim_prefix(result.code, "image_chain.") | some result in results},
    "messages": {result.msg | some result in results},
    "itself": [],
  }
] if some id, release in data.releases
`;

/** What asks the policy about releases: of each its components' verdicts together. */
export interface Judge {
  judge(releases: readonly Release[]): Promise<readonly Verdict[]>;
  close(): Promise<void>;
}

/** Asks in one run of Open Policy Agent, and answers in place of Conforma's functions. */
export class OpaJudge implements Judge {
  readonly #opa: Opa = new Opa();

  async judge(releases: readonly Release[]): Promise<readonly Verdict[]> {
    const documents = Object.fromEntries(releases.map((release, id) => [`${id}`, documentOf(release)]));
    const said = this.#opa.evaluate('data.judging.verdicts', { releases: documents }, { 'releases.rego': RELEASES });
    return releases.map((_, id) => {
      const verdicts = (said as Record<string, Verdict[]>)[`${id}`];
      if (verdicts === undefined) throw new Error('the policy said nothing');
      return together(verdicts);
    });
  }

  async close(): Promise<void> {
    this.#opa.close();
  }
}

/** The verdict of all components. */
export function together(verdicts: readonly Verdict[]): Verdict {
  return {
    rules: [...new Set(verdicts.flatMap(({ rules }) => rules))].sort(),
    messages: [...new Set(verdicts.flatMap(({ messages }) => messages))].sort(),
    itself: [...new Set(verdicts.flatMap(({ itself }) => itself))].sort(),
  };
}

function documentOf({ registry, components, statements, ruleData }: Release): object {
  return {
    ruleData,
    answers: answersOf(registry),
    input: {
      attestations: statements.map((statement) => ({ statement })),
      snapshot: snapshotOf(components),
    },
  };
}

/** The Snapshot of these components. */
export function snapshotOf(components: readonly Component[]): object {
  return {
    components: components.map(({ name, image, digest, revision = REVISION }) => ({
      name,
      containerImage: digest.includes(':') ? `${image}@${digest}` : `${image}:${digest}`,
      source: { git: { revision } },
    })),
  };
}

function answersOf({ manifests, blobs }: MemoryRegistry): object {
  const all = [...manifests];
  const ofType = (index: boolean): object =>
    Object.fromEntries(
      all
        .filter(([, { mediaType }]) => /index|list/.test(mediaType) === index)
        .map(([ref, manifest]) => [ref, manifestAnswer(manifest)]),
    );
  return {
    descriptors: Object.fromEntries(all.map(([ref, { mediaType }]) => [ref, { mediaType }])),
    manifests: ofType(false),
    indexes: ofType(true),
    blobs: Object.fromEntries([...blobs].map(([ref, bytes]) => [ref, Buffer.from(bytes).toString('base64')])),
  };
}
