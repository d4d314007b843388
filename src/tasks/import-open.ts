// A model whose sizes stay open, probed: what inference says of its taps and scores at any size is what ONNX Runtime gives at several, and the file is asked
// at each. Where that is not so, the size must be said.
import { type Size, sizeIn } from '../model/nn/open-size.js';
import type { ImportedModel } from '../model/progressive/import-model.js';
import type { Sizes } from '../model/progressive/open-inputs.js';
import { NoRule, openShapes, smallestOpen } from '../model/progressive/open-shapes.js';
import { must, UsageError } from '../onnx/core/errors.js';
import type { Model } from '../onnx/ir/model.js';
import type { Runtime } from '../onnx/runtime/session.js';
import { type Probed, type ProbeOptions, probeKnown, TapRefused } from './import-probe.js';

/** Beyond the smallest: odd ones, below the 64 positions that a small model may have. All open sizes differ. */
const beyond = [0, 15, 31] as const;

/** Throws UsageError, in one line that `file` begins, for what does not run or has no row for each sample; TapRefused where that is a tap. */
export async function probeImport(
  runtime: Runtime,
  imported: ImportedModel,
  original: Model,
  options: ProbeOptions,
): Promise<Probed> {
  const probe = (bound: ImportedModel) => probeKnown(runtime, bound, original, options);
  return imported.file.open.size === 0 ? await probe(imported) : await probeOpen(imported, options, probe);
}

/** `probe` is asked with the model as it is at some sizes. Throws as that does, with the option that gives a size. */
async function probeOpen(
  imported: ImportedModel,
  { file, judged }: ProbeOptions,
  probe: (bound: ImportedModel) => Promise<Probed>,
): Promise<Probed> {
  const { taps, scores, model } = imported;
  const { open } = imported.file;
  const [first = ''] = open.keys();
  const refuse = (message: string, dim: string, tap?: string, cause?: unknown): never => {
    const name = open.get(dim) ?? dim;
    const option = { kind: 'give', option: 'dim', exactly: `${name}=SIZE` } as const;
    const said = `${file}: "${name}" cannot stay open: ${message}: say a size`;
    if (tap !== undefined && taps.includes(tap)) throw new TapRefused(said, tap, file, cause, option);
    throw new UsageError(said, { path: file, remedy: option, ...(cause !== undefined && { cause }) });
  };
  const rowed = [...new Set([...(judged && scores !== undefined ? [scores] : []), ...taps])];
  const inferred = (): ReadonlyMap<string, readonly Size[]> => {
    try {
      return openShapes(model, [...open.keys()], rowed);
    } catch (cause) {
      if (!(cause instanceof NoRule)) throw cause;
      return refuse(`of "${cause.value}" ${cause.message}`, cause.dim, cause.value, cause);
    }
  };
  const shapes = inferred();
  const runs: Probed[] = [];
  for (const more of beyond) {
    const sizes = Object.fromEntries([...open.keys()].map((dim, i) => [dim, smallestOpen + more + i]));
    const where = Object.entries(sizes)
      .map(([dim, size]) => `${open.get(dim) ?? dim}=${size}`)
      .join(', ');
    let ran: Probed;
    try {
      ran = await probe(atSizes(imported, sizes));
    } catch (cause) {
      if (!(cause instanceof UsageError)) throw cause;
      const said = cause.statement.startsWith(`${file}: `) ? cause.statement.slice(file.length + 2) : cause.statement;
      return refuse(`at ${where}, ${said}`, first, cause instanceof TapRefused ? cause.tap : undefined, cause);
    }
    const check = (name: string, got: readonly Size[]) => {
      const expected = must(shapes.get(name), name).map((size) => sizeIn(size, sizes));
      if (expected.join() !== got.join())
        refuse(`"${name}" is [${got}] at ${where}, where inference has [${expected}]`, first, name);
    };
    for (const [i, name] of taps.entries()) check(name, must(ran.shapes[i], name));
    if (scores !== undefined && ran.scores !== undefined) check(scores, ran.scores);
    runs.push(ran);
  }
  const [one] = runs;
  const { dtypes, mixed } = must(one, 'run');
  return {
    shapes: taps.map((name) => must(shapes.get(name), name)),
    dtypes,
    scores: judged && scores !== undefined ? shapes.get(scores) : undefined,
    answers: { feeds: runs.flatMap(({ answers }) => answers.feeds), given: runs.flatMap(({ answers }) => answers.given) },
    mixed: runs.find((run) => run.mixed !== undefined)?.mixed ?? mixed,
  };
}

/** The model as it is fed where its open sizes are these. */
const atSizes = (imported: ImportedModel, sizes: Sizes): ImportedModel => ({
  ...imported,
  file: {
    ...imported.file,
    all: imported.file.all.map((input) => ({ ...input, shape: input.shape.map((size) => sizes[size] ?? size) })),
  },
});
