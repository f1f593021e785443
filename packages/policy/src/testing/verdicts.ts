import type { Digest } from '@multi-image/digest-chain';
import { REVISION } from '@multi-image/testing/chain';
import type { MemoryRegistry } from '@multi-image/testing/memory-registry';
import { manifestAnswer } from './answers.ts';
import type { Opa } from './opa.ts';

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

/** How the policy denies each component: its rules' short names, and what they say. */
export interface Verdict {
  readonly rules: readonly string[];
  readonly messages: readonly string[];
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
  }
] if some id, release in data.releases
`;

/** Judges releases, all in one run of Open Policy Agent: of each its components' verdicts together. */
export function judge(opa: Opa, releases: readonly Release[]): Verdict[] {
  const documents = Object.fromEntries(releases.map((release, id) => [`${id}`, documentOf(release)]));
  const said = opa.evaluate('data.judging.verdicts', { releases: documents }, { 'releases.rego': RELEASES });
  return releases.map((_, id) => {
    const verdicts = (said as Record<string, Verdict[]>)[`${id}`];
    if (verdicts === undefined) throw new Error('the policy said nothing');
    return {
      rules: [...new Set(verdicts.flatMap(({ rules }) => rules))].sort(),
      messages: [...new Set(verdicts.flatMap(({ messages }) => messages))].sort(),
    };
  });
}

function documentOf({ registry, components, statements, ruleData }: Release): object {
  return {
    ruleData,
    answers: answersOf(registry),
    input: {
      attestations: statements.map((statement) => ({ statement })),
      snapshot: {
        components: components.map(({ name, image, digest, revision = REVISION }) => ({
          name,
          containerImage: digest.includes(':') ? `${image}@${digest}` : `${image}:${digest}`,
          source: { git: { revision } },
        })),
      },
    },
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
