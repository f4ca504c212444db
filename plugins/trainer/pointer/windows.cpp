#include "windows.hpp"

#include <algorithm>

namespace pointer_trainer {

namespace {

constexpr std::int64_t kNone = -1;
constexpr double kLastShare = 0.1;  // of windows that lie at the very end, where the stop is

/// Where a window begins on an axis of `length` frames and the stop behind them.
std::int64_t draw_begin(std::int64_t length, std::int64_t window, retake::Rng& rng) {
  const std::int64_t last = std::max<std::int64_t>(0, length + 1 - window);
  return rng.chance(kLastShare) ? last : rng.integer(0, last);
}

/// The rows of one window being filled, one value per frame.
class Window {
 public:
  explicit Window(std::int64_t frames)
      : running(static_cast<std::size_t>(frames), 0),
        delta(running.size(), kNone),
        op(running.size(), kNone),
        bin(running.size(), kNone),
        fine(running.size(), kNone),
        use_jump(running.size(), kNone),
        stop(running.size(), kNone),
        valid(running.size(), 0) {}

  void set_step(std::size_t t, const retake::PointerStep& step) {
    stop[t] = 0;
    use_jump[t] = step.jump ? 1 : 0;
    if (step.jump) {
      bin[t] = step.bin;
      fine[t] = step.fine;
    } else {
      delta[t] = step.delta;
    }
  }

  std::vector<std::int64_t> running, delta, op, bin, fine;
  std::vector<std::int64_t> use_jump, stop;  ///< 0, 1, or -1 where no loss counts
  std::vector<std::uint8_t> valid;
};

/// Frames [begin, begin + T) of the edit and the stop behind it.
Window along_the_edit(const Path& path, const retake::PointerCoding& coding,
                      const WindowOptions& options, retake::Rng& rng) {
  const auto frames = static_cast<std::int64_t>(path.pointers.size());
  const std::int64_t begin = draw_begin(frames, options.frames, rng);
  Window w(options.frames);
  std::int64_t previous = -1;
  bool gap = false;
  for (std::int64_t t = begin; t > 0 && previous < 0; --t) {
    previous = path.pointers[static_cast<std::size_t>(t - 1)];
    gap = gap || previous < 0;
  }
  gap = gap && previous >= 0;
  bool landed = false;
  for (std::size_t i = 0; i < w.running.size(); ++i) {
    const std::int64_t t = begin + static_cast<std::int64_t>(i);
    if (t > frames) break;
    w.valid[i] = 1;
    w.running[i] = previous + 1;
    if (t == frames) {
      w.stop[i] = 1;
      w.op[i] = static_cast<std::int64_t>(retake::Op::stop);
      break;
    }
    const std::int64_t pointer = path.pointers[static_cast<std::size_t>(t)];
    if (pointer < 0) {
      gap = true;
      continue;
    }
    const retake::PointerStep step = retake::encode_step(previous, pointer, gap, coding);
    w.set_step(i, step);
    w.op[i] = static_cast<std::int64_t>(path.ops[static_cast<std::size_t>(t)]);
    // The landing of a jump is off by some frames at times, and the next step mends it.
    if (landed && !step.jump && rng.chance(options.noise)) {
      const std::int64_t off = rng.integer(-options.noise_frames, options.noise_frames);
      const std::int64_t at = previous + off;
      const std::int64_t distance = pointer - at - 1;
      if (at >= 0 && at + 1 < path.raw_rows && std::abs(distance) <= coding.max_delta) {
        w.running[i] = at + 1;
        w.delta[i] = distance + coding.max_delta;
      }
    }
    landed = step.jump;
    previous = pointer;
    gap = false;
  }
  return w;
}

/// Raw frames [begin, begin + T) one after another.
Window over_the_raw(const Path& path, const retake::PointerCoding& coding,
                    const WindowOptions& options, retake::Rng& rng) {
  Window w(options.frames);
  const std::int64_t begin = draw_begin(path.raw_rows, options.frames, rng);
  auto next = std::lower_bound(path.enters.begin(), path.enters.end(), begin);
  for (std::size_t i = 0; i < w.running.size(); ++i) {
    const std::int64_t raw = begin + static_cast<std::int64_t>(i);
    if (raw > path.raw_rows) break;
    w.valid[i] = 1;
    w.running[i] = raw;
    while (next != path.enters.end() && *next < raw) ++next;
    if (raw < path.raw_rows && path.used[static_cast<std::size_t>(raw)] != 0) {
      w.set_step(i, retake::encode_step(raw - 1, raw, false, coding));
    } else if (next != path.enters.end()) {
      w.set_step(i, retake::encode_step(raw - 1, *next, false, coding));
    } else {
      w.stop[i] = 1;
    }
  }
  return w;
}

at::Tensor stack(const std::vector<Window>& windows, std::vector<std::int64_t> Window::*field) {
  const auto frames = static_cast<std::int64_t>(windows.front().running.size());
  at::Tensor all = at::empty({static_cast<std::int64_t>(windows.size()), frames}, at::kLong);
  auto* out = all.data_ptr<std::int64_t>();
  for (const Window& w : windows) out = std::copy((w.*field).begin(), (w.*field).end(), out);
  return all;
}

void set_jumps(const std::vector<Window>& windows, const WindowOptions& options, retake::Rng& rng,
               retake::TensorMap& tensors) {
  struct Jump {
    std::int64_t index, bin, fine;
  };
  std::vector<Jump> jumps;
  for (std::size_t w = 0; w < windows.size(); ++w) {
    for (std::size_t t = 0; t < windows[w].bin.size(); ++t) {
      if (windows[w].bin[t] < 0) continue;
      const auto index =
          static_cast<std::int64_t>(w) * options.frames + static_cast<std::int64_t>(t);
      jumps.push_back({index, windows[w].bin[t], windows[w].fine[t]});
    }
  }
  rng.shuffle(jumps);
  if (static_cast<std::int64_t>(jumps.size()) > options.jumps) {
    jumps.resize(static_cast<std::size_t>(options.jumps));
  }
  at::Tensor index = at::zeros({options.jumps}, at::kLong), bin = at::full_like(index, kNone),
             fine = at::full_like(index, kNone);
  for (std::size_t j = 0; j < jumps.size(); ++j) {
    index.data_ptr<std::int64_t>()[j] = jumps[j].index;
    bin.data_ptr<std::int64_t>()[j] = jumps[j].bin;
    fine.data_ptr<std::int64_t>()[j] = jumps[j].fine;
  }
  tensors.set("jump_index", index);
  tensors.set("jump_bin", bin);
  tensors.set("jump_fine", fine);
  tensors.set("jump_mask", bin >= 0);
}

}  // namespace

Path make_path(const retake::Song& song) {
  Path p;
  p.raw_rows = song.raw_grid.rows;
  p.pointers = retake::pointers(song.alignment.edl, song.edit_grid, song.raw_grid);
  p.ops = retake::ops(song.alignment.edl, song.edit_grid);
  p.used.assign(static_cast<std::size_t>(p.raw_rows), 0);
  std::int64_t previous = -2;
  for (std::int64_t pointer : p.pointers) {
    if (pointer < 0) {
      previous = -2;
      continue;
    }
    p.used[static_cast<std::size_t>(pointer)] = 1;
    if (pointer != previous + 1) p.enters.push_back(pointer);
    previous = pointer;
  }
  std::sort(p.enters.begin(), p.enters.end());
  return p;
}

retake::TensorMap make_windows(const Path& path, const retake::PointerCoding& coding,
                               const WindowOptions& options, retake::Rng& rng) {
  std::vector<Window> windows;
  for (std::int64_t w = 0; w < options.windows; ++w) {
    windows.push_back(rng.chance(options.recovery) ? over_the_raw(path, coding, options, rng)
                                                   : along_the_edit(path, coding, options, rng));
  }
  retake::TensorMap t;
  t.set("running", stack(windows, &Window::running));
  t.set("delta_target", stack(windows, &Window::delta));
  t.set("op_target", stack(windows, &Window::op));
  for (const auto& [name, field] :
       {std::pair{std::string("use_jump"), &Window::use_jump}, {"stop", &Window::stop}}) {
    const at::Tensor value = stack(windows, field);
    t.set(name + "_target", value.clamp_min(0).to(at::kFloat));
    t.set(name + "_mask", value >= 0);
  }
  at::Tensor valid = at::zeros({options.windows, options.frames}, at::kBool);
  for (std::size_t w = 0; w < windows.size(); ++w) {
    for (std::size_t i = 0; i < windows[w].valid.size(); ++i) {
      valid.data_ptr<bool>()[static_cast<std::int64_t>(w) * options.frames +
                             static_cast<std::int64_t>(i)] = windows[w].valid[i] != 0;
    }
  }
  t.set("window_mask", valid);
  set_jumps(windows, options, rng, t);
  return t;
}

}  // namespace pointer_trainer
