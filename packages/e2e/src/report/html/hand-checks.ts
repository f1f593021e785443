import type { Report } from '../report.ts';
import { html, type Markup } from './markup.ts';

/** The commands with which somebody who trusts none of this looks for themselves, with the run's values filled in. */
export function handChecks(report: Report): Markup {
  const [primary] = report.images;
  const embedding = report.images.find((image) => primary !== undefined && image.embeds.includes(primary.role));
  if (!primary?.originDigest || !embedding?.originDigest) return html`<p>There is no chain to look at.</p>`;
  const local = primary.repository.startsWith('localhost:');
  const tls = local ? ' --tls-verify=false' : '';
  const published = `${primary.repository}@${primary.sealedDigest ?? primary.originDigest}`;
  const [first, second] = [primary.title, embedding.title];
  const blocks: [string, string][] = [
    [`${first}'s labels, with ${second}'s digest`, `skopeo inspect${tls} docker://${published} | jq .Labels`],
    [
      `${second}'s environment, with ${first}'s digest as built`,
      `skopeo inspect${tls} --config docker://${embedding.repository}@${embedding.originDigest} | jq .config.Env`,
    ],
    [
      'That image is in the registry, and its bytes hash to this digest',
      `skopeo inspect${tls} --raw docker://${primary.repository}@${primary.originDigest} | sha256sum`,
    ],
    [
      primary.sealedDigest
        ? `Without its seal, ${first} is that image again; and the whole chain holds`
        : 'The whole chain holds',
      `${primary.sealedDigest ? `digest-chain unseal ${published}\n` : ''}digest-chain verify ${published}`,
    ],
  ];
  const note =
    local &&
    html`<p>The registry of a local run is gone when the run ends, unless it was started with <code>--keep</code>.</p>`;
  return html`${note}${blocks.map(([what, command]) => html`<p>${what}:</p><pre><code>${command}</code></pre>`)}`;
}
