// Run as a process of its own: loads a model, runs it once on an input x of the dims given, prints { bytes, hash }: by how much the peak of the
// process's memory rose in the run, and a hash of the bits of all results.
import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';

const [file, ...sizes] = process.argv.slice(2);
const dims = sizes.map(Number);
const peak = () => Number(/VmHWM:\s*(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;
const session = await ort.InferenceSession.create(file, { intraOpNumThreads: 1, logSeverityLevel: 3 });
const data = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i));
const before = peak();
const results = await session.run({ x: new ort.Tensor('float32', data, dims) });
const bytes = peak() - before;
let hash = 0;
for (const name of session.outputNames) {
  const { data } = results[name];
  for (const word of new Uint32Array(data.buffer, data.byteOffset, data.length)) hash = (Math.imul(hash, 31) + word) | 0;
}
process.stdout.write(JSON.stringify({ bytes, hash }));
