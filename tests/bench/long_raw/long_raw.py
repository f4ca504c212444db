"""Time and memory of a training step of a pointer model against the length of the raw recording.

Whole recordings of 15, 30 and 60 minutes go through `retake run`, one per step. Linear means: the
time per raw frame, and the memory above what the program needs for the shortest, grow no faster
than the length.
"""

import argparse
import json
import os
import statistics
import subprocess
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--retake", required=True, type=Path)
parser.add_argument("--experiment", required=True, type=Path)
parser.add_argument("--work", required=True, type=Path)
parser.add_argument("--minutes", nargs="+", type=float, default=[15, 30, 60])
parser.add_argument("--steps", type=int, default=6)
parser.add_argument("--slack", type=float, default=1.15, help="largest growth per frame")
args = parser.parse_args()
os.environ["RETAKE_STORE"] = str((args.work / "store").absolute())


def step_of(minutes):
    """Median seconds of a step and the peak memory of the run in MB."""
    runs = args.work / f"runs_{minutes:g}"
    command = [args.retake, "run", args.experiment, "--quiet", f"train.max_steps={args.steps}",
               "train.val_every=0", "train.batch=1", "trainer.crop=0", "trainer.val_songs=1",
               "run.archive=false", f"run.dir={runs}", "dataset.pairs=3",
               f"dataset.minutes={minutes}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {status}")
    newest = max(runs.glob("*/metrics.jsonl"), key=lambda p: p.stat().st_mtime)
    times = [line["t"] for line in map(json.loads, newest.read_text().splitlines())
             if "train/loss" in line]
    steps = [after - before for before, after in zip(times, times[1:])]
    return statistics.median(steps), used.ru_maxrss / 1024


rows = [(minutes, *step_of(minutes)) for minutes in args.minutes]
print(f"{'raw':>7} {'step':>9} {'step per minute':>16} {'peak memory':>12}")
for minutes, seconds, memory in rows:
    print(f"{minutes:5g} m {seconds:7.2f} s {1e3 * seconds / minutes:13.1f} ms {memory:9.0f} MB")
(short, short_s, short_mb), (long, long_s, long_mb) = rows[0], rows[-1]
time_growth = (long_s / long) / (short_s / short)
memory_growth = (long_mb / long) / (short_mb / short)
print(f"growth per minute of raw from {short:g} to {long:g} minutes: "
      f"time x{time_growth:.2f}, memory x{memory_growth:.2f}")
raise SystemExit(time_growth > args.slack or memory_growth > args.slack)
