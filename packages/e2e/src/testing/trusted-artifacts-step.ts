// The entrypoint of an image that stands for build-trusted-artifacts in a pod: the same code that carries sources from task
// to task in local runs. It runs as source, in an image that has no more of this repository than it needs.
import { createRegistry } from '@multi-image/digest-chain/oci';
import { formatError } from '@multi-image/kit/error-text';
import { trustedArtifacts } from '../targets/local/trusted-artifacts.ts';

const registry = createRegistry({ plainHttp: process.env.ORAS_OPTIONS?.includes('--plain-http') ?? false });
const [program] = Object.values(trustedArtifacts({ registry }));
try {
  process.exitCode = await program?.({
    args: process.argv.slice(2),
    env: process.env as Record<string, string>,
    hostPath: (path) => path,
    hostPathToWrite: (path) => path,
    log: (line) => console.log(line),
    signal: new AbortController().signal,
  });
} catch (error) {
  process.stderr.write(formatError(error));
  process.exitCode = 1;
}
