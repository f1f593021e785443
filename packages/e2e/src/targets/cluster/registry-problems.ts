import { DigestChainError, parseReference, type Registry } from '@multi-image/digest-chain';
import type { ChainPlan } from '@multi-image/manifests';
import { type Finding, note, problem } from './finding.ts';

/** Whether this machine can look at the images: a proof reads them from the registry. */
export async function findRegistryProblems(registry: Registry, chain: ChainPlan): Promise<Finding[]> {
  const findings = await Promise.all(
    chain.images.map(async ({ repository }): Promise<Finding[]> => {
      try {
        await registry.headManifest(parseReference(repository), 'latest');
        return [];
      } catch (error) {
        if (!(error instanceof DigestChainError)) throw error;
        const host = repository.split('/')[0] ?? '';
        if (error.code !== 'UNAUTHORIZED')
          return [problem(`${repository}: ${error.message}`, error.hint ?? `can this machine reach ${host}?`)];
        // Registries answer so for repositories that are not there yet, too.
        const hint = `before the first build that is so; if it stays, and the repository is private: podman login ${host}`;
        return [note(`${repository} can't be read with this machine's credentials`, hint)];
      }
    }),
  );
  return findings.flat();
}
