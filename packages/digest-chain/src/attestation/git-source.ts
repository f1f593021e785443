/** Where something was built from, as the build system signed it. */
export interface GitSource {
  /** As {@link normalGitUrl} writes it. */
  readonly url: string;
  readonly commit: string;
}

/** What a proof says of its source where none was demanded. */
export const UNASKED = 'which was not asked for';

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'ssh:': '22', 'git:': '9418' };
const WITHOUT_USER: ReadonlySet<string> = new Set(['http:', 'https:']);
// git's own short form, which is no URL: user@host:path (gitprotocol, "URLS").
const SHORT_FORM = /^([^@/:]+@)?([^:/@]+):(?!\/\/)(.+)$/s;

/**
 * The URL of a repository, written in one way: without SPDX's `git+` and the `.git` that Chains puts around it
 * (tektoncd/chains, attest.SPDXGit), without a slash at the end and the scheme's own port, its host in lower case; of an
 * HTTP URL the user is left out, which is nobody's business and no part of the place. Nothing else is made equal: the
 * case of a path, HTTP and HTTPS, and the SSH address of what is also served by HTTPS may each lead to another
 * repository. Text that is no URL stays as it is, but for the ends.
 */
export function normalGitUrl(text: string): string {
  const bare = text.trim().replace(/^git\+/, '');
  const url = URL.parse(bare);
  if (url !== null && url.host !== '') {
    const user = WITHOUT_USER.has(url.protocol) || url.username === '' ? '' : `${url.username}@`;
    const port = url.port === '' || DEFAULT_PORTS[url.protocol] === url.port ? '' : `:${url.port}`;
    return `${url.protocol}//${user}${url.hostname.toLowerCase()}${port}${trimPath(url.pathname)}${url.search}`;
  }
  const [, user = '', host, path] = SHORT_FORM.exec(bare) ?? [];
  return host === undefined || path === undefined ? trimPath(bare) : `${user}${host.toLowerCase()}:${trimPath(path)}`;
}

/** Whether a caller can mean a repository by it. */
export function isGitUrl(text: string): boolean {
  const bare = text.trim().replace(/^git\+/, '');
  const url = URL.parse(bare);
  return (url !== null && url.host !== '' && url.pathname.length > 1) || SHORT_FORM.test(bare);
}

function trimPath(path: string): string {
  return withoutSlashes(withoutSlashes(path).replace(/\.git$/, ''));
}

/** At the end. By hand: an expression would try at each slash of a path that has nothing else. */
function withoutSlashes(path: string): string {
  let end = path.length;
  while (path[end - 1] === '/') end--;
  return path.slice(0, end);
}

/** For a report. */
export function describeSource({ url, commit }: GitSource): string {
  return `${url} at ${commit === '' ? 'no commit' : commit}`;
}

/** Each once, in order. */
export function distinctSources(sources: readonly GitSource[]): readonly GitSource[] {
  return [...new Map(sources.map((source) => [JSON.stringify([source.url, source.commit]), source])).values()];
}
