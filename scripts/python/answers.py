"""An exported model's answers to raw inputs, by Python's onnxruntime: python answers.py MODEL.onnx INPUTS. INPUTS is the .npy of its only input, or
a .json of lists by input name, null for what is missing. Prints JSON by output name."""

import json
import sys

import numpy as np
import onnxruntime as ort

model, inputs = sys.argv[1:]
session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
if inputs.endswith(".json"):
    given = json.load(open(inputs, encoding="utf-8"))
    types = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(string)": object}
    feeds = {i.name: np.array(given[i.name], dtype=types[i.type]) for i in session.get_inputs()}
else:
    [only] = session.get_inputs()
    feeds = {only.name: np.load(inputs)}
names = [output.name for output in session.get_outputs()]
results = session.run(names, feeds)
print(json.dumps({name: value.tolist() for name, value in zip(names, results)}))
