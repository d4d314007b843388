// What a YAML text may cost, found on its lexemes, before anything is built: how many values it writes and what it takes for a key. The library
// compares each key of a map with each other one, turns collections that are keys into texts, and takes a kilobyte a value.
import { type Document, isScalar, Lexer, visit } from 'yaml';
import { DescriptionError } from '../../onnx/core/errors.js';

/** Keys and values that a text may write; descriptions have hundreds. */
export const maxWritten = 100_000;
/** Aliases that a text may write: the library looks through all that stands before each of them. */
export const maxAliases = 1000;
/** Lexemes of all kinds: blanks, comments and line breaks too. */
const maxLexemes = 10 * maxWritten;

const scalarMark = '\u001f';

function refuse(text: string, offset: number, file: string, got: string, expected: string): never {
  const before = text.slice(0, offset).split('\n');
  const path = `${file}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
  throw new DescriptionError(`${path}: ${got}, expected ${expected}`, { path, expected, got });
}

/** Throws a DescriptionError for a text with too many values, and for one in which a list, a map or an alias is a key. */
export function checkYamlExtent(text: string, file: string): void {
  let [offset, lexemes, written, aliases] = [0, 0, 0, 0];
  let before = '';
  for (const lexeme of new Lexer().lex(text)) {
    const start = lexeme[0] ?? '';
    if (start === '?' && lexeme.length === 1) refuse(text, offset, file, 'found the key mark "?"', 'a name before ":"');
    if (lexeme === ':' && (before === ']' || before === '}' || before === '*'))
      refuse(text, offset, file, 'found a collection or an alias as a key', 'a name before ":"');
    if (lexeme === scalarMark || '"\'[{*'.includes(start)) written++;
    if (start === '*' && ++aliases > maxAliases) refuse(text, offset, file, `found more than ${maxAliases} aliases`, 'fewer');
    if (++lexemes > maxLexemes || written > maxWritten)
      refuse(
        text,
        offset,
        file,
        `found more than ${written > maxWritten ? maxWritten : maxLexemes} ${written > maxWritten ? 'values' : 'marks'}`,
        'fewer',
      );
    if (start !== ' ' && start !== '\t' && start !== '\n' && start !== '#') before = start;
    if (lexeme !== scalarMark && lexeme !== '\u0002' && lexeme !== '\u0018') offset += lexeme.length;
  }
}

/** Where a map has a key twice, and the key; undefined where none has. Takes time by the number of keys, not by its square. */
export function repeatedKey(document: Document): { readonly key: string; readonly at: number } | undefined {
  let found: { readonly key: string; readonly at: number } | undefined;
  visit(document, {
    Map(_, node) {
      const keys = new Set<string>();
      for (const { key } of node.items) {
        if (!isScalar(key)) continue;
        const name = String(key.value);
        if (keys.has(name)) {
          found = { key: name, at: key.range?.[0] ?? 0 };
          return visit.BREAK;
        }
        keys.add(name);
      }
      return undefined;
    },
  });
  return found;
}
