"""Contestant: a training step of a first column in PyTorch. Arguments: dense | conv | lstm | encoder, default | foreach | fused (the form of Adam)."""

import sys
import time

import torch
from torch.nn import functional as F

from harness import mnist, serve
from networks import adam, first_column

kind, form = sys.argv[1:3]
steps, batch = {"dense": (200, 128), "encoder": (8, 32)}.get(kind, (50, 128))
torch.set_num_threads(2)
torch.manual_seed(0)
model = first_column(kind)
optimizer = adam(model.parameters(), form)
images, labels = (torch.from_numpy(a) for a in mnist(steps * batch))


def measure():
    order = torch.randperm(len(labels))
    total = 0.0
    started = time.perf_counter()
    for i in range(steps):
        rows = order[i * batch : (i + 1) * batch]
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        loss.backward()
        optimizer.step()
        total += loss.item()
    return {"ms": (time.perf_counter() - started) * 1000 / steps, "loss": total / steps}


serve({"engine": f"torch {torch.__version__}"}, measure)
