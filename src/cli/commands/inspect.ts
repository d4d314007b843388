// prognet inspect
import { basename } from 'node:path';
import { formatInspection, inspectModel } from '../../deploy/inspect.js';
import { fromBinary } from '../../serde/from-binary.js';
import { readWhole } from '../../workspace/read-file.js';
import { type GlobalOptions, result } from '../report.js';

export function inspect(file: string, options: GlobalOptions): void {
  const found = inspectModel(fromBinary(readWhole(file), { file: basename(file) }));
  result(options, found, formatInspection(found));
}
