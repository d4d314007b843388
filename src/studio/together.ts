// Samples of all of a network's inputs: the files of a single one, the arrays of a .npz file by their names, and the columns of a table. What stands for one
// input alone is read-files.ts.
import { DataError, type NetworkInfo, type TableTextOptions, Tensor, tableRows, UsageError } from '../web.js';
import { type InputShape, isOpen, joinedRows, keptRows, ofSizes, type SampleShape, sizesText } from './input-shape.js';
import { npzArrays } from './npz-arrays.js';
import { checkNumbers, checkSize, labelsOf, maxRows, readFiles, rowsOf, type Samples } from './read-files.js';

const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');

/** Samples, and what they are. */
export interface SampleRows extends Samples {
  readonly sample: SampleShape;
}

/**
 * Samples of the files of a network's only input, or of a .npz file, which has an array for each input, and y where it has labels; inputs that it has not are
 * absent.
 * @throws DataError, UsageError in one line
 */
export async function readTogether(files: readonly File[], sample: SampleShape): Promise<SampleRows> {
  const { first: only, inputs } = sample;
  if (inputs.length === 1) {
    const { shape, ...found } = await readFiles(files, only);
    return { ...found, sample: ofSizes(sample, new Map([[only.name, shape]])) };
  }
  const [file, more] = files;
  const names = sample.inputs.map(({ name }) => name);
  if (file === undefined || more !== undefined || !file.name.endsWith('.npz'))
    throw new UsageError(
      `the network has the inputs ${quoted(names)}: expected one .npz file or a table of them, or a file beside one`,
    );
  checkSize(file.size, file.name);
  const bytes = new Uint8Array(await file.arrayBuffer());
  const arrays = await npzArrays(bytes, [...names, 'y'], file.name, (size) => checkSize(size, file.name));
  if (!names.some((name) => arrays.has(name)))
    throw new DataError(`${file.name}: has no array ${quoted(names)}, expected one for each input`);
  const parts = new Map<string, readonly Float32Array[]>();
  const shapes = new Map<string, readonly number[]>();
  let first: { readonly name: string; readonly rows: number } | undefined;
  for (const input of sample.inputs) {
    const tensor = arrays.get(input.name);
    if (tensor === undefined) continue;
    const { rows: own, shape } = rowsOf(batched(tensor, input), `${file.name}: "${input.name}"`, input);
    shapes.set(input.name, shape);
    first ??= { name: input.name, rows: own.length };
    if (own.length !== first.rows)
      throw new DataError(
        `${file.name}: "${input.name}" has ${own.length} rows, "${first.name}" has ${first.rows}, expected as many`,
      );
    parts.set(input.name, own);
  }
  const own = ofSizes(sample, shapes);
  const rows = joinedRows(own, parts);
  const labels = names.includes('y') ? undefined : arrays.get('y');
  return { rows, sample: own, ...(labels !== undefined && { labels: labelsOf(labels, `${file.name}: "y"`, rows.length) }) };
}

/** [N] for inputs of one number each. */
const batched = (tensor: Tensor, { shape }: InputShape): Tensor =>
  shape.length === 0 ? tensor.reshape([tensor.size, ...shape]) : tensor;

/** Rows of a table, at most as many as the page takes, and what is to be said of them. */
interface TableSamples extends SampleRows {
  readonly notes: readonly string[];
}

/**
 * Rows of a table: of one input, or the columns of all. Of several inputs those without features are the column of their name.
 * @throws DataError naming row and column of what cannot be read, UsageError for inputs that are no columns
 */
export function tableSamples(
  text: string,
  { inputs }: Pick<NetworkInfo, 'inputs'>,
  sample: SampleShape,
  options: TableTextOptions,
  only?: InputShape,
): TableSamples {
  const { where = 'table' } = options;
  const asked = only === undefined ? sample.inputs : [only];
  const infos = asked.map(({ name }) => inputs.find((input) => input.name === name)).filter((info) => info !== undefined);
  const [one] = infos;
  if (infos.length === 1 && one !== undefined) {
    const { inputs: found, notes } = tableRows(text, one, options);
    const own = ofSizes(sample, new Map([[one.name, found.dims.slice(1)]]));
    // Nothing tells a label from one number more.
    const read = one.shape.includes(null)
      ? [`each row is read as ${found.dims.slice(1).join(' x ')} numbers, none of them a label`]
      : [];
    return limited(own, where, [...notes, ...read], (input) => (input.name === one.name ? found : undefined));
  }
  const columns = asked.map((input) => ({ input, features: columnsOf(input, where) }));
  const features = [...new Map(columns.flatMap(({ features }) => features.map((f) => [f.name, f] as const))).values()];
  const { inputs: table, notes } = tableRows(
    text,
    { name: 'table', dtype: 'float32', shape: [features.length], features },
    options,
  );
  const [count = 0, width = 0] = table.dims;
  return limited(sample, where, notes, (input) => {
    const own = columns.find((each) => each.input === input)?.features ?? [];
    const places = own.map(({ name }) => features.findIndex((f) => f.name === name));
    const values = Array.from({ length: count }, (_, row) => places.map((place) => Number(table.data[row * width + place])));
    return Tensor.from('float32', values.flat(), [count, places.length]);
  });
}

function columnsOf(input: InputShape, where: string) {
  const { name, sizes, size, features } = input;
  if (features !== undefined) return features;
  if (size === 1 && !isOpen(input)) return [{ name }];
  throw new UsageError(`${where}: the input "${name}" is ${sizesText(sizes)}, a table gives its columns; expected a .npz file`);
}

function limited(
  sample: SampleShape,
  where: string,
  notes: readonly string[],
  tensorOf: (input: InputShape) => Tensor | undefined,
): TableSamples {
  let count = 0;
  const parts = sample.inputs.flatMap((input): [string, Float32Array[]][] => {
    const tensor = tensorOf(input);
    if (tensor === undefined) return [];
    const rows = keptRows(tensor, { ...input, white: 1 });
    checkNumbers(rows, where, input);
    count = rows.length;
    return [[input.name, rows.slice(0, maxRows)]];
  });
  const left = count > maxRows ? [`${where}: the first ${maxRows} of ${count} rows; prognet predict takes all`] : [];
  return { rows: joinedRows(sample, new Map(parts)), sample, notes: [...notes, ...left] };
}
