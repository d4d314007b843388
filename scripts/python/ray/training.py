"""The training of a fleet's columns in Python, from the graphs of training/ and each customer's rows. Its bits are those of prognet fleet train."""

import hashlib
import json
import math
import pathlib
import time
import zipfile

import numpy as np
import onnxruntime as ort
from fleet import NAME, Fleet, session
from records import FleetError, read_tensors, sha256


def scalars(options, rate, step):
    """What a step's update takes, computed in float64 as prognet does."""
    if not options["kind"].startswith("adam"):
        return [rate]
    beta1, beta2 = options.get("beta1", 0.9), options.get("beta2", 0.999)
    decay = options.get("weightDecay", 0.01 if options["kind"] == "adamw" else 0)
    c = math.sqrt((1 - beta2**step) / (1 - beta2))
    return [rate * (1 - beta1) * c / (1 - beta1**step), options.get("epsilon", 1e-8) * c, 1 - rate * decay]


class Random:
    """prognet's streams: FNV-1a over the JSON of a seed and labels, then xoroshiro128+. The same labels give the same numbers there and here."""

    def __init__(self, seed, *labels):
        h = 0x811C9DC5
        for c in json.dumps([seed, *labels], separators=(",", ":")):
            h = (h ^ ord(c)) * 0x01000193 & 0xFFFFFFFF
        h = (h ^ h >> 16) * 0x85EBCA6B & 0xFFFFFFFF
        h = (h ^ h >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
        h ^= h >> 16
        self.a, self.b = 0xFFFFFFFF << 32 | h ^ 0xFFFFFFFF, h << 32
        for _ in range(8):
            self.uint32()

    def uint32(self):
        a, b = self.a, self.b
        c = a ^ b
        self.a = ((a << 24 | a >> 40) ^ c ^ c << 16) & 0xFFFFFFFFFFFFFFFF
        self.b = (c << 37 | c >> 27) & 0xFFFFFFFFFFFFFFFF
        return a + b & 0xFFFFFFFF

    def below(self, n):
        return math.floor(((self.uint32() >> 5) * 67108864 + (self.uint32() >> 6)) / 9007199254740992 * n)

    def permutation(self, n):
        p = list(range(n))
        for i in range(n - 1, 0, -1):
            j = self.below(i + 1)
            p[i], p[j] = p[j], p[i]
        return p


def fingerprint(inputs, targets):
    digest = hashlib.sha256()
    for array in [*inputs, targets]:
        digest.update(f'["{array.dtype}",[{",".join(map(str, array.shape))}]]\n'.encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


class Data:
    """The rows of one customer: NAME.npz, or a folder NAME of .npy files, with an array for each input and `targets`. Every fifth row is held back as test data."""

    def __init__(self, path, about):
        wanted = [i["name"] for i in about["inputs"]] + ["targets"]
        arrays = self.arrays(pathlib.Path(path), wanted)
        count = len(arrays["targets"])
        if count < 10 or any(len(array) != count for array in arrays.values()):
            raise FleetError(f"{path}: has {', '.join(f'{n} {len(a)}' for n, a in arrays.items())} rows, expected 10 or more, as many of each")
        self.inputs = {i["name"]: self.fitting(path, arrays[i["name"]], i) for i in about["inputs"]}
        self.targets = self.answers(path, arrays["targets"], about)
        test = np.arange(count) % 5 == 4
        self.test, self.train = np.flatnonzero(test), np.flatnonzero(~test)

    @staticmethod
    def arrays(path, wanted):
        missing = lambda name: FleetError(f'{path}: has no array "{name}", expected {", ".join(wanted)}')
        try:
            if path.is_dir():
                return {name: np.load(path / f"{name}.npy", allow_pickle=False) for name in wanted}
            with np.load(path, allow_pickle=False) as file:
                for name in wanted:
                    if name not in file.files:
                        raise missing(name)
                return {name: file[name] for name in wanted}
        except FileNotFoundError as error:
            raise missing(pathlib.Path(error.filename).stem) from None
        except (ValueError, OSError, zipfile.BadZipFile) as error:
            raise FleetError(f"{path}: is no .npz of arrays, {str(error).splitlines()[0]}") from None

    @staticmethod
    def fitting(path, array, wanted):
        """An input in its own dtype, where none of its numbers changes its meaning by that."""
        name, dtype, shape = wanted["name"], np.dtype(wanted["dtype"]), wanted["shape"]
        # Bytes would be divided by 255 elsewhere: nobody could tell which scale was meant.
        bytes_alone = (array.dtype == np.uint8) == (dtype == np.uint8)
        if array.dtype.kind not in "fiub" or not bytes_alone or (array.dtype.kind == "f" and dtype.kind != "f"):
            raise FleetError(f'{path}: "{name}" is {array.dtype}, expected {dtype}')
        if list(array.shape[1:]) != shape:
            raise FleetError(f'{path}: a row of "{name}" has shape {list(array.shape[1:])}, expected {shape}')
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise FleetError(f'{path}: "{name}" holds NaN or infinity, expected finite numbers')
        most = wanted.get("vocabulary")
        if most is not None and ((array < 0) | (array >= most)).any():
            raise FleetError(f'{path}: "{name}" holds {array[(array < 0) | (array >= most)][0]}, expected an id of the tokenizer, 0..{most - 1}')
        return np.ascontiguousarray(array, dtype)

    @staticmethod
    def answers(path, array, about):
        """Targets as the head takes them."""
        dtype, shape, head = np.dtype(about["targets"]["dtype"]), about["targets"]["shape"], about["head"]
        if array.dtype.kind not in ("iu" if dtype.kind == "i" else "fiu"):
            raise FleetError(f'{path}: "targets" is {array.dtype}, expected {dtype}')
        if list(array.shape[1:]) != shape and array.shape[1:] + tuple(shape) != (1,):
            raise FleetError(f'{path}: a row of "targets" has shape {list(array.shape[1:])}, expected {shape}')
        given = np.ascontiguousarray(array, dtype).reshape(len(array), *shape)
        if head["kind"] == "classify":
            wrong = given[((given < 0) | (given >= head["classes"])) & ~((given == -100) & (len(shape) > 0))]
            if len(wrong) > 0:
                raise FleetError(f'{path}: "targets" holds {wrong[0]}, expected 0..{head["classes"] - 1}')
        elif "each" not in head and not np.isfinite(given).all():
            raise FleetError(f'{path}: "targets" holds NaN or infinity, expected finite numbers')
        return given

    def part(self, rows):
        return {n: a[rows] for n, a in self.inputs.items()}, self.targets[rows]


def customers(folder):
    """The files and folders of a folder of data by the names of their columns."""
    found = {}
    for path in sorted(pathlib.Path(folder).resolve().iterdir()):
        if path.suffix in (".csv", ".tsv", ".parquet") and path.is_file():
            raise FleetError(f"{path}: tables are read by prognet fleet train alone, expected NAME.npz, or a folder NAME of .npy files")
        if path.name.startswith(".") or not (path.suffix == ".npz" or path.is_dir()):
            continue
        name = path.name if path.is_dir() else path.stem
        if not NAME.fullmatch(name) or name in found:
            raise FleetError(f'{path}: "{name}" is {"there twice" if name in found else "no name of a column"}, expected one file or folder for each column')
        found[name] = path
    if not found:
        raise FleetError(f"{folder}: holds no data of customers, expected NAME.npz, or a folder NAME of .npy files, for each column")
    return found


# Rows that one run takes, as prognet has it: the bits of a product may depend on their number.
ROWS = 500


def in_runs(run, feeds, names):
    """Outputs by name over all rows, by runs of so many."""
    count = len(next(iter(feeds.values())))
    parts = [run(names, {k: v[at : at + ROWS] for k, v in feeds.items()}) for at in range(0, count, ROWS)]
    return [np.concatenate(each) for each in zip(*parts)]


class Training:
    """training/ of a fleet: sessions are made when they are first asked for."""

    def __init__(self, folder):
        self.fleet = Fleet(folder)
        self.folder = self.fleet.folder / "training"
        try:
            self.about = json.loads((self.folder / "training.json").read_text())
        except OSError:
            raise FleetError(f"{folder}: no training/training.json, expected what prognet export --fleet --training writes") from None
        if self.about.get("format") != 2:
            raise FleetError(f"{self.folder}/training.json: format {self.about.get('format')}, expected 2: export the fleet again")
        self.sessions = {}

    def session(self, name):
        if name not in self.sessions:
            path = self.folder / f"{name}.onnx"
            self.sessions[name] = self.fleet.model("required") if name == "model" else session(path)
        return self.sessions[name]

    def start(self):
        """First values of weights, and of the optimizer's slots, which are 0."""
        weights, _ = read_tensors((self.folder / "start.safetensors").read_bytes(), "start.safetensors")
        return {c["name"]: weights.get(c["name"], np.zeros(c["shape"], np.float32)) for c in self.about["carried"]}

    def feeds(self, inputs):
        return {i["data"]: inputs[i["name"]] for i in self.about["inputs"]}

    def taps(self, inputs):
        """What the base gives for these rows: the same in every epoch, and for every column."""
        taps = self.session("taps")
        wanted = {i.name for i in taps.get_inputs()}
        return dict(zip(self.about["taps"], in_runs(taps.run, {k: v for k, v in self.feeds(inputs).items() if k in wanted}, self.about["taps"])))

    def minibatches(self, count, epoch):
        """The order of an epoch's rows in minibatches, the last of which may be smaller."""
        order = np.array(Random(self.about["seed"], "order", epoch).permutation(count), np.int64)
        whole = count // self.about["batch"] * self.about["batch"]
        parts = [order[:whole].reshape(-1, self.about["batch"])] if whole else []
        return parts + ([order[whole:].reshape(1, -1)] if whole < count else [])

    def train(self, data, taps, epochs=None):
        """Trains a column in this process from the taps of its training rows; weights and the mean loss of each epoch. Its bits are those of prognet fleet train."""
        inputs, targets = data.part(data.train)
        run = self.session("step")
        names = [i.name for i in run.get_inputs()]
        given = {**self.feeds(inputs), **taps, "step/targets": targets}
        state, step, history, seed = self.start(), 0, [], self.about["seed"]
        for epoch in range(epochs or self.about["epochs"]):
            loss = 0.0
            for order in self.minibatches(len(targets), epoch):
                table = [scalars(self.about["optimizer"], self.about["rate"], step + i + 1) for i in range(len(order))]
                given["step/order"] = order
                given["step/scalars"] = np.array(table, np.float32)
                if "step/seeds" in names:
                    given["step/seeds"] = np.array([Random(seed, "dropout", step + i).below(2**31 - 1) for i in range(len(order))], np.int64)
                step += len(order)
                outputs = [f"{name}/next" for name in state] + ["step/loss"]
                values = run.run(outputs, {n: v for n, v in {**given, **state}.items() if n in names})
                state = dict(zip(state, values))
                for each in values[-1].reshape(-1):
                    loss += float(each) * order.shape[1]
            history.append(loss / len(targets))
        broken = [name for name, value in state.items() if not np.isfinite(value).all()]
        if broken:
            raise FleetError(f'"{broken[0]}" holds NaN or infinity after step {step}, expected a lower rate, clipped gradients or standardised inputs')
        return {name: state[name] for name in self.fleet.weights}, history

    def tested(self, weights, data):
        """Measures on the test rows, and the proof: raw scores of the model that answers."""
        inputs, targets = data.part(data.test)
        model = self.session("model")
        [scores] = in_runs(lambda names, feeds: model.run(names, {**feeds, **weights}), inputs, ["scores"])
        [loss] = self.session("loss").run(["loss"], {"scores": scores, "targets": targets})
        metrics = {"loss": float(loss)}
        if self.about["metric"] == "accuracy" and targets.ndim == 1:
            metrics["accuracy"] = float((scores.argmax(1) == targets).mean())
        if not math.isfinite(metrics["loss"]):
            raise FleetError(f"the loss on the test rows is {metrics['loss']}, expected a finite number")
        return metrics, {"sha256": sha256(scores.tobytes()), "count": len(targets), "provider": "cpu", "threads": 1}

    def fingerprints(self, data):
        return [fingerprint(list(inputs.values()), targets) for inputs, targets in (data.part(data.train), data.part(data.test))]

    def finished(self, name, data):
        """Whether the column is there, trained on these rows."""
        if not self.fleet.path(name).exists():
            return False
        _, record = self.fleet.column(name)
        if record["data"]["fingerprint"] == self.fingerprints(data)[0]:
            return True
        raise FleetError(f'columns/{name}.safetensors: was trained on other rows, expected none there, or the rows that it was trained on')

    def freeze(self, name, data, weights, history, seconds):
        """Tests a column and writes its file."""
        metrics, outputs = self.tested(weights, data)
        train, test = self.fingerprints(data)
        record = {
            "seed": self.about["seed"],
            "data": {"fingerprint": train, "test": test, "rows": len(data.train), "loss": self.about["loss"]},
            "metrics": {**metrics, "seconds": seconds, "epochs": len(history)},
            "history": [{"epoch": i + 1, "loss": loss} for i, loss in enumerate(history)],
            "outputs": outputs,
            "versions": {"prognet": self.fleet.about["version"], "onnxruntime": ort.__version__, "trainer": "fleet"},
        }
        return self.fleet.write_column(name, weights, record)

    def column(self, name, path, taps=None):
        """Trains, tests and writes the column of one customer, unless it is there."""
        data = Data(path, self.about)
        if self.finished(name, data):
            return {"name": name, "trained": False}
        begun = time.perf_counter()
        weights, history = self.train(data, self.taps(data.part(data.train)[0]) if taps is None else taps)
        record = self.freeze(name, data, weights, history, time.perf_counter() - begun)
        return {"name": name, "trained": True, "metrics": record["metrics"]}
