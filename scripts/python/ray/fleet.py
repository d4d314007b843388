"""A fleet's folder in Python, by ONNX Runtime and numpy alone: its columns as files, and a session of its base."""

import collections
import datetime
import json
import os
import pathlib
import re

import numpy as np
import onnxruntime as ort
from records import FleetError, read_tensors, sha256, stable_json, write_tensors, write_whole

# Where cores are few and busy, a worker of Ray takes its time to come up.
os.environ.setdefault("RAY_worker_register_timeout_seconds", "300")

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}")


def session(path, threads=1):
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class Fleet:
    """fleet.json, and the columns that are read of the folder."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        try:
            self.about = json.loads((self.folder / "fleet.json").read_text())
        except (OSError, ValueError):
            raise FleetError(f"{folder}: no fleet.json, expected what prognet export --fleet writes") from None
        self.weights = {w["name"]: tuple(w["shape"]) for w in self.about["weights"]}

    def path(self, name):
        if not NAME.fullmatch(name):
            raise FleetError(f'{self.folder}: "{name}" is no name of a column, expected a letter, then letters, digits, "_" or "-"')
        return self.folder / "columns" / f"{name}.safetensors"

    def columns(self):
        return sorted(p.stem for p in (self.folder / "columns").glob("*.safetensors") if NAME.fullmatch(p.stem))

    def model(self, form, threads=1):
        file = {"required": "model.onnx", "stacked": "stacked.onnx"}[form]
        if form not in self.about["models"]:
            raise FleetError(f"{self.folder}: this fleet has no {form} form, {self.about.get('unstacked')}")
        path = self.folder / file
        if sha256(path.read_bytes()) != self.about["models"][form]:
            raise FleetError(f"{path}: was changed, expected the file that fleet.json names")
        return session(path, threads)

    def column(self, name):
        """The weights of a column by the names of the models' inputs, and its record, checked as prognet checks them."""
        path = self.path(name)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise FleetError(f'{self.folder}: no column "{name}" in this fleet, expected {path.name} in columns') from None
        tensors, metadata = read_tensors(data, path)
        try:
            record = json.loads(metadata["column"])
        except (KeyError, ValueError):
            raise FleetError(f"{path}: has no record of a column, expected a column of a fleet") from None
        found = sha256(stable_json({k: v for k, v in record.items() if k != "self"}).encode())
        if record.get("self") != found:
            raise FleetError(f"{path}: its record was changed, sha256 {found[:12]}.., expected {str(record.get('self'))[:12]}..")
        if record["task"] != name:
            raise FleetError(f'{path}: holds the column "{record["task"]}", expected "{name}", as the file is called')
        if record["description"] != self.about["column"] or record["sources"] != self.about["sources"]:
            raise FleetError(f"{path}: is a column of another shape or over another base, expected one of this fleet")
        shapes = {key: tensor.shape for key, tensor in tensors.items()}
        if shapes != self.weights:
            raise FleetError(f"{path}: its weights are {shapes}, expected {self.weights}")
        found = sha256(write_tensors({own_name(name, k): t for k, t in tensors.items()}, {"producer": "prognet", "task": name}))
        if record["sha256"]["weights"] != found:
            raise FleetError(f"{path}: its weights were changed, sha256 {found[:12]}.., expected {record['sha256']['weights'][:12]}..")
        return tensors, record

    def write_column(self, name, tensors, record):
        """An ordinary column file, with the hashes of its weights and of its record."""
        ordered = {key: np.ascontiguousarray(tensors[key], np.float32).reshape(shape) for key, shape in self.weights.items()}
        own = write_tensors({own_name(name, k): t for k, t in ordered.items()}, {"producer": "prognet", "task": name})
        record = {
            **record,
            "format": 1,
            "task": name,
            "description": self.about["column"],
            "sources": self.about["sources"],
            "sha256": {"weights": sha256(own), "graph": self.about["models"]["required"]},
            "createdAt": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
        }
        record["self"] = sha256(stable_json(record).encode())
        metadata = {"producer": "prognet", "task": name, "column": stable_json(record)}
        adapter = ort.AdapterFormat()
        adapter.set_adapter_version(1)
        adapter.set_model_version(1)
        # ONNX Runtime's adapters hold no scalars.
        values = {k: ort.OrtValue.ortvalue_from_numpy(t.reshape(t.shape or (1,))) for k, t in ordered.items()}
        adapter.set_parameters(values)
        target = self.folder / "adapters" / f"{name}.onnx_adapter"
        target.parent.mkdir(exist_ok=True)
        temporary = target.with_name(f".{name}.{os.getpid()}")
        adapter.export_adapter(str(temporary))
        os.replace(temporary, target)
        write_whole(self.path(name), write_tensors(ordered, metadata))
        return record


def own_name(task, name):
    return f"{task}{name[len('column'):]}"


class Columns:
    """Columns in memory, least recently used first to go; those whose files were replaced are read anew."""

    def __init__(self, fleet, most=1024):
        self.fleet, self.most = fleet, most
        self.held = collections.OrderedDict()

    def weights(self, name):
        path = self.fleet.path(name)
        try:
            stat = path.stat()
            seen = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        except FileNotFoundError:
            seen = None
        known = self.held.get(name)
        if known is None or known[0] != seen:
            known = (seen, self.fleet.column(name)[0])
        self.held[name] = known
        self.held.move_to_end(name)
        while len(self.held) > self.most:
            self.held.popitem(last=False)
        return known[1]
