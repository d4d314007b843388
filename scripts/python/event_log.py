"""What TensorBoard itself reads from a folder of event files, as JSON: the values of each tag of each run, by step. Argument: the folder."""

import json
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

folder = Path(sys.argv[1])
runs = {}
for path in sorted({file.parent for file in folder.rglob("events.out.tfevents.*")}):
    log = EventAccumulator(str(path), size_guidance={"scalars": 0})
    log.Reload()
    runs[str(path.relative_to(folder))] = {
        tag: [[event.step, event.value] for event in log.Scalars(tag)] for tag in log.Tags()["scalars"]
    }
print(json.dumps(runs))
