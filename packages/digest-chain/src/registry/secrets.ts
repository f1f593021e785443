/**
 * What must not come out: every secret that a client has sent. A registry may repeat in an error what it was told, and
 * errors are printed.
 */
export class Secrets {
  readonly #known = new Set<string>();

  /** Remembers a secret, and the forms in which it goes over the wire. */
  add(secret: string): void {
    // Shorter ones would turn up in every other word; nobody's security hangs on them.
    if (secret.length < 4) return;
    const escaped = JSON.stringify(secret).slice(1, -1);
    const form = new URLSearchParams({ '': secret }).toString().slice(1);
    for (const written of [secret, escaped, encodeURIComponent(secret), form]) this.#known.add(written);
  }

  redact = (text: string): string => {
    // Longer ones first: one may be part of another.
    const secrets = [...this.#known].sort((one, other) => other.length - one.length);
    return secrets.reduce((redacted, secret) => redacted.replaceAll(secret, '***'), text);
  };
}
