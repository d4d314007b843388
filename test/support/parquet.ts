// Parquet files made by the package hyparquet-writer, whose types are not asked for, as those of the reader.
import { importPackage } from '../../src/onnx/files/optional-package.js';

type Columns = readonly { name: string; data: readonly unknown[]; type?: string }[];
type Write = (table: { columnData: Columns; rowGroupSize?: number }) => ArrayBuffer;
const isWrite = (value: unknown): value is Write => typeof value === 'function';
const writer: unknown = Reflect.get(await importPackage('hyparquet-writer'), 'parquetWriteBuffer');

/** The bytes of a file with these columns. */
export function parquet(...columnData: Columns): Uint8Array {
  if (!isWrite(writer)) throw new Error('hyparquet-writer writes nothing');
  return new Uint8Array(writer({ columnData }));
}

/** The same in row groups of so many rows. */
export function parquetInGroups(rowGroupSize: number, ...columnData: Columns): Uint8Array {
  if (!isWrite(writer)) throw new Error('hyparquet-writer writes nothing');
  return new Uint8Array(writer({ columnData, rowGroupSize }));
}
