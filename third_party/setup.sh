#!/usr/bin/env bash
# Sets Retake up on Debian 12 or Ubuntu 24.04, as root or through sudo. Idempotent.
#
#   third_party/setup.sh demo    install what is missing, build, run the demo experiment
#   third_party/setup.sh test    install what is missing, build, run the default test suite
#   third_party/setup.sh deps    only install what is missing
#   third_party/setup.sh build   ... and build
#   third_party/setup.sh fuzz    ... clang too, and a million executions of every fuzz target
#
# Environment:
#   RETAKE_LIBTORCH  folder of an existing LibTorch 2.11 or newer (with include/ and lib/)
#   RETAKE_HOME      where LibTorch is put otherwise (default ~/.local/share/retake)
#   RETAKE_BUILD     build folder (default build)
#   RETAKE_JOBS      parallel compilations (default: all cores)
set -euo pipefail
cd "$(dirname "$0")/.."

LIBTORCH_VERSION=2.13.0
HOME_DIR="${RETAKE_HOME:-$HOME/.local/share/retake}"
BUILD="${RETAKE_BUILD:-build}"
JOBS="${RETAKE_JOBS:-$(nproc)}"
EXTRA_CMAKE=()

PACKAGES=(
  build-essential cmake ninja-build git ca-certificates pkg-config python3 python3-pip python3-venv ccache
  libboost-filesystem-dev libboost-program-options-dev libsndfile1-dev libsoxr-dev libfftw3-dev
  libeigen3-dev libtomlplusplus-dev nlohmann-json3-dev libspdlog-dev libfmt-dev libssl-dev zlib1g-dev
  libpng-dev libzip-dev libprotozero-dev libxxhash-dev catch2
)
# Real music for the integration tests; free licences, 1.8 hours.
MUSIC=(singularity-music asc-music fretsonfire-songs-sectoid fretsonfire-songs-muldjord)

# libFuzzer.
FUZZ=(clang-16 libclang-rt-16-dev)

say() { printf '\033[1m== %s\033[0m\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

check_machine() {
  [ "$(uname -m)" = x86_64 ] || die "Retake is built for Linux on x86-64, this machine is $(uname -m)"
  grep -qw avx2 /proc/cpuinfo && return 0
  say "this CPU has no AVX2: building for plain x86-64"
  EXTRA_CMAKE+=(-DRETAKE_MARCH=x86-64)
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "need root to install packages: run this as root, or install sudo"; fi
}

install_packages() {
  command -v apt-get >/dev/null || die "apt-get not found: this script knows Debian and Ubuntu; third_party/README.md lists the packages"
  local missing=()
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  if [ ${#missing[@]} = 0 ]; then say "packages: all $# are installed"; return; fi
  say "installing ${#missing[@]} packages: ${missing[*]}"
  as_root apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
}

find_libtorch() {
  local root
  for root in "${RETAKE_LIBTORCH:-}" "$HOME_DIR"/libtorch/*/torch; do
    [ -n "$root" ] && [ -e "$root/lib/libtorch_cpu.so" ] && { printf '%s\n' "$root"; return; }
  done
  return 0
}

install_libtorch() {
  [ -z "${RETAKE_LIBTORCH:-}" ] || [ -e "$RETAKE_LIBTORCH/lib/libtorch_cpu.so" ] ||
    die "RETAKE_LIBTORCH=$RETAKE_LIBTORCH holds no lib/libtorch_cpu.so"
  local found; found="$(find_libtorch)"
  if [ -n "$found" ]; then say "LibTorch: $found"; return; fi
  local target="$HOME_DIR/libtorch/$LIBTORCH_VERSION"
  say "installing LibTorch $LIBTORCH_VERSION (the torch package of PyPI) into $target"
  rm -rf "$target.part"
  python3 -m pip install --quiet --target "$target.part" "torch==$LIBTORCH_VERSION"
  rm -rf "$target"
  mkdir -p "$(dirname "$target")"
  mv "$target.part" "$target"
}

deps() {
  check_machine
  install_packages "$@"
  install_libtorch
}

build() {
  say "configuring in $BUILD"
  [ "${CI:-}" != true ] || EXTRA_CMAKE+=(-DRETAKE_WERROR=ON)
  cmake -S . -B "$BUILD" -G Ninja -DRETAKE_LIBTORCH="$(find_libtorch)" "${EXTRA_CMAKE[@]}"
  say "building with $JOBS jobs"
  cmake --build "$BUILD" -j "$JOBS" --target "$@"
}

demo() {
  local retake="$BUILD/bin/retake"
  say "training: retake run experiments/pointer/demo.toml"
  "$retake" run experiments/pointer/demo.toml
  say "held-out recordings: retake evaluate last --split test --save demo-edits"
  "$retake" evaluate last --split test --save demo-edits
  say "the edits are in demo-edits/: audio, EDL and picture of each"
}

run_tests() {
  say "testing: ctest, default suite"
  ctest --test-dir "$BUILD" --output-on-failure -j 2 -LE 'peers|integration|slow|fuzz|bench'
}

fuzz() {
  say "fuzzing: ctest -L fuzz"
  ctest --test-dir "$BUILD" --output-on-failure -j 2 -L fuzz
}

case "${1:-}" in
  deps)  deps "${PACKAGES[@]}" ;;
  build) deps "${PACKAGES[@]}"; build all ;;
  demo)  deps "${PACKAGES[@]}"; build framework/all plugins/all; demo ;;
  test)  deps "${PACKAGES[@]}" "${MUSIC[@]}"; build all; run_tests ;;
  fuzz)  deps "${PACKAGES[@]}" "${FUZZ[@]}"; build retake_cli; fuzz ;;
  *)     sed -n '2,15s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
