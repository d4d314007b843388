#!/usr/bin/env node
// The command `prognet`: names, options and help. What a command does is loaded when it runs, so that --help is quick.
import { Command, CommanderError } from 'commander';
import { version } from '../version.js';
import { fail, type GlobalOptions } from './report.js';

const program = new Command('prognet')
  .description('Progressive neural networks on ONNX: grow a network task by task and prove that nothing was forgotten')
  .version(version)
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(`prognet: ${text.replace(/^error: /, '')}`) });

/** A subcommand with the options that every command has. */
function command(name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('--json', 'one JSON document on stdout, nothing else')
    .option('--quiet', 'no progress')
    .option('-C, --workspace <dir>', 'folder of the workspace (default: here or above)');
}

command('init [dir]', 'begin a workspace: writes prognet.yaml, never over an existing one')
  .option('--template <name>', 'what to begin with: mnist', 'mnist')
  .action(async (dir: string | undefined, o: GlobalOptions & { template: string }) =>
    (await import('./commands/init.js')).init(dir ?? '.', o),
  );
command('check', 'check the description; parameters per column and their growth').action(async (o: GlobalOptions) =>
  (await import('./commands/check.js')).check(o),
);
command('train [task]', 'train a task and freeze its column')
  .option('--all', 'every task that is not trained yet, in order')
  .option('--epochs <n>')
  .option('--batch <n>')
  .option('--lr <rate>')
  .option('--optimizer <name>', 'sgd, adam, adamw, rmsprop')
  .option('--schedule <name>', 'constant, cosine')
  .option('--seed <n>')
  .option('--provider <name>', 'execution provider', 'cpu')
  .option('--threads <n>')
  .option('--resume', 'continue an interrupted training')
  .option('--restart', 'drop an interrupted training and begin anew')
  .action(async (task: string | undefined, o: GlobalOptions) => (await import('./commands/train.js')).trainCommand(task, o));
command('eval [task]', 'accuracy of trained tasks on their test data')
  .option('--all', 'every trained task')
  .action(async (task: string | undefined, o: GlobalOptions) => (await import('./commands/verify.js')).verify(o, task));
command('verify', 'hashes, and every trained task: outputs bit for bit as on the day it was frozen').action(
  async (o: GlobalOptions) => (await import('./commands/verify.js')).verify(o, undefined),
);
command('predict <task>', 'answers of a task')
  .requiredOption('--input <file>', '.npy, [D, ...]')
  .option('--output <file>', 'raw scores as .npy')
  .action(async (task: string, o: GlobalOptions & { input: string; output?: string }) =>
    (await import('./commands/predict.js')).predict(task, o),
  );
command('export', 'write an ONNX model, weights included')
  .option('--task <task>')
  .option('--all', 'one graph with every trained task')
  .requiredOption('-o, --output <file>')
  .option('--opset <n>')
  .option('--probabilities', 'add <task>_probabilities and <task>_label')
  .action(async (o: GlobalOptions & { output: string }) => (await import('./commands/export.js')).exportCommand(o));
command('inspect <model>', 'what an ONNX file holds').action(async (model: string, o: GlobalOptions) =>
  (await import('./commands/inspect.js')).inspect(model, o),
);
command('providers', 'what runs here, and the reason where one does not').action(async (o: GlobalOptions) =>
  (await import('./commands/providers.js')).providers(o),
);
command('schema', 'JSON Schema of descriptions, for editors').action(async (o: GlobalOptions) =>
  (await import('./commands/schema.js')).schema(o),
);
program.action(async () => {
  const { findWorkspace } = await import('../workspace/workspace.js');
  if (findWorkspace('.') !== undefined) program.help();
  process.stdout.write(
    'No prognet.yaml here or above. Begin with:\n  prognet init my-network\n  cd my-network\n  prognet train --all\n',
  );
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else process.exitCode = fail(error, process.argv.includes('--json'));
}
