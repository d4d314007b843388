"""Answers for the model beside it by onnxruntime, for a Triton that has the Python backend and not the one for ONNX.

Written by `prognet deploy triton`. Started with --model-config-name=python, Triton takes configs/python.pbtxt, which names the Python backend;
otherwise config.pbtxt, and this file is not read. Needs numpy and onnxruntime where the backend's Python finds them.
"""

import json
import os

import numpy as np
import onnxruntime as ort
import triton_python_backend_utils as pb_utils


def providers(args):
    """Of the instance that Triton makes: never a slower one in place of that which its config asks for."""
    if args["model_instance_kind"] != "GPU":
        return ["CPUExecutionProvider"]
    if "CUDAExecutionProvider" not in ort.get_available_providers():
        raise pb_utils.TritonModelException(
            f"{args['model_name']}: an instance on a GPU was asked for, onnxruntime {ort.__version__} has no CUDA, expected onnxruntime-gpu or KIND_CPU"
        )
    return [("CUDAExecutionProvider", {"device_id": args["model_instance_device_id"]}), "CPUExecutionProvider"]


def texts(array):
    """Triton's texts are bytes, those of onnxruntime are str."""
    decoded = [one.decode("utf-8") if isinstance(one, bytes) else one for one in array.ravel()]
    return np.array(decoded, dtype=object).reshape(array.shape)


class TritonPythonModel:
    def initialize(self, args):
        config = json.loads(args["model_config"])
        folder = os.path.join(args["model_repository"], args["model_version"])
        options = ort.SessionOptions()
        options.intra_op_num_threads = int(os.environ.get("ORT_THREADS", "0"))
        self.session = ort.InferenceSession(os.path.join(folder, "model.onnx"), options, providers=providers(args))
        self.inputs = {one.name: one.type == "tensor(string)" for one in self.session.get_inputs()}
        self.joined = int(config.get("max_batch_size", 0)) > 0

    def execute(self, requests):
        """One response for each request, in order. Requests that Triton batched are computed in one run where their shapes allow it."""
        feeds = [self.feed(request) for request in requests]
        names = [list(request.requested_output_names()) for request in requests]
        if self.joined and len(requests) > 1 and self.alike(feeds):
            try:
                return self.together(feeds, names)
            except Exception:  # noqa: BLE001 - one of them is at fault: each alone tells which
                pass
        return [self.alone(feed, wanted) for feed, wanted in zip(feeds, names)]

    def feed(self, request):
        arrays = {name: pb_utils.get_input_tensor_by_name(request, name).as_numpy() for name in self.inputs}
        return {name: texts(array) if self.inputs[name] else array for name, array in arrays.items()}

    def alike(self, feeds):
        shapes = {tuple(feed[name].shape[1:] for name in self.inputs) for feed in feeds}
        return len(shapes) == 1

    def together(self, feeds, names):
        wanted = sorted({name for some in names for name in some})
        whole = {name: np.concatenate([feed[name] for feed in feeds]) for name in self.inputs}
        answers = dict(zip(wanted, self.session.run(wanted, whole)))
        responses, begin = [], 0
        for feed, some in zip(feeds, names):
            end = begin + len(next(iter(feed.values())))
            responses.append(response({name: answers[name][begin:end] for name in some}))
            begin = end
        return responses

    def alone(self, feed, wanted):
        try:
            return response(dict(zip(wanted, self.session.run(wanted, feed))))
        except Exception as error:  # noqa: BLE001 - what the runtime refuses is the answer
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(str(error)))


def response(answers):
    tensors = [pb_utils.Tensor(name, np.ascontiguousarray(array)) for name, array in answers.items()]
    return pb_utils.InferenceResponse(output_tensors=tensors)
