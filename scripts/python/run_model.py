"""Runs an ONNX file with onnxruntime and with onnx's reference evaluator, and compares both with given outputs.

    .venv/bin/python scripts/python/run_model.py MODEL.onnx INPUTS.npz EXPECTED.npz

Prints JSON: for both, the largest difference over all outputs, relative where the value is beyond 1.
"""
import json
import sys

import numpy as np
import onnxruntime
from onnx.reference import ReferenceEvaluator

model, inputs, expected = sys.argv[1], dict(np.load(sys.argv[2])), dict(np.load(sys.argv[3]))


def apart(outputs: list) -> float:
    """Largest difference from the expected outputs."""
    worst = 0.0
    for got, want in zip(outputs, expected.values(), strict=True):
        assert got.shape == want.shape and got.dtype == want.dtype, f"{got.dtype}{got.shape}, expected {want.dtype}{want.shape}"
        # of bool and int64 as of numbers
        got, want = got.astype(np.float64), want.astype(np.float64)
        worst = max(worst, float(np.max(np.abs(got - want) / np.maximum(1, np.abs(want)), initial=0)))
    return worst


session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
names = list(expected)
print(
    json.dumps(
        {
            "onnxruntime": apart(session.run(names, inputs)),
            "reference": apart(ReferenceEvaluator(model).run(names, inputs)),
        }
    )
)
