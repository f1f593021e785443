/** A registry that this machine reaches under another name than references have. */
export interface Elsewhere {
  /** Its host as references name it. */
  readonly from: string;
  /** Its host as it answers here. */
  readonly to: string;
}

/** A reference, or the name of a repository, as this machine reaches it. */
export function asReachedHere(reference: string, elsewhere: Elsewhere | undefined): string {
  if (elsewhere === undefined || !reference.startsWith(`${elsewhere.from}/`)) return reference;
  return elsewhere.to + reference.slice(elsewhere.from.length);
}
