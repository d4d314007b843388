// What ONNX's schemas say of an op: how many inputs and outputs, of which types, and which attributes, in the version that is in force at an
// opset. It reads the generated tables (signatures*.ts) and holds no rule. Versions: onnx/docs/Versioning.md; arity: onnx/docs/IR.md.
import { InternalError } from '../core/errors.js';
import type { AttributeKind } from '../ir/graph.js';
import { signatures } from './signatures.js';
import { microsoftSignatures } from './signatures-microsoft.js';
import { mlSignatures } from './signatures-ml.js';
import { trainingSignatures } from './signatures-training.js';

export interface AttributeSpec {
  readonly kind: AttributeKind;
  readonly required?: true;
  readonly default?: number | string | readonly (number | string)[];
}

/** What an older version has otherwise: texts and single entries that replace those of the newer one; null for an attribute that it lacks. */
interface Change {
  readonly inputs?: string;
  readonly outputs?: string;
  readonly inputTypes?: string;
  readonly outputTypes?: string;
  readonly types?: Readonly<Record<string, string>>;
  readonly attributes?: Readonly<Record<string, AttributeSpec | null>>;
}

/** A row of the generated tables: the newest version, and below which version what was otherwise. */
export interface Signature {
  /** Opsets at which the op changed, ascending. */
  readonly versions: readonly number[];
  /** From this opset on the op is no more. */
  readonly deprecated?: number;
  /** `X W B?`: names of the specification; `?` optional, `*` variadic (one or more), `*?` variadic with none allowed. */
  readonly inputs: string;
  readonly outputs: string;
  /** One word an input: a name of `types`, or a type itself; `~` where each value of a variadic one may have its own type. */
  readonly inputTypes: string;
  readonly outputTypes: string;
  /** `{ T: 'float32 seq(float32)' }` */
  readonly types: Readonly<Record<string, string>>;
  readonly attributes: Readonly<Record<string, AttributeSpec>>;
  /** `{ 13: change }`: what is otherwise below opset 13, beside the changes of higher opsets. */
  readonly before?: Readonly<Record<number, Change>>;
}

export interface Parameter {
  readonly name: string;
  readonly optional: boolean;
  readonly variadic: boolean;
  /** The type variable that it shares with others; undefined where its type depends on no other's. */
  readonly variable: string | undefined;
  readonly types: ReadonlySet<string>;
}

/** The signature of one version of an op. */
export interface Form {
  readonly inputs: readonly Parameter[];
  readonly outputs: readonly Parameter[];
  readonly attributes: ReadonlyMap<string, AttributeSpec>;
}

type Rows = typeof signatures;
type NamesOf<A, K> = A extends unknown ? { [N in keyof A]: A[N] extends { readonly kind: K } ? N : never }[keyof A] : never;
type Earlier<Row> = Row extends { readonly before: infer B } ? NamedIn<B[keyof B]> : never;
type NamedIn<C> = C extends { readonly attributes: infer A } ? A : never;

/** The ops of ai.onnx, without those that are deprecated. */
export type OpName = { [Op in keyof Rows]: Rows[Op] extends { readonly deprecated: number } ? never : Op }[keyof Rows];

/** The ops of com.microsoft that the builder makes: those of training artifacts. */
export type MicrosoftOp = keyof typeof trainingSignatures;
export const microsoftDomain = 'com.microsoft';

/** The names of all attributes of a kind that ops of ai.onnx have or had: a misspelt one does not compile. */
export type AttributeName<K extends AttributeKind> = {
  [Op in keyof Rows]: NamesOf<Rows[Op]['attributes'], K> | NamesOf<Earlier<Rows[Op]>, K>;
}[keyof Rows];

const standard: ReadonlyMap<string, Signature> = new Map<string, Signature>(Object.entries(signatures));
const byDomain: ReadonlyMap<string, ReadonlyMap<string, Signature>> = new Map([
  ['', standard],
  ['ai.onnx', standard],
  ['ai.onnx.ml', new Map<string, Signature>(Object.entries(mlSignatures))],
  [microsoftDomain, new Map<string, Signature>(Object.entries({ ...microsoftSignatures, ...trainingSignatures }))],
]);

/** The signature of an op, undefined for ops and domains that no schema tells of. */
export function findSignature(opType: string, domain = ''): Signature | undefined {
  return byDomain.get(domain)?.get(opType);
}

/** True for a domain all of whose ops have signatures. */
export function hasSignatures(domain: string): boolean {
  return byDomain.has(domain);
}

const forms = new WeakMap<Signature, Map<number, Form>>();

/** The signature in force at an opset of the op's domain; undefined below its first version and where the op is deprecated. */
export function formAt(signature: Signature, opset: number): Form | undefined {
  const version = signature.versions.findLast((v) => v <= opset);
  if (version === undefined || opset >= (signature.deprecated ?? Number.POSITIVE_INFINITY)) return undefined;
  return formOfVersion(signature, version);
}

/** The last version, for ops that are not there at the opset of a graph. */
export function newestForm(signature: Signature): Form {
  return formOfVersion(signature, signature.versions.at(-1) ?? 1);
}

/** Made once: every node that is added asks for it. */
function formOfVersion(signature: Signature, version: number): Form {
  let known = forms.get(signature);
  if (known === undefined) {
    known = new Map();
    forms.set(signature, known);
  }
  let form = known.get(version);
  if (form === undefined) {
    form = formOf(signature, version);
    known.set(version, form);
  }
  return form;
}

function formOf(signature: Signature, version: number): Form {
  let { inputs, outputs, inputTypes, outputTypes } = signature;
  const types = new Map(Object.entries(signature.types));
  const attributes = new Map<string, AttributeSpec>(Object.entries(signature.attributes));
  const changes = Object.entries(signature.before ?? {}).sort(([a], [b]) => Number(b) - Number(a));
  for (const [below, change] of changes) {
    if (version >= Number(below)) break;
    inputs = change.inputs ?? inputs;
    outputs = change.outputs ?? outputs;
    inputTypes = change.inputTypes ?? inputTypes;
    outputTypes = change.outputTypes ?? outputTypes;
    for (const [name, list] of Object.entries(change.types ?? {})) types.set(name, list);
    for (const [name, spec] of Object.entries(change.attributes ?? {})) {
      if (spec === null) attributes.delete(name);
      else attributes.set(name, spec);
    }
  }
  return { inputs: parameters(inputs, inputTypes, types), outputs: parameters(outputs, outputTypes, types), attributes };
}

const words = (text: string) => text.split(' ').filter((w) => w !== '');

function parameters(names: string, typeNames: string, types: ReadonlyMap<string, string>): Parameter[] {
  const parts = words(typeNames);
  return words(names).map((name, i) => {
    const part = parts[i];
    if (part === undefined) throw new InternalError(`the signature "${names}" has no type for ${name}`);
    const own = part.endsWith('~');
    const variable = own ? part.slice(0, -1) : part;
    const list = types.get(variable);
    return {
      name: name.replace(/[?*]+$/, ''),
      optional: name.endsWith('?'),
      variadic: name.includes('*'),
      variable: own || list === undefined ? undefined : variable,
      types: new Set(words(list ?? variable)),
    };
  });
}
