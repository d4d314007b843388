"""Trains official artifacts with onnxruntime-training and saves what came out.

    .venv-training/bin/python scripts/python/train_artifacts.py ARTIFACTS DATA.npz OUT [SCORES] [--weights WEIGHTS.npz]

ARTIFACTS holds training_model.onnx, eval_model.onnx, optimizer_model.onnx and checkpoint, as `prognet artifacts` writes them; the weights of a
nominal checkpoint come from WEIGHTS.npz, in the order of the training model's inputs. DATA.npz has one array per user input of the training model (name), its first axis the steps. OUT gets
the trained `checkpoint`, `parameters.npz`, and, when SCORES names the model's output, `inference.onnx`. Prints JSON: the loss of each step and of
an evaluation after the last.
"""
import argparse
import json
from pathlib import Path

import numpy as np
from onnxruntime import OrtValue
from ort_training import CheckpointState, Module, Optimizer

parser = argparse.ArgumentParser()
parser.add_argument("artifacts", type=Path)
parser.add_argument("data", type=np.load)
parser.add_argument("out", type=Path)
parser.add_argument("scores", nargs="?")
parser.add_argument("--weights", type=np.load)
args = parser.parse_args()
args.out.mkdir(parents=True, exist_ok=True)

state = CheckpointState.load_checkpoint(args.artifacts / "checkpoint")
module = Module(args.artifacts / "training_model.onnx", state, args.artifacts / "eval_model.onnx")
optimizer = Optimizer(args.artifacts / "optimizer_model.onnx", module)
if args.weights is not None:
    flat = np.concatenate([args.weights[name].ravel() for name in args.weights])
    # 1.19.2 does not unwrap the value that it asks for.
    module.copy_buffer_to_parameters(OrtValue.ortvalue_from_numpy(flat)._ortvalue, trainable_only=False)


def loss_of(step: int) -> float:
    """One pass over the minibatch of a step, in the module's mode; the loss is the first output."""
    outputs = module(*(np.asarray(args.data[name][step]) for name in module.input_names()))
    return float(outputs[0] if isinstance(outputs, tuple) else outputs)


losses = []
module.train()
for step in range(len(args.data[module.input_names()[0]])):
    losses.append(loss_of(step))
    optimizer.step()
    module.lazy_reset_grad()
module.eval()
after = loss_of(0)

CheckpointState.save_checkpoint(state, args.out / "checkpoint", include_optimizer_state=True)
np.savez(args.out / "parameters.npz", **{name: parameter.data for name, parameter in state.parameters})
if args.scores:
    module.export_model_for_inferencing(args.out / "inference.onnx", [args.scores])
print(json.dumps({"losses": losses, "eval": after}))
