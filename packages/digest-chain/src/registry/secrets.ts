/**
 * What must not come out: every secret that a client has sent. A registry may repeat in an error what it was told, and
 * errors are printed.
 */
export class Secrets {
  readonly #known = new Set<string>();

  add(secret: string): void {
    // Shorter ones would turn up in every other word; nobody's security hangs on them.
    if (secret.length >= 4) this.#known.add(secret);
  }

  redact = (text: string): string => {
    let redacted = text;
    // Longer ones first: one may be part of another.
    for (const secret of [...this.#known].sort((one, other) => other.length - one.length)) {
      redacted = redacted.replaceAll(secret, '***').replaceAll(encodeURIComponent(secret), '***');
    }
    return redacted;
  };
}
