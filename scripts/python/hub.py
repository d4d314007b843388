"""Writes small datasets as Hugging Face's library does, on the disk (Arrow) and for its hub (Parquet): images of classes, texts, a table.
    .venv-text/bin/python scripts/python/hub.py FOLDER
Pixel v of image i is 10 * i + v."""

import pathlib
import sys

import datasets
from datasets import ClassLabel, Dataset, DatasetDict, Features, Image, Value
from PIL import Image as Picture

datasets.disable_progress_bars()
target = pathlib.Path(sys.argv[1])


def write(name: str, features: Features, parts: dict[str, dict], shards: int = 1) -> None:
    made = DatasetDict({part: Dataset.from_dict(rows, features=features) for part, rows in parts.items()})
    made.save_to_disk(target / name, num_shards={part: shards if part == "train" else 1 for part in parts})
    for part, rows in made.items():
        file = target / f"{name}-hub" / "data" / f"{part}-00000-of-00001.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        rows.to_parquet(file)


def picture(i: int) -> Picture.Image:
    return Picture.frombytes("RGB", (3, 2), bytes(10 * i + v for v in range(18)))


write(
    "images",
    Features({"image": Image(), "label": ClassLabel(names=["dog", "cat"])}),
    {"train": {"image": [picture(i) for i in range(5)], "label": [0, 1, 1, 1, 0]}, "test": {"image": [picture(5), picture(6)], "label": [1, 0]}},
    shards=2,
)
write(
    "texts",
    Features({"text": Value("string"), "title": Value("string"), "label": ClassLabel(names=["sailing", "cooking"])}),
    {
        "train": {"text": ["the sea", "a pan", "the tide", "soup"], "title": ["a", "b", "c", "d"], "label": [0, 1, 0, 1]},
        "test": {"text": ["sea sea", "pan"], "title": ["e", "f"], "label": [0, 1]},
    },
    shards=2,
)
write(
    "table",
    Features({"age": Value("int32"), "pay": Value("float64"), "city": Value("string"), "ok": Value("bool"), "left": ClassLabel(names=["stays", "leaves"])}),
    {"train": {"age": [30, 40, None], "pay": [1.5, 2.5, 3.5], "city": ["Bern", "Basel", "Bern"], "ok": [True, False, True], "left": [1, 0, 1]}},
)
Dataset.from_dict({"text": ["one", "two"], "label": [0, 1]}).save_to_disk(target / "plain")
Dataset.from_dict({"words": [["a"], ["b", "c"]], "label": [0, 1]}).save_to_disk(target / "lists")
print("{}")
