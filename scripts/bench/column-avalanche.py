"""Contestant: the last column by Avalanche as its documentation shows it: PNN with "mlp" adapters (two hidden layers; its heads read no
laterals), PNNStrategy, one experience per task. Arguments: count, rows, epochs, width."""

import sys
import time
import warnings

import torch
from avalanche.benchmarks import tensors_benchmark
from avalanche.models import PNN
from avalanche.training.plugins import EvaluationPlugin
from avalanche.training.supervised import PNNStrategy

from harness import mnist, serve

warnings.filterwarnings("ignore")
count, rows, epochs, width = (int(a) for a in sys.argv[1:5])
torch.set_num_threads(2)
torch.manual_seed(0)
images, labels = (torch.from_numpy(a) for a in mnist(rows))


def measure():
    # The earlier tasks see a few rows: their columns must be there, not good.
    train = [(images[:256], labels[:256])] * (count - 1) + [(images, labels)]
    benchmark = tensors_benchmark(train, train, task_labels=list(range(count)))
    model = PNN(num_layers=2, in_features=784, hidden_features_per_column=width, adapter="mlp")
    strategy = PNNStrategy(
        model=model,
        optimizer=torch.optim.Adam(model.parameters(), lr=1e-3),
        train_mb_size=128,
        train_epochs=1,
        evaluator=EvaluationPlugin(loggers=[]),
    )
    *earlier, last = benchmark.train_stream
    for experience in earlier:
        strategy.train(experience)
    strategy.train_epochs = epochs
    started = time.perf_counter()
    strategy.train(last)
    return {"ms": (time.perf_counter() - started) * 1000}


import avalanche  # noqa: E402

serve({"engine": f"avalanche-lib {avalanche.__version__}"}, measure)
