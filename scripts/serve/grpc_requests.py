"""Sends requests over gRPC, by the messages of tritonclient, and prints what came back as JSON: by name the status, its words or the answer, tensors as hexadecimal digits by their names.

grpc_requests.py HOST:PORT   The server has the model `left` of the template tabular: `customer` FP32 [n, 4] and `customer_categories` BYTES [n, 2]; it is unloaded and loaded by the last ones.
"""
import json
import struct
import sys
import time

import grpc
from google.protobuf.json_format import MessageToDict
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc.service_pb2_grpc import GRPCInferenceServiceStub

channel = grpc.insecure_channel(sys.argv[1])
stub = GRPCInferenceServiceStub(channel)
said = {}


def floats(*values):
    return struct.pack(f"<{len(values)}f", *values)


def texts(*values):
    return b"".join(struct.pack("<I", len(v.encode())) + v.encode() for v in values)


def of(message):
    """An answer as a dictionary; bytes of outputs stand by their outputs' names."""
    if not hasattr(message, "raw_output_contents"):
        return MessageToDict(message, preserving_proto_field_name=True)
    raw = [bytes(b).hex() for b in message.raw_output_contents]
    found = MessageToDict(message, preserving_proto_field_name=True)
    found.pop("raw_output_contents", None)
    outputs = found.pop("outputs", [])
    found["outputs"] = {o.pop("name"): {**o, "bytes": raw[i] if i < len(raw) else None} for i, o in enumerate(outputs)}
    return found


def send(name, method, request):
    try:
        said[name] = {"code": "OK", "body": of(getattr(stub, method)(request, timeout=60))}
    except grpc.RpcError as error:
        said[name] = {"code": error.code().name, "body": error.details()}


def tensor(name, datatype, shape, **more):
    return pb.ModelInferRequest.InferInputTensor(name=name, datatype=datatype, shape=shape, **more)


def asked(inputs, raw, model="left", version="", id="", outputs=(), parameters=None):
    request = pb.ModelInferRequest(model_name=model, model_version=version, id=id, inputs=inputs, raw_input_contents=raw)
    for one in outputs:
        request.outputs.append(one if not isinstance(one, str) else pb.ModelInferRequest.InferRequestedOutputTensor(name=one))
    for key, value in (parameters or {}).items():
        request.parameters[key].CopyFrom(value)
    return request


def infer(name, *args, **more):
    send(name, "ModelInfer", asked(*args, **more))


def stream(name, requests):
    answers = []
    try:
        for one in stub.ModelStreamInfer(iter(requests), timeout=60):
            answers.append({"error": one.error_message, **of(one.infer_response)})
        said[name] = {"code": "OK", "body": answers}
    except grpc.RpcError as error:
        said[name] = {"code": error.code().name, "body": error.details()}


parameter = pb.InferParameter
x = tensor("customer", "FP32", [1, 4])
w = tensor("customer_categories", "BYTES", [1, 2])
f, t = floats(34, 25, 6, 2), texts("Zug", "basic")
contents = pb.InferTensorContents

send("live", "ServerLive", pb.ServerLiveRequest())
send("ready", "ServerReady", pb.ServerReadyRequest())
for name, model, version in (("a model", "left", ""), ("version 1", "left", "1"), ("version 9", "left", "9"), ("version x", "left", "x"), ("unknown", "nope", "")):
    send(f"{name}: ready", "ModelReady", pb.ModelReadyRequest(name=model, version=version))
    send(f"{name}: metadata", "ModelMetadata", pb.ModelMetadataRequest(name=model, version=version))
    send(f"{name}: config", "ModelConfig", pb.ModelConfigRequest(name=model, version=version))
    send(f"{name}: statistics", "ModelStatistics", pb.ModelStatisticsRequest(name=model, version=version))
    infer(f"{name}: infer", [x, w], [f, t], model=model, version=version)
send("server", "ServerMetadata", pb.ServerMetadataRequest())
send("index", "RepositoryIndex", pb.RepositoryIndexRequest())
send("index of the ready", "RepositoryIndex", pb.RepositoryIndexRequest(ready=True))

infer("with an id", [x, w], [f, t], id="seven")
infer("one output", [x, w], [f, t], outputs=["left_probabilities"])
infer("outputs in another order", [x, w], [f, t], outputs=["left_label", "left"])
infer("an output twice", [x, w], [f, t], outputs=["left", "left"])
infer("inputs in another order", [w, x], [t, f])
typed = [tensor("customer", "FP32", [1, 4], contents=contents(fp32_contents=[34, 25, 6, 2])), tensor("customer_categories", "BYTES", [1, 2], contents=contents(bytes_contents=[b"Zug", b"basic"]))]
infer("typed lists", typed, [])
infer("two rows", [tensor("customer", "FP32", [2, 4]), tensor("customer_categories", "BYTES", [2, 2])], [floats(1, 2, 3, 4, 5, 6, 7, 8), texts("Zug", "basic", "Bern", "pro")])
infer("texts beyond ASCII, and empty", [x, w], [f, texts("Zürich", "")])
infer("an answer that is no number", [x, w], [floats(float("inf"), 1, 2, 3), t])
infer("a parameter of the client's own", [x, w], [f, t], parameters={"own": parameter(string_param="x")})

infer("another input", [tensor("bad", "FP32", [1, 4]), w], [f, t])
infer("an input too many", [x, w, tensor("bad", "FP32", [1, 4])], [f, t, f])
infer("an input twice", [x, w, x], [f, t, f])
infer("an input missing", [x], [f])
infer("an input missing, with an id", [x], [f], id="5")
infer("no input", [], [])
infer("another type", [tensor("customer", "INT64", [1, 4]), w], [f + f, t])
infer("a type that is none", [tensor("customer", "FOO", [1, 4]), w], [f, t])
infer("another size", [tensor("customer", "FP32", [1, 3]), w], [f[4:], t])
infer("another number of sizes", [tensor("customer", "FP32", [4]), w], [f, t])
infer("a size below zero", [tensor("customer", "FP32", [-1, 4]), w], [f, t])
infer("rows that differ", [tensor("customer", "FP32", [2, 4]), w], [f + f, t])
infer("too many rows", [tensor("customer", "FP32", [65, 4]), tensor("customer_categories", "BYTES", [65, 2])], [f * 65, t * 65])
infer("no row", [tensor("customer", "FP32", [0, 4]), tensor("customer_categories", "BYTES", [0, 2])], [b"", b""])
infer("an unknown output", [x, w], [f, t], outputs=["nope"])
infer("an unknown output, with an id", [x, w], [f, t], outputs=["nope"], id="5")
infer("no data", [x, w], [])
infer("bytes of one input alone", [x, w], [f])
infer("bytes too many", [x, w], [f, t, f])
infer("bytes of another length", [x, w], [f[4:], t])
infer("bytes and typed lists", typed, [f, t])
infer("elements too few", [tensor("customer", "FP32", [1, 4], contents=contents(fp32_contents=[34, 25])), typed[1]], [])
infer("elements of another list", [tensor("customer", "FP32", [1, 4], contents=contents(int_contents=[34, 25, 6, 2])), typed[1]], [])
infer("a text too few", [x, w], [f, texts("Zug")])
infer("a text too many", [x, w], [f, texts("a", "b", "c")])
infer("a text cut off", [x, w], [f, t[:6]])

infer("shared memory", [tensor("customer", "FP32", [1, 4], parameters={"shared_memory_region": parameter(string_param="r"), "shared_memory_byte_size": parameter(int64_param=16)}), w], [t])
infer("classification", [x, w], [f, t], outputs=[pb.ModelInferRequest.InferRequestedOutputTensor(name="left", parameters={"classification": parameter(int64_param=1)})])
infer("a time for the request", [x, w], [f, t], parameters={"timeout": parameter(int64_param=60_000_000)})
infer("an order of requests", [x, w], [f, t], parameters={"priority": parameter(uint64_param=1)})
infer("a sequence", [x, w], [f, t], parameters={"sequence_id": parameter(int64_param=1), "sequence_start": parameter(bool_param=True)})

stream("a stream", [asked([x, w], [f, t], id="1"), asked([x, w], [f, t], id="2")])
stream("a stream, unknown", [asked([x, w], [f, t], model="nope")])
stream("a stream, an input missing", [asked([x], [f])])
stream("a stream of nothing", [])

for name, method, payload in (("bytes that are no message", "ModelInfer", b"\xff\xff\xff"), ("a method that is none", "Nope", b"")):
    try:
        channel.unary_unary(f"/inference.GRPCInferenceService/{method}")(payload, timeout=60)
        said[name] = {"code": "OK", "body": None}
    except grpc.RpcError as error:
        said[name] = {"code": error.code().name, "body": error.details()}


def load(name, model, parameters=None):
    request = pb.RepositoryModelLoadRequest(model_name=model)
    for key, value in (parameters or {}).items():
        request.parameters[key].string_param = value
    send(name, "RepositoryModelLoad", request)


load("load, unknown", "nope")
send("unload, unknown", "RepositoryModelUnload", pb.RepositoryModelUnloadRequest(model_name="nope"))
load("load with a configuration", "left", {"config": "{}"})
load("load what is loaded", "left")
send("unload", "RepositoryModelUnload", pb.RepositoryModelUnloadRequest(model_name="left"))
# Triton answers an unload before the model is gone.
while "UNAVAILABLE" not in str(stub.RepositoryIndex(pb.RepositoryIndexRequest())):
    time.sleep(0.1)
send("unloaded: ready", "ModelReady", pb.ModelReadyRequest(name="left"))
send("unloaded: metadata", "ModelMetadata", pb.ModelMetadataRequest(name="left"))
send("unloaded: config", "ModelConfig", pb.ModelConfigRequest(name="left"))
send("unloaded: statistics", "ModelStatistics", pb.ModelStatisticsRequest(name="left"))
infer("unloaded: infer", [x, w], [f, t])
send("unloaded: index", "RepositoryIndex", pb.RepositoryIndexRequest())
send("unloaded: index of the ready", "RepositoryIndex", pb.RepositoryIndexRequest(ready=True))
load("load again", "left")
infer("loaded again: infer", [x, w], [f, t])
print(json.dumps(said))
