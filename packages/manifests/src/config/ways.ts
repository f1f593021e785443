import { anchorOf, findEntry } from '../chain/linking.ts';
import { planChain } from '../chain/plan.ts';
import type { ConfigIssue } from './issue.ts';
import type { ChainConfig } from './schema.ts';

/** What only shows once edges are followed, of a config in which nothing else is wrong. */
export function* findMissingWays(config: ChainConfig): Generator<ConfigIssue> {
  const chain = planChain(config);
  for (const [index, image] of chain.images.entries()) {
    const path = `images[${index}]`;
    if (image.component !== undefined && image !== chain.primary && findEntry(image, chain) === undefined) {
      const expected =
        'an image that a scanner finds: by the link from one that it embeds, or by the statement of both (seal: referrer)';
      yield {
        path: `${path}.component`,
        expected,
        found: `${JSON.stringify(image.component)} on an image that nothing leads to`,
      };
    }
    if (image.embedsExternal.length > 0 && anchorOf(image, chain) === undefined) {
      const expected =
        "an image of the chain that is linked by a statement (seal: referrer): labels don't name what was built elsewhere";
      yield { path: `${path}.embeds`, expected, found: image.embedsExternal.map(({ role }) => role).join(', ') };
    }
  }
}
