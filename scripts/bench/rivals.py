"""Gradients by onnx-ad and by onnxsim's graph_grad, each called as its documentation says, in one form: a model with the outputs that it had and
`grad/<name>`, and an input `seed/<name>` for each output that is no scalar."""

import numpy as np
import onnx
from onnx import TensorProto, helper

FLOATS = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16)


def as_inputs(model, by):
    """Weights that are differentiated by as inputs, which onnx-ad wants."""
    for tensor in [t for t in model.graph.initializer if t.name in by]:
        model.graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims)))
        model.graph.initializer.remove(tensor)


def by_onnx_ad(model, of, by):
    """Seeds and gradients have one more axis, of size 1, for the number of seeds."""
    import onnx_ad

    as_inputs(model, by)
    made = onnx_ad.reverse(model, inputs=by, outputs=of, layout="onnx")
    return made, {name: f"adj_{name}" for name in by}, {name: f"adj_{name}" for name in of}


def on_path(nodes, of, by):
    """The nodes between `by` and `of`: graph_grad raises at any other that it has no rule for."""
    below = set(by)
    down = [n for n in nodes if below.intersection(n.input) and not below.update(n.output)]
    above = set(of)
    return [n for n in reversed(down) if above.intersection(n.output) and not above.update(n.input)][::-1]


def without_zeros(model):
    """torch.onnx writes a Conv without a bias with zeros that it expands to the first dimension of W. graph_grad takes no Expand to what is computed."""
    expanded = {n.output[0] for n in model.graph.node if n.op_type == "Expand"}
    for node in (n for n in model.graph.node if n.op_type == "Conv"):
        if len(node.input) > 2 and node.input[2] in expanded:
            del node.input[2]


def by_onnxsim(model, of, by):
    from onnxsim import graph_grad, qat_graph, simplify

    without_zeros(model)
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = {t.name: list(t.dims) for t in model.graph.initializer}
    for value in [*inferred.input, *inferred.value_info, *inferred.output]:
        if value.type.tensor_type.HasField("shape"):
            shapes[value.name] = [d.dim_value if d.HasField("dim_value") else d.dim_param for d in value.type.tensor_type.shape.dim]
    types = {v.name: v.type.tensor_type.elem_type for v in inferred.output}
    builder = qat_graph.GraphBuilder(prefix="back_")
    builder.nodes = list(model.graph.node)
    builder.initializer = list(model.graph.initializer)
    seeds = {name: f"seed/{name}" for name in of}
    found = graph_grad.build_backward(builder, on_path(model.graph.node, of, by), shapes, seeds, by)
    made = onnx.ModelProto()
    made.CopyFrom(model)
    graph = made.graph
    del graph.node[:], graph.initializer[:]
    graph.node.extend(builder.nodes)
    graph.initializer.extend(builder.initializer)
    graph.input.extend(helper.make_tensor_value_info(seeds[name], types[name], shapes[name]) for name in of)
    for name in by:
        graph.node.append(helper.make_node("Identity", [found[name]], [f"grad/{name}"]))
        graph.output.append(helper.make_empty_tensor_value_info(f"grad/{name}"))
        graph.output[-1].type.tensor_type.elem_type = TensorProto.FLOAT
    if builder.functions:
        made.functions.extend(builder.functions)
        made.opset_import.extend({f.domain: helper.make_opsetid(f.domain, 1) for f in builder.functions}.values())
        made = onnx.inliner.inline_local_functions(made)
    try:
        # as its own training steps do: what is computed and not used goes
        made = simplify(made)[0] if made.ByteSize() < 2**30 else made
    except Exception:
        pass
    return made, {name: f"grad/{name}" for name in by}, seeds


def farthest(want, found):
    """The largest difference of an element from what it should be, in parts of the largest of its tensor (of 1e-5 of the largest of all, where that is
    more: some are 0 but for rounding)."""
    floor = 1e-5 * max(np.abs(g).max() for g in want.values())
    return max(float(np.abs(found[k].reshape(g.shape) - g).max() / max(np.abs(g).max(), floor)) for k, g in want.items())


RIVALS = {"onnx-ad": by_onnx_ad, "onnxsim": by_onnxsim}


def nodes(graph):
    """All nodes, those of subgraphs too; constants are data, not work."""
    count = sum(n.op_type != "Constant" for n in graph.node)
    subgraphs = [a.g for n in graph.node for a in n.attribute if a.type == onnx.AttributeProto.GRAPH]
    return count + sum(nodes(g) for g in subgraphs)
