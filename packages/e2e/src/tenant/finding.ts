/** Something that a look before a run found. A problem stops it; a note may matter. */
export interface Finding {
  level: 'problem' | 'note';
  what: string;
  hint: string;
}
