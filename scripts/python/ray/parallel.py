"""Trains one column on several workers of Ray: each computes the gradients of its part of every minibatch, all exchange them, and each takes the same step.
    parallel.py FLEET NAME DATA.npz [--workers N] [--epochs N] [--dry-run]
Prints the mean loss of each epoch, and what one process gives."""

import argparse
import json
import pathlib
import sys
import time

import numpy as np
import ray
from records import FleetError
from training import Data, Training, scalars

parser = argparse.ArgumentParser()
parser.add_argument("fleet")
parser.add_argument("name")
parser.add_argument("data")
parser.add_argument("--workers", type=int, default=2)
parser.add_argument("--epochs", type=int)
parser.add_argument("--dry-run", action="store_true", help="writes no column")
options = parser.parse_args()


@ray.remote(num_cpus=1)
class Worker:
    """Holds weights and optimizer state of its own: those of all workers stay the same, bit for bit."""

    def __init__(self, fleet, file):
        self.training = Training(fleet)
        about = self.training.about
        self.data = Data(file, about)
        inputs, self.targets = self.data.part(self.data.train)
        self.given = {**self.training.feeds(inputs), **self.training.taps(inputs)}
        self.state = self.training.start()
        self.names = [w["name"] for w in about["weights"]]
        self.gradient, self.update = self.training.session("gradient"), self.training.session("update")
        self.takes = {i.name for i in self.gradient.get_inputs()}

    def gradients(self, rows, share):
        """Loss and gradients of these rows, times their share of the minibatch, in one vector."""
        feeds = {k: v[rows] for k, v in self.given.items() if k in self.takes}
        weights = {n: self.state[n] for n in self.names}
        wanted = ["step/loss"] + [f"{n}/gradient" for n in self.names]
        values = self.gradient.run(wanted, {**feeds, **weights, "step/targets": self.targets[rows]})
        return np.concatenate([v.reshape(-1) for v in values]) * np.float32(share)

    def step(self, row, *parts):
        """All parts summed in one order on every worker, and the update; gives the loss."""
        total = parts[0].copy()
        for part in parts[1:]:
            total += part
        feeds, at = {**self.state, "step/scalars": np.array(row, np.float32)}, 1
        for name in self.names:
            size = self.state[name].size
            feeds[f"{name}/gradient"] = total[at : at + size].reshape(self.state[name].shape)
            at += size
        outputs = [f"{n}/next" for n in self.state]
        self.state = dict(zip(self.state, self.update.run(outputs, feeds)))
        return float(total[0])

    def weights(self):
        return {n: self.state[n] for n in self.training.fleet.weights}


def main():
    training = Training(options.fleet)
    about = training.about
    if "apart" in about or not (training.folder / "gradient.onnx").exists():
        raise FleetError(f"{options.fleet}: {about.get('apart', 'has no gradient.onnx')}, expected a column whose rows do not follow from each other")
    if len(about["targets"]["shape"]) > 0 and about["metric"] == "accuracy" or "weights" in json.dumps(about["loss"]):
        raise FleetError(f"{options.fleet}: its loss weighs rows, expected a mean over rows that count the same")
    data = Data(options.data, about)
    fleet, file = (str(pathlib.Path(p).resolve()) for p in (options.fleet, options.data))
    if not options.dry_run and training.finished(options.name, data):
        raise FleetError(f"columns/{options.name}.safetensors: is there already, expected another name")
    ray.init(include_dashboard=False, log_to_driver=False, num_cpus=options.workers)
    begun = time.perf_counter()
    workers = [Worker.remote(fleet, file) for _ in range(options.workers)]
    epochs, step, history = options.epochs or about["epochs"], 0, []
    for epoch in range(epochs):
        losses = []
        for orders in training.minibatches(len(data.train), epoch):
            for order in orders:
                step += 1
                shards = [s for s in np.array_split(order, len(workers)) if len(s) > 0]
                parts = [w.gradients.remote(s, len(s) / len(order)) for w, s in zip(workers, shards)]
                row = scalars(about["optimizer"], about["rate"], step)
                losses.append([w.step.remote(row, *parts) for w in workers][0])
        history.append(float(np.mean(ray.get(losses))))
    all_weights = ray.get([w.weights.remote() for w in workers])
    same = all(a[n].tobytes() == all_weights[0][n].tobytes() for a in all_weights for n in a)
    seconds = time.perf_counter() - begun
    _, alone = training.train(data, training.taps(data.part(data.train)[0]), epochs)
    if not options.dry_run:
        training.freeze(options.name, data, all_weights[0], history, seconds)
    difference = max(abs(a - b) for a, b in zip(history, alone))
    print(json.dumps({"workers": len(workers), "same": same, "history": history, "alone": alone, "difference": difference}))


if __name__ == "__main__":
    try:
        main()
    except FleetError as error:
        print(f"fleet: {error}", file=sys.stderr)
        sys.exit(2)
