"""Checks ONNX files as strictly as onnx can, and infers their shapes.

    .venv/bin/python scripts/python/check_model.py MODEL.onnx...

Prints JSON: for each file its inputs, outputs and initializers, and the nodes whose domain is not ONNX's own.
"""
import json
import sys

import onnx

found = {}
for file in sys.argv[1:]:
    onnx.checker.check_model(file, full_check=True)
    model = onnx.shape_inference.infer_shapes(onnx.load(file), check_type=True, strict_mode=True)
    graph = model.graph
    found[file] = {
        "inputs": [value.name for value in graph.input],
        "outputs": [value.name for value in graph.output],
        "initializers": [value.name for value in graph.initializer],
        "foreign": sorted({f"{node.domain}::{node.op_type}" for node in graph.node if node.domain not in ("", "ai.onnx")}),
    }
print(json.dumps(found))
