"""Split Fashion-MNIST by Avalanche's progressive networks, as its documentation shows them: PNN with "mlp" adapters of two layers of 100 (its heads read no
laterals), PNNStrategy, one experience a task. The same rows, steps, batches and optimizer as split.mjs, which must have run.

    .venv-bench/bin/python scripts/continual/split-avalanche.py [--seeds 5] [--each 25,100,6000]     (.venv-bench: sh scripts/bench/setup)
"""

import argparse
import json
import math
import sys
import time
import warnings
from pathlib import Path

import avalanche
import numpy as np
import torch
from avalanche.benchmarks import tensors_benchmark
from avalanche.models import PNN
from avalanche.training.plugins import EvaluationPlugin
from avalanche.training.supervised import PNNStrategy

warnings.filterwarnings("ignore")
here = Path(__file__).resolve().parent
results = here / "results" / "split.json"
folder = here.parents[1] / ".cache" / "continual" / "split"
torch.set_num_threads(1)


def rows(name):
    data = np.fromfile(folder / f"{name}.bin", np.uint8)
    count = len(data) // 785
    images = torch.from_numpy(data[: count * 784].reshape(count, 784).astype(np.float32) / 255)
    return images, torch.from_numpy(data[count * 784 :].astype(np.int64))


def keep(run):
    """A run a line, as kept.mjs writes them."""
    kept = json.loads(results.read_text())
    same = lambda r: (r["by"], r["each"], r["seed"]) == (run["by"], run["each"], run["seed"])  # noqa: E731
    lines = ",\n".join("  " + json.dumps(r, separators=(",", ":")) for r in [*(r for r in kept.pop("runs") if not same(r)), run])
    results.write_text(json.dumps(kept, indent=1)[:-2] + f',\n "runs": [\n{lines}\n ]\n}}\n')


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("--each", default="25,100,6000")
    given = options.parse_args()
    recipe = json.loads(results.read_text())["settings"]["recipe"]
    tasks = range(recipe["tasks"])
    test = [rows(f"test-{task}") for task in tasks]
    for each in map(int, given.each.split(",")):
        for seed in range(given.seeds):
            by = f"Avalanche {avalanche.__version__}"
            if any((r["by"], r["each"], r["seed"]) == (by, each, seed) for r in json.loads(results.read_text())["runs"]):
                continue
            torch.manual_seed(seed)
            train = [rows(f"train-{task}-{each}-{seed}") for task in tasks]
            benchmark = tensors_benchmark(train, test, task_labels=list(tasks))
            model = PNN(num_layers=2, in_features=784, hidden_features_per_column=recipe["width"], adapter="mlp")
            strategy = PNNStrategy(
                model=model,
                optimizer=torch.optim.Adam(model.parameters(), lr=recipe["lr"]),
                train_mb_size=recipe["batch"],
                train_epochs=max(1, round(recipe["steps"] / math.ceil(2 * each / recipe["batch"]))),
                evaluator=EvaluationPlugin(loggers=[]),
            )
            began = time.perf_counter()
            for experience in benchmark.train_stream:
                strategy.train(experience)
            model.eval()
            accuracies = []
            with torch.no_grad():
                for task in tasks:
                    images, classes = test[task]
                    scores = model(images, torch.full((len(images),), task))
                    accuracies.append((scores.argmax(1) == classes).double().mean().item())
            seconds = round(time.perf_counter() - began, 1)
            parameters = sum(p.numel() for p in model.parameters())
            keep({"by": by, "each": each, "seed": seed, "accuracies": accuracies, "parameters": parameters, "seconds": seconds})
            print(f"{each} a class, seed {seed}: {100 * np.mean(accuracies):.2f} %, {parameters:,} parameters, {seconds} s", file=sys.stderr, flush=True)


main()
