"""Asks a server by KServe's own client, and prints what it got as JSON. A process of its own: its messages and tritonclient's have one name.

kserve_client.py HTTP_HOST:PORT GRPC_HOST:PORT   The server has models `FP32` and `INT64` whose `y` is their `x`, [n, 2].
"""
import asyncio
import json
import sys

import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.inference_client import InferenceGRPCClient

http, grpc = sys.argv[1:]
given = np.array([[0.1, -3]], np.float32)


def request(binary):
    x = InferInput("x", [1, 2], "FP32")
    x.set_data_from_numpy(given, binary_data=binary)
    return InferRequest(model_name="FP32", infer_inputs=[x])


async def main():
    said = {}
    rest = InferenceRESTClient(RESTConfig(protocol="v2"))
    url = f"http://{http}"
    for name, binary in (("json", False), ("binary", True)):
        answer = await rest.infer(url, request(binary), model_name="FP32")
        said[name] = bool((answer.outputs[0].as_numpy() == given).all())
    said["live"] = await rest.is_server_live(url)
    said["ready"] = await rest.is_model_ready(url, "FP32")
    async with InferenceGRPCClient(grpc) as client:
        said["grpc"] = bool(((await client.infer(request(True))).outputs[0].as_numpy() == given).all())
        typed = InferRequest(model_name="INT64", infer_inputs=[InferInput("x", [1, 2], "INT64", data=[5, -6])])
        said["contents"] = (await client.infer(typed)).outputs[0].as_numpy().tolist()
    print(json.dumps(said))


asyncio.run(main())
