// Commands over many files: one bad file, --only, --threads, and the end by a signal.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "catch.hpp"
#include "core/files.hpp"
#include "retake_in.hpp"
#include "unit/edit/audio_support.hpp"

using namespace retake;
using namespace retake::testing;
namespace fs = std::filesystem;

namespace {

/// A pair whose edit is the middle of its recording.
void write_pair(const Scratch& folder, const std::string& root, const std::string& id,
                std::uint64_t seed) {
  const auto format = format_of("wav", "pcm_16", 1, 22050);
  fs::create_directories(folder / (root + "/input"));
  fs::create_directories(folder / (root + "/desired_output"));
  const std::string raw = folder / (root + "/input/" + id + "_raw.wav");
  write_wave(raw, format, 22050 * 4, noise(seed));
  const std::vector<double> samples = samples_of(raw);
  write_wave(folder / (root + "/desired_output/" + id + "_edit.wav"), format, 22050 * 2,
             [&](std::int64_t i, int) { return samples[static_cast<std::size_t>(i) + 22050]; });
}

void cut_file(const std::string& path, std::size_t bytes) {
  write_file_atomic(path, read_file(path).substr(0, bytes));
}

/// Starts `retake WORDS` in a folder, sends it the signal as soon as `begun`, and waits for its
/// end.
Result stop_retake(const Scratch& folder, const std::vector<std::string>& words, int signal,
                   const std::function<bool()>& begun) {
  const std::string out = folder / ".said";
  std::vector<std::string> all{RETAKE_BINARY_DIR "/bin/retake"};
  all.insert(all.end(), words.begin(), words.end());
  std::vector<char*> argv;
  for (std::string& word : all) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const int file = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (::chdir((folder / "").c_str()) != 0 || ::dup2(file, 1) < 0 || ::dup2(file, 2) < 0) {
      ::_exit(99);
    }
    ::execv(argv[0], argv.data());
    ::_exit(99);
  }
  int status = 0;
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!begun() && ::waitpid(child, &status, WNOHANG) == 0) {
    REQUIRE(std::chrono::steady_clock::now() < limit);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ::kill(child, signal);
  ::waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), read_file(out)};
}

bool holds(const std::string& folder, const std::string& part) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (contains(entry.path().filename().string(), part)) return true;
  }
  return false;
}

std::string last_line(const std::string& text) {
  const std::size_t end = text.find_last_not_of('\n');
  return text.substr(text.rfind('\n', end) + 1, end - text.rfind('\n', end));
}

}  // namespace

TEST_CASE("a broken pair costs the others nothing, and --only leaves it out") {
  const Scratch scratch("many");
  for (const char* id : {"a", "b.1", "c,d"}) write_pair(scratch, "set", id, 7);
  cut_file(scratch / "set/input/a_raw.wav", 1000);
  const Result one = retake_in(scratch, "align set --only b.1 --quiet");
  INFO(one.text);
  CHECK(one.code == 0);
  CHECK(contains(one.text, "b.1  aligned 100.0 %"));  // the result, also when quiet
  const Result all = retake_in(scratch, "align set --json --quiet");
  INFO(all.text);
  CHECK(all.code == 5);
  const Value pairs = parse_json(all.text.substr(0, all.text.find('\n')), "stdout");
  CHECK(pairs.as_table().at("pairs").as_array().size() == 2);
  CHECK(contains(last_line(all.text), "a_raw.wav"));
  CHECK(retake_in(scratch, "align set --only b.1 c,d --quiet").code == 0);
  CHECK(retake_in(scratch, "align set --only b.1 --only c,d").code == 0);
  CHECK(retake_in(scratch, "align set --only c,d,b.1").code == 2);  // `c` is no pair
  CHECK(retake_in(scratch, "align set --only a").code == 5);
  CHECK(contains(retake_in(scratch, "align set --only b.1,b.2").text, "did you mean"));
  CHECK(contains(retake_in(scratch, "align set --only b.1 c").text, "there is no `c` here"));
  CHECK(contains(retake_in(scratch, "align nowhere").text, "there is no folder nowhere"));
  CHECK(contains(retake_in(scratch, "align set --only b.1 jump_cost=30").text, "stand before"));
  CHECK(contains(retake_in(scratch, "align --only b.1 set").text, "words behind --only are ids"));
}

TEST_CASE("an alignment with a damaged file is made again") {
  const Scratch scratch("again");
  write_pair(scratch, "set", "a", 7);
  REQUIRE(retake_in(scratch, "align set").code == 0);
  CHECK(contains(retake_in(scratch, "align set").text, "there already"));
  const std::string file = scratch / "set/pointer_sequences/a_pointers.npy";
  const std::string whole = read_file(file);
  cut_file(file, 100);
  CHECK_FALSE(contains(retake_in(scratch, "align set").text, "there already"));
  CHECK(read_file(file) == whole);
}

TEST_CASE("what edit and evaluate cannot do is refused before anything runs") {
  const Scratch scratch("refuse");
  const auto refused = [&](const std::string& words, const std::string& text) {
    const Result r = retake_in(scratch, words);
    INFO(words << "\n" << r.text);
    CHECK(r.code == 2);
    CHECK(contains(r.text, text));
    CHECK_FALSE(fs::exists(scratch / "out"));
  };
  const std::string edit = "edit a/x.wav --run nowhere -o out ";
  refused(edit + "b/x.wav", "both be written to out/x_edited");
  refused(edit + "x.flac", "both be written to out/x_edited");
  refused("edit a/x.wav out/x_edited.wav --run nowhere -o out", "be written over out/x_edited.wav");
  for (const char* join : {"nan", "-5", "1e9"}) {
    refused(edit + "--join " + join, "0 to 10 seconds");
  }
  refused(edit + "--length 1:75", "below 60");
  refused(edit + "--length 1.5", "is no length");
  refused(edit + "--threads -1", "--threads is at least 0");
  refused("evaluate nowhere --threads -1", "--threads is at least 0");
  refused("align a b --threads -1", "--threads is at least 0");
  refused("synth out --threads -1", "--threads is at least 0");
  refused("evaluate nowhere --split tset", "did you mean `test`?");
  CHECK(contains(retake_in(scratch, "edit --help").text, "(=0.03)"));
}

TEST_CASE("renders that would spoil each other or a recording begin not at all") {
  const Scratch scratch("spoil");
  write_wave(scratch / "a_edited.wav", format_of("wav", "pcm_16", 1), 4410, noise(1));
  write_wave(scratch / "raw.wav", format_of("wav", "pcm_16", 1), 4410, noise(2));
  const auto edl = [](const std::string& source) {
    return R"({"schema":"retake.edl/1","sources":[{"path":")" + source +
           R"("}],"segments":[{"begin":0,"end":4410}]})";
  };
  fs::create_directories(scratch / "x");
  write_text(scratch / "a.edl.json", edl("raw.wav"));
  write_text(scratch / "b.edl.json", edl("a_edited.wav"));
  write_text(scratch / "x/a.edl.json", edl("../raw.wav"));
  const std::string before = read_file(scratch / "a_edited.wav");
  const Result over = retake_in(scratch, "render a.edl.json b.edl.json");
  INFO(over.text);
  CHECK(over.code == 2);
  CHECK(contains(over.text, "a_edited.wav, which this command reads"));
  CHECK(read_file(scratch / "a_edited.wav") == before);
  const Result same = retake_in(scratch, "render a.edl.json x/a.edl.json -o out");
  INFO(same.text);
  CHECK(same.code == 2);
  CHECK(contains(same.text, "both be written to out/a_edited"));
  CHECK_FALSE(fs::exists(scratch / "out"));
}

TEST_CASE("features that were interrupted: what is gone is made again, and all is told") {
  const Scratch scratch("ledger");
  for (const char* id : {"a", "b", "c"}) {
    write_wave(scratch / (std::string(id) + ".wav"), format_of("wav", "pcm_16", 1, 22050), 22050,
               noise(3));
  }
  cut_file(scratch / "c.wav", 20);  // its failure leaves the work unfinished
  const std::string words = "features a.wav b.wav c.wav --extractor log_mel -o out --json";
  CHECK(retake_in(scratch, words).code == 5);
  fs::remove(scratch / "out/a.npz");
  const Result again = retake_in(scratch, words);
  INFO(again.text);
  CHECK(fs::exists(scratch / "out/a.npz"));
  const std::size_t begin = again.text.find("{\"extractor\"");
  REQUIRE(begin != std::string::npos);
  const Value told =
      parse_json(again.text.substr(begin, again.text.find('\n', begin) - begin), "stdout");
  CHECK(told.as_table().at("files").as_array().size() == 2);
}

TEST_CASE("a signal before anything is begun is a preemption too") {
  const Scratch scratch("early");
  const std::string pipe = scratch / "pipe.toml";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  for (const int signal : {SIGTERM, SIGUSR1}) {
    int end = -1;  // opens as soon as the command reads from the pipe
    const Result r = stop_retake(scratch, {"check", "pipe.toml"}, signal, [&] {
      end = ::open(pipe.c_str(), O_WRONLY | O_NONBLOCK);
      return end >= 0;
    });
    ::close(end);
    INFO(r.text);
    CHECK(r.code == 75);
    CHECK(contains(r.text, "stopped by a signal before anything was begun"));
  }
}

TEST_CASE("a stopped render keeps what is finished, and leaves no temporary file") {
  const Scratch scratch("stop");
  write_wave(scratch / "raw.wav", format_of("wav", "pcm_16", 2), 441000, noise(1));
  const auto edl = [](int times) {
    std::string segments;
    for (int i = 0; i < times; ++i) {
      segments += std::string(i == 0 ? "" : ",") + R"({"begin":0,"end":441000,"gain_db":-1})";
    }
    return R"({"schema":"retake.edl/1","sources":[{"path":"raw.wav"}],"segments":[)" + segments +
           "]}";
  };
  write_text(scratch / "short.edl.json", edl(1));
  write_text(scratch / "long.edl.json", edl(400));
  fs::create_directories(scratch / "out");
  for (const auto& [signal, code] : {std::pair{SIGINT, 130}, {SIGTERM, 75}, {SIGUSR1, 75}}) {
    const Result r =
        stop_retake(scratch, {"render", "short.edl.json", "long.edl.json", "-o", "out", "--json"},
                    signal, [&] { return holds(scratch / "out", ".long_edited.wav.tmp-"); });
    INFO(r.text);
    CHECK(r.code == code);
    CHECK(contains(r.text, "short_edited.wav"));
    CHECK(contains(last_line(r.text), R"({"error":{"code":)" + std::to_string(code)));
    CHECK(fs::exists(scratch / "out/short_edited.wav"));
    CHECK_FALSE(holds(scratch / "out", "long"));
  }
}

TEST_CASE("a stopped synth says how it goes on") {
  const Scratch scratch("synth");
  const Result r = stop_retake(
      scratch, {"synth", "set", "--pairs", "200", "--no-oracles", "minutes=1", "sample_rate=22050"},
      SIGTERM, [&] { return holds(scratch / "set/input", "_raw.wav"); });
  INFO(r.text);
  CHECK(r.code == 75);
  CHECK(contains(r.text, "error[E007]"));
  CHECK(contains(r.text, "the same command goes on"));
}

TEST_CASE("clipping is said even when quiet") {
  const Scratch scratch("clip");
  write_wave(scratch / "raw.wav", format_of("wav", "pcm_16", 1), 4410, noise(1));
  write_text(scratch / "loud.edl.json",
             R"({"schema":"retake.edl/1","sources":[{"path":"raw.wav"}],)"
             R"("segments":[{"begin":0,"end":4410,"gain_db":20}]})");
  CHECK(contains(retake_in(scratch, "render loud.edl.json --quiet").text, "warning[W40]"));
}
