"""Answers for the ONNX model beside it by onnxruntime. Written by `prognet deploy mlserver`; `mlserver start .` loads it by model-settings.json."""

import asyncio
import os

import numpy as np
import onnxruntime as ort
from mlserver import MLModel
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.errors import InferenceError
from mlserver.types import InferenceRequest, InferenceResponse
from mlserver.utils import get_model_uri

DATATYPES = {
    "tensor(float)": "FP32",
    "tensor(float16)": "FP16",
    "tensor(double)": "FP64",
    "tensor(int64)": "INT64",
    "tensor(int32)": "INT32",
    "tensor(int8)": "INT8",
    "tensor(uint8)": "UINT8",
    "tensor(bool)": "BOOL",
    "tensor(string)": "BYTES",
}


def texts(tensor):
    return np.array(StringCodec.decode_input(tensor), dtype=object).reshape(tensor.shape)


def encoded(name, array):
    # The codec writes [N] as [N, 1].
    output = NumpyCodec.encode_output(name=name, payload=array)
    output.shape = list(array.shape)
    return output


class OnnxModel(MLModel):
    async def load(self) -> bool:
        options = ort.SessionOptions()
        options.intra_op_num_threads = int(os.environ.get("ORT_THREADS", "0"))
        uri = await get_model_uri(self._settings)
        self._session = ort.InferenceSession(uri, options, providers=["CPUExecutionProvider"])
        self._takes = {one.name: DATATYPES[one.type] for one in self._session.get_inputs()}
        self._gives = [one.name for one in self._session.get_outputs()]
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        feeds = self._feeds(payload)
        names = self._asked(payload)
        try:
            # ONNX Runtime holds no lock of Python's while it computes: other requests are taken meanwhile.
            answers = await asyncio.to_thread(self._session.run, names, feeds)
        except Exception as error:
            raise InferenceError(f"{self.name}: {error}") from error
        outputs = [encoded(name, array) for name, array in zip(names, answers)]
        return InferenceResponse(id=payload.id, model_name=self.name, model_version=self.version, outputs=outputs)

    def _feeds(self, payload: InferenceRequest) -> dict:
        feeds = {}
        for tensor in payload.inputs:
            expected = self._takes.get(tensor.name)
            if expected is None:
                raise InferenceError(
                    f"unexpected inference input '{tensor.name}' for model '{self.name}', expected {', '.join(self._takes)}"
                )
            if tensor.datatype != expected:
                raise InferenceError(f"input '{tensor.name}' of model '{self.name}': found {tensor.datatype}, expected {expected}")
            try:
                feeds[tensor.name] = texts(tensor) if expected == "BYTES" else NumpyCodec.decode_input(tensor)
            except Exception as error:
                raise InferenceError(f"input '{tensor.name}' of model '{self.name}': {error}") from error
        missing = [name for name in self._takes if name not in feeds]
        if missing:
            raise InferenceError(f"model '{self.name}': input '{missing[0]}' is missing")
        return feeds

    def _asked(self, payload: InferenceRequest) -> list:
        names = [output.name for output in payload.outputs or []] or self._gives
        for name in names:
            if name not in self._gives:
                raise InferenceError(
                    f"unexpected inference output '{name}' for model '{self.name}', expected {', '.join(self._gives)}"
                )
        return names
