import type { Report } from '../report.ts';
import { html, type Markup } from './markup.ts';

/** The commands with which somebody who trusts none of this looks for themselves, with the run's values filled in. */
export function handChecks(report: Report): Markup {
  const primary = report.images.find((image) => image.role === 'primary');
  const metadata = report.images.find((image) => image.role !== 'primary');
  if (!primary?.sealedDigest || !metadata?.originDigest) return html`<p>There is no sealed image to look at.</p>`;
  const local = primary.repository.startsWith('localhost:');
  const tls = local ? ' --tls-verify=false' : '';
  const blocks: [string, string][] = [
    [
      "Image 1's label holds Image 2's digest",
      `skopeo inspect${tls} docker://${primary.repository}@${primary.sealedDigest} | jq .Labels`,
    ],
    [
      "Image 2 prints Image 1's digest as built",
      `podman run --rm${tls} ${metadata.repository}@${metadata.originDigest}`,
    ],
    [
      'That image is in the registry, and its bytes hash to this digest',
      `skopeo inspect${tls} --raw docker://${primary.repository}@${primary.originDigest} | sha256sum`,
    ],
    [
      'Without its seal, Image 1 is that image again; and the whole chain holds',
      `digest-chain unseal ${primary.repository}@${primary.sealedDigest}\ndigest-chain verify ${primary.repository}@${primary.sealedDigest}`,
    ],
  ];
  const note =
    local &&
    html`<p>The registry of a local run is gone when the run ends, unless it was started with <code>--keep</code>.</p>`;
  return html`${note}${blocks.map(([what, command]) => html`<p>${what}:</p><pre><code>${command}</code></pre>`)}`;
}
