"""Writes the notices of what ONNX Runtime's binaries hold of others, as its Python package has them, under a line that names its version.

    .venv/bin/python scripts/python/onnxruntime_notices.py FILE
"""
import sys
from pathlib import Path

import onnxruntime

notices = Path(onnxruntime.__file__).with_name("ThirdPartyNotices.txt").read_bytes()
title = f"ONNX Runtime {onnxruntime.__version__}, notices of what its binaries hold of others\n\n"
Path(sys.argv[1]).write_bytes(title.encode() + notices)
