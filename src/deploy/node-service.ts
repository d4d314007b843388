// A folder that answers for models: the server of `prognet serve` as one file, its options, the models, and tasks.json, which tells what samples of each task are.

import { readFileSync } from 'node:fs';
import { taskIdName } from '../model/description/description.js';
import { categoriesName } from '../model/description/features.js';
import { namesInMetadata, outputNames, routedNames } from '../model/heads/output-names.js';
import { factsInMetadata } from '../model/progressive/facts.js';
import type { NetworkInput } from '../model/progressive/inputs.js';
import { headsInMetadata } from '../model/progressive/model-facts.js';
import { must, UsageError } from '../onnx/core/errors.js';
import type { BytePieces } from '../onnx/files/write-all.js';
import { toPieces } from '../onnx/serde/to-binary.js';
import { type ServedFiles, type ServedModel, text } from './deployment.js';

const templates = new URL('../../templates/node-service/', import.meta.url);
/** By `npm run build`, from src/cli/service.ts. */
const bundles = new URL('../../dist/deploy/service/', import.meta.url);
const copied = ['Dockerfile', 'README.md', 'serve.yaml', 'kubernetes.yaml', 'inference-service.yaml', 'prognet.service'];
const bundled = ['server.mjs', 'serve-worker.js', 'THIRD-PARTY-NOTICES.txt'];

/** What the task's outputs are called, where its model says so. */
function calledOf({ model }: ServedModel, task: string): { classes?: readonly string[] } {
  const classes = namesInMetadata(model.metadata, task);
  return classes === undefined ? {} : { classes };
}

/** What values the task saw in training, of several inputs each by its name, and how images become its input, where its model says so. */
function knownOf(m: ServedModel, task: string, inputs: readonly NetworkInput[]): { seen?: unknown; decoding?: unknown } {
  const { trained, decoding } = factsInMetadata(m.model.metadata, task);
  const several = inputs.length > 1;
  // An image beside other inputs comes as an array.
  const alone = takenOf(m, inputs).length === 1;
  const all = trained?.seen ?? {};
  const seen = several ? (Object.keys(all).length > 0 ? all : undefined) : Object.values(all)[0];
  return { ...(seen !== undefined && { seen }), ...(decoding !== undefined && alone && { decoding: JSON.parse(decoding) }) };
}

/** What reading samples needs beside: nothing, sharp or @huggingface/tokenizers. */
type Takes = 'arrays' | 'images' | 'texts';

/** The packages that it needs, each of the version that prognet was tested with. */
function packages(takes: Takes): Map<string, Uint8Array> {
  const lock = readFileSync(new URL(takes === 'arrays' ? 'lock.json' : `lock-${takes}.json`, templates));
  const { packages } = JSON.parse(lock.toString()) as { packages: { '': { dependencies: Record<string, string> } } };
  const manifest: object = JSON.parse(readFileSync(new URL('package.json', templates), 'utf8'));
  const own = text(`${JSON.stringify({ ...manifest, dependencies: packages[''].dependencies }, null, 2)}\n`);
  return new Map([
    ['package-lock.json', lock],
    ['package.json', own],
  ]);
}

/** The inputs as tasks.json says them: what reading requests needs to know. */
function toldInputs(inputs: readonly NetworkInput[]): readonly object[] {
  const texts = textsOf(inputs);
  return inputs.map(({ tokenizer: _, ...input }) => {
    const at = input.tokens === undefined ? -1 : texts.indexOf(input.tokens.sha256);
    return { ...input, ...(at > 0 && { tokenizer: tokenizerFile(at) }) };
  });
}

/** The hashes of tokenizers, each once. */
const textsOf = (inputs: readonly NetworkInput[]): string[] => [
  ...new Set(inputs.flatMap(({ tokens }) => (tokens === undefined ? [] : [tokens.sha256]))),
];
const tokenizerFile = (at: number): string => (at === 0 ? 'tokenizer.json' : `tokenizer-${at + 1}.json`);

/** The inputs that a model takes: those of its graph, of which a table with categories has two. */
const takenOf = ({ model }: ServedModel, inputs: readonly NetworkInput[]): readonly NetworkInput[] => {
  const names = new Set(model.graph.inputs.map((v) => v.name));
  return inputs.filter(({ name }) => names.has(name) || names.has(categoriesName(name)));
};

/** Whether values may be missing: of several inputs, in which. */
function missingOf({ filled }: ServedModel, task: string, several: boolean): { missing?: true | readonly string[] } {
  const names = filled.get(task) ?? [];
  if (names.length === 0) return {};
  return { missing: several ? names : true };
}

/** What ids and counts of steps may be. */
function boundsOf({ most }: ServedModel, task: string): { most?: Readonly<Record<string, number | string>> } {
  const own = most.get(task) ?? {};
  return Object.keys(own).length === 0 ? {} : { most: own };
}

/** What samples are read with. Throws UsageError for images and texts at once. */
function takes(models: readonly ServedModel[], inputs: readonly NetworkInput[]): Takes {
  const images = models.flatMap((m) => m.tasks.filter((task) => knownOf(m, task, inputs).decoding !== undefined));
  if (inputs.every(({ tokens }) => tokens === undefined)) return images.length > 0 ? 'images' : 'arrays';
  if (images.length === 0) return 'texts';
  const expected = '--tasks of one kind';
  throw new UsageError(`node: task "${images[0]}" reads image files and others read texts, expected ${expected}`, { expected });
}

/** Files of the service. */
export function nodeService(models: readonly ServedModel[], inputs: readonly NetworkInput[]): ServedFiles {
  const files = new Map<string, BytePieces>([
    ...copied.map((name) => [name, readFileSync(new URL(name, templates))] as const),
    ...bundled.map((name) => [name, readFileSync(new URL(name, bundles))] as const),
  ]);
  const several = inputs.length > 1;
  const read = inputs.filter((input) => models.some((m) => takenOf(m, inputs).includes(input)));
  for (const [path, content] of packages(takes(models, read))) files.set(path, content);
  const tasks = models.flatMap((m) => {
    const names = new Set(m.model.graph.outputs.map((v) => v.name));
    const outputs = (begin: string, head?: string) => {
      const { scores, probabilities, label } = m.routed ? routedNames(head) : outputNames(begin);
      const own = { scores, probabilities, labels: label };
      return { outputs: Object.fromEntries(Object.entries(own).filter(([, name]) => names.has(name))) };
    };
    const answers = (task: string) => {
      const heads = headsInMetadata(m.model.metadata, task)?.map(({ name, begin, classes }) => {
        return [name, { ...outputs(begin, name), ...(classes !== undefined && { classes }) }] as const;
      });
      return heads === undefined ? { ...outputs(task), ...calledOf(m, task) } : { heads: Object.fromEntries(heads) };
    };
    return m.tasks.map((task, id) => ({
      task,
      model: m.name,
      ...(several && { inputs: takenOf(m, inputs).map(({ name }) => name) }),
      ...(m.routed ? { feeds: { [taskIdName]: id } } : {}),
      ...answers(task),
      ...missingOf(m, task, several),
      ...boundsOf(m, task),
      ...knownOf(m, task, inputs),
    }));
  });
  const told = toldInputs(read);
  files.set('tasks.json', text(`${JSON.stringify({ ...(several ? { inputs: told } : { input: told[0] }), tasks }, null, 2)}\n`));
  textsOf(read).forEach((sha256, at) => {
    const own = read.find(({ tokens }) => tokens?.sha256 === sha256);
    files.set(tokenizerFile(at), text(must(own?.tokenizer, 'tokenizer')));
  });
  for (const m of models) files.set(`models/${m.name}.onnx`, toPieces(m.model).pieces);
  return files;
}
