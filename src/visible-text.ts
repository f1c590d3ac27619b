/** Text of others on terminals and in logs. */

// C0 without tab and line feed, DEL and C1, which move the cursor; line separators; what turns the direction of writing around.
// eslint-disable-next-line no-control-regex
const invisible = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Control characters as `\u009b`, which JSON reads as what it was. */
export function visibleText(text: string): string {
  return text.replace(
    invisible,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
