"""Compares `retake features` with librosa: the same values, and how much faster.

Makes a virtual environment with librosa below --work, so the system's Python is left alone.
Speed: librosa's read + mel + save in a warm process over the whole process of `retake features`,
interleaved rounds on one core; the median of the rounds' ratios counts.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--retake", required=True, type=Path)
parser.add_argument("--work", required=True, type=Path)
parser.add_argument("--rounds", type=int, default=9)
parser.add_argument("--minutes", type=float, default=5.0)
parser.add_argument("--bar", type=float, default=4.0, help="smallest speed ratio at 22,050 Hz")
args = parser.parse_args()

args.work.mkdir(parents=True, exist_ok=True)
python = args.work / "venv" / "bin" / "python"
if Path(sys.executable) != python.absolute():
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", args.work / "venv"], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "librosa>=0.10", "soundfile"],
                       check=True)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = "1"
    os.execv(python.absolute(), [str(python.absolute()), *sys.argv])

import librosa  # noqa: E402
import numpy as np  # noqa: E402
import soundfile  # noqa: E402

RATE = 22050
rng = np.random.default_rng(1)
failures = 0


def check(what, ok, text):
    global failures
    failures += not ok
    print(f"{'ok  ' if ok else 'FAIL'} {what:<34} {text}")


def music(seconds):
    """Decaying notes with harmonics over a quiet hiss."""
    t = np.arange(int(seconds * RATE)) / RATE
    x = 1e-4 * rng.standard_normal(len(t))
    for k in range(int(seconds * 4)):
        start = k / 4
        hz = 55 * 2 ** (rng.integers(0, 48) / 12)
        u = np.maximum(t - start, 0)
        on = (t >= start) & (u < 2)
        for h in range(1, 6):
            x[on] += 0.15 / h * np.exp(-3 * u[on]) * np.sin(2 * np.pi * hz * h * u[on])
    return x


def retake(audio, *parameters, out):
    subprocess.run([args.retake, "features", audio, *parameters, "-o", out, "--threads", "1",
                    "--quiet"], check=True, stdout=subprocess.DEVNULL)
    with np.load(Path(out) / (Path(audio).stem + ".npz")) as z:
        return z["mel"]


def parity():
    n = 20 * RATE
    impulses = np.zeros(n)
    impulses[700::5511] = 1.0
    signals = {
        "noise": 0.5 * rng.uniform(-1, 1, n),
        "tone": 0.5 * np.sin(2 * np.pi * 440 * np.arange(n) / RATE),
        "music": music(20),
        "silence": np.zeros(n),
        "impulses": impulses,
        "one sample": np.array([0.7]),
        "shorter than a window": 0.5 * rng.uniform(-1, 1, 900),
        "near-silent noise": 1e-4 * rng.uniform(-1, 1, n),
    }
    for name, x in signals.items():
        path = args.work / (name.replace(" ", "_") + ".wav")
        soundfile.write(path, x.astype(np.float32), RATE, subtype="FLOAT")
        y, _ = librosa.load(path, sr=RATE, mono=True)
        power = librosa.feature.melspectrogram(y=y, sr=RATE, n_fft=2048, hop_length=256, n_mels=128)
        # Linear mel: natural logarithm without a floor worth the name, undone.
        ln = retake(path, "logarithm=ln", "floor=1e-38", "range=none", out=args.work / "out")
        got = np.exp(ln.astype(np.float64))
        scale = np.linalg.norm(power)
        error = np.linalg.norm(got - power) / scale if scale > 0 else np.abs(got).max()
        want = np.clip((librosa.power_to_db(power, ref=np.max, top_db=80) + 80) / 80, 0, 1)
        db = 80 * np.abs(retake(path, out=args.work / "out") - want).max()
        # exp and ln of float32 add up to 1e-6 of rounding to what is compared.
        check(name, error <= 1e-6 and db <= 0.01 and got.shape == power.shape,
              f"Frobenius {error:.1e}   dB after top_db {db:.1e}")


def speed(rate, channels, label, bar):
    x = np.tile(music(20), int(args.minutes * 3)).astype(np.float32)
    if rate != RATE:
        x = librosa.resample(x, orig_sr=RATE, target_sr=rate)
    path = args.work / f"speed_{rate}_{channels}.wav"
    soundfile.write(path, np.stack([0.5 * x] * channels, 1), rate, subtype="PCM_16")
    out = args.work / "out"

    def peer():
        y, _ = librosa.load(path, sr=RATE, mono=True)
        s = librosa.feature.melspectrogram(y=y, sr=RATE, n_fft=2048, hop_length=256, n_mels=128)
        mel = np.clip((librosa.power_to_db(s, ref=np.max, top_db=80) + 80) / 80, 0, 1)
        np.savez(out / "peer.npz", mel=mel.astype(np.float32))

    def ours():
        subprocess.run([args.retake, "features", path, "-o", out, "--threads", "1", "--quiet"],
                       check=True, stdout=subprocess.DEVNULL)

    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[0]})  # both on one core
    peer()
    ours()
    rounds = []
    for k in range(args.rounds):
        times = {}
        for f in (peer, ours) if k % 2 == 0 else (ours, peer):
            # Both write a new file: ext4 makes a rename over a file wait for the new one's data.
            for old in out.glob("*.npz"):
                old.unlink()
            wall, cpu = time.perf_counter(), sum(os.times()[:4])
            f()
            times[f] = time.perf_counter() - wall, sum(os.times()[:4]) - cpu
        rounds.append((times[peer][0] / times[ours][0], *times[peer], *times[ours]))
    ratio, theirs, theirs_cpu, mine, mine_cpu = (float(np.median(c)) for c in zip(*rounds))
    check(f"speed, {label}", ratio >= bar,
          f"{ratio:.1f}x   for {args.minutes:g} min: librosa {1e3 * theirs:.0f} ms "
          f"({1e3 * theirs_cpu:.0f} of the processor), whole retake process {1e3 * mine:.0f} ms "
          f"({1e3 * mine_cpu:.0f})")


print(f"librosa {librosa.__version__}, numpy {np.__version__}")
parity()
speed(RATE, 1, "22,050 Hz mono", args.bar)
speed(44100, 2, "44,100 Hz stereo, resampled", 0.0)
sys.exit(1 if failures else 0)
