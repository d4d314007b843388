"""Runs ONNX files with onnxruntime and with onnx's reference evaluator, and compares both with given outputs.

    .venv/bin/python scripts/python/run_model.py MODEL.onnx INPUTS.npz EXPECTED.npz [MODEL INPUTS EXPECTED]...

Prints JSON: for each model, by both, the largest difference over all outputs, relative where the value is beyond 1; or a line that says why it
cannot run the model.
"""
import json
import sys

import numpy as np
import onnxruntime
from onnx.reference import ReferenceEvaluator


def apart(outputs: list, expected: dict) -> float:
    """Largest difference from the expected outputs."""
    worst = 0.0
    for got, want in zip(outputs, expected.values(), strict=True):
        assert got.shape == want.shape and got.dtype == want.dtype, f"{got.dtype}{got.shape}, expected {want.dtype}{want.shape}"
        # of bool and int64 as of numbers
        got, want = got.astype(np.float64), want.astype(np.float64)
        worst = max(worst, float(np.max(np.abs(got - want) / np.maximum(1, np.abs(want)), initial=0)))
    return worst


def compare(load, model: str, inputs: dict, expected: dict) -> float | str:
    """The difference, or why the model cannot be run."""
    try:
        outputs = load(model).run(list(expected), inputs)
    except Exception as error:  # whatever it lacks
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return apart(outputs, expected)


def onnxruntime_session(model: str) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])


found = {}
for model, given, wanted in zip(sys.argv[1::3], sys.argv[2::3], sys.argv[3::3], strict=True):
    inputs, expected = dict(np.load(given)), dict(np.load(wanted))
    found[model] = {
        "onnxruntime": compare(onnxruntime_session, model, inputs, expected),
        "reference": compare(ReferenceEvaluator, model, inputs, expected),
    }
print(json.dumps(found))
