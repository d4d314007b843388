// Foreign text in our messages: one line of it, whatever it holds and however long it is. All shortening is here.

/** Text from a file or a foreign message: on one line, without control characters, cut at `limit`. */
export function oneLine(text: string, limit = 200): string {
  const line = flat(text).trim();
  return line.length > limit ? `${line.slice(0, limit - 3)}...` : line;
}

/** The message of whatever was thrown, on one line. */
export function reason(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error));
}

const longestWord = 240;
const longestSentence = 1200;

/** A whole message: on one line, long words and what is still too long cut in the middle. A stranger's name may have 10,000 characters. */
export function sentence(text: string): string {
  const words = flat(text).replace(/\S{241,}/gu, (word) => withoutMiddle(word, longestWord));
  return withoutMiddle(words, longestSentence);
}

const flat = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');

/** Beginning and end tell more than the middle does. */
function withoutMiddle(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const tail = Math.floor(limit / 3);
  // Half of a pair of surrogates would be no character.
  const head = text.slice(0, limit - tail - 3).replace(/[\ud800-\udbff]$/, '');
  return `${head}...${text.slice(-tail).replace(/^[\udc00-\udfff]/, '')}`;
}
