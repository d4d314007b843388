"""What prognet writes, byte for byte: JSON whose hash is taken, safetensors, files that are there as a whole or not at all."""

import decimal
import hashlib
import json
import math
import os
import time

import numpy as np

DTYPES = {"F32": np.float32}


class FleetError(Exception):
    """What was found, where, and what would be right, in one line."""


def sha256(data):
    return hashlib.sha256(data).hexdigest()


# --- JSON as prognet writes it: sorted keys, numbers as JavaScript prints them -------------------------------------------------------------------------------


def js_number(value):
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        raise FleetError(f"a record holds {value}, expected a finite number")
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    sign, digits, exponent = decimal.Decimal(repr(value)).normalize().as_tuple()
    text = "".join(map(str, digits))
    point = len(text) + exponent
    if 0 < point <= 21:
        text = text + "0" * (point - len(text)) if len(text) <= point else f"{text[:point]}.{text[point:]}"
    elif -6 < point <= 0:
        text = f"0.{'0' * -point}{text}"
    else:
        mantissa = text if len(text) == 1 else f"{text[0]}.{text[1:]}"
        text = f"{mantissa}e{'+' if point > 0 else '-'}{abs(point - 1)}"
    return f"-{text}" if sign else text


def stable_json(value):
    if value is None or isinstance(value, (bool, str)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (int, float)):
        return js_number(value)
    if isinstance(value, (list, tuple)):
        return f"[{','.join(map(stable_json, value))}]"
    return f"{{{','.join(f'{json.dumps(key, ensure_ascii=False)}:{stable_json(value[key])}' for key in sorted(value))}}}"


# --- safetensors -----------------------------------------------------------------------------------------------------------------------------------------------


def write_tensors(tensors, metadata):
    fields = [f'"__metadata__":{json.dumps(metadata, ensure_ascii=False, separators=(",", ":"))}'] if metadata else []
    at = 0
    for name, tensor in tensors.items():
        info = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [at, at + tensor.nbytes]}
        fields.append(f"{json.dumps(name)}:{json.dumps(info, separators=(',', ':'))}")
        at += tensor.nbytes
    head = f"{{{','.join(fields)}}}".encode()
    head += b" " * (-len(head) % 8)
    return len(head).to_bytes(8, "little") + head + b"".join(np.ascontiguousarray(t).tobytes() for t in tensors.values())


def read_tensors(data, file):
    try:
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + length])
        metadata = header.pop("__metadata__", {})
        body = memoryview(data)[8 + length :]
        tensors = {}
        for name, info in sorted(header.items(), key=lambda item: item[1]["data_offsets"][0]):
            begin, end = info["data_offsets"]
            tensors[name] = np.frombuffer(body[begin:end], DTYPES[info["dtype"]]).reshape(info["shape"])
        return tensors, metadata
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FleetError(f"{file}: is no safetensors file of float32, {error}") from None


def write_whole(path, data):
    """All of it or nothing, on the disk when it returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns()}")
    with open(temporary, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
