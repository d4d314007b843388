// What an import is measured beside, in a process of its own: reads the bytes of FILE, creates ONNX Runtime's session of it and runs two images. Prints
// JSON of the seconds of reading and creating, on the clock and of the processor.
import { closeSync, openSync, readSync } from 'node:fs';
import * as ort from 'onnxruntime-node';

const [file, size] = process.argv.slice(2);
const [started, used] = [performance.now(), process.cpuUsage()];
const [opened, piece] = [openSync(file, 'r'), new Uint8Array(2 ** 22)];
while (readSync(opened, piece) > 0);
closeSync(opened);
const session = await ort.InferenceSession.create(file, { logSeverityLevel: 3 });
const { user, system } = process.cpuUsage(used);
process.stdout.write(JSON.stringify({ seconds: (performance.now() - started) / 1000, processor: (user + system) / 1e6 }));
const dims = [2, 3, Number(size), Number(size)];
const data = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i));
await session.run({ [session.inputNames[0]]: new ort.Tensor('float32', data, dims) }, [session.outputNames[0]]);
