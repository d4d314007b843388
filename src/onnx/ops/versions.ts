// Which ops a domain has at a version of it, and which versions of domains and of the format are known: those that ONNX Runtime 1.30 takes.
// What an op looks like there stands in the signatures.
import { ModelError } from '../core/errors.js';
import type { Model } from '../ir/model.js';
import type { NodeContext } from './op-def.js';
import { type Form, findSignature, formAt, hasSignatures, newestForm } from './signature.js';

/** The newest opset of ai.onnx whose ops the table knows. */
export const newestOpset = 26;

const newestIrVersion = 13;

/** The newest version of other domains; of those that are not here any is taken. */
const newestOfDomain: ReadonlyMap<string, number> = new Map([
  ['', newestOpset],
  ['ai.onnx.ml', 5],
  ['ai.onnx.training', 1],
  ['ai.onnx.preview.training', 1],
  ['com.microsoft', 1],
  ['com.microsoft.nchwc', 1],
  ['org.pytorch.aten', 1],
]);

/** What takes the place of deprecated ops. */
const successors: ReadonlyMap<string, string> = new Map([
  ['Scatter', 'ScatterElements'],
  ['Upsample', 'Resize'],
  ['TreeEnsembleClassifier', 'TreeEnsemble'],
  ['TreeEnsembleRegressor', 'TreeEnsemble'],
]);

/** Ops that ONNX Runtime adds to ai.onnx, or takes before ONNX has them, and the opset from which on it does so no more. */
const added: ReadonlyMap<string, number> = new Map([
  ['LayerNormalization', 17],
  ['SimplifiedLayerNormalization', Number.POSITIVE_INFINITY],
  ['MemcpyFromHost', Number.POSITIVE_INFINITY],
  ['MemcpyToHost', Number.POSITIVE_INFINITY],
  ...[
    'Affine',
    'Crop',
    'DynamicSlice',
    'GRUUnit',
    'GivenTensorFill',
    'ImageScaler',
    'ParametricSoftplus',
    'Scale',
    'ScaledTanh',
  ].map((name) => [name, 10] as const),
  ['ThresholdedRelu', 10],
]);

/** `ai.onnx` is the empty domain. */
export const canonicalDomain = (domain: string): string => (domain === 'ai.onnx' ? '' : domain);

/**
 * The form of a node's op at a version of its domain; undefined where no schema tells of it. Throws ShapeError, naming the node, for an op that a
 * domain with schemas has not, not yet or no more.
 */
export function formInForce(c: NodeContext, version: number): Form | undefined {
  const { opType, domain } = c.node;
  const spelled = domain || 'ai.onnx';
  const standard = canonicalDomain(domain) === '';
  const signature = findSignature(opType, domain);
  if (standard && version < (added.get(opType) ?? 0)) return signature && newestForm(signature);
  if (signature === undefined) {
    if (hasSignatures(domain)) c.fail(`${spelled} has no such op`, { got: opType });
    return undefined;
  }
  const { deprecated, versions } = signature;
  if (deprecated !== undefined && version >= deprecated) {
    const successor = successors.get(opType);
    c.fail(
      `is deprecated in ${spelled} from opset ${deprecated} on, the model has ${version}${successor === undefined ? '' : `: ${successor} takes its place`}`,
      { ...(successor !== undefined && { expected: successor }), got: String(version) },
    );
  }
  const [first = 1] = versions;
  if (version < first) {
    c.fail(`${spelled} has this op from opset ${first} on, the model has ${version}`, {
      expected: String(first),
      got: String(version),
    });
  }
  return formAt(signature, version);
}

/** Throws ModelError for a format or an opset that is newer than what is known. */
export function checkVersions({ irVersion, opsets }: Model): void {
  if (irVersion > newestIrVersion) {
    throw new ModelError(`the model is of IR version ${irVersion}, expected at most ${newestIrVersion}`, {
      expected: `at most ${newestIrVersion}`,
      got: String(irVersion),
    });
  }
  for (const [domain, version] of opsets) {
    const newest = newestOfDomain.get(canonicalDomain(domain));
    if (newest === undefined || version <= newest) continue;
    throw new ModelError(`the model imports ${domain || 'ai.onnx'} ${version}, expected at most ${newest}`, {
      expected: `at most ${newest}`,
      got: String(version),
    });
  }
}
