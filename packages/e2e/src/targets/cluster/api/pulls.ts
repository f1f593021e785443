import { parseDuration } from '@multi-image/kit/durations';
import { text } from './resource.ts';

/** `Successfully pulled image "x" in 1.2s (3.4s including waiting). Image size: 5 bytes.`, as kubelets say it; older ones say less. */
const PULLED = /^Successfully pulled image .* in (\S+?)(?: \((\S+) including waiting\))?(?:\. .*)?$/;

/** Milliseconds that each pod waited for images, by events with the reason Pulled; 0 where the node had all of them. */
export function readPulls(events: readonly unknown[]): ReadonlyMap<string, number> {
  const pulls = new Map<string, number>();
  for (const event of events) {
    const pod = text(event, 'involvedObject', 'name');
    if (pod === undefined) continue;
    const [, alone = '', waiting = alone] = PULLED.exec(text(event, 'message') ?? '') ?? [];
    pulls.set(pod, (pulls.get(pod) ?? 0) + Math.round(parseDuration(waiting) ?? 0));
  }
  return pulls;
}
