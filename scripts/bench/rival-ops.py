"""What the rivals of rivals.py make of the op cases that test/onnx/ops/rivals.test.ts writes. Argument: a folder with cases.json and <case>.onnx.
Prints JSON: versions, and for each op and rival how many cases it passed of those tried, and what it said first where it failed. A case passes
when onnxruntime loads the gradient and each number is ours within 1e-3 of the largest."""

import json
import multiprocessing
import pathlib
import sys
import warnings
from importlib.metadata import version

import numpy as np
import onnx
import onnxruntime as ort
from rivals import RIVALS

warnings.filterwarnings("ignore")
import onnx_ad  # noqa: E402, F401
import onnxsim.graph_grad  # noqa: E402, F401

folder = pathlib.Path(sys.argv[1])


def array(t):
    return np.array(t["numbers"], dtype=t["dtype"]).reshape(t["dims"])


def judge(rival, case):
    model = onnx.load(folder / case["file"])
    try:
        made, gradients, seeds = RIVALS[rival](model, case["of"], case["by"])
    except Exception as error:
        return f"refuses: {type(error).__name__}: {error}"
    options = ort.SessionOptions()
    options.log_severity_level = 4
    try:
        session = ort.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
        feeds = {k: array(t) for k, t in case["feeds"].items()}
        for name, t in case["seeds"].items():
            seed = array(t)
            feeds[seeds[name]] = seed[..., None] if rival == "onnx-ad" else seed
        taken = {v.name for v in session.get_inputs()}
        found = session.run(list(gradients.values()), {k: v for k, v in feeds.items() if k in taken})
    except Exception as error:
        return f"does not run: {error}"
    for name, g in zip(gradients, found):
        want = array(case["gradients"][name])
        if g.size != want.size:
            return f"differs: shape {list(g.shape)}, expected {list(want.shape)}"
        off = np.abs(g.reshape(want.shape).astype(np.float64) - want).max(initial=0)
        if not off <= 1e-3 * max(1.0, np.abs(want).max(initial=0)):
            return f"differs: by {off:.2g}"
    return "yes"


def attempt(rival, case, seconds=60):
    """In a process of its own: a peer may crash."""
    ours, theirs = multiprocessing.Pipe(False)
    child = multiprocessing.Process(target=lambda: theirs.send(judge(rival, case)))
    child.start()
    said = ours.recv() if ours.poll(seconds) and child.exitcode in (None, 0) else "no answer"
    child.kill()
    child.join()
    return said


multiprocessing.set_start_method("fork")
ops = {}
for op, cases in json.loads((folder / "cases.json").read_text()).items():
    ops[op] = {}
    for rival in RIVALS:
        said = [attempt(rival, case) for case in cases]
        failed = [s for s in said if s != "yes"]
        first = {"why": " ".join(failed[0].split())[:120]} if failed else {}
        ops[op][rival] = {"passed": said.count("yes"), "tried": len(said), **first}
packages = [*RIVALS, "onnxruntime"]
print(json.dumps({"versions": {p: version(p) for p in packages}, "ops": ops}))
