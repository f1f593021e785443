import { buildNodeBase } from '@multi-image/tekton-local';

/** The base image of this machine's Node, which is made once for all tests and runs. */
export const nodeBase = (): Promise<string> => buildNodeBase({ tag: 'localhost/multi-image/node-base:local' });
