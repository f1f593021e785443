import type { Link } from '@multi-image/digest-chain';
import {
  DEFAULT_PREFIX,
  type Digest,
  DOCKER_MANIFEST,
  digestOf,
  type Image,
  OCI_MANIFEST,
} from '@multi-image/digest-chain/oci';
import fc from 'fast-check';
import { CONFIG_TYPES } from './image.ts';
import { anyString, anyValue, array, member, members, object, space } from './json-arbitrary.ts';

/** What Go would take for one of these keys. */
function folds(...keys: string[]): (key: string) => boolean {
  return (key) => keys.includes(key.replaceAll('ſ', 's').replaceAll('\u212a', 'k').toLowerCase());
}

const SEAL_NAMES = [
  'sealed-from.digest',
  'sealed-over',
  'metadata-image.digest',
  'metadata-image.url',
  'bundle-image.digest',
  'other-image.digest',
];

/** Labels as an image has them, also those that a sealed base image leaves behind. */
const labels: fc.Arbitrary<string> = fc
  .tuple(
    members(fc.oneof({ weight: 9, arbitrary: anyString }, { weight: 1, arbitrary: fc.constant('null') }), isOurs),
    fc.subarray(SEAL_NAMES).chain((names): fc.Arbitrary<string[]> => fc.tuple(...names.map(inherited))),
    fc.boolean(),
  )
  .chain(([own, base, sealedBase]) => object(fc.constant(sealedBase ? [...own, ...base] : own)));

/** A key that {@link inherited} may have made already. */
function isOurs(key: string): boolean {
  return key.startsWith(DEFAULT_PREFIX);
}

function inherited(name: string): fc.Arbitrary<string> {
  return member(`${DEFAULT_PREFIX}.${name}`, fc.oneof(anyString, fc.constant('null')));
}

const optional = (key: string, value: fc.Arbitrary<string>): fc.Arbitrary<string[]> =>
  fc.option(member(key, value), { freq: 4 }).map((one) => (one === null ? [] : [one]));

/** The members of several objects as one. */
const joined = (...parts: fc.Arbitrary<string[]>[]): fc.Arbitrary<string[]> =>
  fc.tuple(...parts).map((lists) => lists.flat());

const container: fc.Arbitrary<string> = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom('null', '{}', '{ }', '{"Labels":null}', '{"Labels":{}}', '{"Labels":{\n}}') },
  {
    weight: 5,
    arbitrary: object(
      joined(
        optional('Labels', fc.oneof({ weight: 1, arbitrary: fc.constant('null') }, { weight: 6, arbitrary: labels })),
        optional('Env', array(fc.array(anyString, { maxLength: 3 }))),
        members(anyValue, folds('labels', 'env')),
      ),
    ),
  },
);

const config: fc.Arbitrary<string> = object(
  joined(
    member(
      'rootfs',
      object(
        joined(
          fc
            .oneof(
              { weight: 4, arbitrary: member('diff_ids', fc.constantFrom('[]', 'null', '["sha256:x"]')) },
              { weight: 1, arbitrary: member('type', fc.constant('"layers"')) },
            )
            .map((one) => [one]),
          members(anyValue, folds('diff_ids', 'type')),
        ),
      ),
    ).map((one) => [one]),
    optional('config', container),
    members(anyValue, folds('rootfs', 'config')),
  ),
);

interface ManifestParts {
  readonly descriptor: Digest;
  readonly size: number;
  readonly mediaType: string;
}

function manifest({ descriptor, size, mediaType }: ManifestParts): fc.Arbitrary<string> {
  const one = (key: string, value: fc.Arbitrary<string>): fc.Arbitrary<string[]> =>
    member(key, value).map((text) => [text]);
  const plain = (text: string): fc.Arbitrary<string> => fc.constant(JSON.stringify(text));
  const layer = object(
    joined(
      one('mediaType', plain('application/vnd.oci.image.layer.v1.tar+gzip')),
      members(anyValue, folds('mediatype')),
    ),
  );
  const configDescriptor = object(
    joined(
      one('mediaType', plain(CONFIG_TYPES[mediaType] ?? '')),
      one('digest', plain(descriptor)),
      one('size', fc.constant(`${size}`)),
      members(anyValue, folds('mediatype', 'digest', 'size', 'data', 'urls')),
    ),
  );
  return object(
    joined(
      one('schemaVersion', fc.constant('2')),
      mediaType === OCI_MANIFEST ? optional('mediaType', plain(mediaType)) : one('mediaType', plain(mediaType)),
      one('config', configDescriptor),
      one('layers', array(fc.array(layer, { maxLength: 3 }))),
      members(anyValue, folds('schemaversion', 'mediatype', 'config', 'layers', 'subject', 'artifacttype')),
    ),
  );
}

/** A whole image, its config and manifest written in any way that is valid. */
export const anyImage: fc.Arbitrary<Image> = fc
  .tuple(space, config, space, fc.constantFrom(OCI_MANIFEST, DOCKER_MANIFEST), fc.constantFrom('sha256', 'sha512'))
  .chain(([before, text, after, mediaType, algorithm]) => {
    const bytes = Buffer.from(`${before}${text}${after}`);
    return manifest({ descriptor: digestOf(bytes, algorithm), size: bytes.length, mediaType }).map((written): Image => {
      const raw = Buffer.from(written);
      return { manifest: { bytes: raw, mediaType, digest: digestOf(raw) }, config: bytes };
    });
  });

const digest: fc.Arbitrary<Digest> = fc
  .tuple(fc.constantFrom('sha256', 'sha512'), fc.nat())
  .map(([algorithm, seed]) => digestOf(Buffer.from(`${seed}`), algorithm));

/** One to three links, of roles that differ. */
export const anyLinks: fc.Arbitrary<Link[]> = fc.uniqueArray(
  fc.record({
    role: fc.constantFrom('metadata', 'bundle', 'catalog', 'a', 'x-1'),
    url: fc.constantFrom('quay.io/org/image2:tag', 'localhost:5000/a', '[::1]:5000/a/b:c', 'a.b/c_d/e--f:_g.h-i'),
    digest,
  }),
  { selector: (link) => link.role, minLength: 1, maxLength: 3 },
);
