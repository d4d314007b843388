"""A-GEM's recipe on permuted MNIST in PyTorch: progressive columns 784-256-256-10 by equation 1 of the paper, one epoch, batches of 10, SGD 0.1, PyTorch's own
first weights. Adds its accuracies to results/agem.json, where a run that was broken off goes on.

    .venv-bench/bin/python scripts/continual/permuted-torch.py [--seeds 5] [--tasks 17]     (.venv-bench: sh scripts/bench/setup)
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

here = Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent / "bench"))
from harness import DATA  # noqa: E402

results = here / "results" / "agem.json"
torch.set_num_threads(1)


def part(name, rows):
    images = np.fromfile(f"{DATA}/{name}-images-idx3-ubyte", np.uint8, 16 + rows * 784)[16:]
    labels = np.fromfile(f"{DATA}/{name}-labels-idx1-ubyte", np.uint8, 8 + rows)[8:]
    return torch.from_numpy(images.reshape(rows, 784).astype(np.float32) / 255), torch.from_numpy(labels.astype(np.int64))


class Column(nn.Module):
    """Each block takes the one before it, and by a matrix without bias what each earlier column has there."""

    def __init__(self, earlier):
        super().__init__()
        self.own = nn.ModuleList([nn.Linear(784, 256), nn.Linear(256, 256), nn.Linear(256, 10)])
        self.laterals = nn.ModuleList(
            nn.ModuleList(nn.Linear(256, width, bias=False) for _ in range(earlier)) for width in (256, 10)
        )

    def forward(self, x, taps):
        """`taps`: of each earlier column the outputs of its two blocks. Gives its own two and the scores."""
        first = F.relu(self.own[0](x))
        second = self.own[1](first) + sum(u(tap[0]) for u, tap in zip(self.laterals[0], taps))
        second = F.relu(second)
        scores = self.own[2](second) + sum(u(tap[1]) for u, tap in zip(self.laterals[1], taps))
        return first, second, scores


def taps_of(columns, x):
    taps = []
    with torch.no_grad():
        for column in columns:
            taps.append(column(x, taps)[:2])
    return taps


def train(column, columns, images, labels):
    """One epoch. Taps of the frozen columns are computed for 6,000 rows at a time: they are the same in any batch."""
    optimizer = torch.optim.SGD(column.parameters(), lr=0.1)
    order = torch.randperm(len(labels))
    for start in range(0, len(order), 6000):
        rows = order[start : start + 6000]
        x, y = images[rows], labels[rows]
        taps = taps_of(columns, x)
        for i in range(0, len(rows), 10):
            part = slice(i, i + 10)
            optimizer.zero_grad(set_to_none=True)
            F.cross_entropy(column(x[part], [(a[part], b[part]) for a, b in taps])[2], y[part]).backward()
            optimizer.step()


def keep(run):
    """A run a line, as kept.mjs writes them."""
    kept = json.loads(results.read_text())
    runs = [r for r in kept.pop("runs") if (r["by"], r["seed"], r["task"]) != (run["by"], run["seed"], run["task"])] + [run]
    lines = ",\n".join("  " + json.dumps(r, separators=(",", ":")) for r in runs)
    results.write_text(json.dumps(kept, indent=1)[:-2] + f',\n "runs": [\n{lines}\n ]\n}}\n')


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("--tasks", type=int, default=17)
    given = options.parse_args()
    train_part, test_part = part("train", 60000), part("t10k", 10000)
    by = f"PyTorch {torch.__version__.split('+')[0]}"
    for seed in range(given.seeds):
        done = {(r["by"], r["seed"], r["task"]) for r in json.loads(results.read_text())["runs"]}
        if all((by, seed, task) in done for task in range(given.tasks)):
            continue
        torch.manual_seed(seed)
        columns = []
        for task in range(given.tasks):
            order = torch.arange(784) if task == 0 else torch.randperm(784)
            began = time.perf_counter()
            column = Column(len(columns))
            train(column, columns, train_part[0][:, order], train_part[1])
            images = test_part[0][:, order]
            with torch.no_grad():
                scores = column(images, taps_of(columns, images))[2]
            accuracy = (scores.argmax(1) == test_part[1]).double().mean().item()
            columns.append(column.requires_grad_(False))
            seconds = round(time.perf_counter() - began, 1)
            keep({"by": by, "seed": seed, "task": task, "accuracy": accuracy, "seconds": seconds})
            print(f"seed {seed}, task {task}: {100 * accuracy:.2f} %, {seconds} s", file=sys.stderr, flush=True)


main()
