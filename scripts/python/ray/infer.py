"""Rows of many columns answered by Ray Data: a worker holds one session of the base, and reads the columns that its rows name.
    infer.py FLEET ROWS.npz NAMES.txt OUT.npy [--workers N] [--batch N]     ROWS holds the inputs by name, NAMES a column for each row, one a line"""

import argparse
import json
import pathlib
import sys

import numpy as np
import ray
from fleet import Columns, Fleet
from records import FleetError

parser = argparse.ArgumentParser()
parser.add_argument("fleet")
parser.add_argument("rows")
parser.add_argument("names")
parser.add_argument("out")
parser.add_argument("--workers", type=int, default=2)
parser.add_argument("--batch", type=int, default=256)
options = parser.parse_args()


class Answers:
    def __init__(self, folder):
        self.fleet = Fleet(folder)
        self.columns = Columns(self.fleet)
        self.session = self.fleet.model("required")

    def __call__(self, batch):
        """A run for each column of the batch: answers have the bits of `prognet export --task`."""
        names = batch["column"].astype(str)
        scores = None
        for name in sorted(set(names)):
            rows = np.flatnonzero(names == name)
            inputs = {i: np.ascontiguousarray(batch[i][rows]) for i in self.fleet.about["inputs"]}
            [own] = self.session.run(["scores"], {**inputs, **self.columns.weights(name)})
            scores = np.empty((len(names), *own.shape[1:]), own.dtype) if scores is None else scores
            scores[rows] = own
        return {"row": batch["row"], "scores": scores}


def main():
    fleet = Fleet(options.fleet)
    with np.load(options.rows) as file:
        arrays = {key: file[key] for key in file.files}
    names = pathlib.Path(options.names).read_text().split()
    wanted = fleet.about["inputs"]
    missing = [key for key in wanted if key not in arrays]
    if missing:
        raise FleetError(f'{options.rows}: has no array "{missing[0]}", expected {", ".join(wanted)}')
    unknown = sorted(set(names) - set(fleet.columns()))
    if unknown:
        raise FleetError(f'{options.names}: names the column "{unknown[0]}", expected one of the fleet')
    count = len(names)
    if any(len(arrays[key]) != count for key in wanted):
        raise FleetError(f"{options.names}: has {count} names, expected one for each row of {options.rows}")
    ray.init(include_dashboard=False, log_to_driver=False, num_cpus=options.workers)
    ray.data.DataContext.get_current().enable_progress_bars = False
    rows = [{"row": i, "column": names[i], **{key: arrays[key][i] for key in wanted}} for i in range(count)]
    answered = ray.data.from_items(rows).map_batches(
        Answers, fn_constructor_args=(str(pathlib.Path(options.fleet).resolve()),), batch_size=options.batch, concurrency=options.workers
    )
    found = {row["row"]: row["scores"] for row in answered.iter_rows()}
    np.save(options.out, np.stack([found[i] for i in range(count)]))
    print(json.dumps({"rows": count, "columns": len(set(names))}))


if __name__ == "__main__":
    try:
        main()
    except FleetError as error:
        print(f"fleet: {error}", file=sys.stderr)
        sys.exit(2)
