// The verifier of onnx/ir/verify.ts bound to the op table: structure, types, and the opsets that a model must import.

import { ModelError } from '../core/errors.js';
import { given } from '../core/given.js';
import type { Infer } from '../ir/builder.js';
import { allNodes, type Graph, type Node } from '../ir/graph.js';
import { aModel, type Model } from '../ir/model.js';
import { formatType, type Type } from '../ir/types.js';
import { verifyGraph } from '../ir/verify.js';
import { checkForm, typesByForm } from './check-signature.js';
import { definitionOf, isStandard } from './definition.js';
import { inferTypes } from './infer.js';
import { NodeContext } from './op-def.js';
import type { Form } from './signature.js';
import { canonicalDomain, checkVersions, formInForce } from './versions.js';

/** Whether a node calls a function of the model. */
type Calls = (node: Node) => boolean;

function callsOf({ functions }: Model): Calls {
  const called = new Set(functions.map((f) => JSON.stringify([canonicalDomain(f.domain), f.name])));
  return (node) => called.has(JSON.stringify([canonicalDomain(node.domain), node.opType]));
}

/** Inference by the table; ops without rules are checked by their signatures. Ops of domains without signatures and calls say nothing. */
function inferKnown(opsets: ReadonlyMap<string, number>, calls: Calls): Infer {
  return (node, opset) => {
    const c = new NodeContext(node, opset);
    const form = formOf(c, opsets, calls);
    let types: (Type | undefined)[] = [];
    if (definitionOf(node, opset) !== undefined) types = inferTypes(node, opset);
    else if (form !== undefined) {
      checkForm(c, form);
      types = typesByForm(c, form);
    }
    demands.get(isStandard(node) ? node.opType : `${node.domain}.${node.opType}`)?.(c);
    return types;
  };
}

/** In function bodies attributes of the caller decide types, so that the form alone is checked. */
function formKnown(opsets: ReadonlyMap<string, number>, calls: Calls): Infer {
  return (node, opset) => {
    const c = new NodeContext(node, opset);
    const form = formOf(c, opsets, calls);
    if (form !== undefined) checkForm(c, form);
    return [];
  };
}

/** The form of a node that is no call, where one is known. */
function formOf(c: NodeContext, opsets: ReadonlyMap<string, number>, calls: Calls): Form | undefined {
  const { domain } = c.node;
  const version = isStandard(c.node) ? c.opset : opsets.get(domain);
  return version === undefined || calls(c.node) ? undefined : formInForce(c, version);
}

/** Throws ModelError, in one line that names node or value, unless the model is well-formed and its types agree with the op table's. */
export function verifyModel(model: Model): void {
  given('verifyModel', { model }, { model: aModel });
  checkVersions(model);
  const calls = callsOf(model);
  verifyImports(model.graph, model.opsets);
  verifyGraph(model.graph, inferKnown(model.opsets, calls), model.opset);
  for (const f of model.functions) {
    verifyImports(f.body, f.opsets);
    verifyGraph(f.body, formKnown(f.opsets, calls), f.opsets.get('') ?? model.opset);
  }
}

/** What ONNX Runtime asks of an op to load it, beyond what its rule does. */
const demands: ReadonlyMap<string, (c: NodeContext) => void> = new Map([
  ['Scan', bodyRanks],
  ['Resize', sizesCount],
  ['Upsample', growth],
  ['ai.onnx.ml.LabelEncoder', keysAndValues],
  ['ai.onnx.ml.TreeEnsemble', matrix],
]);

function bodyRanks(c: NodeContext): void {
  for (const [i, v] of c.node.subgraphs.flatMap((body) => body.outputs).entries()) {
    if (v.type?.kind !== 'tensor' || v.type.shape !== undefined) continue;
    c.fail(`the rank of output ${i} of its body ("${v.name}") is not known, ONNX Runtime needs it`, {
      expected: 'a known rank',
      got: formatType(v.type),
    });
  }
}

function sizesCount(c: NodeContext): void {
  if (!c.has(3) || c.rank(0) === undefined || typeof c.shape(3)?.[0] === 'number') return;
  c.fail('how many sizes there are is not known, ONNX Runtime needs it', { got: formatType(c.value(3).type) });
}

function growth(c: NodeContext): void {
  const a = c.node.attributes.get('scales');
  const scales = a?.kind === 'floats' ? [...a.value] : ((c.has(1) ? c.constant(1)?.numbers() : undefined) ?? []);
  const small = scales.find((s) => !(s >= 1));
  if (small !== undefined) c.fail(`scales holds ${small}, expected 1 or more`, { expected: '1 or more', got: String(small) });
}

function keysAndValues(c: NodeContext): void {
  const count = (side: string) => {
    for (const [name, a] of c.node.attributes) {
      if (!name.startsWith(side)) continue;
      if (a.kind === 'tensor') return a.value.size;
      if (a.kind === 'strings' || a.kind === 'floats' || a.kind === 'ints') return a.value.length;
    }
    return undefined;
  };
  const [keys, values] = [count('keys_'), count('values_')];
  if (keys !== undefined && values !== undefined && keys !== values)
    c.fail(`it has ${keys} keys and ${values} values`, { expected: String(keys), got: String(values) });
}

function matrix(c: NodeContext): void {
  const rank = c.rank(0);
  if (rank !== undefined && rank !== 2) c.fail(`X has rank ${rank}, expected 2`, { expected: '2', got: String(rank) });
}

function verifyImports(graph: Graph, opsets: ReadonlyMap<string, number>): void {
  const imported = new Set([...opsets.keys()].map(canonicalDomain));
  for (const node of allNodes(graph)) {
    if (imported.has(canonicalDomain(node.domain))) continue;
    const domain = node.domain === '' ? 'ai.onnx' : node.domain;
    throw new ModelError(`${node.opType} "${node.name}": the model imports no opset of domain ${domain}`, {
      op: node.opType,
      node: node.name,
      expected: domain,
      got: [...imported].map((d) => d || 'ai.onnx').join(', '),
    });
  }
}
