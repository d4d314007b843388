// The part of the public library that same-bits calls, under one name each, whichever checkout it comes from. A renamed entry gets its old
// and its new name in the table below; nothing else here or elsewhere knows the difference.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Names of an entry, the newest first. */
const names = {
  readDescription: ['readDescription'],
  parseDescription: ['parseDescription'],
  parameters: ['columnParameters', 'columnsOf'],
  initialWeights: ['initialWeights'],
  taskModel: ['taskModel'],
  stepGraph: ['stepGraph'],
  optimizer: ['optimizer'],
  grad: ['grad', 'gradientModel'],
  Tensor: ['Tensor'],
  toBinary: ['toBinary'],
  fromBinary: ['fromBinary'],
  version: ['version'],
};

/** The built library in the folder `dist`. */
export async function openLibrary(dist) {
  const entry = async (file) => (existsSync(join(dist, file)) ? await import(pathToFileURL(join(dist, file)).href) : {});
  const library = { ...(await entry('onnx/index.js')), ...(await entry('index.js')) };
  const entries = Object.entries(names).map(([key, list]) => {
    const found = list.find((name) => library[name] !== undefined);
    if (found === undefined) throw new Error(`${dist}/index.js exports none of ${list.join(', ')}: scripts/bits/library.mjs`);
    return [key, library[found]];
  });
  const lib = Object.fromEntries(entries);
  // A library with columns as objects takes one where an older one takes a description and an index.
  const { columnsOf } = library;
  const columnAt = (description, index) => [...columnsOf(description)][index];
  const byTask = (description, weights) => new Map(weights.map((w, i) => [description.columns[i].task, w]));
  const dtypes = (description, dtype) => Object.fromEntries(description.inputs.map(({ name }) => [name, dtype]));
  return {
    version: lib.version,
    read: (text) => lib.readDescription(text, 'prognet.yaml'),
    parse: (plain) => lib.parseDescription(plain),
    specs: (description, column) =>
      (columnsOf ? columnAt(description, column).parameters : lib.parameters(description, column)).specs,
    initialWeights: (description, column) =>
      columnsOf ? lib.initialWeights(columnAt(description, column)) : lib.initialWeights(description, column),
    tensor: (dims, data) => new lib.Tensor('float32', dims, data),
    export: (description, weights, options) =>
      lib.toBinary(
        columnsOf
          ? lib.taskModel(columnsOf(description), byTask(description, weights), options)
          : lib.taskModel(description, weights, options),
      ),
    step: (description, column, optimizer, { dataType, ...options }) => {
      const of = columnsOf
        ? { column: columnAt(description, column), dtypes: dtypes(description, dataType) }
        : { description, column, dataType };
      return lib.toBinary(lib.stepGraph({ ...of, optimizer: lib.optimizer(optimizer), ...options }).model);
    },
    gradient: (bytes, options) => lib.toBinary(lib.grad(lib.fromBinary(bytes), options)),
  };
}

/** Files with the version of the package in them say nothing of the bits: it becomes zeros of the same length. */
export function withoutVersion(bytes, version) {
  return Buffer.from(Buffer.from(bytes).toString('latin1').replaceAll(version, version.replaceAll(/\d/g, '0')), 'latin1');
}
