import type { Digest } from './digest.ts';
import { DigestChainError, unexpected } from './errors.ts';
import type { ImageFacts } from './image-facts.ts';
import type { LabelNames } from './label-names.ts';
import type { ReadTree } from './read-image.ts';
import { type DigestReference, isSameRepository, parseDigestReference } from './reference.ts';
import type { Repository } from './registry/registry.ts';

/** How an image names the image that it embeds: a pair of environment variables and an equal pair of labels. */
export interface Embedding {
  readonly role: string;
  readonly digest: Digest;
  /** `repo@digest`, as it was when the image was built. */
  readonly url: string;
  /** The repository of the url. */
  readonly place: Repository;
  /** The name of the environment variable that holds the digest. */
  readonly variable: string;
  /** The name of the one beside it that holds the url. */
  readonly urlVariable: string;
}

/**
 * Finds how an image embeds `origin`; throws `LINK_MISMATCH` where it does not, where what it says differs between label
 * and environment, or where it says something else elsewhere, and `LINK_INVALID` where it is malformed.
 */
function findEmbedding(facts: ImageFacts, origin: Digest, names: LabelNames): Embedding {
  const embedded = embeddedImages(facts, names);
  const role = embedded.find(({ digest }) => digest === origin)?.role;
  if (role === undefined) {
    throw noLabel(facts, origin, names);
  }
  const variable = variableOf(facts, origin);
  const label = names.urlOf(role);
  const url = facts.labels.get(label);
  const urlVariable = `${variable.slice(0, -DIGEST_SUFFIX.length)}_URL`;
  const urlInEnvironment = valuesOf(facts, urlVariable);
  if (url === undefined || urlInEnvironment.length !== 1 || urlInEnvironment[0] !== url) {
    throw new DigestChainError('LINK_MISMATCH', 'the linked image says different things in its label and environment', {
      expected: `the label ${label} and the variable ${urlVariable}, equal`,
      found: `${url ?? 'no label'} and ${urlInEnvironment.join(', ') || 'no variable'}`,
    });
  }
  const { registry, repository, digest } = parseUrl(url, label);
  if (digest !== origin) {
    throw new DigestChainError('LINK_MISMATCH', 'the linked image names another digest in its url', {
      expected: `the label ${label} to end with @${origin}`,
      found: url,
    });
  }
  const embedding = { role, digest, url, place: { registry, repository }, variable, urlVariable };
  refuseSecondAnswer(facts, embedding, names);
  return embedding;
}

/** That no label names the origin: since another image is in there, or only the label is missing. */
function noLabel(facts: ImageFacts, origin: Digest, names: LabelNames): DigestChainError {
  const labels = embeddedImages(facts, names).filter(({ digest }) => digest !== '');
  const variables = facts.environment.filter(([name]) => name.endsWith(DIGEST_SUFFIX));
  const holder = variables.find(([, value]) => value === origin)?.[0];
  // With one label or url of the pair the role is known; without any, only what labels of links look like.
  const role = [...facts.labels.keys()].map((label) => names.parseLink(label)?.role).find((known) => known);
  const label = names.digestOf(role ?? '*');
  const saying = labels.map(({ role: of, digest }) => `${names.digestOf(of)} = ${digest}`).join(', ');
  const isOther = labels.length > 0 && holder === undefined;
  const what = isOther
    ? 'the linked image was built with another image'
    : holder === undefined
      ? 'the linked image does not say what it was built with'
      : `the linked image has what it was built with in its variable ${holder}, and in no label`;
  return new DigestChainError('LINK_MISMATCH', what, {
    expected: `a label ${label} = ${origin}`,
    found: saying || `no such label${holder === undefined ? `, and no variable *${DIGEST_SUFFIX} with it` : ''}`,
    hint: isOther
      ? undefined
      : `its Containerfile needs ARG, ENV and LABEL for it${holder && role ? `: LABEL ${label}="$\{${holder}}"` : ''}`,
  });
}

/**
 * A reader takes whichever pair it knows: so no other variables and no other labels may name the embedded repository with
 * another digest. Throws `LINK_MISMATCH` with both.
 */
function refuseSecondAnswer(facts: ImageFacts, { digest, place, url }: Embedding, names: LabelNames): void {
  const values = Map.groupBy(facts.environment, ([name]) => name);
  const variables = facts.environment
    .filter(([name]) => name.endsWith('_URL'))
    .map(([name, value]) => {
      const beside = `${name.slice(0, -'_URL'.length)}${DIGEST_SUFFIX}`;
      return { name: beside, url: value, digests: (values.get(beside) ?? []).map(([, digest]) => digest) };
    });
  const labels = embeddedImages(facts, names).map(({ role, digest: beside, url: label = '' }) => {
    return { name: names.digestOf(role), url: label, digests: [beside] };
  });
  for (const pair of [...variables, ...labels]) {
    const named = referenceIn(pair.url);
    if (named === undefined || !isSameRepository(named, place)) continue;
    const other = [named.digest, ...pair.digests].find((text) => text !== digest);
    if (other === undefined) continue;
    throw new DigestChainError('LINK_MISMATCH', 'the linked image names the image that it embeds twice, differently', {
      expected: url,
      found: `${pair.name}=${other || 'nothing'} (${pair.url})`,
      hint: 'a base image may have set what the Containerfile does not',
    });
  }
}

/** A url with a digest; undefined for the links of a seal, which have none, and for what is no url. */
function referenceIn(text: string): DigestReference | undefined {
  if (!text.includes('@')) return undefined;
  try {
    return parseDigestReference(text);
  } catch {
    return undefined;
  }
}

/** The same in each image of an index; throws the same. */
export function findEmbeddings({ images }: ReadTree, origin: Digest, names: LabelNames): readonly Embedding[] {
  return images.map(({ facts }) => findEmbedding(facts, origin, names));
}

/** What the labels `<prefix>.<role>-image.*` say of the images that this one embeds, as text from outside. */
export function embeddedImages(
  { labels }: ImageFacts,
  names: LabelNames,
): readonly { readonly role: string; readonly digest: string; readonly url: string | undefined }[] {
  return [...labels].flatMap(([label, digest]) => {
    const link = names.parseLink(label);
    return link?.part === 'digest' ? [{ role: link.role, digest, url: labels.get(names.urlOf(link.role)) }] : [];
  });
}

const DIGEST_SUFFIX = '_DIGEST';

function variableOf(facts: ImageFacts, digest: Digest): string {
  const variables = facts.environment.filter(([name]) => name.endsWith(DIGEST_SUFFIX));
  const name = variables.find(([, value]) => value === digest)?.[0];
  // A variable that is set twice has the value that its reader chooses.
  if (name !== undefined && valuesOf(facts, name).length === 1) return name;
  throw new DigestChainError('LINK_MISMATCH', 'the linked image says different things in its label and environment', {
    expected: `one variable *${DIGEST_SUFFIX}=${digest}`,
    found: variables.map((entry) => entry.join('=')).join(', ') || `no variable *${DIGEST_SUFFIX}`,
  });
}

function valuesOf(facts: ImageFacts, name: string): readonly string[] {
  return facts.environment.filter(([found]) => found === name).map(([, value]) => value);
}

function parseUrl(url: string, label: string): DigestReference {
  try {
    return parseDigestReference(url);
  } catch (cause) {
    throw unexpected('LINK_INVALID', `the label ${label} is malformed`, 'repository@digest', url, cause);
  }
}
