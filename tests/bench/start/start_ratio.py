"""`retake plugins list` beside the same program linked to LibTorch, interleaved."""

import argparse
import os
import statistics
import subprocess
import time
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--retake", required=True, type=Path)
parser.add_argument("--linked", required=True, type=Path, help="the same, linked to LibTorch")
parser.add_argument("--rounds", type=int, default=21)
args = parser.parse_args()

def run(program):
    """Wall and processor milliseconds of one start."""
    began = time.perf_counter()
    process = subprocess.Popen([program, "plugins", "list", "--quiet"],
                               stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    if status != 0:
        raise SystemExit(f"{program} ended with {status}")
    return 1e3 * wall, 1e3 * (used.ru_utime + used.ru_stime)


rounds = [(run(args.retake), run(args.linked)) for _ in range(args.rounds)][1:]
for what, index in (("wall", 0), ("processor time", 1)):
    ours = statistics.median(ours[index] for ours, _ in rounds)
    theirs = statistics.median(theirs[index] for _, theirs in rounds)
    ratio = statistics.median(theirs[index] / ours[index] for ours, theirs in rounds)
    print(f"plugins list, {what}: {ours:.1f} ms, linked to LibTorch "
          f"{theirs:.1f} ms, {ratio:.1f} times as long")
