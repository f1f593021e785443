import { parseReference, repositoryName, requireDigest, requireTag } from '../registry/reference.ts';
import { getManifest, putManifest } from '../registry/registry-io.ts';
import type { StandIn } from '../stand-in.ts';
import { list, strings, text } from './param.ts';

/** `apply-tags`: puts an image's own manifest, byte for byte, under more tags. */
export const applyTags: StandIn = {
  task: 'apply-tags',
  params: {
    IMAGE_URL: { type: 'string' },
    IMAGE_DIGEST: { type: 'string' },
    ADDITIONAL_TAGS: { type: 'array', default: [] },
    ...strings({ CA_TRUST_CONFIG_MAP_NAME: 'trusted-ca', CA_TRUST_CONFIG_MAP_KEY: 'ca-bundle.crt', LOG_LEVEL: 'info' }),
  },
  results: [],
  async run(context) {
    const { registry, repository } = parseReference(text(context, 'IMAGE_URL'));
    const digest = requireDigest(text(context, 'IMAGE_DIGEST'), 'IMAGE_DIGEST');
    const tags = list(context, 'ADDITIONAL_TAGS').map(requireTag);
    if (tags.length === 0) context.log('No tags to apply.');
    else {
      const manifest = await getManifest({ registry, repository, digest }, context.signal);
      for (const tag of tags) {
        await putManifest({ registry, repository, tag }, manifest, context.signal);
        context.log(`${repositoryName({ registry, repository })}:${tag} is now ${digest}`);
      }
    }
    return {};
  },
};
