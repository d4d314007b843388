// What both protocols do with a request: find the model, look whether the inputs are those of its signature, ask it, count. What is refused is said in
// Triton's words, which clients know.

import { datatypeOf } from '../deploy/datatypes.js';
import { must } from '../onnx/core/errors.js';
import { lostOf } from '../onnx/core/lost-text.js';
import type { Tensor } from '../onnx/core/tensor.js';
import { version as ownVersion } from '../onnx/core/version.js';
import {
  type Ask,
  type InputOf,
  type ModelHost,
  type ServedModel,
  ServeError,
  type TensorSpec,
  type Tensors,
} from './served-model.js';
import { Statistics } from './statistics.js';

/** An input as a request brings it; its elements are read once it is known to fit. */
export interface GivenInput {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  /** Throws ServeError for elements that are not of the input's type or not as many as the shape has. */
  readonly read: (spec: TensorSpec, of: InputOf) => Tensor;
}

export interface InferRequest {
  readonly id: string;
  readonly inputs: readonly GivenInput[];
  /** Names, all when absent. */
  readonly outputs?: readonly string[];
  /** Milliseconds after which it is refused if it still waits; the server's own time bounds it. */
  readonly timeout?: number;
}

/** Who asks. */
export interface Caller {
  /** Whether nobody waits for the answer any more. */
  readonly gone: () => boolean;
  /** Takes what becomes known of the request, as attributes of its span. */
  readonly note?: (facts: Readonly<Record<string, string | number>>) => void;
}

export interface ServiceOptions {
  /** Milliseconds after which a request that still waits is refused. */
  readonly timeout: number;
}

export const extensions = [
  'binary_tensor_data',
  'model_configuration',
  'model_repository',
  'model_repository(unload_dependents)',
  'statistics',
] as const;

const invalid = (message: string): ServeError => new ServeError('invalid', message);
/** Triton takes `01` for `1`. */
const isVersion = (text: string | undefined, own: string): boolean =>
  text === undefined || text === '' || text.replace(/^0+(?=.)/, '') === own;
/** Throws ServeError for a version that is no number. Paths of HTTP hold none of these. */
function refuseVersion(text = ''): void {
  if (text === '' || /^\d{1,18}$/.test(text)) return;
  const expected = 'version should be an integral value > 0';
  throw invalid(`failed to get model version from specified version string '${text}' (details: stol), ${expected}`);
}
const listed = (shape: readonly number[]): string => `[${shape.join(',')}]`;

/** Throws ServeError for a text that ONNX Runtime would cut. */
function refuseLost(name: string, { data }: Tensor): void {
  (data as readonly string[]).forEach((text, at) => {
    const lost = lostOf(text);
    if (lost !== undefined) throw invalid(`inference input '${name}': element ${at} ${lost}`);
  });
}

export class Service {
  readonly statistics = new Statistics();
  readonly about = { name: 'prognet', version: ownVersion, extensions };
  /** No longer once it is to end: who balances load then asks others. */
  ready = true;

  constructor(
    readonly host: ModelHost,
    private readonly options: ServiceOptions,
  ) {}

  /** Throws ServeError for a model that is unknown, not loaded or of another version. */
  model(name: string, version?: string): ServedModel {
    refuseVersion(version);
    const found = this.host.find(name);
    if (found !== undefined && isVersion(version, found.version)) return found;
    const known = this.host.index().some((entry) => entry.name === name);
    if (found === undefined && known)
      throw new ServeError('not-found', `Request for unknown model: '${name}' has no available versions`);
    if (found === undefined) throw new ServeError('not-found', `Request for unknown model: '${name}' is not found`);
    throw new ServeError('not-found', `Request for unknown model: '${name}' version ${version} is not found`);
  }

  /** Whether a model of that version answers. Throws ServeError for a version that is no number. */
  answers(name: string, version?: string): boolean {
    refuseVersion(version);
    const found = this.host.find(name);
    return found !== undefined && isVersion(version, found.version);
  }

  /** The models that statistics are asked of, all that are loaded without a name. Throws ServeError. */
  counted(name: string, version?: string): readonly ServedModel[] {
    refuseVersion(version);
    if (name === '') return this.host.index().flatMap((entry) => this.host.find(entry.name) ?? []);
    const found = this.host.find(name);
    if (found === undefined) throw invalid(`requested model '${name}' is not available`);
    if (!isVersion(version, found.version)) throw invalid(`requested model version is not available for model '${name}'`);
    return [found];
  }

  /** Answers a request. Throws ServeError. */
  async infer(model: ServedModel, request: InferRequest, { gone, note }: Caller): Promise<Tensors> {
    note?.({ 'prognet.model': model.name, 'prognet.version': model.version });
    const statistics = this.statistics.of(model);
    const begun = performance.now();
    const spent = () => Math.round((performance.now() - begun) * 1e6);
    try {
      const inputs = this.read(model, request);
      const { outputs, timeout = Number.POSITIVE_INFINITY } = request;
      const ask: Ask = {
        ...(outputs !== undefined && { outputs }),
        gone,
        deadline: begun + Math.min(timeout, this.options.timeout),
      };
      const answer = await model.infer(inputs, ask);
      note?.({ 'prognet.batch': answer.batch });
      statistics.answered(answer, model.maxBatch > 0 ? (Object.values(inputs)[0]?.dims[0] ?? 1) : 1, spent());
      return answer.outputs;
    } catch (error) {
      statistics.failed(error instanceof ServeError ? error.kind : 'internal', spent());
      throw error;
    }
  }

  /** The inputs, each of the type and shape that the model takes. */
  private read({ name: model, inputs, outputs, maxBatch }: ServedModel, request: InferRequest): Tensors {
    const begin = `[request id: ${request.id || '<id_unknown>'}] `;
    const read: Record<string, Tensor> = {};
    for (const { name } of request.inputs) {
      if (!inputs.some((spec) => spec.name === name)) throw invalid(`unexpected inference input '${name}' for model '${model}'`);
    }
    const isGiven = (name: string) => request.inputs.some((one) => one.name === name);
    if (!inputs.every(({ name }) => isGiven(name))) {
      const given = new Set(request.inputs.map(({ name }) => name));
      const missing = inputs.filter(({ name }) => !given.has(name)).map(({ name }) => `'${name}'`);
      const counts = `expected ${inputs.length} inputs but got ${given.size} inputs for model '${model}'`;
      const got = [...given].map((name) => `'${name}'`).join();
      throw invalid(
        `${begin}${counts}. Got input(s) [${got}], but missing required input(s) [${missing}]. Please provide all required input(s).`,
      );
    }
    for (const name of request.outputs ?? []) {
      if (!outputs.some((spec) => spec.name === name))
        throw invalid(`unexpected inference output '${name}' for model '${model}'`);
    }
    let rows: number | undefined;
    for (const { name, datatype, shape, read: elements } of request.inputs) {
      const spec = must(
        inputs.find((one) => one.name === name),
        name,
      );
      if (Object.hasOwn(read, name)) throw invalid(`${begin}input '${name}' already exists in request`);
      const expected = datatypeOf(spec.dtype);
      if (datatype !== expected)
        throw invalid(`${begin}inference input '${name}' data-type is '${datatype}', but model '${model}' expects '${expected}'`);
      const fits = shape.length === spec.shape.length && spec.shape.every((size, i) => size === -1 || size === shape[i]);
      if (!fits)
        throw invalid(
          `${begin}unexpected shape for input '${name}' for model '${model}'. Expected ${listed(spec.shape)}, got ${listed(shape)}. `,
        );
      if (maxBatch > 0) {
        const own = shape[0] ?? 0;
        rows ??= own;
        if (own !== rows) throw invalid(`${begin}input '${name}' batch size does not match other inputs for '${model}'`);
        if (own > maxBatch) throw invalid(`${begin}inference request batch-size must be <= ${maxBatch} for '${model}'`);
      }
      const tensor = elements(spec, { model, begin });
      if (tensor.dtype === 'string') refuseLost(name, tensor);
      read[name] = tensor;
    }
    return read;
  }
}
