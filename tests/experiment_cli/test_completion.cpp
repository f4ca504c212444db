// Completion: what is offered, how fast, and that bash and zsh get it.

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "catch.hpp"
#include "run_retake.hpp"

using cli_test::Folder;
using cli_test::retake;

namespace {

using Words = std::vector<std::string>;

Words lines(const std::string& text) {
  Words out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

Words offered(Words words, const Folder& folder) {
  Words line = {"__complete", "--"};
  line.insert(line.end(), words.begin(), words.end());
  const auto r = retake(line, folder.path());
  INFO(r.err);
  CHECK(r.code == 0);
  CHECK(r.err.empty());
  return lines(r.out);
}

bool has(const Words& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

void write_experiment(const Folder& folder) {
  folder.write("experiments/small.toml",
               "extends = \"../base.toml\"\n[feature_extractor.mel]\nn_mels = 64\n");
  folder.write("base.toml", "[feature_extractor.mel]\nplugin = \"log_mel\"\n");
  folder.write("notes.txt", "");
  folder.write("runs/2026-01-02_small_abcd2345/manifest.json", "{}");
}

/// What a shell prints that sources our script and completes a line.
std::string in_shell(const std::string& command, const Folder& folder) {
  const std::string file = (folder.path() / "shell.out").string();
  const std::string full = "cd '" + folder.path().string() + "' && PATH=\"$(dirname '" +
                           RETAKE_EXECUTABLE + "'):$PATH\" " + command + " > '" + file + "' 2>&1";
  CHECK(std::system(full.c_str()) == 0);
  std::string text;
  std::FILE* in = std::fopen(file.c_str(), "r");
  REQUIRE(in != nullptr);
  for (int c = std::fgetc(in); c != EOF; c = std::fgetc(in)) text += static_cast<char>(c);
  std::fclose(in);
  return text;
}

/// Processor time of ended children: what other programs of a busy machine take does not count.
double seconds_of_children() {
  rusage use{};
  ::getrusage(RUSAGE_CHILDREN, &use);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

std::string bash(const std::string& line, const Folder& folder) {
  const std::string script =
      "eval \"$(retake completion bash)\"; COMP_LINE=\"$1\"; COMP_POINT=${#COMP_LINE}; "
      "_retake retake; printf \"%s\\n\" \"${COMPREPLY[@]}\"";
  return in_shell("bash --norc -c '" + script + "' bash '" + line + "'", folder);
}

}  // namespace

TEST_CASE("commands, subcommands and options are completed") {
  const Folder folder;
  write_experiment(folder);
  CHECK(offered({"expl"}, folder) == Words{"explain", "explain-error"});
  CHECK(has(offered({""}, folder), "plugins"));
  CHECK_FALSE(has(offered({""}, folder), "__complete"));
  CHECK(offered({"plugins", "par"}, folder) == Words{"params"});
  CHECK(has(offered({"show", "x.toml", "--re"}, folder), "--resolved"));
  CHECK(has(offered({"show", "--js"}, folder), "--json"));
  CHECK(offered({"show", "x.toml", "--format", ""}, folder) == Words{"json", "toml"});
  CHECK(offered({"show", "--format=j"}, folder) == Words{"--format=json"});
  CHECK(offered({"completion", ""}, folder) == Words{"bash", "zsh"});
  CHECK(has(offered({"explain-error", "E10"}, folder), "E104"));
  CHECK(has(offered({"plugins", "info", "feature_extractor/l"}, folder),
            "feature_extractor/log_mel"));
  CHECK(has(offered({"plugins", "list", "--kind", "mo"}, folder), "model"));
  CHECK(offered({"no-such-command", ""}, folder).empty());
}

TEST_CASE("files, keys, values and runs are completed") {
  const Folder folder;
  write_experiment(folder);
  CHECK(offered({"check", ""}, folder) == Words{"base.toml", "experiments/", "runs/"});
  CHECK(offered({"check", "experiments/"}, folder) == Words{"experiments/small.toml"});
  const std::string file = "experiments/small.toml";
  CHECK(has(offered({"run", file, ""}, folder), "train."));
  CHECK(has(offered({"run", file, ""}, folder), "feature_extractor."));
  CHECK(offered({"run", file, "train.max_s"}, folder) == Words{"train.max_steps="});
  CHECK(offered({"run", file, "feature_extractor."}, folder) == Words{"feature_extractor.mel."});
  CHECK(offered({"run", file, "feature_extractor.mel.hop"}, folder) ==
        Words{"feature_extractor.mel.hop_length="});
  CHECK(offered({"run", file, "train.keep."}, folder) ==
        Words{"train.keep.best=", "train.keep.last="});
  CHECK(offered({"run", file, "train.goal="}, folder) == Words{"train.goal=max", "train.goal=min"});
  CHECK(offered({"run", file, "run.archive=t"}, folder) == Words{"run.archive=true"});
  CHECK(has(offered({"run", file, "feature_extractor.mel.plugin=log"}, folder),
            "feature_extractor.mel.plugin=log_mel"));
  CHECK(offered({"explain", file, "train.max_s"}, folder) == Words{"train.max_steps"});
  CHECK(has(offered({"show", file, "--only", ""}, folder), "feature_extractor.mel"));
  CHECK(offered({"resume", "ab"}, folder) == Words{"abcd2345"});
  CHECK(has(offered({"show", file, "--diff", ""}, folder), "abcd2345"));
  folder.write("broken.toml", "[[[");
  CHECK(has(offered({"run", "broken.toml", "train.ba"}, folder), "train.batch="));
}

TEST_CASE("completion takes less than 50 ms of the processor") {
  const Folder folder;
  write_experiment(folder);
  double best = 1e9, best_wall = 1e9;
  for (int i = 0; i < 10; ++i) {
    const double before = seconds_of_children();
    const auto begin = std::chrono::steady_clock::now();
    offered({"run", "experiments/small.toml", "feature_extractor.mel.plugin="}, folder);
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
    best = std::min(best, seconds_of_children() - before);
    best_wall = std::min(best_wall, wall.count());
  }
  std::printf("completion of a plugin name: %.1f ms of the processor, %.1f ms in all\n", 1e3 * best,
              1e3 * best_wall);
  if (!RETAKE_IS_SANITIZED) CHECK(best < 0.05);
}

TEST_CASE("bash gets what readline replaces: what follows the last = or :") {
  const Folder folder;
  write_experiment(folder);
  CHECK(bash("retake expl", folder) == "explain\nexplain-error\n");
  CHECK(bash("retake check ", folder) == "base.toml\nexperiments/\nruns/\n");
  CHECK(bash("retake run experiments/small.toml train.max_s", folder) == "train.max_steps=\n");
  CHECK(bash("retake run experiments/small.toml train.goal=", folder) == "max\nmin\n");
  CHECK(bash("retake show experiments/small.toml --format=j", folder) == "json\n");
}

TEST_CASE("zsh gets words, and those that go on without a blank") {
  if (std::system("command -v zsh > /dev/null") != 0) {
    WARN("zsh is not installed: its script was not run");
    return;
  }
  const Folder folder;
  write_experiment(folder);
  // compdef and compadd exist inside completion only: they are stood in for.
  const std::string script =
      "compdef() { :; }; compadd() { print -r -- \"$@\"; }; eval \"$(retake completion zsh)\"; "
      "words=(${(z)1}); [[ $1 == *\" \" ]] && words+=(\"\"); CURRENT=$#words; "
      "PREFIX=$words[CURRENT]; _retake";
  const auto zsh = [&](const std::string& line) {
    return in_shell("zsh -f -c '" + script + "' zsh '" + line + "'", folder);
  };
  CHECK(zsh("retake expl") == "-Q -- explain explain-error\n");
  CHECK(zsh("retake run experiments/small.toml train.max_s") == "-Q -S  -- train.max_steps=\n");
  CHECK(zsh("retake check ") == "-Q -S  -- experiments/ runs/\n-Q -- base.toml\n");
}
