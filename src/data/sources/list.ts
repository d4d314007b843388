// All sources, in the order in which a place is asked what it is.
import { csvFile, csvFolder } from './csv-file.js';
import { fashionMnist } from './fashion-mnist.js';
import { hubFolder } from './hub-folder.js';
import { idxFolder } from './idx-folder.js';
import { imageFolder } from './image-folder.js';
import { mnist } from './mnist.js';
import { npyFolder, npzFile } from './named-arrays.js';
import { parquetFile, parquetFolder } from './parquet-file.js';
import type { Source } from './source.js';

/** Sources that are names rather than paths. */
export const named: readonly Source[] = [mnist, fashionMnist];

/** All, the named ones first. */
export const sources: readonly Source[] = [
  ...named,
  idxFolder,
  npyFolder,
  npzFile,
  csvFile,
  csvFolder,
  parquetFile,
  parquetFolder,
  hubFolder,
  imageFolder,
];
