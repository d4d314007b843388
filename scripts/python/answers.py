"""An exported model's answers to raw inputs, by Python's onnxruntime: python answers.py MODEL.onnx INPUTS [TASK_ID]. INPUTS is the .npy of its only input, or
a .json of lists by input name, null for what is missing. Prints JSON by output name."""

import json
import sys

import numpy as np
import onnxruntime as ort

model, inputs, *task_id = sys.argv[1:]
session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
if inputs.endswith(".json"):
    given = json.load(open(inputs, encoding="utf-8"))
    types = {
        "tensor(float)": np.float32,
        "tensor(float16)": np.float16,
        "tensor(int64)": np.int64,
        "tensor(int32)": np.int32,
        "tensor(uint8)": np.uint8,
        "tensor(bool)": np.bool_,
        "tensor(string)": object,
    }
    feeds = {i.name: np.array(given[i.name], dtype=types[i.type]) for i in session.get_inputs() if i.name in given}
else:
    [only] = [i for i in session.get_inputs() if i.name != "task_id"]
    feeds = {only.name: np.load(inputs)}
if task_id:
    feeds["task_id"] = np.array([int(task_id[0])])
names = [output.name for output in session.get_outputs()]
results = session.run(names, feeds)
print(json.dumps({name: value.tolist() for name, value in zip(names, results)}))
