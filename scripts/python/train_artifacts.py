"""Trains official artifacts with onnxruntime-training and saves what came out.

    .venv-training/bin/python scripts/python/train_artifacts.py ARTIFACTS DATA.npz OUT [SCORES]

ARTIFACTS holds training_model.onnx, eval_model.onnx, optimizer_model.onnx and checkpoint, as `prognet artifacts` writes them. DATA.npz has
one array per user input of the training model (name), its first axis the steps. OUT gets the trained `checkpoint`, `parameters.npz`, and,
when SCORES names the model's output, `inference.onnx`. Prints JSON: the loss of each step and of an evaluation after the last.
"""
import json
import sys
from pathlib import Path

import numpy as np
from ort_training import CheckpointState, Module, Optimizer

artifacts, data, out = Path(sys.argv[1]), np.load(sys.argv[2]), Path(sys.argv[3])
out.mkdir(parents=True, exist_ok=True)

state = CheckpointState.load_checkpoint(artifacts / "checkpoint")
module = Module(artifacts / "training_model.onnx", state, artifacts / "eval_model.onnx")
optimizer = Optimizer(artifacts / "optimizer_model.onnx", module)


def loss_of(step: int) -> float:
    """One pass over the minibatch of a step, in the module's mode; the loss is the first output."""
    outputs = module(*(np.asarray(data[name][step]) for name in module.input_names()))
    return float(outputs[0] if isinstance(outputs, tuple) else outputs)


losses = []
module.train()
for step in range(len(data[module.input_names()[0]])):
    losses.append(loss_of(step))
    optimizer.step()
    module.lazy_reset_grad()
module.eval()
after = loss_of(0)

CheckpointState.save_checkpoint(state, out / "checkpoint", include_optimizer_state=True)
np.savez(out / "parameters.npz", **{name: parameter.data for name, parameter in state.parameters})
if len(sys.argv) > 4:
    module.export_model_for_inferencing(out / "inference.onnx", [sys.argv[4]])
print(json.dumps({"losses": losses, "eval": after}))
