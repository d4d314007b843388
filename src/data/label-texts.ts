// Classes of labels that are texts: in the order of the head's names where there are some, sorted otherwise.
import { dataError, quote } from '../formats/data-error.js';
import { Tensor } from '../onnx/core/tensor.js';
import type { TargetHead } from './checks.js';

/** A column of labels as it is written. */
export interface LabelColumn {
  /** Of each row the place of its text in `texts`. */
  readonly ids: readonly number[];
  readonly texts: readonly string[];
  /** The texts are all that there can be, and in the order in which they count: with or without rows. */
  readonly ordered?: boolean;
  /** The same as numbers, where every text is one. */
  readonly numbers: Tensor | undefined;
  /** Names it in errors. */
  readonly where: string;
  /** The row of its file, for errors. */
  readonly rowOf: (row: number) => number;
}

export interface NamedClasses {
  /** int64 [rows] of each column. */
  readonly labels: readonly Tensor[];
  readonly names: readonly string[];
}

/**
 * The classes of one or several columns of one task. Undefined where all labels are numbers and none of them is a name: numbers count the classes.
 * @throws DataError for a text that is no name, an empty one, and for more or fewer texts than the head has classes
 */
export function classesOfTexts(columns: readonly LabelColumn[], head: TargetHead | undefined): NamedClasses | undefined {
  const numbers = columns.every((column) => column.numbers !== undefined);
  const { names } = head ?? {};
  const texts = [...new Set(columns.flatMap(({ texts }) => texts))];
  const found = columns.every(({ ordered }) => ordered === true) ? texts : texts.sort();
  const known = names === undefined ? undefined : new Set(names);
  if (numbers && !found.every((text) => known?.has(text))) return undefined;
  const listed = found.length > 100 ? `${found.length} texts` : JSON.stringify(found);
  for (const { ids, texts, where, rowOf } of columns)
    for (const [id, text] of texts.entries()) {
      if (text !== '' && (known === undefined || known.has(text))) continue;
      const at = ids.indexOf(id);
      if (at < 0) continue;
      const row = rowOf(at);
      const expected = names === undefined ? 'a label' : `one of the names ${JSON.stringify(names)}`;
      const got = text === '' ? `row ${row} is empty` : `row ${row} holds ${quote(text)}`;
      throw dataError(where, `${got}, expected ${expected}${text === '' ? '' : `; the column holds ${listed}`}`, {
        expected,
        got: text,
      });
    }
  if (names === undefined && head !== undefined && found.length !== head.size) {
    const expected = `${head.size} or "names" of the head`;
    const text = `holds ${found.length} classes, ${listed}; a ${head.kind} head of ${head.size} needs ${expected}`;
    throw dataError(columns[0]?.where ?? 'label', text, { expected, got: String(found.length) });
  }
  const classes = names ?? found;
  const index = new Map(classes.map((name, i) => [name, BigInt(i)]));
  const labels = columns.map(({ ids, texts }) => {
    const of = texts.map((text) => index.get(text) ?? 0n);
    return new Tensor(
      'int64',
      [ids.length],
      BigInt64Array.from(ids, (id) => of[id] ?? 0n),
    );
  });
  return { labels, names: classes };
}
