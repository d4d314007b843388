"""One step of a gradient of gradient-size.mjs in onnxruntime. Arguments: model, what gradient-size.py wrote, and what the outputs and seeds are
called (JSON). Prints JSON: nodes and bytes of the file without its weights, seconds of the best of three steps, and the largest difference of an
element from PyTorch's, in parts of the largest of its tensor (of 1e-5 of the largest of all, where that is more: some are 0 but for rounding)."""

import json
import os
import sys
import time

import numpy as np
import onnx
import onnxruntime as ort
from rivals import nodes

path, arrays, called = sys.argv[1:]
called = json.loads(called)
options = ort.SessionOptions()
options.log_severity_level = 4
bare = onnx.load(path, load_external_data=False)
found = {"nodes": nodes(bare.graph), "bytes": os.path.getsize(path)}
with np.load(arrays) as torch:
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feeds = {}
    weights = None
    for v in session.get_inputs():
        if v.name in torch.files:
            feeds[v.name] = torch[v.name]
        elif v.name in called["seeds"].values():
            feeds[v.name] = np.ones([1 if isinstance(d, str) else d for d in v.shape], np.float32)
        else:
            if weights is None:
                weights = {t.name: t for t in onnx.load(called["model"]).graph.initializer}
            feeds[v.name] = onnx.numpy_helper.to_array(weights[v.name])
    turns = []
    for _ in range(3):
        began = time.perf_counter()
        results = session.run(list(called["gradients"].values()), feeds)
        turns.append(time.perf_counter() - began)
    want = {name: torch[f"grad/{name}"] for name in called["gradients"]}
    floor = 1e-5 * max(np.abs(g).max() for g in want.values())
    off = 0.0
    for (name, g), r in zip(want.items(), results):
        off = max(off, float(np.abs(r.reshape(g.shape) - g).max() / max(np.abs(g).max(), floor)))
    found |= {"step": min(turns), "difference": off, "torch": float(torch["seconds"])}
print(json.dumps(found))
