"""An exported model's answers to a .npy of raw inputs, by Python's onnxruntime: python answers.py MODEL.onnx INPUTS.npy. Prints JSON by output name."""

import json
import sys

import numpy as np
import onnxruntime as ort

model, inputs = sys.argv[1:]
session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
[given] = session.get_inputs()
names = [output.name for output in session.get_outputs()]
results = session.run(names, {given.name: np.load(inputs)})
print(json.dumps({name: value.tolist() for name, value in zip(names, results)}))
