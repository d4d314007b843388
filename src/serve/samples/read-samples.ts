// Makes of samples what a model is fed: arrays, rows of a table, texts, an image; of a network of several inputs each by its name.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readNpy } from '../../formats/npy.js';
import { categoriesName } from '../../model/description/features.js';
import type { Seen } from '../../model/progressive/facts.js';
import { must, PrognetError } from '../../onnx/core/errors.js';
import { Tensor } from '../../onnx/core/tensor.js';
import { ServeError } from '../served-model.js';
import { type Elements, elementsOf, type Values } from './elements.js';
import { imageReader } from './images.js';
import { readLists } from './lists.js';
import { membersOf } from './members.js';
import { outside, refuseBytes } from './ranges.js';
import { TableReader, type TableRows, type UnknownText } from './table.js';
import type { Task, TaskInput, TasksFile } from './tasks-file.js';
import { followingReader, textReader } from './texts.js';
import { type Wrong, wrong } from './wrong.js';

/** The body of a request and the type that its sender says. */
export interface GivenBody {
  readonly type: string;
  readonly bytes: Buffer;
}

/** What a model is fed, of how many rows, and what of them is to be told. */
export interface ReadSamples {
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly rows: number;
  readonly notes?: readonly string[];
  readonly unknown?: readonly (UnknownText & { readonly input?: string })[];
}

/** An input with what its samples are read by. */
interface Known extends TaskInput {
  readonly open: boolean;
  readonly size: number;
  readonly elements: Elements;
  readonly counts: { readonly numbers: number; readonly texts: number } | undefined;
  readonly text: Awaited<ReturnType<typeof textOf>> | undefined;
}

/** Numbers in rows. */
interface Arrays {
  readonly values: Values;
  readonly dims: readonly number[];
  /** Whether they were bytes that are divided by 255 now, as a model of float32 takes grey levels. */
  readonly scaled?: boolean;
}

const withoutOnes = (dims: readonly (number | string)[]): string => dims.filter((d) => d !== 1).join();
/** What a size that has a name counts as where numbers of a request are limited. */
const mostOpen = 1024;
const isJson = ({ type }: GivenBody): boolean => type.startsWith('application/json');
const ofInput = (name: string, note: string): string => (note.startsWith('number ') ? `${name}, ${note}` : note);
/** The dtypes of .npy files that an input is made of. */
const fromNpy: Readonly<Record<TaskInput['dtype'], readonly string[]>> = {
  float32: ['float32', 'float64', 'uint8'],
  uint8: ['float32', 'float64', 'uint8'],
  float16: ['float16', 'float32'],
  int32: ['int32', 'int64'],
  int64: ['int64', 'int32'],
  bool: ['bool', 'uint8'],
};

/** A value of JSON. */
function parsed(bytes: Uint8Array, wrong: Wrong): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw wrong('the body is no JSON');
  }
}

async function textOf(input: TaskInput, inputs: readonly TaskInput[], folder: string) {
  const tokens = must(input.tokens, 'tokens');
  const file = readFileSync(join(folder, input.tokenizer ?? 'tokenizer.json'), 'utf8');
  // A file of tasks holds the name of the tokenizer's file where the network has its text.
  const all = inputs.map(({ tokenizer: _, ...own }) => own) as Parameters<typeof followingReader>[0];
  return {
    tokenise: await textReader({ name: input.name, shape: input.shape as readonly number[], tokens }, file),
    follow: followingReader(all),
  };
}

export class SampleReader {
  private constructor(
    readonly file: TasksFile,
    private readonly known: ReadonlyMap<string, Known>,
    private readonly decoders: ReadonlyMap<string, Awaited<ReturnType<typeof imageReader>>>,
    private readonly maxRows: number,
  ) {}

  /**
   * @param path of the file of tasks, in whose folder the tokenizers lie
   * @param maxRows samples of a request at most
   * @throws DataError where a package or a file is missing that samples are read with
   */
  static async open(file: TasksFile, path: string, maxRows: number): Promise<SampleReader> {
    const inputs = file.inputs ?? [must(file.input, 'input')];
    const known = new Map<string, Known>();
    for (const input of inputs) {
      const { name, shape, dtype, features, tokens } = input;
      const counts = features && {
        numbers: features.filter((f) => f.categories === undefined).length,
        texts: features.filter((f) => f.categories !== undefined).length,
      };
      const size = shape.reduce<number>((n, d) => n * (typeof d === 'string' ? mostOpen : d), 1);
      const open = shape.some((d) => typeof d === 'string');
      const text = tokens && (await textOf(input, inputs, dirname(path)));
      known.set(name, { ...input, open, size, elements: elementsOf(dtype), counts, text });
    }
    const decoders = new Map<string, Awaited<ReturnType<typeof imageReader>>>();
    for (const { task, decoding } of file.tasks) if (decoding !== undefined) decoders.set(task, await imageReader(decoding));
    return new SampleReader(file, known, decoders, maxRows);
  }

  /** The samples of a body. Throws ServeError. */
  async read(task: Task, body: GivenBody): Promise<ReadSamples> {
    const found = await (this.file.inputs === undefined ? this.onlyInput(task, body) : this.namedInputs(task, body));
    this.refuseBeyond(task, found);
    return found;
  }

  private tooMany(): Error {
    return new ServeError('too-large', `found over ${this.maxRows} samples, expected at most ${this.maxRows} (max_batch)`);
  }

  /** A body that is one array. */
  private arrayOf(body: GivenBody, input: Known, missing: boolean): Arrays {
    if (isJson(body)) return this.listsOf(input, body.bytes, { wrong, missing, alone: false });
    if (!/^application\/(x-npy|octet-stream)/.test(body.type))
      throw new ServeError('media-type', 'expected content-type application/json or application/x-npy');
    return this.npyOf(body.bytes, input, missing);
  }

  private listsOf(
    { dtype, size, elements }: Known,
    bytes: Buffer,
    how: { readonly wrong: Wrong; readonly missing: boolean; readonly alone: boolean },
  ): Arrays {
    return readLists(bytes, { elements, most: this.maxRows * size, tooMany: this.tooMany(), truths: dtype === 'bool', ...how });
  }

  private npyOf(bytes: Uint8Array, { dtype, elements, size }: Known, missing: boolean): Arrays {
    let tensor: Tensor;
    try {
      tensor = readNpy(bytes, 'the body');
    } catch (error) {
      throw error instanceof PrognetError ? wrong(error.message) : error;
    }
    const known = fromNpy[dtype];
    if (!known.includes(tensor.dtype)) throw wrong(`.npy of ${tensor.dtype}, expected ${known.join(' or ')}`);
    if (tensor.size > this.maxRows * size) throw this.tooMany();
    const values = elements.room(tensor.size);
    const scaled = dtype === 'float32' && tensor.dtype === 'uint8';
    const halves = tensor.dtype === 'float16';
    const scale = Math.fround(1 / 255);
    (tensor.data as Values).forEach((stored: number | bigint, i: number) => {
      const found = halves ? elements.half(Number(stored)) : stored;
      const made = missing && Number.isNaN(found) ? found : elements.of(scaled ? Number(found) * scale : found);
      if (made === undefined) throw wrong(`found ${found} at number ${i}, expected ${elements.expected}`);
      values[i] = made;
    });
    return { values, dims: tensor.dims, scaled };
  }

  /** An array as the samples of an input. */
  private samples(input: Known, { values, dims, scaled = false }: Arrays, seen: Seen | undefined, wrong: Wrong): ReadSamples {
    const { name, dtype, shape, size, elements, features, open } = input;
    const [rows, sample] = open ? opened(input, dims, wrong) : [values.length / size, shape as readonly number[]];
    if (!Number.isInteger(rows) || rows < 1)
      throw wrong(`found ${values.length} numbers, expected samples of [${shape}], ${size} numbers each`);
    if (!open && !fits(input, dims)) throw wrong(`found shape [${dims}], expected samples of [${shape}]`);
    const tensor = new Tensor(dtype, [rows, ...sample], elements.data(values));
    const names = features?.map((f) => f.name) ?? seen?.each?.map((_, i) => `number ${i}`) ?? [name];
    if (scaled) refuseBytes(seen, wrong);
    const notes = dtype === 'float32' ? outside(values as Float32Array, seen, names, wrong) : [];
    return { feeds: { [name]: tensor }, rows, notes };
  }

  private tableReader({ features = [] }: Known, missing: boolean, wrong: Wrong): TableReader {
    return new TableReader(features, missing, this.maxRows, this.tooMany(), wrong);
  }

  /** Texts as token ids, with what follows of them where the model takes it. */
  private textsOf({ name, shape, text }: Known, value: unknown, taken: readonly string[], wrong: Wrong, expected: string) {
    const texts: unknown = typeof value === 'string' ? [value] : value;
    if (!Array.isArray(texts) || texts.length === 0 || texts.some((one) => typeof one !== 'string')) throw wrong(expected);
    if (texts.length > this.maxRows) throw this.tooMany();
    const { tokenise, follow } = must(text, 'text');
    const ids = tokenise(texts, wrong);
    const dims = [texts.length, ...(shape as readonly number[])];
    const feeds: Record<string, Tensor> = { [name]: new Tensor('int64', dims, ids) };
    for (const [other, values] of follow(name, ids, dims))
      if (taken.includes(other)) feeds[other] = new Tensor('int64', dims, values);
    return { feeds, rows: texts.length };
  }

  /** Of a .png, .jpg or .webp, the sample that training would make of it. */
  private async imageOf(body: GivenBody, { dtype, name }: Known, task: Task, seen: Seen | undefined): Promise<ReadSamples> {
    const decode = this.decoders.get(task.task);
    if (decode === undefined)
      throw new ServeError('media-type', 'found an image, and the task was trained on arrays: expected those');
    const { values: bytes, shape, notes } = await decode(body.bytes, wrong);
    if (dtype !== 'uint8') refuseBytes(seen, wrong);
    const values = dtype === 'uint8' ? bytes : Float32Array.from(bytes, (v) => v * Math.fround(1 / 255));
    return { feeds: { [name]: new Tensor(dtype, [1, ...shape], values) }, rows: 1, notes };
  }

  /** Of a network of one input. */
  private async onlyInput(task: Task, body: GivenBody): Promise<ReadSamples> {
    const input = must([...this.known.values()][0], 'input');
    const missing = task.missing === true;
    const seen = task.seen as Seen | undefined;
    if (input.text) {
      const expected = 'expected {"inputs": ["a text", ...]}';
      if (!isJson(body))
        throw new ServeError('media-type', 'expected content-type application/json, {"inputs": ["a text", ...]}');
      return this.textsOf(input, Object(parsed(body.bytes, wrong)).inputs, [], wrong, expected);
    }
    if (body.type.startsWith('image/')) return await this.imageOf(body, input, task, seen);
    if (input.features !== undefined && isJson(body))
      return tableOf(input, this.tableReader(input, missing, wrong).read(body.bytes), seen, wrong);
    if (input.counts !== undefined && input.counts.texts > 0)
      throw new ServeError('media-type', 'expected content-type application/json, since categories are texts');
    return this.samples(input, this.arrayOf(body, input, missing), seen, wrong);
  }

  /** The value of one of several inputs. */
  private named(input: Known, bytes: Buffer, task: Task): ReadSamples {
    const { name, dtype, shape, features, text } = input;
    const what = `${JSON.stringify(name)}, ${dtype} [${['N', ...shape]}]`;
    const said: Wrong = (message) => wrong(`input ${text || features ? JSON.stringify(name) : what}: ${message}`);
    const seen = (task.seen as Readonly<Record<string, Seen>> | undefined)?.[name];
    const missing = missingIn(task, name);
    if (text) return this.textsOf(input, parsed(bytes, said), task.inputs ?? [], said, 'expected a list of texts');
    if (features) return tableOf(input, this.tableReader(input, missing, said).rows(parsed(bytes, said)), seen, said);
    return this.samples(input, this.listsOf(input, bytes, { wrong: said, missing, alone: true }), seen, said);
  }

  /** Of a network of several inputs: those that the task reads, by name; a task of one takes arrays and images too. */
  private async namedInputs(task: Task, body: GivenBody): Promise<ReadSamples> {
    const brought = (task.inputs ?? [])
      .map((name) => must(this.known.get(name), name))
      .filter(({ mask, types }) => mask === undefined && types === undefined);
    const first = must(brought[0], 'input');
    const plain = brought.length === 1 && !first.text;
    const seen = (task.seen as Readonly<Record<string, Seen>> | undefined)?.[first.name];
    if (plain && body.type.startsWith('image/')) return await this.imageOf(body, first, task, seen);
    if (plain && !isJson(body) && !first.counts?.texts)
      return this.samples(first, this.arrayOf(body, first, missingIn(task, first.name)), seen, wrong);
    const names = brought.map(({ name }) => name);
    if (!isJson(body))
      throw new ServeError('media-type', `expected content-type application/json, the inputs ${names.join(', ')} by name`);
    const values = membersOf(body.bytes, names, wrong);
    const found = brought.map((input) => this.named(input, must(values.get(input.name), input.name), task));
    const rows = must(found[0], 'input').rows;
    const odd = found.findIndex((one) => one.rows !== rows);
    if (odd >= 0)
      throw wrong(`input "${names[odd]}" has ${found[odd]?.rows} samples, "${names[0]}" has ${rows}: expected as many`);
    const told = brought.map((input, i) => ({ input, one: must(found[i], input.name) }));
    return {
      feeds: Object.assign({}, ...found.map(({ feeds }) => feeds)),
      rows,
      notes: told.flatMap(({ input, one: { notes = [] } }) =>
        notes.map((note) => (input.features ? note : ofInput(input.name, note))),
      ),
      unknown: told.flatMap(({ input: { name }, one: { unknown = [] } }) => unknown.map((one) => ({ input: name, ...one }))),
    };
  }

  /** A size by its name, as it came. */
  private sizeOf(size: string, feeds: ReadSamples['feeds']): number | undefined {
    const input = [...this.known.values()].find(({ name, shape }) => feeds[name] !== undefined && shape.includes(size));
    return input && feeds[input.name]?.dims[input.shape.indexOf(size) + 1];
  }

  /** Ids beyond the vocabulary and counts beyond the steps: models fail at them, or take them for something else. */
  private refuseBeyond({ most = {} }: Task, { feeds, rows }: ReadSamples): void {
    for (const [name, bound] of Object.entries(most)) {
      const limit = typeof bound === 'number' ? bound : this.sizeOf(bound, feeds);
      if (limit === undefined) continue;
      const data = [...(feeds[name]?.data ?? [])];
      const bad = data.findIndex((v) => !(Number(v) >= 0 && Number(v) <= limit));
      if (bad < 0) continue;
      const row = Math.floor(bad / (data.length / rows));
      throw wrong(`input "${name}" holds ${data[bad]} in sample ${row}, expected whole numbers 0..${limit}`);
    }
  }
}

const missingIn = ({ missing }: Task, name: string): boolean => Array.isArray(missing) && missing.includes(name);

/** Rows and the shape of a sample, whose sizes that have a name are as they come. */
function opened({ shape }: Known, dims: readonly number[], wrong: Wrong): [number, readonly number[]] {
  const [rows = 0, ...sample] = dims;
  const fit =
    sample.length === shape.length && shape.every((d, i) => (typeof d === 'string' ? Number(sample[i]) > 0 : d === sample[i]));
  if (!fit || rows < 1) throw wrong(`found shape [${dims}], expected [${['N', ...shape]}], of any size where there is a name`);
  return [rows, sample];
}

/** Whether dims are one sample, or a batch of samples, with axes of size 1 left out or not; a sample may also be its numbers in one row. */
function fits({ shape, size }: Known, dims: readonly number[]): boolean {
  if (dims.length <= 1 || withoutOnes(dims) === withoutOnes(shape)) return true;
  const sample = dims.slice(1);
  return withoutOnes(sample) === withoutOnes(shape) || (sample.length === 1 && sample[0] === size);
}

/** Rows of a table that were read, as what the model takes. */
function tableOf(
  { name, features = [], counts }: Known,
  { rows, numbers, texts, unknown }: TableRows,
  seen: Seen | undefined,
  wrong: Wrong,
): ReadSamples {
  const feeds: Record<string, Tensor> = {};
  const { numbers: width = 0, texts: words = 0 } = counts ?? {};
  if (width > 0) feeds[name] = new Tensor('float32', [rows, width], numbers);
  if (words > 0) feeds[categoriesName(name)] = new Tensor('string', [rows, words], texts);
  const each = seen?.each?.filter((_, i) => features[i]?.categories === undefined);
  const names = features.filter((f) => f.categories === undefined).map((f) => f.name);
  return { feeds, rows, unknown, notes: width > 0 ? outside(numbers, each && { each }, names, wrong) : [] };
}
