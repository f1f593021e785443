import { DigestChainError, isUnanswered } from '../errors.ts';
import { decodeJson, items, member } from '../json/decode.ts';
import { nextPage } from './headers.ts';
import type { Repository } from './registry.ts';
import { type Call, REFUSALS } from './session.ts';

/** More are not read. */
const MAX_PAGES = 100;
/** Of one page. Bytes. */
const PAGE_LIMIT = 4 * 1024 * 1024;

/**
 * Whether a repository's list of tags has this one (distribution-spec, "Listing Tags"); undefined where that can't be told.
 * It is what is left to ask where a registry refuses a tag (401, 403) and may mean that it is not there.
 */
export async function hasTag(call: Call, repository: Repository, tag: string): Promise<boolean | undefined> {
  const first = call.url(repository, 'tags/list');
  const about = { repository, what: 'the list of tags', method: 'GET', statuses: [200, ...REFUSALS] } as const;
  const visited = new Set<string>();
  let url: URL | undefined = first;
  try {
    while (url !== undefined) {
      if (visited.has(url.href) || visited.size === MAX_PAGES) return undefined;
      visited.add(url.href);
      const answer: boolean | 'unknown' | URL = await call.request({ ...about, url }, async (response) => {
        if (response.status === 200) {
          const tags = member(decodeJson(await response.read(PAGE_LIMIT)), 'tags');
          // Of a repository without tags some say null.
          if (tags !== null && !Array.isArray(tags)) return 'unknown';
          return items(tags).includes(tag) || (nextPage(response, first) ?? false);
        }
        const { http } = await call.session.refusal(response, about.what);
        return http?.status === 404 && http.codes.includes('NAME_UNKNOWN') ? false : 'unknown';
      });
      if (!(answer instanceof URL)) return answer === 'unknown' ? undefined : answer;
      url = answer;
    }
  } catch (error) {
    if (!(error instanceof DigestChainError) || isUnanswered(error) || error.code === 'REGISTRY_ERROR') throw error;
  }
  return undefined;
}
