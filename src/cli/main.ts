#!/usr/bin/env node
// The command `prognet`: its commands with names, options and help. What a command does is loaded when it runs, so that --help is quick.
import { UsageError } from '../onnx/core/errors.js';
import { version } from '../onnx/core/version.js';
import { addAnalysis } from './analysis.js';
import type { ArtifactsFlags } from './commands/artifacts.js';
import type { BundleFlags } from './commands/bundle.js';
import type { DeployFlags } from './commands/deploy.js';
import type { ExportFlags } from './commands/export.js';
import type { FleetActionFlags } from './commands/fleet.js';
import type { FreezeFlags } from './commands/freeze.js';
import type { GradFlags } from './commands/grad.js';
import type { ImportFlags } from './commands/import.js';
import type { InitFlags } from './commands/init.js';
import type { InspectFlags } from './commands/inspect.js';
import type { PredictFlags } from './commands/predict.js';
import type { ProvidersFlags } from './commands/providers.js';
import type { StudioFlags } from './commands/studio.js';
import type { SweepFlags } from './commands/sweep.js';
import type { TrainFlags } from './commands/train.js';
import type { VerifyFlags } from './commands/verify.js';
import { all, collect, command, elsewhere, optionHelp, program, providerHelp, run } from './program.js';
import { type GlobalOptions, result } from './report.js';
import { addServing } from './serving.js';

command('init [dir]', 'begin a workspace: writes prognet.yaml, never over an existing one', [
  'prognet init digits',
  'prognet init shop --template tabular',
  'prognet init churn --from customers.csv --label left',
])
  .option('--template <name>', 'what to begin with: mnist, tabular, images, text, sensors or regression (default: mnist)')
  .option('--from <file>', 'a .csv file: features, categories, classes and steps of prepare as its columns say')
  .option('--label <name>', 'with --from: the column that is predicted (default: the last)')
  .option('--decimal <sign>', 'with --from: "," where numbers have decimal commas')
  .action(async (dir: string | undefined, o: InitFlags) => (await import('./commands/init.js')).init(dir, all(o)));

command('check', 'check the description; parameters per column and their growth', [
  'prognet check',
  'prognet check --json',
]).action(async (o: GlobalOptions) => (await import('./commands/check.js')).check(all(o)));

command('train [task]', 'train a task; its column can be trained anew until it is frozen', [
  'prognet train digits              then: prognet freeze digits',
  'prognet train digits --freeze     both',
  'prognet train digits --epochs 3 --lr 0.001',
  'prognet train digits --resume     after an interruption; flags given then are kept',
  'prognet train digits --resume --lr 0.0001     after a divergence, from the last good state',
  'prognet train --all',
  'prognet train digits --log logs     then: tensorboard --logdir logs',
  'prognet train digits --json       an object a line: started, epoch ..., done',
])
  .option('--all', 'every task that is not frozen yet, in order, each frozen when it is trained')
  .option('--freeze', 'freeze the column when it is trained: for good, with the proof of the others')
  .option('--epochs <n>', 'passes over the training data')
  .option('--batch <n>', 'rows of a minibatch')
  .option('--lr <rate>', 'learning rate')
  .option('--optimizer <name>', 'sgd, adam, adamw, rmsprop')
  .option('--schedule <name>', 'constant, cosine, step:<epochs>[:<factor>], plateau[:<patience>[:<factor>]]')
  .option('--clip <kind>', 'norm:<limit>, value:<limit>')
  .option('--seed <n>', 'seed of first weights, order and dropout')
  .option('--provider <list>', `${providerHelp} (default: cpu)`)
  .option('--provider-option <k=v>', optionHelp, collect)
  .option('--threads <n>', 'threads of one op; the bits of the result depend on it (default: one per core)')
  .option('--engine <name>', "ort, or ort-training: ONNX Runtime's own TrainingSession (docs/artifacts.md)")
  .option('--log <dir>', 'event files for TensorBoard, each training in a folder of its own (docs/watching.md)')
  .option('--resume', 'continue an unfinished training')
  .option('--restart', 'drop an unfinished training and begin anew')
  .action(async (task: string | undefined, o: TrainFlags) => (await import('./commands/train.js')).trainCommand(task, all(o)));

command('freeze [tasks...]', 'make trained columns final, and prove that the frozen ones did not move', [
  'prognet freeze digits',
  'prognet freeze digits letters     in this order',
  'prognet freeze --all',
])
  .option('--all', 'every task that is trained and not frozen, in order')
  .action(async (tasks: string[], o: FreezeFlags) => (await import('./commands/freeze.js')).freezeCommand(tasks, all(o)));

command('sweep <task>', 'train combinations of settings side by side, and rank them on the validation part', [
  'prognet sweep digits --set lr=0.1,0.01 --set dense=64,128',
  'prognet sweep digits --set lr=0.1,0.01 --set "blocks[0][1]=relu,tanh" --trials 3 --seeds 2',
  'prognet sweep digits --set lr=0.1,0.01 --keep best --write     then: prognet freeze digits',
])
  .option(
    '--set <name=values>',
    'what is tried, repeatable: a path such as train.lr or blocks[0][0].dense, or its last word',
    collect,
    [],
  )
  .option('--trials <n>', 'of all combinations at most so many, drawn by the seed')
  .option('--seeds <n>', 'train each combination with so many seeds, and rank by the mean')
  .option('--metric <name>', "loss, the head's own or a measure such as f1 (default: the head's own)")
  .option('--jobs <n>', 'trials at one time (default: one for each core)')
  .option('--threads <n>', 'threads of one op in each trial; the bits of the result depend on it (default: 1)')
  .option('--keep <which>', 'best: leave it as the trained, unfrozen column of the task')
  .option('--write', '--keep: put its values into the description')
  .action(async (task: string, o: SweepFlags) => (await import('./commands/sweep.js')).sweep(task, all(o)));

command('reset <task>', 'take back a frozen or trained column that no other column reads', ['prognet reset digits']).action(
  async (task: string, o: GlobalOptions) => (await import('./commands/reset.js')).reset(task, all(o)),
);

command('eval [task]', 'loss and accuracy of trained tasks on their test data', ['prognet eval digits', 'prognet eval --all'])
  .option('--all', 'every trained task (as without a task)')
  .option('--provider <list>', `${providerHelp} (default: the column's)`)
  .option('--provider-option <k=v>', optionHelp, collect)
  .option('--threads <n>', "threads of one op (default: the column's)")
  .action(async (task: string | undefined, o: VerifyFlags) => (await import('./commands/verify.js')).evaluate(task, all(o)));

addAnalysis();

command('predict <task>', 'probabilities and labels for inputs from a file', [
  'prognet predict digits --input images.npy',
  'prognet predict digits --input t10k-images-idx3-ubyte.gz --output probabilities.npy',
  'prognet predict churn --input customers.csv --output answers.csv',
  'cat customers.csv | prognet predict churn --input - --format jsonl',
  'echo "The crew mends the sail." | prognet predict topic --input -',
])
  .requiredOption(
    '--input <file>',
    '.npy, .npz, IDX, .csv, .jsonl, .parquet, .txt, an image, a folder of images or a dataset of Hugging Face, - for stdin; the transforms of the task are not applied to it',
  )
  .option(
    '--input-format <name>',
    'npy, npz, idx, csv, tsv, txt, jsonl, parquet or image (default: as it begins, or by its name)',
  )
  .option('--output <file>', 'answers as .csv, .json, .jsonl, .txt; as .npy the probabilities (regress: values), float32 [D, k]')
  .option(
    '--format <name>',
    'text, json, jsonl, csv or npy (default: by the ending of --output, npy where it has none; else text)',
  )
  .option('--provider <list>', `${providerHelp} (default: cpu)`)
  .option('--provider-option <k=v>', optionHelp, collect)
  .action(async (task: string, o: PredictFlags) => (await import('./commands/predict.js')).predictCommand(task, all(o)));

command('export', 'write an ONNX model, weights included', [
  'prognet export --task digits -o digits.onnx',
  'prognet export --all --probabilities -o all.onnx',
  'prognet export --routed --fused -o routed.onnx',
  'prognet export --all --auto -o auto.onnx                  the model finds the task itself',
  'prognet export --all --auto mean --none-above 0.99 -o auto.onnx     by the nearest mean of a class, or none',
  'prognet export --task digits --external-data -o digits.onnx',
  'prognet export --task digits --precision fp16 -o digits.onnx     and what it costs on the test data',
  'prognet export --task digits --precision int8 --calibration 1000 -o digits.onnx',
  'prognet export --task letters --prune --threshold 0.1 -o letters.onnx     a smaller model of a frozen column',
  'prognet export --fleet -o fleet     one base, and a small file for each column over it',
])
  .option('--task <task>', 'one task')
  .option('--all', 'one graph with every trained task')
  .option('--routed', 'one graph that computes the task whose number (0, 1, ...) its input task_id holds')
  .option('--fleet', 'a folder: models of the base that the frozen columns of one shape share, and a file for each column')
  .option('--training', '--fleet: graphs that train further columns by ONNX Runtime alone, as scripts/python/ray does')
  .option('--fused', 'for speed: laterals joined into few products; same numbers up to rounding')
  .option('--lora <form>', 'low-rank updates: merged into their weights (the default), or apart, so that tasks share the base')
  .requiredOption('-o, --output <file>', 'the .onnx file; of --fleet the folder')
  .option('--opset <n>', 'opset of the model, 17 to 25 (default: 17)')
  .option('--external-data', 'weights in <file>.data beside the model')
  .option('--card', 'a page beside the model, <file>.md: what it takes and answers, how well, how to run it')
  .option('--probabilities', 'add <task>_probabilities and <task>_label')
  .option('--label-names', "add <task>_label_name, the class's name as a text")
  .option('--category-indices', 'categories as indices among the numbers, for runtimes that take no texts, as in browsers')
  .option('--prepared-input', 'without the steps of prepare: the input is what they give')
  .option('--precision <name>', 'fp32, fp16, int8, int8-dynamic (docs/precision.md)', 'fp32')
  .option('--half-io', 'fp16: inputs and outputs in float16 too; they stay float32 otherwise')
  .option('--calibration <n>', 'int8: samples of each task to find ranges on (default: 512)')
  .option('--percentile <p>', 'int8: share of the values a range must hold, 100 for all (default: 99.99)')
  .option('--reduce-range', 'int8, int8-dynamic: weights of 7 bits, for x86 processors without VNNI')
  .option(
    '--auto [by]',
    '--all: which task a sample is of: auto_task, auto_label, auto_doubt, and how often that is right; by entropy (the default), mean, autoencoder or trained',
  )
  .option('--features <task[:block]>', '--auto: the block whose features are read (default: the last of the first column)')
  .option('--none-above <doubt>', '--auto: above this doubt, 0 to 1, a sample is of none of the tasks: -1')
  .option('--others <data>', '--auto: samples that are of none of the tasks, to measure on, repeatable', collect)
  .option('--prune', 'without what the task does not need; the column stays. How much, --threshold or --keep-accuracy say')
  .option('--threshold <x>', '--prune: what matters less than this share of an equal one')
  .option('--keep-accuracy <y>', '--prune: as much as leaves this accuracy on the validation part')
  .option('--keep-error <y>', '--prune: the same of a head of numbers')
  .action(async (o: ExportFlags) => (await import('./commands/export.js')).exportCommand(all(o)));

command('fleet <action> <folder> [what...]', 'further columns for a fleet that export --fleet wrote', [
  'prognet fleet add fleet ann ben     frozen columns of the workspace',
  'prognet fleet list fleet            its columns, each checked against its hashes',
  'prognet fleet take fleet dora       a column of the fleet as the frozen column of a task of the workspace, with its proof',
  'prognet fleet train fleet customers     a column for each NAME.npz, NAME.csv, and folder NAME of .npy files, of that folder',
  'python scripts/python/ray/train.py fleet customers     the same by Ray, on the machines of a cluster (docs/fleet.md)',
])
  .option('--task <task>', 'take: the task whose column it becomes (default: the one of its name)')
  .option(
    '--jobs <n>',
    'train: columns at one time, with the same bits (default: one for each core, fewer where memory is short)',
  )
  .option(
    '--label <column>',
    'train: the column of the targets in tables, by name or index (default: as the column exported with, else the last)',
  )
  .option(
    '--header <which>',
    'train: true or false, whether tables begin with a header (default: as there, else where it can be told)',
  )
  .option('--keep-going', 'train: past customers whose data or training fails; the exit code tells of them')
  .action(async (action: string, folder: string, tasks: string[], o: FleetActionFlags) =>
    (await import('./commands/fleet.js')).fleetCommand(action, folder, tasks, all(o)),
  );

command('bundle', 'the network as one file, which prognet/web opens in a browser', ['prognet bundle -o digits.prognet'])
  .requiredOption('-o, --output <file>', 'the .prognet file: safetensors with the description in its metadata')
  .action(async (o: BundleFlags) => (await import('./commands/bundle.js')).bundle(all(o)));

command('artifacts <task>', "training artifacts for ONNX Runtime's own training API, and back (docs/artifacts.md)", [
  'prognet artifacts digits -o digits-training',
  'prognet artifacts digits -o digits-training --frozen initializers --optimizer sgd --clip 1',
  'prognet artifacts digits --absorb trained/checkpoint     a trained checkpoint becomes the frozen column',
])
  .option(
    '-o, --output <folder>',
    'gets training_model.onnx, eval_model.onnx, optimizer_model.onnx, checkpoint; anything of yours in it is refused',
  )
  .option('--absorb <checkpoint>', 'test this checkpoint and freeze its weights as the column')
  .option('--frozen <form>', "earlier columns' weights: inputs (held by the checkpoint) or initializers", 'inputs')
  .option('--optimizer <name>', "adamw or sgd (default: the description's)")
  .option('--adam-mode <n>', '0 as PyTorch, 1 as Hugging Face', '0')
  .option('--clip <norm>', "clip gradients to this norm (default: the description's)")
  .option('--lr-scale <factor>', 'multiply the learning rate by this inside the optimizer model')
  .option('--nominal', 'a checkpoint without data')
  .option('--checkpoint-version <n>', '1 for onnxruntime 1.17, 2 for later', '2')
  .option('--resume', 'from the unfinished training of the task, optimizer state included')
  .option('--provider <name>', '--absorb: execution provider of the test (default: cpu)')
  .option('--threads <n>', '--absorb: threads of one op')
  .action(async (task: string, o: ArtifactsFlags) => (await import('./commands/artifacts.js')).artifactsCommand(task, all(o)));

command('import [model]', 'an ONNX model, or columns of another workspace, become frozen columns here (docs/import.md)', [
  'prognet import resnet.onnx --task base --backbone --taps auto:4',
  'prognet import resnet.onnx --task photos --data ../photos.npz -o family',
  'prognet import prognet.onnx --task second --scores second --taps relu_2,relu_3 --data second.npz',
  'prognet import ../friend --task cats --as friend-cats',
  'prognet import --task base --taps relu_2,relu_9',
])
  .requiredOption('--task <task>', 'name of its task; of a workspace: the task whose column is brought')
  .option('--as <name>', 'of a workspace: what the task is called here (default: as there)')
  .option('--data <source>', 'of a model: what the task is tested and verified on: a source, or { source: a.csv, header: false }')
  .option(
    '--scores <name>',
    'the value with the raw scores [N, k], or auto: before softmax and labels (default: its only output)',
  )
  .option(
    '--taps <names>',
    'values that later columns may read, with commas (default: up to eight good ones, spread by depth); auto:4: so many of these. Without a model: other taps of a column that is here',
  )
  .option(
    '--dim <name=size>',
    'size of a dimension that an input leaves open beyond its batch, repeatable (default: it stays open)',
    collect,
  )
  .option(
    '--layout <tap=NHWC>',
    'how the axes of a tap or of the scores lie, where the graph does not show it, repeatable',
    collect,
  )
  .option('--fix <input=number>', 'number that all elements are of an input that is no sample, repeatable', collect)
  .option('--input <input=name>', "the network's input for an input that is called otherwise there, repeatable", collect)
  .option('--head <kind>', 'classify, binary or regress (default: classify), or none: nothing judges what it gives')
  .option('--backbone', 'its taps alone are of use: no head, no data')
  .option('-o, --output <folder>', 'workspace to begin or to add to (default: the one here or above)')
  .option('--provider <name>', 'execution provider of the test (default: cpu)')
  .option('--threads <n>', 'threads of one op')
  .action(async (model: string | undefined, o: ImportFlags) =>
    (await import('./commands/import.js')).importCommand(model, all(o)),
  );

command('verify', 'hashes, and every trained task: outputs bit for bit as on the day it was frozen', [
  'prognet verify',
  'prognet verify --json',
]).action(async (o: VerifyFlags) => (await import('./commands/verify.js')).verify(all(o)));

command('grad <model>', 'the gradient graph of any ONNX model, in standard ops', [
  'prognet grad model.onnx --of loss --by weight,bias -o gradient.onnx',
  'prognet grad model.onnx --of scores --by image -o vjp.onnx          with an input seed/scores',
  'prognet grad model.onnx --of scores --by image --mode jvp -o jvp.onnx',
  'prognet grad model.onnx --of loss --by weight --memory 64MB --dim N=32 -o gradient.onnx',
])
  .requiredOption('--of <names>', 'the output to differentiate (or several, with commas)')
  .requiredOption('--by <names>', 'inputs or weights to differentiate by, with commas')
  .requiredOption('-o, --output <file>', 'the .onnx file: the outputs of the model and grad/<name> (jvp: jvp/<output>)')
  .option('--mode <mode>', 'vjp: reverse, jvp: forward, along inputs tangent/<name>', 'vjp')
  .option('--external-data', 'weights in <file>.data beside the model')
  .option('--memory <size>', 'compute forward values again rather than keep them, so that no more stand at one time (64MB)')
  .option('--dim <name=size...>', 'sizes of symbolic dimensions, for --memory')
  .addOption(elsewhere('--loss <names>', '--of'))
  .addOption(elsewhere('--wrt <names>', '--by'))
  .action(async (model: string, o: GradFlags) => (await import('./commands/grad.js')).grad(model, all(o)));

command('deploy <target>', 'a folder for production: triton, kserve, mlserver, node or web', [
  'prognet deploy triton -o models                      a model repository, a model for each task',
  'prognet deploy triton --form all --precision fp16 -o models',
  'prognet deploy kserve --storage-uri s3://bucket/digits -o kserve',
  'prognet deploy node --tasks digits -o service        then: cd service && npm ci && npm start',
  'prognet deploy web -o site                           a static page that answers in a browser',
])
  .requiredOption('-o, --output <dir>', 'the folder; one that holds anything of yours is refused')
  .option('--tasks <names>', 'with commas (default: every trained task)')
  .option(
    '--form <form>',
    'task: a model for each; all: one with every task; routed: one that computes the task asked for',
    'task',
  )
  .option('--precision <name>', 'fp32, fp16, int8, int8-dynamic (docs/precision.md)', 'fp32')
  .option('--max-batch <n>', 'triton, kserve: samples of a batch at most (default: 64)')
  .option('--storage-uri <uri>', 'kserve: where the cluster finds the models')
  .option('--webgpu', "web: ONNX Runtime's files for WebGPU too, 27 MB more")
  .option('--no-samples', 'web: without samples of the test data to click on')
  .action(async (target: string, o: DeployFlags) => (await import('./commands/deploy.js')).deploy(target, all(o)));

command('studio [folder]', 'a page on this machine: see, ask and teach the network (docs/studio.md)', [
  'prognet studio                    the workspace here; without one, a demo network',
  'prognet studio digits --open',
  'prognet studio --build site       the page as static files',
])
  .option('--port <n>', 'port on localhost; 0 takes any that is free', '4173')
  .option('--open', 'open the page in a browser')
  .option('--build <dir>', 'write the page as static files instead of serving it')
  .option('--no-samples', 'without samples of the test data to click on')
  .action(async (folder: string | undefined, o: StudioFlags) => (await import('./commands/studio.js')).studio(folder, all(o)));

addServing();

command('inspect <what>', 'what an ONNX file holds, or what a task of the workspace is', [
  'prognet inspect digits.onnx',
  'prognet inspect digits             the task: trained or frozen, its measures',
  'prognet inspect digits.onnx --json',
  'prognet inspect digits.onnx --card     the page that export --card writes',
])
  .option('--card', 'what it takes and answers, how well and how it is run, as Markdown')
  .action(async (what: string, o: InspectFlags) => (await import('./commands/inspect.js')).inspect(what, all(o)));

command('providers', 'what runs here, and the reason where one does not', [
  'prognet providers',
  'prognet providers --model digits.onnx     which nodes fall back to the CPU',
  'prognet providers --install cuda',
])
  .option('--provider <list>', `${providerHelp}, or says why not`)
  .option('--model <file>', 'say where the nodes of this model run on each provider')
  .option('--install <provider>', 'fetch the libraries of a provider that comes without them: cuda')
  .action(async (o: ProvidersFlags) => (await import('./commands/providers.js')).providers(all(o)));

command('schema [of]', 'JSON Schema of descriptions, or of the options of serve, for editors', [
  'prognet schema > prognet.schema.json',
  'prognet schema serve > serve.schema.json',
]).action(async (of: string | undefined, o: GlobalOptions) => (await import('./commands/schema.js')).schema(of, all(o)));

program.action(async () => {
  const [unknown] = program.args;
  if (unknown !== undefined) {
    const expected = program.commands.map((c) => c.name()).join(', ');
    throw new UsageError(`unknown command "${unknown}", expected one of ${expected}`, { expected, got: unknown });
  }
  const { findWorkspace } = await import('../workspace/workspace.js');
  const options = program.opts<GlobalOptions>();
  const workspace = findWorkspace(options.workspace ?? '.');
  const begin = ['prognet init my-network', 'cd my-network', 'prognet train --all'];
  const text =
    workspace === undefined
      ? `No prognet.yaml here or above. Begin with:\n${begin.map((l) => `  ${l}\n`).join('')}`
      : program.helpInformation();
  result(options, { version, workspace: workspace ?? null, ...(workspace === undefined && { begin }) }, text);
});

await run();
