// Controls, marks that reorder text and what shows nothing at all (soft hyphens, joiners, tags, fillers), the separators of
// lines and what no document may hold. A variation selector only chooses how the character before it looks.
const UNSEEN =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\ufffe\uffff[\p{Default_Ignorable_Code_Point}--\p{Variation_Selector}]]/gv;

/** Text from outside that reads as what it is: whatever acts on its display or hides in it is shown as `\u{…}`. */
export function visible(text: string, kept = ''): string {
  return text.replace(UNSEEN, (character) =>
    kept.includes(character) ? character : `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}
