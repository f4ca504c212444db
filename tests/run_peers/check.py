"""Reads a run folder with the programs it is meant for: check.py FOLDER SCHEMA"""

import json
import pathlib
import sys

import jsonschema
import numpy as np
from safetensors.numpy import load_file
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray

(run,) = pathlib.Path(sys.argv[1]).glob("*_peers_*")

manifest = json.loads((run / "manifest.json").read_text())
schema = json.loads(pathlib.Path(sys.argv[2]).read_text())
jsonschema.Draft202012Validator.check_schema(schema)
jsonschema.validate(manifest, schema, cls=jsonschema.Draft202012Validator)
for broken in ({**manifest, "surprise": 1}, {**manifest, "status": "fine"}, {k: v for k, v in manifest.items() if k != "env"}):
    try:
        jsonschema.validate(broken, schema)
    except jsonschema.ValidationError:
        continue
    raise SystemExit("the schema accepts a broken manifest")

tensors = load_file(run / "checkpoints/step-000200/model.safetensors")
assert set(tensors) == {"mask", "model.ü.w", "step"}, tensors.keys()
assert tensors["mask"].dtype == np.bool_ and tensors["mask"].tolist() == [True, False, True]
assert tensors["step"].shape == () and int(tensors["step"]) == 200
expected = np.array([[0.5, -1.25, 3e-30], [4, 5, 6]], dtype=np.float32)
assert np.array_equal(tensors["model.ü.w"], expected)

# What TensorBoard itself loads runs with; 0 keeps every point.
accumulator = EventAccumulator(str(run / "tb"), size_guidance={"tensors": 0})
accumulator.Reload()
assert sorted(accumulator.Tags()["tensors"]) == ["config", "loss", "lr"], accumulator.Tags()
loss = accumulator.Tensors("loss")
steps = [e.step for e in loss]
# Steps 1..100 of the first file; those written again after the resume replace the others.
assert steps == list(range(1, 201)), steps
for event in loss:
    value = float(make_ndarray(event.tensor_proto))
    wanted = np.float32((1.0 if event.step <= 100 else 2.0) / event.step)
    assert value == wanted, (event.step, value, wanted)
(text,) = accumulator.Tensors("config")
assert make_ndarray(text.tensor_proto).item() == b"d_model = 128"
assert accumulator.SummaryMetadata("loss").plugin_data.plugin_name == "scalars"
assert accumulator.SummaryMetadata("loss").data_class == 1
assert accumulator.SummaryMetadata("config").plugin_data.plugin_name == "text"

(record,) = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
assert record == {"step": 200, "val/edit_f1": 0.1 + 0.2}
print("manifest, safetensors, TensorBoard and metrics read as written:", len(loss), "points")
