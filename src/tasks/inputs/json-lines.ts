// Lines of JSON to be answered, an object a line with the inputs by their names: lists of numbers, rows of a table, texts. What an object lacks is refused, and
// what the task does not read is passed over and told.
import { toInputs } from '../../data/from-arrays.js';
import type { Samples } from '../../data/samples.js';
import { type Tokenize, takesText, tokenizerOf } from '../../data/text/tokenizer.js';
import { UnknownCategories } from '../../formats/csv.js';
import { dataError, quote } from '../../formats/data-error.js';
import type { NetworkInput } from '../../model/progressive/inputs.js';
import { elementCount, formatShape } from '../../onnx/core/shape.js';
import { Tensor } from '../../onnx/core/tensor.js';
import type { AskedFile } from './asked-file.js';
import type { InputParts, ReadingInputs } from './parts.js';
import { pause } from './pipe.js';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const show = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 60);

/** What is read of a line. */
interface Line {
  readonly where: string;
  readonly row: number;
  readonly unknown: UnknownCategories;
}

/** The samples of lines. Throws DataError naming line and input. */
export async function* jsonLines(
  { name, lines }: AskedFile,
  inputs: readonly NetworkInput[],
  reading: ReadingInputs,
): InputParts {
  const tokenizers = new Map<NetworkInput, Tokenize>();
  for (const input of inputs) if (takesText(input)) tokenizers.set(input, await tokenizerOf(input, name));
  const sized = new Sized();
  const unknown = new UnknownCategories();
  const passed = new Set<string>();
  let first = 0;
  for await (const block of lines()) {
    if (block === pause) {
      yield pause;
      continue;
    }
    const rows = linesOf(block, name, first).map(({ row, value }) => {
      for (const key of Object.keys(value)) if (!inputs.some((input) => input.name === key)) passed.add(key);
      return { value, line: { where: `${name}: line ${row + 1}`, row, unknown } };
    });
    const [from] = rows;
    if (from === undefined) continue;
    const samples = inputs.map((input): [string, Tensor] => {
      const given = rows.map(({ value, line }) => ({ line, value: valueIn(value, input, line) }));
      const tokenize = tokenizers.get(input);
      if (tokenize !== undefined && given.every(({ value }) => typeof value === 'string'))
        return [
          input.name,
          tokenize(
            given.map(({ value }) => String(value)),
            name,
            (i) => (given[i]?.line.row ?? i) + 1,
          ),
        ];
      const own = sized.of(input, given[0]?.value);
      const numbers = given.flatMap(({ value, line }) => numbersIn(value, own, reading.missing === true, line));
      return [input.name, tensorOf(numbers, given.length, own, name, from.line.row, reading)];
    });
    first += rows.length;
    yield Object.fromEntries(samples) satisfies Samples;
  }
  if (first === 0) throw dataError(name, 'holds no lines', { expected: 'an object a line' });
  if (passed.size > 0) reading.onNote?.(`${name}: not read: ${[...passed].map((key) => quote(key)).join(', ')}`);
  for (const line of unknown.lines(name)) reading.onNote?.(line);
}

/** Inputs of any size at the size of the first line, which all others have. */
class Sized {
  private readonly found = new Map<string, KnownInput>();

  of(input: NetworkInput, first: unknown): KnownInput {
    const known = this.found.get(input.name) ?? { ...input, ...shapeIn(first, input.shape) };
    this.found.set(input.name, known);
    return known;
  }
}

/** An input of a known size, and where that is from, for messages. */
type KnownInput = Omit<NetworkInput, 'shape'> & { readonly shape: readonly number[]; readonly from: string };

/** The shape of a sample as lists have it. A size that they do not say is open for none of them, so that it is told in their place. */
function shapeIn(value: unknown, shape: NetworkInput['shape']): Pick<KnownInput, 'shape' | 'from'> {
  let list = value;
  const found = shape.map((size) => {
    const own = Array.isArray(list) ? list : [];
    [list] = own;
    return typeof size === 'number' ? size : own.length;
  });
  const open = shape.some((size) => typeof size === 'string');
  return { shape: found, from: open ? `, ${formatShape(shape)} as the first line has it` : '' };
}

/** Objects of a block, each with its number. */
function linesOf(bytes: Uint8Array, name: string, first: number): { row: number; value: Readonly<Record<string, unknown>> }[] {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw dataError(name, 'not valid UTF-8', { expected: 'UTF-8', cause });
  }
  const lines = text.split('\n');
  if (lines.at(-1)?.trim() === '') lines.pop();
  return lines.map((line, i) => {
    const where = `${name}: line ${first + i + 1}`;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (cause) {
      throw dataError(where, 'is no JSON, expected an object with the inputs by name', { expected: 'an object', cause });
    }
    if (!isObject(value))
      throw dataError(where, `is ${show(value)}, expected an object with the inputs by name`, { got: show(value) });
    return { row: first + i, value };
  });
}

function valueIn(line: Readonly<Record<string, unknown>>, { name }: NetworkInput, { where }: Line): unknown {
  if (Object.hasOwn(line, name)) return line[name];
  const got =
    Object.keys(line)
      .slice(0, 20)
      .map((key) => quote(key))
      .join(', ') || 'nothing';
  throw dataError(where, `has no input ${quote(name)}, it has ${got}`, { expected: name, got });
}

/** The numbers of an input in a line: of a table in the order of its features, a category as the index of its text. */
function numbersIn(value: unknown, input: KnownInput, missing: boolean, line: Line): number[] {
  const { name, features } = input;
  const fail = (got: string, expected: string): never => {
    throw dataError(`${line.where}: ${quote(name)}`, `${got}, expected ${expected}`, { expected });
  };
  if (features !== undefined) {
    const names = features.map((feature) => feature.name).join(', ');
    const odd = isObject(value) ? Object.keys(value).find((key) => !features.some((feature) => feature.name === key)) : undefined;
    if (odd !== undefined) fail(`has ${quote(odd)}`, names);
    if (Array.isArray(value) ? value.length !== features.length : !isObject(value))
      fail(`is ${show(value)}`, `an object or a list of ${names}`);
    return features.map((feature, i) => {
      const own: unknown = Array.isArray(value) ? value[i] : isObject(value) ? value[feature.name] : undefined;
      const { categories } = feature;
      if (categories === undefined) {
        if (typeof own === 'number') return own;
        return missing && own === null
          ? Number.NaN
          : fail(`${quote(feature.name)} is ${show(own)}`, `a number${missing ? ' or null' : ''}`);
      }
      const text = own ?? '';
      if (typeof text !== 'string') return fail(`${quote(feature.name)} is ${show(own)}`, 'a text');
      const at = categories.indexOf(text);
      if (at < 0) line.unknown.add(new Map([[`column ${quote(feature.name)}`, { row: line.row + 1, text, count: 1 }]]));
      return at;
    });
  }
  const { shape, from } = input;
  const numbers: number[] = [];
  const take = (found: unknown, depth: number): void => {
    if (Array.isArray(found)) {
      if (
        depth === shape.length ||
        (shape[depth] !== found.length && !(depth === 0 && shape.length > 0 && found.length === elementCount(shape)))
      )
        fail(`is a list of ${found.length} at depth ${depth}`, `[${shape}]${from}`);
      const flat = depth === 0 && shape[0] !== found.length;
      for (const one of found) take(one, flat ? shape.length : depth + 1);
      return;
    }
    if (depth < shape.length) fail(`is ${show(found)}`, `lists of shape [${shape}]${from}`);
    if (typeof found === 'boolean' && input.dtype === 'bool') numbers.push(Number(found));
    else if (typeof found === 'number') numbers.push(found);
    else if (found === null && missing) numbers.push(Number.NaN);
    else fail(`holds ${show(found)}`, input.dtype === 'bool' ? 'true or false' : 'numbers');
  };
  take(value, 0);
  return numbers;
}

/** Numbers of some lines as the input takes them. Throws DataError for what its dtype does not hold. */
function tensorOf(
  numbers: readonly number[],
  count: number,
  input: KnownInput,
  name: string,
  first: number,
  { missing = false }: ReadingInputs,
): Tensor {
  const dims = [count, ...input.shape];
  const where = `${name}: ${quote(input.name)}`;
  if (input.dtype !== 'uint8')
    return toInputs(new Tensor('float64', dims, Float64Array.from(numbers)), where, missing, first, input);
  const odd = numbers.find((v) => !Number.isInteger(v) || v < 0 || v > 255);
  if (odd !== undefined) throw dataError(where, `holds ${odd}, expected whole numbers from 0 to 255`, { got: `${odd}` });
  return new Tensor('uint8', dims, Uint8Array.from(numbers));
}
