// A small Node service: the files of templates/node-service, the models, and tasks.json, which tells the service what they answer.

import { readFileSync } from 'node:fs';
import { taskIdName } from '../model/description/description.js';
import { namesInMetadata, outputNames } from '../model/heads/output-names.js';
import { factsInMetadata, type Seen } from '../model/progressive/facts.js';
import { inputsInMetadata, routedNames } from '../model/progressive/forms.js';
import { type NetworkInput, onlyOf } from '../model/progressive/inputs.js';
import { must } from '../onnx/core/errors.js';
import { type Files, type ServedModel, text } from './deployment.js';

const templates = new URL('../../templates/node-service/', import.meta.url);
/** By `npm run build`, from service/. */
const bundles = new URL('../../dist/deploy/service/', import.meta.url);
const copied = ['server.mjs', 'lists.mjs', 'table.mjs', 'npy.mjs', 'package.json', 'Dockerfile', 'README.md'];

/** What the task's outputs are called, where its model says so. */
function calledOf({ model }: ServedModel, task: string): { classes?: readonly string[] } {
  const classes = namesInMetadata(model.metadata, task);
  return classes === undefined ? {} : { classes };
}

/** What values the task saw in training, and how images become its input, where its model says so. */
function knownOf({ model }: ServedModel, task: string): { seen?: Seen; decoding?: unknown } {
  const { trained, decoding } = factsInMetadata(model.metadata, task);
  const [seen] = Object.values(trained?.seen ?? {});
  return { ...(seen !== undefined && { seen }), ...(decoding !== undefined && { decoding: JSON.parse(decoding) }) };
}

const ownPackages = { arrays: undefined, images: 'sharp', texts: '@huggingface/tokenizers' } as const;

/** What the service reads requests with: its packages, and the code that it takes over from training. */
function reading(takes: keyof typeof ownPackages): Map<string, Uint8Array> {
  const name = ownPackages[takes];
  const lock = readFileSync(new URL(takes === 'arrays' ? 'lock.json' : `lock-${takes}.json`, templates));
  const files = new Map<string, Uint8Array>([
    ['package-lock.json', lock],
    ['ranges.mjs', readFileSync(new URL('ranges.mjs', bundles))],
  ]);
  if (name === undefined) return files;
  const { packages } = JSON.parse(lock.toString()) as { packages: { '': { dependencies: Record<string, string> } } };
  const manifest: object = JSON.parse(readFileSync(new URL('package.json', templates), 'utf8'));
  files.set('package.json', text(`${JSON.stringify({ ...manifest, dependencies: packages[''].dependencies }, null, 2)}\n`));
  files.set(`${takes}.mjs`, readFileSync(new URL(`${takes}.mjs`, bundles)));
  files.set('THIRD-PARTY-NOTICES.txt', readFileSync(new URL('THIRD-PARTY-NOTICES.txt', bundles)));
  return files;
}

/** Files of the service. */
export function nodeService(models: readonly ServedModel[], inputs: readonly NetworkInput[]): Files {
  const files = new Map<string, Uint8Array>(copied.map((name) => [name, readFileSync(new URL(name, templates))]));
  const takes = inputs.some(({ tokens }) => tokens !== undefined)
    ? 'texts'
    : models.some(({ model, tasks: own }) => own.some((task) => factsInMetadata(model.metadata, task).decoding !== undefined))
      ? 'images'
      : 'arrays';
  for (const [path, content] of reading(takes)) files.set(path, content);
  const input = must(models[0]?.model.graph.inputs[0], 'input');
  const tasks = models.flatMap((m) => {
    const names = new Set(m.model.graph.outputs.map((v) => v.name));
    const routed = { scores: routedNames[0], probabilities: routedNames[1], labels: routedNames[2] };
    const outputs = (task: string) => {
      if (m.routed) return routed;
      const { scores, probabilities, label } = outputNames(task);
      return { scores, probabilities, labels: label };
    };
    return m.tasks.map((task, id) => ({
      task,
      file: `models/${m.name}.onnx`,
      ...(m.routed ? { feeds: { [taskIdName]: id } } : {}),
      outputs: Object.fromEntries(Object.entries(outputs(task)).filter(([, name]) => names.has(name))),
      ...calledOf(m, task),
      ...(m.filled.includes(task) && { missing: true }),
      ...knownOf(m, task),
    }));
  });
  const described = inputsInMetadata(must(models[0], 'model').model.metadata)?.[0];
  const plain = { name: input.name, dtype: input.dtype, shape: (input.shape ?? []).slice(1) };
  const taken = onlyOf(inputs, 'the Node service');
  const document = { input: described ?? { ...plain, ...(taken.tokens && { tokens: taken.tokens }) }, tasks };
  if (taken.tokenizer !== undefined) files.set('tokenizer.json', text(taken.tokenizer));
  files.set('tasks.json', text(`${JSON.stringify(document, null, 2)}\n`));
  for (const m of models) files.set(`models/${m.name}.onnx`, m.bytes);
  return files;
}
