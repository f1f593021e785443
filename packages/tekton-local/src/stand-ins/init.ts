import type { StandIn } from '../stand-in.ts';
import { strings, text } from './param.ts';

/** `init`: there is no caching proxy on this machine, so the proxy results are empty, as without it on a cluster. */
export const init: StandIn = {
  task: 'init',
  params: strings({ 'enable-cache-proxy': 'false' }),
  results: ['http-proxy', 'no-proxy'],
  async run(context) {
    if (text(context, 'enable-cache-proxy') === 'true') context.log('No caching proxy here: none is used.');
    return { 'http-proxy': '', 'no-proxy': '' };
  },
};
