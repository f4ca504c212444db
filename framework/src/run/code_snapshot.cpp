#include "run/code_snapshot.hpp"

#include <unistd.h>

#include <algorithm>
#include <system_error>

#include "core/files.hpp"
#include "core/hash.hpp"
#include "run/io.hpp"

namespace retake::run {

namespace fs = std::filesystem;

namespace {

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

/// git in one repository, untouched by the user's settings that change output.
class Git {
 public:
  explicit Git(fs::path folder) : folder_(std::move(folder)) {}

  CommandResult run(std::vector<std::string> arguments,
                    const std::vector<std::string>& environment = {}) const {
    std::vector<std::string> words{"git", "-c", "core.quotePath=false", "-c", "color.ui=false"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<std::string> env{"GIT_OPTIONAL_LOCKS=0", "LC_ALL=C"};
    env.insert(env.end(), environment.begin(), environment.end());
    return run_command(words, folder_, env);
  }
  const fs::path& folder() const { return folder_; }

 private:
  fs::path folder_;
};

Table absent(const RunFolder& run, const std::string& why) {
  write_file_atomic(run.code() / "verify.txt", "absent: " + why + "\n");
  Table out;
  out["absent"] = why;
  return out;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> out;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    out.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

/// Tries the patch against the commit in an index of its own.
bool patch_applies(const Git& git, const RunFolder& run, const std::string& commit) {
  const fs::path patch = fs::absolute(run.code() / "diff.patch");
  std::error_code error;
  if (fs::file_size(patch, error) == 0) return true;
  const fs::path index = fs::absolute(run.code() / ".index.tmp-check");
  const std::vector<std::string> env{"GIT_INDEX_FILE=" + index.string()};
  const bool applies =
      git.run({"read-tree", commit}, env).exit_code == 0 &&
      git.run({"apply", "--cached", "--check", "--binary", patch.string()}, env).exit_code == 0;
  fs::remove(index, error);
  fs::remove(index.string() + ".lock", error);
  return applies;
}

struct Untracked {
  std::int64_t files = 0;
  std::string note;  ///< of what was left out; empty: nothing
};

/// Packs the untracked files. The list goes through a file: there may be many.
Untracked pack_untracked(const Git& git, const RunFolder& run, const CodeLimits& limits) {
  Untracked result;
  const auto names =
      split(git.run({"ls-files", "--others", "--exclude-standard", "-z"}).output, '\0');
  result.files = static_cast<std::int64_t>(names.size());
  std::string list;
  std::uintmax_t total = 0;
  std::int64_t left_out = 0;
  for (const auto& name : names) {
    std::error_code error;
    const fs::path path = git.folder() / name;
    const std::uintmax_t size = fs::is_regular_file(path, error) ? fs::file_size(path, error) : 0;
    if (error || total + size > limits.untracked_bytes) {
      ++left_out;
      continue;
    }
    total += size;
    list += name + '\0';
  }
  if (left_out > 0) {
    result.note = std::to_string(left_out) + " of " + std::to_string(names.size()) +
                  " untracked files left out: over " +
                  std::to_string(limits.untracked_bytes >> 20) + " MB together";
  }
  if (list.empty()) return result;
  const fs::path list_file = fs::absolute(run.code() / ".untracked.tmp-list");
  write_file_atomic(list_file, list);
  const bool zstd = run_command({"zstd", "--version"}, git.folder()).exit_code == 0;
  const fs::path archive =
      fs::absolute(run.code() / (zstd ? "untracked.tar.zst" : "untracked.tar"));
  std::vector<std::string> words{"tar",
                                 "--create",
                                 "--file",
                                 archive.string(),
                                 "--sort=name",
                                 "--owner=0",
                                 "--group=0",
                                 "--numeric-owner",
                                 "--no-recursion",
                                 "--null",
                                 "--verbatim-files-from",
                                 "--files-from",
                                 list_file.string()};
  if (zstd) words.insert(words.begin() + 1, "--zstd");
  if (run_command(words, git.folder()).exit_code != 0) {
    result.note = "the untracked files could not be packed (tar failed)";
    std::error_code error;
    fs::remove(archive, error);
  }
  std::error_code error;
  fs::remove(list_file, error);
  return result;
}

}  // namespace

Table snapshot_code(const RunFolder& run, const fs::path& folder, const CodeLimits& limits) {
  make_folders(run.code());
  const CommandResult top = Git(fs::absolute(folder)).run({"rev-parse", "--show-toplevel"});
  if (top.exit_code == 127) return absent(run, "git is not installed");
  if (top.exit_code != 0) return absent(run, "not in a git repository");
  const Git git(trimmed(top.output));
  const CommandResult head = git.run({"rev-parse", "--verify", "HEAD^{commit}"});
  if (head.exit_code != 0) return absent(run, "the git repository has no commit");
  const std::string commit = trimmed(head.output);

  Table out;
  const CommandResult remote = git.run({"config", "--get", "remote.origin.url"});
  out["remote"] = remote.exit_code == 0 ? Value(trimmed(remote.output)) : Value();
  out["commit"] = commit;
  const std::string holders =
      git.run({"for-each-ref", "--count=1", "--contains", commit, "refs/remotes"}).output;
  out["pushed"] = !trimmed(holders).empty();
  write_file_atomic(run.code() / "base-commit.txt", commit + "\n");

  const CommandResult diff = git.run({"diff", "--binary", "--no-ext-diff", "--no-textconv",
                                      "--src-prefix=a/", "--dst-prefix=b/", commit});
  const bool too_big = diff.output.size() > limits.patch_bytes;
  out["diff_sha256"] = sha256_hex(diff.output);
  out["files_changed"] = static_cast<std::int64_t>(
      split(git.run({"diff", "--name-only", "-z", commit}).output, '\0').size());
  std::string verdict;
  if (diff.exit_code != 0 || too_big) {
    out["patch_verified"] = false;
    verdict = too_big ? "patch left out: over " + std::to_string(limits.patch_bytes >> 20) + " MB"
                      : "patch left out: git diff failed";
    verdict = "applies: no (" + verdict + ")\n";
  } else {
    write_file_atomic(run.code() / "diff.patch", diff.output);
    const bool applies = patch_applies(git, run, commit);
    out["patch_verified"] = applies;
    verdict = applies ? "applies: yes\n" : "applies: no\n";
  }
  const Untracked untracked = pack_untracked(git, run, limits);
  out["untracked"] = untracked.files;
  if (!untracked.note.empty()) {
    out["x-note"] = untracked.note;
    verdict += "untracked: " + untracked.note + "\n";
  }
  write_file_atomic(run.code() / "verify.txt", verdict);
  return out;
}

}  // namespace retake::run
