"""Reads a run folder with the programs it is meant for: check.py FOLDER SCHEMA"""

import io
import json
import pathlib
import sys
import wave

import jsonschema
import numpy as np
from safetensors.numpy import load_file
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata as hparams_metadata
from tensorboard.plugins.pr_curve import metadata as pr_curve_metadata
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
assert sorted(accumulator.Tags()["tensors"]) == [
    "_hparams_/session_end_info", "_hparams_/session_start_info", "config", "edit/p01",
    "edit/p01/audio", "loss", "lr", "val/keep"], accumulator.Tags()
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

# A reader beside the run may see a torn tail, for many records go in one write: nothing is lost.
(events, *_) = sorted((run / "tb").iterdir())
data = events.read_bytes()
whole = len(list(EventFileLoader(str(events)).Load()))
torn = run / "events.out.tfevents.torn"
for cut in range(1, len(data), max(1, len(data) // 200)):
    torn.write_bytes(data[:cut])
    loader = EventFileLoader(str(torn))
    before = len(list(loader.Load()))
    torn.write_bytes(data)
    assert before + len(list(loader.Load())) == whole, cut


def plugin_of(tag):
    meta = accumulator.SummaryMetadata(tag)
    return meta.plugin_data.plugin_name, meta.data_class, meta.plugin_data.content


picture = make_ndarray(accumulator.Tensors("edit/p01")[-1].tensor_proto)
assert plugin_of("edit/p01")[:2] == ("images", 3)
assert picture[:2].tolist() == [b"2", b"1"] and picture[2].startswith(b"\x89PNG"), picture
assert plugin_of("edit/p01/audio")[:2] == ("audio", 3)
((wav, label),) = make_ndarray(accumulator.Tensors("edit/p01/audio")[0].tensor_proto)
with wave.open(io.BytesIO(wav)) as sound:
    assert (sound.getframerate(), sound.getnchannels(), sound.getnframes()) == (8000, 1, 4)
    samples = np.frombuffer(sound.readframes(4), dtype="<i2")
assert samples.tolist() == [0, 16384, -32767, 32767] and label == b"p01", (samples, label)

assert plugin_of("val/keep")[:2] == ("pr_curves", 2)
assert pr_curve_metadata.parse_plugin_metadata(plugin_of("val/keep")[2]).num_thresholds == 201
curve = make_ndarray(accumulator.Tensors("val/keep")[0].tensor_proto)
assert curve.shape == (6, 201)
# Threshold 0: everything is positive. Threshold 0.5 (index 100): 0.6 and 0.9, one of them rightly.
assert curve[:, 0].tolist() == [2, 2, 0, 0, 0.5, 1], curve[:, 0]
assert curve[:, 100].tolist() == [1, 1, 1, 1, 0.5, 0.5], curve[:, 100]
assert curve[:, 200].tolist() == [0, 0, 2, 2, 1, 0], curve[:, 200]

name, _, content = plugin_of("_hparams_/session_start_info")
start = hparams_metadata.parse_session_start_info_plugin_data(content)
assert name == "hparams" and start.group_name == "t0001-abc"
assert start.hparams["optimizer.lr"].number_value == 1e-4
assert start.hparams["model.d_model"].number_value == 128
assert start.hparams["run.deterministic"].bool_value is True
assert start.hparams["model.plugin"].string_value == "keep_cut"
assert "aligner.plugin" not in start.hparams
end = hparams_metadata.parse_session_end_info_plugin_data(plugin_of("_hparams_/session_end_info")[2])
assert end.status == 1  # STATUS_SUCCESS

(record,) = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
assert record == {"step": 200, "val/edit_f1": 0.1 + 0.2}
print("manifest, safetensors, TensorBoard and metrics read as written:", len(loss), "points")
