import type { StandIn } from '../stand-in.ts';
import { buildAndPush, buildahOciTa, UNHEEDED } from './buildah-oci-ta.ts';
import { refuseUnheeded, strings, text } from './param.ts';
import { isForeign, parsePlatform, platformName } from './platform.ts';

/**
 * `buildah-remote-oci-ta`: builds an image for a platform. The real task does so on a machine of that platform; here it
 * is this machine, which can add files and settings to any image, and execute `RUN` only for its own.
 */
export const buildahRemoteOciTa: StandIn = {
  task: 'buildah-remote-oci-ta',
  params: {
    ...buildahOciTa.params,
    PLATFORM: { type: 'string' },
    ...strings({ IMAGE_APPEND_PLATFORM: 'false' }),
  },
  results: buildahOciTa.results,
  run(context) {
    refuseUnheeded(context, buildahRemoteOciTa.params, UNHEEDED);
    const written = text(context, 'PLATFORM');
    const platform = parsePlatform(written);
    const suffix =
      text(context, 'IMAGE_APPEND_PLATFORM') === 'true' ? `-${written.replaceAll(/[^a-zA-Z0-9]/g, '-')}` : '';
    const where = isForeign(platform) ? 'on this machine, which has another one: no RUN' : 'on this machine';
    context.log(`Building for ${platformName(platform)} ${where}.`);
    return buildAndPush(context, text(context, 'IMAGE') + suffix, platform);
  },
};
