// prognet inspect
import { formatInspection, inspectModel } from '../../onnx/ir/inspect.js';
import { loadModel } from '../../onnx/serde/external-data.js';
import { type GlobalOptions, result } from '../report.js';

export function inspect(file: string, options: GlobalOptions): void {
  const found = inspectModel(loadModel(file));
  result(options, found, formatInspection(found));
}
