"""The schema of experiments under python-jsonschema and Taplo: every experiment and fragment of the
tree is valid, planted errors are not."""

import json
import pathlib
import subprocess
import sys
import tomllib

import jsonschema

retake, taplo, root, scratch = sys.argv[1:5]
root, scratch = pathlib.Path(root), pathlib.Path(scratch)

schema_file = scratch / "schema.json"
subprocess.run([retake, "schema", "-o", str(schema_file)], check=True, cwd=root)
schema = json.loads(schema_file.read_text())
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)

PLANTED = {
    "table.toml": "[modle]\nplugin = 'keep_cut'\n",
    "plugin.toml": "[feature_extractor.mel]\nplugin = 'log_mell'\n",
    "key.toml": "[feature_extractor.mel]\nplugin = 'log_mel'\nhop_lenght = 256\n",
    "type.toml": "[feature_extractor.mel]\nplugin = 'log_mel'\nn_mels = 'many'\n",
    "range.toml": "[feature_extractor.mel]\nplugin = 'log_mel'\nn_mels = -1\n",
    "choice.toml": "[train]\ngoal = 'maxx'\n",
    "merge.toml": "[merge]\napend = ['dataset.roots']\n",
    "sweep.toml": "[sweep]\ntrails = 3\n",
}


def taplo_accepts(path):
    done = subprocess.run([taplo, "check", "--no-auto-config", "--schema", schema_file.as_uri(), str(path)],
                          capture_output=True, text=True)
    return done.returncode == 0, done.stderr


failures = []
good = sorted(root.glob("experiments/**/*.toml")) + sorted(root.glob("configs/**/*.toml"))
assert len(good) >= 10, good
for path in good:
    for error in validator.iter_errors(tomllib.loads(path.read_text())):
        failures.append(f"jsonschema: {path}: {error.message} at {list(error.path)}")
    accepted, text = taplo_accepts(path)
    if not accepted:
        failures.append(f"taplo: {path}: {text}")
for name, text in PLANTED.items():
    path = scratch / name
    path.write_text(text)
    if validator.is_valid(tomllib.loads(text)):
        failures.append(f"jsonschema takes {name}")
    if taplo_accepts(path)[0]:
        failures.append(f"taplo takes {name}")
print("\n".join(failures) or f"{len(good)} files valid, {len(PLANTED)} planted errors found, twice")
sys.exit(bool(failures))
