// The worker threads of prognet serve.
import { loadRuntime } from '../onnx/runtime/load.js';
import { workerProgram } from '../serve/workers/program.js';

await workerProgram(async () => (await loadRuntime({ threads: 1 })).runtime);
