// Texts that do not come through ONNX Runtime's JavaScript API as they are.

/** What of a text ONNX Runtime's JavaScript API would not carry as it is, and what would be right; undefined where it carries all of it. */
export function lostOf(text: string): string | undefined {
  if (text.includes('\0')) return 'holds the character U+0000, at which ONNX Runtime ends a text, expected a text without it';
  if (/\p{Surrogate}/u.test(text)) return 'holds half of a surrogate pair, expected whole characters';
  return undefined;
}
