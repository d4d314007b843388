"""A deployment of Ray Serve: each replica holds one session of the base, and columns by name, as many as fit. Ray sends questions for a column to a replica that holds it already.
    FLEET=fleet serve run deployment:app        then: POST {"column": "ann", "inputs": {"x": [[...]]}}"""

import asyncio
import os

import numpy as np
from fleet import Fleet
from records import FleetError
from ray import serve
from starlette.requests import Request
from starlette.responses import JSONResponse


@serve.deployment(max_ongoing_requests=64)
class FleetReplica:
    def __init__(self, folder):
        self.fleet = Fleet(folder)
        self.session = self.fleet.model("required")
        self.dtypes = {i.name: np.float32 if i.type == "tensor(float)" else np.int64 for i in self.session.get_inputs()}

    # What is multiplexed is the weights of a column, some kilobytes, not a model with a base of its own.
    @serve.multiplexed(max_num_models_per_replica=int(os.environ.get("FLEET_COLUMNS", "1024")))
    async def weights(self, name):
        return self.fleet.column(name)[0]

    async def __call__(self, request: Request):
        try:
            asked = await request.json()
            inputs = {n: np.array(asked["inputs"][n], self.dtypes[n]) for n in self.fleet.about["inputs"]}
            weights = await self.weights(str(asked["column"]))
            names = self.fleet.about["outputs"]
            values = await asyncio.to_thread(self.session.run, names, {**inputs, **weights})
        except FleetError as error:
            return JSONResponse({"error": str(error)}, 404)
        except (KeyError, ValueError, TypeError) as error:
            expected = f'{{"column": name, "inputs": {{{", ".join(self.fleet.about["inputs"])}}}}}'
            return JSONResponse({"error": f"found {type(error).__name__} {error}, expected {expected}"}, 400)
        except Exception as error:  # what ONNX Runtime says of inputs that do not fit
            return JSONResponse({"error": str(error).split("\n")[0]}, 400)
        return {name: value.tolist() for name, value in zip(names, values)}


app = FleetReplica.bind(os.environ.get("FLEET", "fleet"))
