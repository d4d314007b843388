"""A rival's side of gradient-size.mjs. Arguments: rival, model, the names to differentiate by in a file, where to write. Prints JSON: seconds of the processor and
peak memory of loading, differentiating and saving, or what was raised."""

import json
import resource
import sys
import time

import onnx
from rivals import RIVALS

rival, path, names, out = sys.argv[1:]
with open(names) as lines:
    by = lines.read().split("\n")
began = time.process_time()
try:
    made, gradients, seeds = RIVALS[rival](onnx.load(path), ["loss"], by)
    onnx.save(made, out, save_as_external_data=True, location=out.split("/")[-1] + ".data")
    found = {"gradients": gradients, "seeds": seeds}
except Exception as error:
    found = {"raised": " ".join(f"{type(error).__name__}: {error}".split())[:160]}
found["seconds"] = time.process_time() - began
found["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps(found))
