"""Asks a server by the clients that people have, and prints what they got as JSON: tritonclient over HTTP (JSON, binary, async) and gRPC (async, stream).

clients.py HTTP_HOST:PORT GRPC_HOST:PORT   The server has a model for each type, `FP32` and so on, whose `y` is its `x`, [n, 2].
"""
import asyncio
import json
import queue
import sys

import numpy as np
import tritonclient.grpc as tg
import tritonclient.grpc.aio as tga
import tritonclient.http as th
import tritonclient.http.aio as tha
from tritonclient.utils import InferenceServerException

http, grpc = sys.argv[1:]
arrays = {
    "FP32": np.array([[0.1, -3]], np.float32), "FP64": np.array([[0.1, 1e300]], np.float64), "FP16": np.array([[0.1, 2]], np.float16),
    "INT8": np.array([[-128, 127]], np.int8), "INT16": np.array([[-32768, 1]], np.int16), "INT32": np.array([[-(2**31), 7]], np.int32),
    "INT64": np.array([[2**63 - 1, -(2**63)]], np.int64), "UINT8": np.array([[255, 0]], np.uint8), "UINT16": np.array([[65535, 0]], np.uint16),
    "UINT32": np.array([[2**32 - 1, 0]], np.uint32), "UINT64": np.array([[2**64 - 1, 0]], np.uint64), "BOOL": np.array([[True, False]]),
    "BYTES": np.array([["Zürich".encode(), b""]], np.object_),
}
said = {"same": {}, "errors": {}}


def given(client, kind, binary=True):
    x = client.InferInput("x", [1, 2], kind)
    x.set_data_from_numpy(arrays[kind], binary_data=binary) if client is th else x.set_data_from_numpy(arrays[kind])
    return [x]


def same(way, kind, y):
    # tritonclient gives texts of JSON as str, and as bytes elsewhere.
    if way == "http json" and kind == "BYTES":
        y = np.array([[text.encode() for text in y[0]]], np.object_)
    found = y is not None and y.dtype == arrays[kind].dtype and y.shape == (1, 2) and bool((y == arrays[kind]).all())
    said["same"].setdefault(way, {})[kind] = found


def refused(name, call):
    try:
        call()
        said["errors"][name] = None
    except InferenceServerException as e:
        said["errors"][name] = [e.status(), e.message()]


h, g = th.InferenceServerClient(http, concurrency=2), tg.InferenceServerClient(grpc)
for kind in arrays:
    same("http binary", kind, h.infer(kind, given(th, kind), outputs=[th.InferRequestedOutput("y", binary_data=True)]).as_numpy("y"))
    if kind != "FP16" and not kind.endswith("64") or kind == "FP64":
        same("http json", kind, h.infer(kind, given(th, kind, False), outputs=[th.InferRequestedOutput("y", binary_data=False)]).as_numpy("y"))
    same("http async", kind, h.async_infer(kind, given(th, kind)).get_result().as_numpy("y"))
    same("grpc", kind, g.infer(kind, given(tg, kind)).as_numpy("y"))
same("http gzip", "FP32", h.infer("FP32", given(th, "FP32"), request_compression_algorithm="gzip").as_numpy("y"))

got = queue.Queue()
for _ in range(8):
    g.async_infer("FP32", given(tg, "FP32"), callback=lambda result, error: got.put((result, error)))
for _ in range(8):
    result, error = got.get(timeout=60)
    same("grpc async", "FP32", None if error else result.as_numpy("y"))
g.start_stream(callback=lambda result, error: got.put((result, error)))
g.async_stream_infer("INT32", given(tg, "INT32"))
same("grpc stream", "INT32", got.get(timeout=60)[0].as_numpy("y"))
g.async_stream_infer("nope", given(tg, "INT32"))
said["errors"]["stream"] = str(got.get(timeout=60)[1])
g.stop_stream()


async def both():
    async with tha.InferenceServerClient(http) as a:
        same("http aio", "FP64", (await a.infer("FP64", given(th, "FP64"))).as_numpy("y"))
    async with tga.InferenceServerClient(grpc) as a:
        same("grpc aio", "BYTES", (await a.infer("BYTES", given(tg, "BYTES"))).as_numpy("y"))


asyncio.run(both())

for name, c in (("http", h), ("grpc", g)):
    said[name] = {
        "live": c.is_server_live(), "ready": c.is_server_ready(), "model": c.is_model_ready("FP32"), "nope": c.is_model_ready("nope"),
    }
    kit = th if name == "http" else tg
    small = kit.InferInput("x", [1, 1], "FP32")
    small.set_data_from_numpy(np.zeros((1, 1), np.float32))
    other = kit.InferInput("z", [1, 2], "FP32")
    other.set_data_from_numpy(np.zeros((1, 2), np.float32))
    wrong = kit.InferInput("x", [1, 2], "INT32")
    wrong.set_data_from_numpy(np.zeros((1, 2), np.int32))
    refused(f"{name} model", lambda: c.infer("nope", [other]))
    refused(f"{name} version", lambda: c.infer("FP32", given(kit, "FP32"), model_version="7"))
    refused(f"{name} shape", lambda: c.infer("FP32", [small]))
    refused(f"{name} input", lambda: c.infer("FP32", [other]))
    refused(f"{name} type", lambda: c.infer("FP32", [wrong]))
    refused(f"{name} output", lambda: c.infer("FP32", given(kit, "FP32"), outputs=[kit.InferRequestedOutput("w")]))
    refused(f"{name} metadata", lambda: c.get_model_metadata("nope"))
    refused(f"{name} load", lambda: c.load_model("nope"))
    c.unload_model("UINT8")
    said[name]["unloaded"] = c.is_model_ready("UINT8")
    c.load_model("UINT8")
    said[name]["loaded"] = c.is_model_ready("UINT8")

said["http"]["metadata"] = h.get_model_metadata("FP32")
said["grpc"]["metadata"] = g.get_model_metadata("FP32", as_json=True)
said["grpc"]["config"] = g.get_model_config("FP32", as_json=True)["config"]["input"]
said["http"]["server"] = h.get_server_metadata()["name"]
said["grpc"]["server"] = g.get_server_metadata().name
said["grpc"]["statistics"] = int(g.get_inference_statistics("FP32").model_stats[0].inference_stats.success.count) > 0
said["http"]["index"] = sorted(m["name"] for m in h.get_model_repository_index())
said["grpc"]["index"] = sorted(m.name for m in g.get_model_repository_index().models)


print(json.dumps(said))
