"""Contestant: the same as column-prognet.mjs in PyTorch: frozen columns in eval mode under no_grad, fused Adam. Arguments as there."""

import sys
import time

import torch
from torch.nn import functional as F

from harness import mnist, serve
from networks import Column, adam

kind = sys.argv[1]
count, rows, epochs = (int(a) for a in sys.argv[2:5])
torch.set_num_threads(2)
torch.manual_seed(0)
images, labels = (torch.from_numpy(a) for a in mnist(rows))
batch = 128


def measure():
    frozen = [Column(kind, i).eval().requires_grad_(False) for i in range(count - 1)]
    column = Column(kind, count - 1)
    started = time.perf_counter()
    optimizer = adam(column.parameters(), "fused")
    for _ in range(epochs):
        order = torch.randperm(rows)
        total = 0.0
        for at in range(0, rows, batch):
            chosen = order[at : at + batch]
            x, y = images[chosen], labels[chosen]
            with torch.no_grad():
                taps = []
                for earlier in frozen:
                    taps.append(earlier.taps(x, taps))
            optimizer.zero_grad(set_to_none=True)
            loss = F.cross_entropy(column(x, taps), y)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(chosen)
    return {"ms": (time.perf_counter() - started) * 1000, "loss": total / rows}


serve({"engine": f"torch {torch.__version__}"}, measure)
