// The contract in a Node process of its own, whose environment names the Vulkan driver: prints the outcomes as JSON.
import { NodeRuntime } from '../../src/onnx/runtime/node.js';
import { runCases } from './cases.js';

const [provider = 'cpu'] = process.argv.slice(2);
const runtime = await NodeRuntime.load();
const { reason } = (await runtime.providers()).find((p) => p.provider === provider) ?? { reason: 'not in onnxruntime-node' };
process.stdout.write(JSON.stringify({ reason, outcomes: reason === undefined ? await runCases(runtime, provider) : {} }));
