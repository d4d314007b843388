// Finds the values in {"inputs": {"image": [...], "meta": [...]}}, the bytes of each by its name. What a value holds is not looked at: who reads it refuses
// what is no JSON there.

import type { Wrong } from './wrong.js';

const code = (character: string): number => character.charCodeAt(0);
const [quote, backslash, comma, colon] = [code('"'), code('\\'), code(','), code(':')];
const [begin, end, open, close] = [code('{'), code('}'), code('['), code(']')];
const isSpace = (byte: number | undefined): boolean => byte === 32 || byte === 10 || byte === 13 || byte === 9;
const noJson = 'the body is no JSON';

class Cursor {
  private at = 0;

  constructor(
    private readonly body: Buffer,
    private readonly wrong: Wrong,
  ) {}

  /** The next byte that is no space; it is not taken. */
  next(): number | undefined {
    while (isSpace(this.body[this.at])) this.at++;
    return this.body[this.at];
  }

  /** Whether the next byte is this one, which is taken then. */
  takes(byte: number): boolean {
    if (this.next() !== byte) return false;
    this.at++;
    return true;
  }

  must(byte: number, message = noJson): void {
    if (!this.takes(byte)) throw this.wrong(message);
  }

  /** Past a text that begins here. */
  private pastText(): void {
    for (this.at++; this.at < this.body.length; this.at++) {
      if (this.body[this.at] === backslash) this.at++;
      else if (this.body[this.at] === quote) {
        this.at++;
        return;
      }
    }
    throw this.wrong(noJson);
  }

  /** The text that comes next. */
  text(): string {
    if (this.next() !== quote) throw this.wrong(noJson);
    const from = this.at;
    this.pastText();
    try {
      return String(JSON.parse(this.body.toString('utf8', from, this.at)));
    } catch {
      throw this.wrong(noJson);
    }
  }

  /** The bytes of the value that comes next. */
  value(): Buffer {
    this.next();
    const from = this.at;
    for (let depth = 0; this.at < this.body.length; ) {
      const byte = this.body[this.at];
      if (byte === quote) {
        this.pastText();
        if (depth === 0) break;
        continue;
      }
      if (depth === 0 && (byte === comma || byte === end || byte === close)) break;
      this.at++;
      if (byte === open || byte === begin) depth++;
      if ((byte === close || byte === end) && --depth === 0) break;
    }
    return this.body.subarray(from, this.at);
  }
}

/**
 * The values by name.
 * @param names those that must be there, and no others; of one name its value may stand without it, as {"inputs": [...]}
 * @param wrong makes the error of a message
 */
export function membersOf(body: Buffer, names: readonly string[], wrong: Wrong): ReadonlyMap<string, Buffer> {
  const listed = names.map((name) => JSON.stringify(name)).join(', ');
  const expected = `expected {"inputs": {${names.map((name) => `${JSON.stringify(name)}: [...]`).join(', ')}}} and nothing beside it`;
  const cursor = new Cursor(body, wrong);
  const found = new Map<string, Buffer>();
  cursor.must(begin, expected);
  if (cursor.next() !== quote || cursor.text() !== 'inputs') throw wrong(expected);
  cursor.must(colon);
  const [only] = names;
  if (only !== undefined && names.length === 1 && cursor.next() !== begin) found.set(only, cursor.value());
  else {
    cursor.must(begin, expected);
    do {
      const name = cursor.text();
      if (!names.includes(name)) throw wrong(`found input ${JSON.stringify(name).slice(0, 60)}, expected ${listed}`);
      if (found.has(name)) throw wrong(`found input ${JSON.stringify(name)} twice`);
      cursor.must(colon);
      found.set(name, cursor.value());
    } while (cursor.takes(comma));
    cursor.must(end);
  }
  if (cursor.next() === comma) throw wrong(expected);
  cursor.must(end);
  if (cursor.next() !== undefined) throw wrong(noJson);
  const absent = names.filter((name) => !found.has(name));
  if (absent.length > 0)
    throw wrong(`found no input ${absent.map((name) => JSON.stringify(name)).join(', ')}, expected ${listed}`);
  return found;
}
