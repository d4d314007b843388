// Makes of a request what a model is fed: arrays, rows of a table, texts, an image; of a network of several inputs each by its name.
import { readFileSync } from 'node:fs';
import { elementsOf } from './elements.mjs';
import { ListReader } from './lists.mjs';
import { membersOf } from './members.mjs';
import { readNpy } from './npy.mjs';
import { outside, refuseBytes } from './ranges.mjs';
import { TableReader } from './table.mjs';

const withoutOnes = (dims) => dims.filter((d) => d !== 1).join();
/** What a size that has a name counts as where numbers of a request are limited. */
const mostOpen = 1024;
const here = (name) => new URL(name, import.meta.url);
const typeOf = (request) => request.headers['content-type'] ?? '';
const isJson = (request) => typeOf(request).startsWith('application/json');

/** A value of JSON. */
function parsed(bytes, wrong) {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw wrong('the body is no JSON');
  }
}

/**
 * What reads the requests of a service; inputs and tasks are those of tasks.json.
 * @param ort onnxruntime-node
 * @param several whether the network has several inputs, each of which a request names
 * @param maxRows samples of a request at most
 * @param readBody gives a function the body of a request piece by piece
 * @param refusal makes what a client is told of a status and a message
 * @param needed says what cannot be loaded
 */
export async function requestReader({ ort, inputs, several, tasks, maxRows, readBody, refusal, needed }) {
  const wrong = (message) => refusal(400, message);
  const tooMany = () => refusal(413, `found over ${maxRows} samples, expected at most ${maxRows} (MAX_ROWS)`);
  const known = new Map();
  for (const input of inputs) known.set(input.name, await reading(input));
  /** By task, what makes samples of images; what does it lies beside this file where it is needed. */
  const decoders = new Map();
  for (const { task, decoding } of tasks)
    if (decoding !== undefined)
      decoders.set(
        task,
        await needed('images.mjs, run npm ci', async () => (await import('./images.mjs')).imageReader(decoding)),
      );

  /** An input with what its samples are read by. */
  async function reading(input) {
    const { shape, dtype, features, tokens, tokenizer = 'tokenizer.json' } = input;
    const text =
      tokens &&
      (await needed('texts.mjs, run npm ci', async () => {
        const { textReader, followingReader } = await import('./texts.mjs');
        return {
          tokenise: await textReader(input, readFileSync(here(tokenizer), 'utf8')),
          follow: followingReader(inputs),
        };
      }));
    const counts = features && {
      numbers: features.filter((f) => !f.categories).length,
      texts: features.filter((f) => f.categories).length,
    };
    const open = shape.some((d) => typeof d === 'string');
    const size = shape.reduce((n, d) => n * (typeof d === 'string' ? mostOpen : d), 1);
    return { ...input, open, size, elements: elementsOf(dtype), counts, text };
  }

  async function wholeBody(request, held) {
    const chunks = [];
    await readBody(request, held, (chunk) => chunks.push(chunk));
    return Buffer.concat(chunks);
  }

  const listReader = ({ dtype, size, elements }, more) =>
    new ListReader({ elements, most: maxRows * size, tooMany: tooMany(), truths: dtype === 'bool', ...more });

  /** The body of a request as an array. */
  async function arrayOf(request, held, input, missing) {
    const type = typeOf(request);
    if (isJson(request)) {
      const lists = listReader(input, { wrong, missing });
      await readBody(request, held, (chunk) => lists.read(chunk));
      return lists.finish();
    }
    if (!type.startsWith('application/x-npy') && !type.startsWith('application/octet-stream'))
      throw refusal(415, 'expected content-type application/json or application/x-npy');
    const { dtype, elements, size } = input;
    const how = { dtype, elements, most: maxRows * size, tooMany: tooMany(), wrong, missing };
    return readNpy(await wholeBody(request, held), how);
  }

  /** Rows and the shape of a sample, whose sizes that have a name are as they come. */
  function opened({ shape }, dims, wrong) {
    const [rows, ...sample] = dims;
    const fit =
      sample.length === shape.length && shape.every((d, i) => (typeof d === 'string' ? sample[i] > 0 : d === sample[i]));
    if (!fit || rows < 1) throw wrong(`found shape [${dims}], expected [${['N', ...shape]}], of any size where there is a name`);
    return [rows, sample];
  }

  /** Whether dims are one sample, or a batch of samples, with axes of size 1 left out or not; a sample may also be its numbers in one row. */
  function fits({ shape, size }, dims) {
    if (dims.length <= 1 || withoutOnes(dims) === withoutOnes(shape)) return true;
    const sample = dims.slice(1);
    return withoutOnes(sample) === withoutOnes(shape) || (sample.length === 1 && sample[0] === size);
  }

  /** An array as the samples of an input. */
  function samples(input, { values, dims, scaled = false }, seen, wrong) {
    const { name, dtype, shape, size, elements, features, open } = input;
    const [rows, sample] = open ? opened(input, dims, wrong) : [values.length / size, shape];
    if (!Number.isInteger(rows) || rows < 1)
      throw wrong(`found ${values.length} numbers, expected samples of [${shape}], ${size} numbers each`);
    if (!open && !fits(input, dims)) throw wrong(`found shape [${dims}], expected samples of [${shape}]`);
    const tensor = new ort.Tensor(dtype, elements.data(values), [rows, ...sample]);
    const names = features?.map((f) => f.name) ?? seen?.each?.map((_, i) => `number ${i}`) ?? [name];
    if (scaled) refuseBytes(seen, wrong);
    const notes = dtype === 'float32' ? outside(values, seen, names, wrong) : [];
    return { feeds: { [name]: tensor }, rows, notes };
  }

  /** Rows of a table that were read, as what the model takes. */
  function tableOf({ name, features, counts }, { rows, numbers, texts, unknown }, seen, wrong) {
    const feeds = {};
    if (counts.numbers > 0) feeds[name] = new ort.Tensor('float32', numbers, [rows, counts.numbers]);
    if (counts.texts > 0) feeds[`${name}_categories`] = new ort.Tensor('string', texts, [rows, counts.texts]);
    const numeric = seen?.each && { each: seen.each.filter((_, i) => !features[i]?.categories) };
    const names = features.filter((f) => !f.categories).map((f) => f.name);
    return { feeds, rows, unknown, notes: counts.numbers > 0 ? outside(numbers, numeric, names, wrong) : [] };
  }

  /** Texts as token ids, with what follows of them where the model takes it. */
  function textsOf({ name, shape, text }, value, taken, wrong, expected) {
    const texts = typeof value === 'string' ? [value] : value;
    if (!Array.isArray(texts) || texts.length === 0 || texts.some((one) => typeof one !== 'string')) throw wrong(expected);
    if (texts.length > maxRows) throw tooMany();
    const ids = text.tokenise(texts, wrong);
    const dims = [texts.length, ...shape];
    const feeds = { [name]: new ort.Tensor('int64', ids, dims) };
    for (const [other, values] of text.follow(name, ids, dims))
      if (taken.includes(other)) feeds[other] = new ort.Tensor('int64', values, dims);
    return { feeds, rows: texts.length };
  }

  /** Of a .png, .jpg or .webp, the sample that training would make of it. */
  async function imageOf(request, held, { dtype, name }, { task }, seen) {
    const decode = decoders.get(task);
    if (decode === undefined) throw refusal(415, 'found an image, and the task was trained on arrays: expected those');
    const { values: bytes, shape, notes } = await decode(await wholeBody(request, held), wrong);
    if (dtype !== 'uint8') refuseBytes(seen, wrong);
    const values = dtype === 'uint8' ? bytes : Float32Array.from(bytes, (v) => v * Math.fround(1 / 255));
    return { feeds: { [name]: new ort.Tensor(dtype, values, [1, ...shape]) }, rows: 1, notes };
  }

  /** Of a network of one input. */
  async function onlyInput(request, held, task) {
    const input = known.get(inputs[0].name);
    const { missing = false, seen } = task;
    if (input.text) {
      const expected = 'expected {"inputs": ["a text", ...]}';
      if (!isJson(request)) throw refusal(415, 'expected content-type application/json, {"inputs": ["a text", ...]}');
      return textsOf(input, parsed(await wholeBody(request, held), wrong)?.inputs, [], wrong, expected);
    }
    if (typeOf(request).startsWith('image/')) return await imageOf(request, held, input, task, seen);
    if (input.features !== undefined && isJson(request)) {
      const reader = new TableReader(input.features, missing, maxRows, tooMany(), wrong);
      return tableOf(input, reader.read(await wholeBody(request, held)), seen, wrong);
    }
    if (input.counts?.texts > 0) throw refusal(415, 'expected content-type application/json, since categories are texts');
    return samples(input, await arrayOf(request, held, input, missing), seen, wrong);
  }

  /** The value of one of several inputs. */
  function named(input, bytes, task) {
    const { name, dtype, shape, features, text } = input;
    const what = `${JSON.stringify(name)}, ${dtype} [${['N', ...shape]}]`;
    const said = (message) => wrong(`input ${text || features ? JSON.stringify(name) : what}: ${message}`);
    const [seen, missing] = [task.seen?.[name], task.missing?.includes(name) ?? false];
    if (text) return textsOf(input, parsed(bytes, said), task.inputs, said, 'expected a list of texts');
    if (features) {
      const reader = new TableReader(features, missing, maxRows, tooMany(), said);
      return tableOf(input, reader.rows(parsed(bytes, said)), seen, said);
    }
    const lists = listReader(input, { wrong: said, missing, alone: true });
    lists.read(bytes);
    return samples(input, lists.finish(), seen, said);
  }

  /** Of a network of several inputs: those that the task reads, by name; a task of one takes arrays and images too. */
  async function namedInputs(request, held, task) {
    const brought = task.inputs
      .map((name) => known.get(name))
      .filter(({ mask, types }) => mask === undefined && types === undefined);
    const [first] = brought;
    const plain = brought.length === 1 && !first.text;
    if (plain && typeOf(request).startsWith('image/')) return await imageOf(request, held, first, task, task.seen?.[first.name]);
    if (plain && !isJson(request) && !first.counts?.texts) {
      const missing = task.missing?.includes(first.name) ?? false;
      return samples(first, await arrayOf(request, held, first, missing), task.seen?.[first.name], wrong);
    }
    const names = brought.map(({ name }) => name);
    if (!isJson(request)) throw refusal(415, `expected content-type application/json, the inputs ${names.join(', ')} by name`);
    const values = membersOf(await wholeBody(request, held), names, wrong);
    const found = brought.map((input) => named(input, values.get(input.name), task));
    const odd = found.findIndex(({ rows }) => rows !== found[0].rows);
    if (odd >= 0)
      throw wrong(`input "${names[odd]}" has ${found[odd].rows} samples, "${names[0]}" has ${found[0].rows}: expected as many`);
    return {
      feeds: Object.assign({}, ...found.map(({ feeds }) => feeds)),
      rows: found[0].rows,
      notes: found.flatMap(({ notes = [] }, i) => notes.map((note) => (brought[i].features ? note : ofInput(names[i], note)))),
      unknown: found.flatMap(({ unknown = [] }, i) => unknown.map((one) => ({ input: names[i], ...one }))),
    };
  }

  const ofInput = (name, note) => (note.startsWith('number ') ? `${name}, ${note}` : note);

  /** A size by its name, as it came. */
  function sizeOf(size, feeds) {
    const input = inputs.find(({ name, shape }) => feeds[name] !== undefined && shape.includes(size));
    return input && feeds[input.name].dims[input.shape.indexOf(size) + 1];
  }

  /** Ids beyond the vocabulary and counts beyond the steps: models fail at them, or take them for something else. */
  function refuseBeyond({ most = {} }, feeds, rows) {
    for (const [name, bound] of Object.entries(most)) {
      const { data = [] } = feeds[name] ?? {};
      const limit = typeof bound === 'number' ? bound : sizeOf(bound, feeds);
      const bad = limit === undefined ? -1 : data.findIndex((v) => !(Number(v) >= 0 && Number(v) <= limit));
      if (bad < 0) continue;
      const row = Math.floor(bad / (data.length / rows));
      throw wrong(`input "${name}" holds ${data[bad]} in sample ${row}, expected whole numbers 0..${limit}`);
    }
  }

  /** What the model is fed, of how many rows, and what of them is to be told. */
  return async (request, held, task) => {
    const { feeds, rows, unknown = [], notes = [] } = await (several ? namedInputs : onlyInput)(request, held, task);
    refuseBeyond(task, feeds, rows);
    return { feeds, rows, beside: { ...(unknown.length > 0 && { unknown }), ...(notes.length > 0 && { notes }) } };
  };
}
