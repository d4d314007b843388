"""One step of a gradient of gradient-size.mjs in onnxruntime. Arguments: model, what gradient-size.py wrote, and what the outputs and seeds are
called (JSON). Prints JSON: nodes and bytes of the file without its weights, seconds of the processor in the best of three steps on one
thread, how far its gradients are from PyTorch's of float64 (`farthest`), and what PyTorch's own float32 takes and differs."""

import json
import os
import sys
import time

import numpy as np
import onnx
import onnxruntime as ort
from rivals import farthest, nodes

path, arrays, called = sys.argv[1:]
called = json.loads(called)
options = ort.SessionOptions()
options.log_severity_level = 4
options.intra_op_num_threads = 1
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
        began = time.process_time()
        results = session.run(list(called["gradients"].values()), feeds)
        turns.append(time.process_time() - began)
    want = {name: torch[f"grad/{name}"] for name in called["gradients"]}
    difference = farthest(want, dict(zip(want, results)))
    found |= {"step": min(turns), "difference": difference, "torch": float(torch["seconds"]), "torchDifference": float(torch["difference"])}
print(json.dumps(found))
