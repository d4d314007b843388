"""Makes training artifacts with ONNX Runtime's own tool from a forward model that prognet exported.

    .venv-training/bin/python scripts/python/generate_artifacts.py MODEL.onnx OUT TASK [LOSS]

Parameters of the task's own column (`TASK/...`) are trained, those of earlier columns are frozen. LOSS: CrossEntropyLoss (default),
MSELoss, BCEWithLogitsLoss or L1Loss. The optimizer is the tool's AdamW.
"""
import sys
from pathlib import Path

import onnx
from ort_training import artifacts

model, out, task = onnx.load(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
loss = artifacts.LossType[sys.argv[4] if len(sys.argv) > 4 else "CrossEntropyLoss"]
out.mkdir(parents=True, exist_ok=True)
# Constants of prognet's graphs have no slash in their names.
parameters = [initializer.name for initializer in model.graph.initializer if "/" in initializer.name]
artifacts.generate_artifacts(
    model,
    requires_grad=[name for name in parameters if name.startswith(f"{task}/")],
    frozen_params=[name for name in parameters if not name.startswith(f"{task}/")],
    loss=loss,
    optimizer=artifacts.OptimType.AdamW,
    artifact_directory=out,
    additional_output_names=[task],
)
