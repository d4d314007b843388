// What the worker thread that reads does: looks what the places hold, and makes of a model what a session needs. It may take seconds of a thread that
// answers nobody.
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { isWire } from '../../deploy/datatypes.js';
import type { Form } from '../../model/progressive/forms.js';
import { ModelError, UsageError } from '../../onnx/core/errors.js';
import { fileError } from '../../onnx/files/file-error.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Model } from '../../onnx/ir/model.js';
import { findWorkspace } from '../../workspace/workspace.js';
import type { TensorSpec } from '../served-model.js';
import type { Methods, Moved } from '../workers/calls.js';
import { collect } from '../workers/collect.js';
import { FolderSource, NetworkSource, onnxSource } from './file-sources.js';
import { type Held, heldBy, type Source } from './source.js';
import { WorkspaceSource } from './workspace-source.js';

/** A model that is there. */
export interface FoundModel {
  readonly name: string;
  readonly stamp: string;
  /** Why it cannot be served, where that is known by now. */
  readonly fault?: string;
}

/** A model as it is loaded. */
export interface ReadModel {
  readonly bytes: Uint8Array;
  readonly weightsFolder?: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Whether rows are known to be answered each by itself. */
  readonly joins: boolean;
  readonly facts: Readonly<Record<string, string>>;
}

/** The kind of a place. Throws UsageError for what is none. */
function sourceOf(place: string, forms: readonly Form[]): Source {
  let folder: boolean;
  try {
    folder = statSync(place).isDirectory();
  } catch (cause) {
    throw fileError('read', place, cause);
  }
  if (folder) {
    return findWorkspace(place) === resolve(place) ? new WorkspaceSource(place, forms) : new FolderSource(place, forms);
  }
  if (/\.onnx$/i.test(place)) return onnxSource(place);
  if (/\.prognet$/i.test(place)) return new NetworkSource(place, forms);
  const expected = 'a workspace, a folder of models, an .onnx file or a .prognet file';
  throw new UsageError(`${place}: is no model to serve, expected ${expected}`, { path: place, expected });
}

/** A value as requests see it. Throws ModelError for what they cannot carry. */
export function specOf(value: Value): TensorSpec {
  const { name, type } = value;
  if (type?.kind !== 'tensor' || type.shape === undefined || !isWire(type.dtype)) {
    const found =
      type?.kind === 'tensor'
        ? `a tensor of ${type.dtype}${type.shape === undefined ? ' of no known rank' : ''}`
        : (type?.kind ?? 'of no known type');
    throw new ModelError(`"${name}" is ${found}, expected a tensor of known rank whose type requests can carry`, { got: name });
  }
  return { name, dtype: type.dtype, shape: type.shape.map((size) => (typeof size === 'number' ? size : -1)) };
}

/** Forms of prognet answer each row by itself, but for the routed one, whose task is one for all. */
function joins(model: Model, specs: readonly TensorSpec[]): boolean {
  const form = model.metadata.get('prognet.form');
  return (form === 'task' || form === 'all') && specs.every(({ shape }) => shape[0] === -1);
}

/** The methods of such a thread. */
export function sourceReader(places: readonly string[], forms: readonly Form[]): Methods {
  let sources: readonly Source[] | undefined;
  let known: readonly Held[] = [];
  const find = async (): Promise<Moved<readonly FoundModel[]>> => {
    sources ??= places.map((place) => sourceOf(place, forms));
    known = await heldBy(sources);
    return { value: known.map(({ name, stamp }) => ({ name, stamp })), move: [] };
  };
  const read = async (name: string): Promise<Moved<ReadModel | undefined>> => {
    const held = known.find((one) => one.name === name);
    if (held === undefined) return { value: undefined, move: [] };
    // Of the models that were read before.
    collect();
    const { model, bytes, weightsFolder } = await held.read();
    const { inputs, outputs } = model.graph;
    // onnxruntime-node takes what is fed for an initializer and computes on with the initializer.
    const asked = inputs.filter((value) => value.constant === undefined).map(specOf);
    const given = outputs.map(specOf);
    const value = {
      bytes,
      ...(weightsFolder !== undefined && { weightsFolder }),
      inputs: asked,
      outputs: given,
      joins: joins(model, [...asked, ...given]),
      facts: Object.fromEntries(model.metadata),
    };
    return { value, move: [] };
  };
  return { find, read };
}
