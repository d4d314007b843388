"""Trains a column for each customer as tasks of Ray: the taps of the base once by Ray Data, then the columns in parallel, each a file of the fleet.
    train.py FLEET DATA [--jobs N]     DATA holds NAME.npz, or a folder NAME of .npy files: arrays of the inputs by name and `targets`
The columns are those of `prognet fleet train`, bit for bit. Columns that are there are left as they are: who was stopped begins again. Prints a line for each column, and at the end a document."""

import argparse
import io
import json
import pathlib
import sys
import time

import numpy as np
from lock import locked
from records import FleetError, sha256, write_whole
from training import Data, Training, customers

parser = argparse.ArgumentParser()
parser.add_argument("fleet")
parser.add_argument("data")
parser.add_argument("--jobs", type=int, help="columns that are trained at one time (default: as many as there are cores)")
parser.add_argument("--alone", action="store_true", help="in this process, without Ray")
options = parser.parse_args()


def main():
    training = Training(options.fleet)
    files = customers(options.data)
    fleet = str(pathlib.Path(options.fleet).resolve())
    base = "-".join(hash[:16] for hash in training.fleet.about["sources"].values())
    work = pathlib.Path(fleet) / "training" / "taps" / base
    done = []
    begun = time.perf_counter()

    def tell(found):
        done.append(found)
        print(f"{found['name']} {'trained' if found['trained'] else 'was there'}", file=sys.stderr, flush=True)

    with locked(fleet):
        todo = [(name, str(path)) for name, path in files.items() if not training.fleet.path(name).exists()]
        for name, path in files.items():
            if training.fleet.path(name).exists():
                training.finished(name, Data(path, training.about))
        if options.alone:
            for name, file in todo:
                tell(training.column(name, file))
        elif todo:
            by_ray(fleet, work, todo, tell)
    trained = sum(found["trained"] for found in done)
    seconds = time.perf_counter() - begun
    print(json.dumps({"columns": len(files), "trained": trained, "there": len(files) - trained, "seconds": seconds}))


def digest(path):
    """Of the bytes of a customer's file, or of the files of the folder."""
    parts = sorted(path.iterdir()) if path.is_dir() else [path]
    return sha256("".join(sha256(part.read_bytes()) for part in parts).encode())


def by_ray(fleet, work, todo, tell):
    import ray

    class Taps:
        """An actor of Ray Data with one session of the base."""

        def __init__(self, folder):
            self.training = Training(folder)

        def __call__(self, batch):
            for file, kept in zip(batch["file"], batch["kept"]):
                if pathlib.Path(kept).exists():
                    continue
                data = Data(file, self.training.about)
                taps = self.training.taps(data.part(data.train)[0])
                buffer = io.BytesIO()
                np.savez(buffer, **{str(i): v for i, v in enumerate(taps.values())})
                write_whole(pathlib.Path(kept), buffer.getvalue())
            return {"name": batch["name"]}

    trainings = {}

    # A worker that is killed takes its task with it, which Ray gives to another.
    @ray.remote(num_cpus=1, max_retries=5)
    def train(folder, name, file, kept):
        if folder not in trainings:
            trainings[folder] = Training(folder)
        training = trainings[folder]
        with np.load(kept) as stored:
            taps = {tap: stored[str(i)] for i, tap in enumerate(training.about["taps"])}
        return training.column(name, file, taps)

    ray.init(include_dashboard=False, log_to_driver=False, num_cpus=options.jobs)
    ray.data.DataContext.get_current().enable_progress_bars = False
    rows = [{"name": name, "file": file, "kept": str(work / f"{name}-{digest(pathlib.Path(file))[:16]}.npz")} for name, file in todo]
    taps = ray.data.from_items(rows).map_batches(Taps, fn_constructor_args=(fleet,), batch_size=16, concurrency=1)
    if len({row["name"] for row in taps.iter_rows()}) != len(rows):
        raise FleetError(f"{fleet}: Ray Data gave taps of fewer columns than were asked, expected {len(rows)}")
    pending = [train.remote(fleet, row["name"], row["file"], row["kept"]) for row in rows]
    while pending:
        [ready], pending = ray.wait(pending, num_returns=1)
        tell(ray.get(ready))
    for row in rows:
        pathlib.Path(row["kept"]).unlink(missing_ok=True)


if __name__ == "__main__":
    try:
        main()
    except FleetError as error:
        print(f"fleet: {error}", file=sys.stderr)
        sys.exit(2)
