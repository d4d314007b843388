// The commands that look into trained columns: names, options and help.
import type { AnalyzeFlags } from './commands/analyze.js';
import type { CompressFlags } from './commands/compress.js';
import type { PlotFlags } from './commands/plot.js';
import type { PruneFlags } from './commands/prune.js';
import type { ReportFlags } from './commands/report.js';
import type { StudyFlags } from './commands/study.js';
import { all, collect, command, optionHelp, providerHelp } from './program.js';

/** Adds them to the program. */
export function addAnalysis(): void {
  command('analyze [task]', 'what a task takes of earlier columns: sensitivities of its taps, accuracy without each lateral', [
    'prognet analyze                  how the network grows: parameters and computation of each task',
    'prognet analyze letters',
    'prognet analyze letters --rows 5000 --json',
  ])
    .option('--rows <n>', 'test samples at most, drawn by the seed (default: 1000)')
    .option('--seed <n>', "of the noise and of what is drawn (default: the column's)")
    .option('--provider <list>', providerHelp)
    .option('--provider-option <key=value>', optionHelp, collect)
    .option('--threads <n>', 'threads of ONNX Runtime (default: all cores)')
    .action(async (task: string | undefined, o: AnalyzeFlags) =>
      (await import('./commands/analyze.js')).analyzeCommand(task, all(o)),
    );

  command('prune <task>', 'a trained column without the laterals, ranks and units that its task does not need', [
    'prognet prune letters --keep-accuracy 0.95',
    'prognet prune letters --threshold 0.1 --epochs 2     and trains on with what is left',
    'prognet prune letters --threshold 0.1 --dry-run',
  ])
    .option('--threshold <x>', 'what matters less than this share of an equal one: 0.1, a tenth')
    .option('--keep-accuracy <y>', 'as much as leaves this accuracy on the validation part')
    .option('--keep-error <y>', 'the same of a head of numbers')
    .option('--rows <n>', 'samples to measure on at most, drawn by the seed (default: 2000)')
    .option('--epochs <n>', 'trains so long with what is left (default: not at all)')
    .option('--lr <rate>', "the rate of these epochs (default: a tenth of the column's)")
    .option('--dry-run', 'says what would go, and writes nothing')
    .action(async (task: string, o: PruneFlags) => (await import('./commands/prune.js')).pruneCommand(task, all(o)));

  command('study <description>', 'the baselines of the paper and progressive networks on the same tasks, seeds and budgets', [
    'prognet study family.yaml',
    'prognet study family.yaml --seeds 5 --jobs 4 --equal-parameters',
    'prognet study family.yaml --methods b1,b3,linear --tasks digits,inverted --matrix none',
  ])
    .option(
      '--methods <names>',
      'b1, b2, b3, b4, linear, adapter, or lora where an imported column is tuned, with commas; b1 is always there (default: all)',
    )
    .option('--tasks <names>', 'which tasks in which order, with commas (default: all, as they are described)')
    .option('--seeds <n>', 'so many trainings of each, by seeds that follow that of the description (default: 3)')
    .option(
      '--matrix <methods>',
      'how much each task helps each other, over all ordered pairs, by these methods, or none (default: the first progressive one)',
    )
    .option('--equal-parameters [rival]', 'progressive networks also with no more parameters than b3 (default) or b1')
    .option('-o, --output <folder>', 'where the trainings, study.json and tables go (default: study, beside the description)')
    .option('--jobs <n>', 'trainings at one time (default: one for each core)')
    .option('--threads <n>', 'threads of one op in each training; the bits of the result depend on it (default: 1)')
    .action(async (description: string, o: StudyFlags) => (await import('./commands/study.js')).study(description, all(o)));

  command('compress', 'all frozen columns as one of bounded size and a head for each task, in a new workspace', [
    'prognet compress -o smaller',
    'prognet compress --in-turn -o smaller     one task after another, as in progress and compress',
    'prognet compress --like digits --width 2 --epochs 40 -o smaller     a column twice as wide as that of digits',
  ])
    .requiredOption('-o, --output <folder>', 'the new workspace')
    .option('--like <task>', 'the task whose blocks the column has (default: the first with layers of its own)')
    .option('--width <x>', 'so many times its units and filters (default: 1)')
    .option(
      '--epochs <n>',
      'passes over the training data, with --in-turn of each task (default: 20, and at least 4000 or 1000 steps)',
    )
    .option('--lr <rate>', 'the rate of adam, which a cosine brings to 0 (default: 0.001)')
    .option('--rows <n>', 'training samples of each task at most, drawn by its seed (default: 10000)')
    .option('--in-turn', 'one task after another, each over its own samples alone, by online elastic weight consolidation')
    .option('--strength <x>', '--in-turn: how firmly what was learned before is held (default: 10)')
    .option('--decay <x>', '--in-turn: what is left of that with each further task (default: 1)')
    .action(async (o: CompressFlags) => (await import('./commands/compress.js')).compressCommand(all(o)));

  command('plot <tasks...>', 'learning curves as an SVG: loss and measures of each epoch, of training and validation data', [
    'prognet plot digits                         writes digits.svg',
    'prognet plot digits letters -o curves.svg   both in one picture',
    'prognet plot digits --measure loss --measure f1',
    'prognet plot digits --sweep                 all trials of its sweep, the best one strongest',
  ])
    .option('-o, --output <file>', 'the .svg file, - for stdout (default: <tasks>.svg); one that is no such picture is refused')
    .option(
      '--measure <name>',
      'repeatable: loss, accuracy, f1, auc, mae, ... (default: loss and the two that say most)',
      collect,
    )
    .option('--sweep', 'the trials of a task that sweep has kept, over one another')
    .action(async (tasks: string[], o: PlotFlags) => (await import('./commands/plot.js')).plot(tasks, all(o)));

  command('report [folder]', 'a workspace as one HTML file: curves, the drawn network, growth, proof, settings', [
    'prognet report                              writes report.html',
    'prognet report digits -o digits.html',
    'prognet report study                        a folder that prognet study wrote',
    'prognet report --verify                     runs the test data too: proof, measures of each class, confusion',
    'prognet report --figures figures --data data     pictures as SVG and PNG, numbers as JSON and CSV',
  ])
    .option('-o, --output <file>', 'the .html file, - for stdout; one that is no report is refused', 'report.html')
    .option('--verify', 'runs every trained task on its test data: the proof bit for bit, measures of each class, confusion')
    .option('--figures <dir>', 'every picture as SVG, and as PNG where the package sharp is installed')
    .option('--data <dir>', 'every number: report.json, and a .csv for each table')
    .option('--provider <list>', `--verify: ${providerHelp} (default: cpu)`)
    .option('--provider-option <key=value>', optionHelp, collect)
    .option('--threads <n>', "--verify: threads of one op (default: the column's)")
    .action(async (folder: string | undefined, o: ReportFlags) =>
      (await import('./commands/report.js')).reportCommand(folder, all(o)),
    );
}
