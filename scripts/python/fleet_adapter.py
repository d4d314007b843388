"""Asks a column of a fleet as Python does: by ONNX Runtime's adapter over adapter.onnx, and by feeding its weights to model.onnx. Prints whether both have the same bits, the
scores, and what is answered without an adapter.
    fleet_adapter.py FOLDER COLUMN X.npy INPUT"""

import json
import sys

import numpy as np
import onnxruntime as ort

DTYPES = {"F32": np.float32}


def safetensors(path):
    """The tensors of a file by name."""
    with open(path, "rb") as file:
        data = file.read()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    body = data[8 + length :]
    return {
        name: np.frombuffer(body[slice(*info["data_offsets"])], DTYPES[info["dtype"]]).reshape(info["shape"])
        for name, info in header.items()
        if name != "__metadata__"
    }


folder, column, file, name = sys.argv[1:]
x = {name: np.load(file)}
options = ort.SessionOptions()
options.intra_op_num_threads = 1

adapter = ort.LoraAdapter()
adapter.Load(f"{folder}/adapters/{column}.onnx_adapter")
run_options = ort.RunOptions()
run_options.add_active_adapter(adapter)
overridable = ort.InferenceSession(f"{folder}/adapter.onnx", options)
[by_adapter] = overridable.run(["scores"], x, run_options)
[without] = overridable.run(["scores"], x)

required = ort.InferenceSession(f"{folder}/model.onnx", options)
[by_feeding] = required.run(["scores"], {**x, **safetensors(f"{folder}/columns/{column}.safetensors")})

print(
    json.dumps(
        {
            "same": by_adapter.tobytes() == by_feeding.tobytes(),
            "scores": by_adapter.flatten().tolist(),
            "forgotten": bool(np.isnan(without).all()),
        }
    )
)
