import type { Progress } from '@multi-image/kit/progress';
import { E2eError } from '../../errors.ts';

/**
 * Takes secrets out of text that is shown or written: those that are known, and what looks like a credential. Logs of
 * strangers' tasks pass through here too.
 */
export class Secrecy {
  readonly #known: () => readonly string[];

  /** @param known What is secret by now; a renewed login brings new ones. */
  constructor(known: () => readonly string[] = () => []) {
    this.#known = known;
  }

  clean(text: string): string {
    let clean = text;
    // The longest first, so that no part of one is left.
    const known = [...new Set(this.#known().flatMap(formsOf))]
      .filter((secret) => secret.length > 5)
      .toSorted((a, b) => b.length - a.length);
    for (const secret of known) clean = clean.replaceAll(secret, HIDDEN);
    for (const [pattern, replacement] of PATTERNS) clean = clean.replace(pattern, replacement);
    return clean;
  }

  /** The same for every text in a value that is written as JSON. */
  cleanAll<T>(value: T): T {
    return JSON.parse(JSON.stringify(value), (_, entry) => (typeof entry === 'string' ? this.clean(entry) : entry));
  }

  /** The same for all that is shown on the way. */
  progress(progress: Progress): Progress {
    const clean = (argument: unknown): unknown => (typeof argument === 'string' ? this.clean(argument) : argument);
    return new Proxy(progress, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => value.apply(target, args.map(clean));
      },
    });
  }

  /** The same for an error's texts. One that is not of this package stays what it is, with its texts cleaned. */
  hide(error: unknown): unknown {
    if (error instanceof Error && !(error instanceof E2eError)) {
      for (const name of Object.getOwnPropertyNames(error)) {
        const value: unknown = Reflect.get(error, name);
        // A cause is for debuggers, and can be anything.
        if (name === 'cause') Reflect.deleteProperty(error, name);
        else if (typeof value === 'string') Object.defineProperty(error, name, { value: this.clean(value) });
      }
    }
    if (!(error instanceof E2eError)) return error;
    const { code, message, expected, found, hint } = this.cleanAll({ ...error, message: error.message });
    return new E2eError(code, message, { expected, found, hint });
  }
}

/** As it is, as Secrets hold it, and as it is in a URL. */
function formsOf(secret: string): readonly string[] {
  return [secret, Buffer.from(secret).toString('base64'), encodeURIComponent(secret)];
}

const HIDDEN = '[hidden]';

const PATTERNS: readonly [RegExp, string][] = [
  // Authorization: Bearer …, and the like in logs of HTTP clients
  [/\b(bearer|basic)\s+[A-Za-z0-9+/=._~-]{12,}/gi, `$1 ${HIDDEN}`],
  // https://user:password@host
  [/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]{1,200}:)[^\s/@]{1,500}@/gi, `$1${HIDDEN}@`],
  // JSON web tokens: those of service accounts are
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g, HIDDEN],
  // tokens of OpenShift, GitHub, GitLab
  [/\b(?:sha256~|gh[pousr]_|github_pat_|glpat-)[A-Za-z0-9_-]{16,}/g, HIDDEN],
  // "auth": "…" of a docker config; password=…, token: …
  [/("(?:auth|password|token|secret|identitytoken)"\s*:\s*")[^"]+(")/gi, `$1${HIDDEN}$2`],
  [/\b(password|passwd|token|secret)=[^\s&"']{4,}/gi, `$1=${HIDDEN}`],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, HIDDEN],
  // The end of a log can begin in the middle of a key.
  [/(?:^[ \t]*[A-Za-z0-9+/=]{8,}\s+)+-----END [A-Z ]*PRIVATE KEY-----/gm, HIDDEN],
];
