"""Writes the .parquet files beside it, as pandas and pyarrow write them: python make.py (pandas 2.3, pyarrow 22 or later)."""

from pathlib import Path

import numpy as np
import pandas as pd

folder = Path(__file__).parent
people = pd.DataFrame(
    {
        "age": [31.0, None, 47.0, 25.0],
        "member": [True, False, True, True],
        "visits": np.array([1, 2, 3, 2**40], dtype=np.int64),
        "city": ["Bern", "Zürich", "Bern", None],
        "height": np.array([1.5, 1.75, 1.25, 2.0], dtype=np.float32),
        "kind": ["no", "yes", "no", "yes"],
    }
)
for codec in ["snappy", "gzip", "zstd", "none"]:
    people.to_parquet(folder / f"people-{codec}.parquet", compression=None if codec == "none" else codec)
people.drop(columns="city").set_index(pd.Index(list("abcd"))).to_parquet(folder / "indexed.parquet")
pd.DataFrame({"when": pd.to_datetime(["2026-01-01", "2026-01-02"]), "y": [0, 1]}).to_parquet(folder / "dates.parquet")
pd.DataFrame({"list": [[1, 2], [3]], "y": [0, 1]}).to_parquet(folder / "lists.parquet")
