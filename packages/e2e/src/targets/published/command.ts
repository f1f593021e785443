import { parseReference, type Repository } from '@multi-image/digest-chain/oci';
import { E2eError } from '../../errors.ts';
import { connect } from '../../look/connect.ts';
import type { Values } from '../../options.ts';
import type { Report } from '../../report/report.ts';
import { readSigners } from '../signers.ts';
import { verifyPublished } from './verify-published.ts';

/** Proves the chain of an image that is published, as the command line asks for it. */
export async function runVerifyCommand(image: string, values: Values, signal: AbortSignal): Promise<Report> {
  const { revision, prefix, 'plain-http': plainHttp, 'registry-here': to } = values;
  const { registry, elsewhere } = connect({ from: image.split('/')[0], to, plainHttp, signal });
  const at = parsePlaces(values.at);
  const demands = {
    source: values.source,
    builders: values['builder-id'],
    builderTasks: values['builder-task'],
    allowPullRequest: values['allow-pull-request'],
  };
  return verifyPublished({
    reference: image,
    ...(await readSigners(values)),
    revision,
    demands,
    prefix,
    at,
    registry,
    plainHttp,
    elsewhere,
  });
}

/** Where the images of a chain that was copied are now, from `ROLE=REPOSITORY`. Throws `USAGE`, `REFERENCE_INVALID`. */
export function parsePlaces(texts: readonly string[] = []): ReadonlyMap<string, Repository> {
  const places = new Map<string, Repository>();
  for (const text of texts) {
    const [, role, place = ''] = /^([a-z0-9-]+)=(.+)$/.exec(text) ?? [];
    if (role === undefined || places.has(role)) throw usage(text);
    const { registry, repository, tag, digest } = parseReference(place);
    if (tag !== undefined || digest !== undefined) throw usage(text);
    places.set(role, { registry, repository });
  }
  return places;
}

function usage(found: string): E2eError {
  return new E2eError('USAGE', '--at says where the image of a role is now, once for a role', {
    expected: '--at metadata=quay.io/org/image2, without tag and digest',
    found,
  });
}
