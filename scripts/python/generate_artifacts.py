"""Makes training artifacts with ONNX Runtime's own tool from a forward model that prognet exported.

    .venv-training/bin/python scripts/python/generate_artifacts.py MODEL.onnx OUT TASK [LOSS]

Parameters of the task's own column (`TASK/...`) are trained, those of earlier columns are frozen. Batch norms of the task's own column are put into
training mode; the tool does so with all others as well, so that earlier columns must have none. LOSS: CrossEntropyLoss (default),
MSELoss, BCEWithLogitsLoss or L1Loss. The optimizer is the tool's AdamW.
"""
import sys
from pathlib import Path

import onnx
from ort_training import artifacts

model, out, task = onnx.load(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
loss = artifacts.LossType[sys.argv[4] if len(sys.argv) > 4 else "CrossEntropyLoss"]
out.mkdir(parents=True, exist_ok=True)
for node in model.graph.node:
    if node.op_type == "BatchNormalization" and node.input[1].startswith(f"{task}/"):
        node.attribute.append(onnx.helper.make_attribute("training_mode", 1))
        node.output.extend([f"{node.name}/mean", f"{node.name}/var"])
# Constants of prognet's graphs have no slash in their names.
parameters = [initializer.name for initializer in model.graph.initializer if "/" in initializer.name]
trained = [name for name in parameters if name.startswith(f"{task}/") and not name.endswith(("batch_norm/mean", "batch_norm/var"))]
artifacts.generate_artifacts(
    model,
    requires_grad=trained,
    frozen_params=[name for name in parameters if name not in trained],
    loss=loss,
    optimizer=artifacts.OptimType.AdamW,
    artifact_directory=out,
    additional_output_names=[task],
)
# The tool leaves the statistics among the outputs of batch norms that are in inference mode again, which ONNX does not allow.
evaluation = onnx.load(out / "eval_model.onnx")
for node in evaluation.graph.node:
    if node.op_type == "BatchNormalization":
        del node.output[1:]
onnx.save(evaluation, out / "eval_model.onnx")
