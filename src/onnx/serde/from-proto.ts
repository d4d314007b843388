// ModelProto and FunctionProto to the IR. onnx.proto, ModelProto.
import { type FunctionDef, Model } from '../ir/model.js';
import type { Decoding } from './decoding.js';
import type { onnx } from './generated/onnx.js';
import { bodyFromProto, defaultsFromProto, graphFromProto } from './graph-from-proto.js';
import { fromHalves } from './int64.js';

/** Domain to version. `ai.onnx` is an alias of the empty domain, in the specification and here. */
function opsetsFromProto(
  list: readonly onnx.OperatorSetIdProto.$Properties[] | null | undefined,
  what: string,
  decoding: Decoding,
): Map<string, number> {
  const opsets = new Map<string, number>();
  for (const { domain, version } of list ?? []) {
    const key = domain === 'ai.onnx' ? '' : (domain ?? '');
    const n = decoding.size(version ?? 0, `${what}: the opset version of domain "${key}"`);
    if (opsets.has(key) && opsets.get(key) !== n) {
      throw decoding.error(`${what}: domain "${key}" is imported in two versions, ${opsets.get(key)} and ${n}`);
    }
    opsets.set(key, n);
  }
  return opsets;
}

function functionFromProto(f: onnx.FunctionProto.$Properties, decoding: Decoding): FunctionDef {
  const what = `function "${f.domain ? `${f.domain}.` : ''}${f.name ?? ''}"`;
  return {
    domain: f.domain ?? '',
    name: f.name ?? '',
    overload: f.overload ?? '',
    attributes: f.attribute ?? [],
    attributeDefaults: defaultsFromProto(f, what, decoding),
    body: bodyFromProto(f, what, decoding),
    opsets: opsetsFromProto(f.opset_import, what, decoding),
  };
}

/** The model, but for `unread`, which is the bytes' business. */
export function modelFromProto(m: onnx.ModelProto.$Properties, decoding: Decoding): Model {
  if (!m.graph) throw decoding.error('not an ONNX model: it has no graph');
  const irVersion = decoding.size(m.ir_version ?? 0, 'ir_version');
  if (irVersion === 0) throw decoding.error('not an ONNX model: it has no ir_version');
  const opsets = opsetsFromProto(m.opset_import, 'model', decoding);
  if (opsets.size === 0) {
    // Imports came with IR 3; what is older means opset 1.
    if (irVersion >= 3) throw decoding.error('the model imports no operator set (opset_import)');
    opsets.set('', 1);
  }
  const model = new Model(graphFromProto(m.graph, m.graph.name ? `graph "${m.graph.name}"` : 'the graph', decoding));
  model.irVersion = irVersion;
  // Before IR 4 every initializer had to be an input as well, and ONNX Runtime takes them as constants.
  if (irVersion >= 4) for (const v of model.graph.inputs) v.overridable = v.constant !== undefined;
  model.opsets = opsets;
  model.producerName = m.producer_name ?? '';
  model.producerVersion = m.producer_version ?? '';
  model.domain = m.domain ?? '';
  model.modelVersion = fromHalves(m.model_version);
  model.doc = m.doc_string ?? '';
  model.metadata = decoding.entries(m.metadata_props);
  const seen = new Set<string>();
  for (const f of m.functions ?? []) {
    const def = functionFromProto(f, decoding);
    const id = JSON.stringify([def.domain, def.name, def.overload]);
    if (seen.has(id)) throw decoding.error(`function "${def.domain ? `${def.domain}.` : ''}${def.name}" is defined twice`);
    seen.add(id);
    model.functions.push(def);
  }
  return model;
}
