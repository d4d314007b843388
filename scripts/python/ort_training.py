"""ONNX Runtime's on-device training API without PyTorch.

The package's own __init__ imports parts that need torch. None of them is used here, so that an empty package takes its place before the
submodules are imported.
"""
import sys
import types
from pathlib import Path

import onnxruntime

package = types.ModuleType("onnxruntime.training")
package.__path__ = [str(Path(onnxruntime.__file__).parent / "training")]
sys.modules["onnxruntime.training"] = package

from onnxruntime.training import artifacts, onnxblock  # noqa: E402
from onnxruntime.training.api import CheckpointState, Module, Optimizer  # noqa: E402

__all__ = ["CheckpointState", "Module", "Optimizer", "artifacts", "onnxblock"]
