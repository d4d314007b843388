// The rows of one customer: NAME.npz, or a folder NAME of .npy files, with an array for each input and `targets`; or a table. Every fifth row is held back as test data.
import { type Dirent, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fitTargets } from '../data/checks.js';
import type { NamedSet } from '../data/dataset.js';
import { toInputs, toTargets } from '../data/from-arrays.js';
import { gatherRows } from '../data/rows.js';
import { mapSamples } from '../data/samples.js';
import { readNpy } from '../formats/npy.js';
import { readNpz } from '../formats/npz.js';
import { eachOf } from '../model/heads/heads.js';
import { DataError, must, UsageError } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';
import { fileError } from '../onnx/files/file-error.js';
import { readWhole } from '../onnx/files/read-file.js';
import { targetHeadOf } from '../train/prepare-data.js';
import { taskPattern } from '../workspace/task-name.js';
import { type FleetTableOptions, isTable, readTable, tableEndings } from './customer-table.js';
import type { FleetTraining } from './training-folder.js';

/** A customer, and where the rows are. */
export interface Customer {
  /** Of the column. */
  readonly name: string;
  /** The file, or the folder. */
  readonly path: string;
}

/** The rows of a customer. */
export interface CustomerData {
  readonly train: NamedSet;
  readonly test: NamedSet;
}

const leastRows = 10;
const endings = ['.npz', ...tableEndings];
const targetsName = 'targets';

/** The customers of a folder, by name. Throws UsageError where there are none, and for a name that no column can have. */
export function listCustomers(folder: string): readonly Customer[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (cause) {
    throw fileError('read', folder, cause);
  }
  const found = new Map<string, Customer>();
  for (const entry of entries) {
    const ending = entry.isDirectory() ? '' : endings.find((each) => entry.name.endsWith(each));
    if (entry.name.startsWith('.') || ending === undefined) continue;
    const name = entry.name.slice(0, entry.name.length - ending.length);
    const path = join(folder, entry.name);
    const fail = (got: string, expected: string) =>
      new UsageError(`${path}: ${got}, expected ${expected}`, { path, expected, got: name });
    if (!taskPattern.test(name))
      throw fail(`"${name}" is no name of a column`, 'a letter, then letters, digits, "_" or "-", at most 100');
    const other = found.get(name);
    if (other !== undefined) throw fail(`"${name}" is there as ${basename(other.path)} as well`, 'one of them');
    found.set(name, { name, path });
  }
  if (found.size > 0) return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const expected = 'NAME.npz, NAME.csv, or a folder NAME of .npy files, for each column';
  throw new UsageError(`${folder}: holds no data of customers, expected ${expected}`, { path: folder, expected });
}

/**
 * The rows of a customer.
 * @param table how a table is read
 * @param onNote hears what was taken for granted in a table, in one line
 * @throws DataError for arrays that are missing, do not fit the columns of the fleet, or hold what is no number, and as `readTable`
 */
export async function readCustomer(
  { path }: Customer,
  training: FleetTraining,
  table: FleetTableOptions = {},
  onNote: (line: string) => void = () => {},
): Promise<CustomerData> {
  const { inputs: wanted, head, targets: kind } = training;
  const target = targetHeadOf(head, () => kind.shape[0] ?? 1);
  const where = isTable(path) ? path : `${path}: "${targetsName}"`;
  const arrays = isTable(path)
    ? await readTable(path, training, target, table, onNote).then(
        ({ input, targets }) =>
          new Map([
            [must(wanted[0], 'input').name, input],
            [targetsName, targets],
          ]),
      )
    : arraysOf(path, [...wanted.map(({ name }) => name), targetsName]);
  const labels = must(arrays.get(targetsName), targetsName);
  const count = labels.dims[0] ?? 0;
  if (count < leastRows)
    throw refused(
      path,
      `${isTable(path) ? '' : `"${targetsName}" `}has ${count} rows`,
      `${leastRows} or more, a fifth of which are held back as test data`,
    );
  const inputs = Object.fromEntries(
    wanted.map((input) => [input.name, inputOf(must(arrays.get(input.name), input.name), input, path, count)]),
  );
  const steps = eachOf(head) !== undefined;
  const fitted = fitTargets({ inputs, targets: toTargets(labels, where, steps) }, target, where).targets;
  const numbers = Array.from({ length: count }, (_, row) => row);
  const part = (test: boolean): NamedSet => {
    const own = Uint32Array.from(numbers.filter((row) => (row % 5 === 4) === test));
    return { inputs: mapSamples(inputs, (rows) => gatherRows(rows, own)), targets: gatherRows(fitted, own) };
  };
  return { train: part(false), test: part(true) };
}

const refused = (path: string, got: string, expected: string): DataError =>
  new DataError(`${path}: ${got}, expected ${expected}`, { path, expected, got });

function arraysOf(path: string, names: readonly string[]): ReadonlyMap<string, Tensor> {
  const missing = (name: string) => refused(path, `has no array "${name}"`, names.join(', '));
  if (path.endsWith('.npz')) {
    const arrays = readNpz(readWhole(path), path, undefined, (key) => names.includes(key));
    const absent = names.find((name) => !arrays.has(name));
    if (absent !== undefined) throw missing(absent);
    return arrays;
  }
  const there = new Set(readdirSync(path));
  return new Map(
    names.map((name) => {
      if (!there.has(`${name}.npy`)) throw missing(name);
      const file = join(path, `${name}.npy`);
      return [name, readNpy(readWhole(file), file)];
    }),
  );
}

/** Numbers of another dtype become that of the input where none of them changes its meaning. */
function inputOf(
  found: Tensor,
  { name, dtype, shape, vocabulary }: FleetTraining['inputs'][number],
  path: string,
  count: number,
): Tensor {
  const where = `${path}: "${name}"`;
  const rows = toInputs(found, where, false, 0, { name, dtype, shape });
  // Elsewhere bytes would be divided by 255 here: nobody could tell which scale was meant.
  if (rows.dtype !== dtype) throw refused(path, `"${name}" is ${found.dtype}`, dtype);
  const [first = 0, ...sample] = rows.dims;
  if (sample.join() !== shape.join())
    throw refused(path, `a row of "${name}" has shape [${sample.join(', ')}]`, `[${shape.join(', ')}]`);
  if (first !== count) throw refused(path, `"${name}" has ${first} rows`, `${count}, as many as "${targetsName}"`);
  const odd = vocabulary === undefined ? undefined : rows.numbers().find((id) => id < 0 || id >= vocabulary);
  if (odd !== undefined) throw refused(path, `"${name}" holds ${odd}`, `an id of the tokenizer, 0..${Number(vocabulary) - 1}`);
  return rows;
}
