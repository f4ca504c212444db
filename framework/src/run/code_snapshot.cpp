#include "run/code_snapshot.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
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

  CommandResult run(const std::vector<std::string>& arguments,
                    const std::vector<std::string>& environment = {}) const {
    return run_command(words(arguments), folder_, with_ours(environment));
  }
  /// What a command that fails prints on stderr.
  std::string complaint(const std::vector<std::string>& arguments) const {
    std::vector<std::string> all{"sh", "-c", "exec \"$@\" 2>&1 >/dev/null", "sh"};
    for (std::string& word : words(arguments)) all.push_back(std::move(word));
    return run_command(all, folder_, with_ours({})).output;
  }
  const fs::path& folder() const { return folder_; }

 private:
  static std::vector<std::string> words(const std::vector<std::string>& arguments) {
    std::vector<std::string> out{"git", "-c", "core.quotePath=false", "-c", "color.ui=false"};
    out.insert(out.end(), arguments.begin(), arguments.end());
    return out;
  }
  static std::vector<std::string> with_ours(const std::vector<std::string>& environment) {
    std::vector<std::string> out{"GIT_OPTIONAL_LOCKS=0", "LC_ALL=C"};
    out.insert(out.end(), environment.begin(), environment.end());
    return out;
  }

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

/// The line that says what is wrong: git's last word, else its first.
std::string reason_in(const std::string& complaint) {
  constexpr std::string_view fatal = "fatal: ";
  const auto lines = split(complaint, '\n');
  for (const auto& line : lines) {
    if (line.starts_with(fatal)) return line.substr(fatal.size());
  }
  return lines.empty() ? "it does not say why" : lines.front();
}

/// Why git finds no repository, or refuses the one it finds.
std::string why_no_repository(const Git& git) {
  const std::string said = git.complaint({"rev-parse", "--show-toplevel"});
  const std::string reason = reason_in(said);
  if (reason.starts_with("not a git repository (or any")) return "not in a git repository";
  std::string why = "git refuses the repository: " + reason;
  for (const auto& line : split(said, '\n')) {
    const std::size_t command = line.find("git config --global --add safe.directory");
    if (command != std::string::npos) why += "; trust it with  " + line.substr(command);
  }
  return why;
}

/// Why HEAD is no commit: none was made yet, or it is lost.
std::string why_no_commit(const Git& git) {
  const std::string reason = reason_in(git.complaint({"log", "-1"}));
  if (reason.ends_with("does not have any commits yet")) return "the git repository has no commit";
  return "git cannot read the repository's commit: " + reason +
         "; see what is lost with  git fsck, and fetch or clone it again";
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

/// Submodules with changes inside them: the patch of this repository holds their commit alone.
std::vector<std::string> changed_submodules(const Git& git) {
  // "1 XY SCMU mH mI mW hH hI path": M and U stand for changed and untracked files inside.
  const std::string status = git.run({"status", "--porcelain=v2", "-z", "--no-renames",
                                      "--ignore-submodules=none", "--untracked-files=normal"})
                                 .output;
  std::vector<std::string> out;
  for (const auto& record : split(status, '\0')) {
    if (!record.starts_with("1 ") || record.size() < 9 || record[5] != 'S') continue;
    if (record[7] != 'M' && record[8] != 'U') continue;
    std::size_t path = 0;
    for (int field = 0; field < 8; ++field) path = record.find(' ', path) + 1;
    out.push_back(record.substr(path));
  }
  return out;
}

/// What a snapshot says of itself.
struct Notes {
  std::string verify;    ///< verify.txt
  std::string manifest;  ///< what is missing, in short

  void missing(const std::string& what) { manifest += (manifest.empty() ? "" : "; ") + what; }
};

void write_patch(const Git& git, const RunFolder& run, const std::string& commit,
                 const CodeLimits& limits, Table& out, Notes& notes) {
  // Without "-dirty" marks: what is changed inside a submodule no patch can tell.
  const std::vector<std::string> words{"diff",
                                       "--binary",
                                       "--no-ext-diff",
                                       "--no-textconv",
                                       "--submodule=short",
                                       "--ignore-submodules=dirty",
                                       "--src-prefix=a/",
                                       "--dst-prefix=b/",
                                       commit};
  const CommandResult diff = git.run(words);
  out["diff_sha256"] = sha256_hex(diff.output);
  out["files_changed"] = static_cast<std::int64_t>(
      split(git.run({"diff", "--name-only", "-z", "--ignore-submodules=none", commit}).output, '\0')
          .size());
  std::string left_out;
  if (diff.exit_code != 0) {
    left_out = "git diff failed: " + reason_in(git.complaint(words));
  } else if (diff.output.size() > limits.patch_bytes) {
    left_out = "over " + std::to_string(limits.patch_bytes >> 20) + " MB";
  }
  bool whole = false;
  if (left_out.empty()) {
    write_file_atomic(run.code() / "diff.patch", diff.output);
    whole = patch_applies(git, run, commit);
    notes.verify += whole ? "applies: yes\n" : "applies: no\n";
  } else {
    out["x-patch_left_out"] = left_out;
    notes.verify += "applies: no (patch left out: " + left_out + ")\n";
  }
  for (const std::string& submodule : changed_submodules(git)) {
    whole = false;
    notes.verify += "not recorded: changes inside the submodule " + submodule + "\n";
    notes.missing("changes inside the submodule " + submodule + " are not recorded");
  }
  out["patch_verified"] = whole;
}

/// Which untracked files are runs, or of them: each run would pack all earlier ones.
class RunsPlace {
 public:
  RunsPlace(const RunFolder& run, const fs::path& repository) {
    std::error_code error;
    const fs::path runs = fs::weakly_canonical(fs::absolute(run.path()).parent_path(), error);
    inside_ = runs.lexically_relative(fs::weakly_canonical(repository, error)).generic_string();
  }
  bool holds(const std::string& name) const {
    if (inside_ != ".") return name.starts_with(inside_ + "/");
    // Runs lie among the code itself.
    const std::string first = name.substr(0, name.find('/'));
    return first == ".store" || parse_run_name(first).has_value();
  }

 private:
  std::string inside_;  ///< relative to the repository; begins with ".." when outside
};

/// Untracked files, chosen for the archive or not.
struct Choice {
  std::int64_t files = 0;
  std::string list;                   ///< chosen names, each with a zero byte behind
  std::vector<std::string> left_out;  ///< name and reason
};

/// Why a file stays out of the archive; empty: it goes in, and `total` grows by its size.
std::string reason_against(const fs::path& path, const CodeLimits& limits, std::uintmax_t& total) {
  if (!path.has_filename()) return "a git repository of its own";
  std::error_code error;
  const fs::file_status status = fs::symlink_status(path, error);
  if (fs::is_symlink(status)) return {};  // kept as a link, wherever it leads
  const std::uintmax_t size = fs::is_regular_file(status) ? fs::file_size(path, error) : 0;
  if (error) return error.message();
  if (::access(path.c_str(), R_OK) != 0) return std::strerror(errno);
  if (total + size > limits.untracked_bytes) {
    return "over " + std::to_string(limits.untracked_bytes >> 20) + " MB together";
  }
  total += size;
  return {};
}

Choice choose_untracked(const Git& git, const RunFolder& run, const CodeLimits& limits) {
  Choice choice;
  const RunsPlace runs(run, git.folder());
  std::uintmax_t total = 0;
  for (const auto& name :
       split(git.run({"ls-files", "--others", "--exclude-standard", "-z"}).output, '\0')) {
    if (runs.holds(name)) continue;
    ++choice.files;
    const std::string reason = reason_against(git.folder() / name, limits, total);
    if (reason.empty()) {
      choice.list += name + '\0';
    } else {
      choice.left_out.push_back(name + ": " + reason);
    }
  }
  return choice;
}

void say_left_out(const Choice& choice, Notes& notes) {
  if (choice.left_out.empty()) return;
  constexpr std::size_t kNamed = 20;
  const std::string text = std::to_string(choice.left_out.size()) + " of " +
                           std::to_string(choice.files) + " untracked files left out";
  notes.missing(text + " (code/verify.txt names them)");
  notes.verify += "untracked: " + text + "\n";
  for (std::size_t i = 0; i < choice.left_out.size(); ++i) {
    if (i == kNamed) {
      notes.verify += "  and " + std::to_string(choice.left_out.size() - kNamed) + " more\n";
      break;
    }
    notes.verify += "  " + choice.left_out[i] + "\n";
  }
}

/// Makes the archive of the chosen files; nothing when tar failed. The list goes through a file:
/// there may be many.
std::optional<fs::path> pack(const Git& git, const RunFolder& run, const std::string& list) {
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
  const int code = run_command(words, git.folder()).exit_code;
  std::error_code error;
  fs::remove(list_file, error);
  if (code == 0 || code == 1) return archive;  // 1: a file, a log perhaps, grew meanwhile
  fs::remove(archive, error);
  return std::nullopt;
}

void write_untracked(const Git& git, const RunFolder& run, const CodeLimits& limits, Table& out,
                     Notes& notes) {
  const Choice choice = choose_untracked(git, run, limits);
  out["untracked"] = choice.files;
  out["untracked_sha256"] = Value();
  say_left_out(choice, notes);
  if (choice.list.empty()) return;
  if (const auto archive = pack(git, run, choice.list)) {
    out["untracked_sha256"] = sha256_file(*archive);
    return;
  }
  const std::string text = "the untracked files could not be packed (tar failed)";
  notes.verify += "untracked: " + text + "\n";
  notes.missing(text);
}

}  // namespace

Table snapshot_code(const RunFolder& run, const fs::path& folder, const CodeLimits& limits) {
  make_folders(run.code());
  const Git here(fs::absolute(folder));
  const CommandResult top = here.run({"rev-parse", "--show-toplevel"});
  if (top.exit_code == 127) return absent(run, "git is not installed");
  if (top.exit_code != 0) return absent(run, why_no_repository(here));
  const Git git(trimmed(top.output));
  const CommandResult head = git.run({"rev-parse", "--verify", "HEAD^{commit}"});
  if (head.exit_code != 0) return absent(run, why_no_commit(git));
  const std::string commit = trimmed(head.output);

  Table out;
  const CommandResult remote = git.run({"config", "--get", "remote.origin.url"});
  out["remote"] = remote.exit_code == 0 ? Value(trimmed(remote.output)) : Value();
  out["commit"] = commit;
  const std::string holders =
      git.run({"for-each-ref", "--count=1", "--contains", commit, "refs/remotes"}).output;
  out["pushed"] = !trimmed(holders).empty();
  write_file_atomic(run.code() / "base-commit.txt", commit + "\n");
  Notes notes;
  write_patch(git, run, commit, limits, out, notes);
  write_untracked(git, run, limits, out, notes);
  if (!notes.manifest.empty()) out["x-note"] = notes.manifest;
  write_file_atomic(run.code() / "verify.txt", notes.verify);
  return out;
}

}  // namespace retake::run
