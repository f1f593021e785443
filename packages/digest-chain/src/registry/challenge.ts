/** One challenge of a WWW-Authenticate header (RFC 9110, 11.6.1). */
export interface Challenge {
  /** In lower case. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const TOKEN68 = /[0-9A-Za-z._~+/-]+=*(?=\s*(?:,|$))/y;
const QUOTED = /"(?:[^"\\]|\\.)*"/y;
const BETWEEN = /[\s,]*/y;
const SPACES = / +/y;
const EQUALS = /[ \t]*=[ \t]*/y;

/**
 * Reads all challenges of a WWW-Authenticate header, several of which may stand in one line. What follows the first
 * thing that is no challenge is left out: a registry's typing errors are no reason to fail where a challenge is plain.
 */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(header)?.[0];
    if (match !== undefined) at += match.length;
    return match;
  };
  for (;;) {
    take(BETWEEN);
    const word = take(TOKEN)?.toLowerCase();
    if (word === undefined) return challenges;
    if (take(EQUALS) === undefined) {
      challenges.push({ scheme: word, parameters: new Map() });
      // One value instead of parameters (`Negotiate abc==`): not ours.
      if (take(SPACES) !== undefined) take(TOKEN68);
      continue;
    }
    const quoted = take(QUOTED);
    const value = quoted === undefined ? take(TOKEN) : quoted.slice(1, -1).replace(/\\(.)/g, '$1');
    const parameters = challenges.at(-1)?.parameters;
    if (value === undefined || parameters === undefined) return challenges;
    if (!parameters.has(word)) parameters.set(word, value);
  }
}
