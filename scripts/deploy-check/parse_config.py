"""Parses Triton's config.pbtxt files with the message that tritonclient ships, strictly: an unknown field is an error.

    .venv-deploy/bin/python scripts/deploy-check/parse_config.py CONFIG.pbtxt...

Prints JSON: the configs by file name.
"""
import importlib.util
import json
import sys
from pathlib import Path

from google.protobuf import json_format, text_format

# Loaded by its path: the package around it imports gRPC, which nothing here needs.
package = Path(importlib.util.find_spec("tritonclient").submodule_search_locations[0])
spec = importlib.util.spec_from_file_location("model_config_pb2", package / "grpc" / "model_config_pb2.py")
model_config_pb2 = importlib.util.module_from_spec(spec)
spec.loader.exec_module(model_config_pb2)

found = {}
for file in sys.argv[1:]:
    config = text_format.Parse(Path(file).read_text(), model_config_pb2.ModelConfig())
    found[file] = json_format.MessageToDict(config, preserving_proto_field_name=True)
print(json.dumps(found))
