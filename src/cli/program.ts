// The command line itself: the program, how commands are added to it, and what several of their options say.
import { Command, CommanderError, Option } from 'commander';
import { UsageError } from '../onnx/core/errors.js';
import { version } from '../onnx/core/version.js';
import { fail, type GlobalOptions } from './report.js';

/** The options that every command takes, before or after its name. */
function withGlobals(command: Command): Command {
  return command
    .option('--json', 'one JSON document on stdout, nothing else (train: an object a line)')
    .option('--quiet', 'no progress')
    .option('-C, --workspace <dir>', 'folder of the workspace (default: here or above)');
}

/** Whether a document is asked for, known before anything is parsed. */
const json = process.argv.includes('--json');

/** What commander prints itself, piece by piece: the version, help. Under --json it becomes a document at the end. */
let said = '';
function writeOut(text: string): void {
  if (json) said += text;
  else process.stdout.write(text);
}

/** Prints as a document what commander said, if anything. */
function printSaid(): void {
  if (said !== '') process.stdout.write(`${JSON.stringify(said === `${version}\n` ? { version } : { help: said })}\n`);
}

/** All of it. */
export const program = withGlobals(new Command('prognet'))
  .description('Progressive neural networks on ONNX: grow a network task by task and prove that nothing was forgotten')
  .version(version)
  .allowExcessArguments()
  .exitOverride()
  .configureOutput({ outputError: () => {}, writeOut })
  .addHelpText(
    'after',
    '\nExamples:\n  prognet init digits && cd digits\n  prognet train --all\n  prognet verify\n\n' +
      'Exit codes: 0 done, 1 failed, 2 wrong use or bad input, 130 interrupted (state kept).',
  );

/** What `--provider` takes. */
export const providerHelp = 'execution providers in order of preference, "cuda,webgpu"; "cuda!" insists on it';
/** What `--provider-option` takes. */
export const optionHelp = "ONNX Runtime's own, repeatable: cuda.deviceId=1, session.<key>=<value>";
/** An option that may be given several times. */
export const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** A flag that is refused and says which one is meant. */
export function elsewhere(flag: string, meant: string): Option {
  const [name = flag] = flag.split(' ');
  return new Option(flag).hideHelp().argParser((value: string) => {
    throw new UsageError(`unknown option '${name}', expected ${meant} ${value}`, { path: name, expected: meant, got: name });
  });
}

/** Adds a command with examples to its help. */
export function command(name: string, description: string, examples: readonly string[]): Command {
  return withGlobals(program.command(name).description(description).allowExcessArguments(false)).addHelpText(
    'after',
    `\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}`,
  );
}

/** The options of a command with those that stood before its name. */
export function all<T extends GlobalOptions>(options: T): T {
  return { ...program.opts<GlobalOptions>(), ...options };
}

/** Runs what the command line says; an error is one line, and the exit code. @param args in place of the process's own */
export async function run(args: readonly string[] = process.argv.slice(2)): Promise<void> {
  // A reader that has seen enough (`prognet ... | head`) is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) process.exitCode = fail(error, json);
    else if (error.exitCode !== 0) {
      const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ');
      process.exitCode = fail(new UsageError(message, { cause: error }), json);
    }
  }
  printSaid();
}
