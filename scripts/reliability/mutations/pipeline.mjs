// A worker of mutations.mjs: takes mutants through everything that reads a model. For each it sends what each stage said, the processor time of the slowest and
// the memory at its highest. Its heap is bounded by --max-old-space-size; a mutant that kills it is the one that was begun last.
import { readFileSync, writeFileSync } from 'node:fs';
import { corpus } from './corpus.mjs';
import { mutant } from './mutate.mjs';

const dist = (path) => import(new URL(`../../../dist/${path}`, import.meta.url).href);
const { fromBinary } = await dist('onnx/serde/from-binary.js');
const { toBinary } = await dist('onnx/serde/to-binary.js');
const { verifyModel } = await dist('onnx/ops/verify-model.js');
const { inferShapes } = await dist('onnx/passes/infer-shapes.js');
const { modernise } = await dist('onnx/passes/modernise.js');
const { optimise } = await dist('onnx/passes/optimise.js');
const { fuse } = await dist('onnx/passes/fuse/fuse.js');
const { grad } = await dist('onnx/autodiff/grad.js');
const { readyForPrecision, convertFloat16 } = await dist('onnx/precision/quantize.js');
const { toDynamicInt8 } = await dist('onnx/precision/dynamic-int8.js');
const { calibratedValues, toStaticInt8 } = await dist('onnx/precision/static-int8.js');
const { importModel } = await dist('model/progressive/import-model.js');
const { inspectModel } = await dist('onnx/ir/inspect.js');
const { printModel } = await dist('onnx/ir/print.js');
const { PrognetError } = await dist('onnx/core/errors.js');

const isFloat = (v) => v.type?.kind === 'tensor' && /^(b?float\d+)$/.test(v.type.dtype);

/** What is differentiated by what: the first of each that may be. */
function request(model) {
  const { graph } = model;
  const of = (graph.outputs.find(isFloat) ?? graph.outputs[0])?.name ?? 'y';
  const by = [graph.inputs.find(isFloat) ?? graph.initializers.find(isFloat) ?? graph.inputs[0]].map((v) => v?.name ?? 'x');
  return { of, by };
}

function staticInt8(model) {
  const ready = readyForPrecision(model);
  const ranges = new Map(calibratedValues(ready).map((name) => [name, { min: -1, max: 2 }]));
  return toStaticInt8(ready, { ranges });
}

/** Each gets a model of its own; what it returns is encoded. */
const stages = {
  verify: (model) => void verifyModel(model),
  infer: (model) => void inferShapes(model.graph, { opset: model.opset }),
  upgrade: (model) => {
    modernise(model);
    return model;
  },
  optimise: (model) => {
    optimise(model.graph, { opset: model.opset });
    return model;
  },
  fuse: (model) => {
    fuse(model.graph, { opset: model.opset });
    return model;
  },
  vjp: (model) => grad(model, request(model)),
  jvp: (model) => grad(model, { ...request(model), mode: 'jvp' }),
  import: (model) => void importModel(model, { task: 'taken' }, 'mutant.onnx'),
  fp16: (model) => convertFloat16(readyForPrecision(model), {}).model,
  'int8-dynamic': (model) => toDynamicInt8(readyForPrecision(model)),
  int8: staticInt8,
  inspect: (model) => {
    inspectModel(model);
    printModel(model);
  },
};

/** `passed`, the class of the error that refused, or `!` and what went wrong. */
function attempt(work) {
  try {
    work();
    return 'passed';
  } catch (error) {
    if (error instanceof PrognetError && !error.message.startsWith('internal:') && !/\n/.test(error.message)) return error.name;
    return `!${error?.name}: ${String(error?.message).slice(0, 200)} ${String(error?.stack)
      .split('\n')
      .slice(1, 5)
      .join(' ')
      .replaceAll(/file:\S*\/dist\//g, '')}`;
  }
}

const status = (field) =>
  Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) / 1024;

/** The stages of one mutant; `made` keeps the bytes of its gradient. */
function examine(bytes, only) {
  const said = {};
  let [slowest, at] = [0, ''];
  const timed = (name, work) => {
    if (only !== undefined && !only.includes(name) && name !== 'decode') return;
    const start = process.cpuUsage();
    said[name] = attempt(work);
    const { user, system } = process.cpuUsage(start);
    const ms = (user + system) / 1000;
    if (ms > slowest) [slowest, at] = [ms, name];
  };
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // without /proc, the memory at its highest is that of the process
  }
  const before = status('VmRSS');
  let gradient;
  timed('decode', () => fromBinary(bytes));
  if (said.decode === 'passed') {
    for (const [name, stage] of Object.entries(stages)) {
      timed(name, () => {
        const result = stage(fromBinary(bytes));
        if (result === undefined) return;
        const written = toBinary(result);
        fromBinary(written);
        if (name === 'vjp') gradient = written;
      });
    }
  }
  return { said, ms: slowest, stage: at, mb: Math.max(0, status('VmHWM') - before), gradient };
}

const models = await corpus();
const bytesOf = (seed, draw) => {
  const [name, bytes] = models[(draw * 7919 + seed * 104729) % models.length];
  return { name, bytes: mutant(decoded(bytes), seed, draw) };
};
const { onnx } = await dist('onnx/serde/generated/onnx.js');
const decoded = (bytes) => onnx.ModelProto.decode(bytes);

process.on('message', ({ seed, from, to, keep, only }) => {
  for (let draw = from; draw < to; draw++) {
    process.send({ begun: draw });
    const { name, bytes } = bytesOf(seed, draw);
    const { gradient, ...found } = examine(bytes, only);
    const failed = found.ms > 2000 || found.mb > 400 || Object.values(found.said).some((s) => s.startsWith('!'));
    const kept = keep && found.said.verify === 'passed';
    process.send({
      draw,
      name,
      ...found,
      ...((failed || kept) && { bytes: Buffer.from(bytes).toString('base64') }),
      ...(kept && gradient && { gradient: Buffer.from(gradient).toString('base64') }),
    });
  }
  process.send({ idle: true });
});
process.send({ idle: true });
