// One conversion in a process of its own, for precision-peak.mjs: loads a model of an input image, turns it into another precision and saves it.
// Arguments: MODEL, then a precision, OUT; or `session`: no more than ONNX Runtime's session of the file, run once.
import * as ort from 'onnxruntime-node';
import { load, loadRuntime, quantize, save, Tensor } from '../../dist/onnx/node.js';

const [file, precision, out, size] = process.argv.slice(2);
const dims = [1, 3, Number(size), Number(size)];
const data = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i));
if (precision === 'session') {
  const session = await ort.InferenceSession.create(file, { logSeverityLevel: 3 });
  await session.run({ image: new ort.Tensor('float32', data, dims) });
} else {
  const { runtime } = await loadRuntime();
  const samples = [{ image: new Tensor('float32', dims, data) }];
  const { model } = await quantize(runtime, load(file), precision === 'int8' ? { precision, samples } : { precision });
  save(model, out);
}
