"""onnx-ad's side of gradient-peers.mjs. Arguments: a folder, then models by name from test/onnx/autodiff/torch. Writes <name>-onnx-ad.onnx, the
gradient of `loss` by x and all parameters (which onnx-ad wants as inputs), and prints JSON: version, ops covered, and for each model the nodes
of its gradient graph or what was raised."""

import json
import pathlib
import sys
from importlib.metadata import version

import numpy as np
import onnx
import onnx_ad
from onnx import helper
from onnx_ad import lower, recurrent, rules

out, *names = sys.argv[1:]
fixtures = pathlib.Path(__file__).parents[2] / "test" / "autodiff" / "torch"


def wanted(name):
    with np.load(fixtures / f"{name}.npz") as arrays:
        return [k.removeprefix("grad/") for k in arrays.files if k.startswith("grad/")]


def nodes(graph):
    """All nodes, those of subgraphs too; constants are data, not work."""
    count = sum(n.op_type != "Constant" for n in graph.node)
    subgraphs = [a.g for n in graph.node for a in n.attribute if a.type == onnx.AttributeProto.GRAPH]
    return count + sum(nodes(g) for g in subgraphs)


def differentiate(name):
    model = onnx.load(fixtures / f"{name}.onnx")
    by = wanted(name)
    for tensor in [t for t in model.graph.initializer if t.name in by]:
        model.graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims)))
        model.graph.initializer.remove(tensor)
    before = nodes(model.graph)
    made = onnx_ad.reverse(model, inputs=by, outputs=["loss"], layout="onnx")
    onnx.save(made, f"{out}/{name}-onnx-ad.onnx")
    return {"model": before, "nodes": nodes(made.graph)}


def attempt(name):
    try:
        return differentiate(name)
    except Exception as error:  # what a peer cannot do is told in its own words
        return {"raised": f"{type(error).__name__}: {error}"}


def floating(formal):
    return "tensor(float)" in formal.types


def by_function():
    """Ops without a rule that onnx-ad differentiates through the function body of the specification."""
    found = set()
    for schema in onnx.defs.get_all_schemas():
        has = schema.has_function or schema.has_context_dependent_function
        if schema.domain == "" and has and schema.outputs and floating(schema.outputs[0]) and any(map(floating, schema.inputs)):
            found.add(schema.name)
    return found


zero = set(rules.ZERO_DERIVATIVE)
covered = (set(rules.REVERSE) | set(lower.LOWERINGS) | set(recurrent.RECURRENT) | by_function()) - zero
print(json.dumps({"version": version("onnx-ad"), "ops": sorted(covered), "models": {name: attempt(name) for name in names}}))
