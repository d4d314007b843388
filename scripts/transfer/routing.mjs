// Which task is a sample of, over a frozen backbone with really trained weights? Fashion-MNIST's ten classes as five tasks of two, over the first seven stages of
// nudenet's detector: for each task a head alone and a progressive column, told the task; then routers that find the task, and the answers behind them; and
// the nearest mean of a class, which trains nothing at all. Samples of MNIST, which is no task, are what "none" is measured on. Kept in results/routing.json.
//   node scripts/transfer/routing.mjs [--seeds 2] [--rows 250] [--test 100] [--steps 150] [--to results.json]     Needs npm run build, and the
// backbone that scripts/models/fetch.py fetches. A doubt above 0.95 is none of the tasks.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { at, few, imported, targetsOf } from './compare.mjs';
import { backbone, conv, importing, widened } from './nudenet.mjs';
import { resultsOf, writePage } from './page.mjs';

const { loadData, NodeRuntime } = await import(at('dist/node.js').href);
const { fitRouter, routerKinds } = await import(at('dist/analysis/router/router.js').href);
const { modelWith } = await import(at('dist/model/progressive/forms.js').href);
const { toBinary } = await import(at('dist/onnx/serde/to-binary.js').href);
const { ops } = await import(at('dist/onnx/ops/ops.js').href);
const { featuresOf } = await import(at('dist/analysis/router/features.js').href);
const { Tensor } = await import(at('dist/onnx/index.js').href);
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2' },
    rows: { type: 'string', default: '250' },
    test: { type: 'string', default: '100' },
    steps: { type: 'string', default: '150' },
    to: { type: 'string', default: resultsOf('routing') },
  },
});
const [seeds, each, testEach, steps] = [values.seeds, values.rows, values.test, values.steps].map(Number);
const [batch, none] = [32, 0.95];
const tasks = [0, 1, 2, 3, 4].map((i) => ({ name: `task-${i}`, classes: [2 * i, 2 * i + 1] }));

const inputs = [{ name: 'images', dtype: 'uint8', shape: [1, 28, 28] }];
const load = (source) => loadData(source, { baseDir: fileURLToPath(at('.')), inputs, head: { kind: 'classify', size: 10 } });
const [fashion, digits] = [await load('fashion-mnist'), await load('mnist')];
const kindsOf = ({ targets }) => Array.from(targets.data, Number);
const [trainKinds, testKinds, digitKinds] = [fashion.train, fashion.test, digits.test].map(kindsOf);

/** Of each task the rows of its classes, which count from 0 in it. */
function samplesOf(part, kinds, rows, { classes }) {
  const own = rows.filter((row) => classes.includes(kinds[row]));
  const within = own.map((row) => classes.indexOf(kinds[row]));
  return {
    inputs: { images: widened(part.inputs, own) },
    targets: targetsOf(
      within,
      within.map((_, i) => i),
    ),
  };
}

const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
const on = await NodeRuntime.load();
const base = await imported(backbone, importing);
const test = few(testKinds, 10, testEach, 99);
const tests = tasks.map((task) => samplesOf(fashion.test, testKinds, test, task));
const others = widened(digits.test.inputs, few(digitKinds, 10, testEach, 99));

/** The outputs of a model for images, a part of them at a time. */
async function outputsOf(session, images) {
  const size = images.data.length / images.dims[0];
  const found = {};
  for (let from = 0; from < images.dims[0]; from += 100) {
    const count = Math.min(100, images.dims[0] - from);
    const part = new Tensor('float32', [count, ...images.dims.slice(1)], images.data.slice(from * size, (from + count) * size));
    const out = await session.run({ [session.inputNames[0]]: part });
    for (const [name, tensor] of Object.entries(out)) found[name] = [...(found[name] ?? []), ...tensor.numbers()];
  }
  return found;
}

/** The share of right answers of each task's test rows where a router over ten tasks of one class is all that there is. */
async function alone(fit, weights, router) {
  const found = [];
  for (const [i, { inputs: own, targets }] of tests.entries()) {
    const features = await featuresOf(fit, fit.features, weights, own);
    const g = ops({ name: 'alone' });
    const x = g.input('x', 'float32', ['N', features.dims[1]]);
    g.output(router.route(g, fit.features, x).task, 'class');
    const session = await on.createSession(toBinary(g.model()), {});
    const given = (await session.run({ x: features })).class.numbers();
    await session.release();
    found.push(mean(given.map((c, n) => Number(c === 2 * i + Number(targets.data[n])))));
  }
  return found;
}

const ways = {
  'head alone': { blocks: [], laterals: { kind: 'linear', from: 'base', join: 'pool' } },
  'progressive column': {
    blocks: [conv(8), conv(16), conv(32), ['flatten', { dense: 32 }, 'relu']],
    laterals: { kind: 'adapter', rank: 16, from: 'base', taps: { 1: 0, 2: 1, 3: 2, head: 2 }, join: 'pool' },
  },
};
const settings = { each, testEach, steps, batch, none, lr: 0.003 };
const runs = [];
for (let seed = 0; seed < seeds; seed++) {
  const rows = few(trainKinds, 10, each, seed);
  const data = tasks.map((task) => samplesOf(fashion.train, trainKinds, rows, task));
  const epochs = Math.max(1, Math.round(steps / Math.ceil((2 * each) / batch)));
  const told = {};
  let best;
  for (const [way, column] of Object.entries(ways)) {
    let network = base;
    for (const [i, { name }] of tasks.entries()) {
      const grown = network.grow({ task: name, ...column, head: { classify: 2 } });
      ({ network } = await grown.train(name, { on, data: data[i], epochs, batch, optimizer: 'adam', lr: settings.lr, seed }));
    }
    told[way] = [];
    for (const [i, { name }] of tasks.entries()) told[way].push((await network.evaluate(name, tests[i], { on })).value);
    if (best === undefined || mean(told[way]) > mean(told[best.way])) best = { way, network };
    console.error(`seed ${seed}, ${way}: ${told[way].map((v) => (100 * v).toFixed(1)).join(' ')}`);
  }
  const { columns, frozen } = best.network;
  const tap = columns.column('base').taps.length - 1;
  const fit = { runtime: on, features: { column: columns.column('base'), block: tap }, weights: frozen, seed };
  const names = tasks.map(({ name }) => name);
  const measured = async (router) => {
    const model = modelWith(columns, frozen, { tasks: columns.tasks, auto: true }, router);
    const session = await on.createSession(toBinary(model), {});
    const found = { task: [], right: [], none: [] };
    for (const [i, { inputs: own, targets }] of tests.entries()) {
      // How the task is found and what the threshold would give away are told apart.
      const { auto_task: given, auto_label: label, auto_doubt: doubt } = await outputsOf(session, own.images);
      found.task.push(mean(given.map((task) => Number(task === i))));
      found.right.push(mean(given.map((task, n) => Number(task === i && label[n] === Number(targets.data[n])))));
      found.none.push(mean(doubt.map((d) => Number(d > none))));
    }
    const { auto_doubt: strange } = await outputsOf(session, others);
    await session.release();
    return { ...found, others: mean(strange.map((d) => Number(d > none))) };
  };
  const routers = {};
  for (const kind of ['entropy', ...routerKinds]) {
    const samples = data.map((own, i) => ({ column: columns.column(names[i]), samples: own }));
    routers[kind] = await measured(kind === 'entropy' ? undefined : await fitRouter({ ...fit, kind, data: samples }));
    console.error(
      `seed ${seed}, ${kind}: finds ${(100 * mean(routers[kind].task)).toFixed(1)} %, right ${(100 * mean(routers[kind].right)).toFixed(1)} %`,
    );
  }
  // The nearest of ten means answers without any column: each class is a task of its own.
  const single = tasks.flatMap(({ classes }, i) =>
    classes.map((_, c) => {
      const own = samplesOf(fashion.train, trainKinds, rows, { classes: [tasks[i].classes[c]] });
      return { column: columns.column(names[i]), samples: own };
    }),
  );
  const bare = await alone(fit, frozen, await fitRouter({ ...fit, kind: 'mean', data: single }));
  console.error(`seed ${seed}, nearest mean alone: ${bare.map((v) => (100 * v).toFixed(1)).join(' ')}`);
  runs.push({ seed, told, best: best.way, routers, alone: bare });
  writeFileSync(values.to, `${JSON.stringify({ settings, runs }, undefined, 1)}\n`);
  await best.network.close();
}
if (values.to === resultsOf('routing')) writePage();
