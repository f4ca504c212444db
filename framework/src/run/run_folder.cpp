#include "run/run_folder.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "core/files.hpp"
#include "core/shell.hpp"
#include "retake/error.hpp"

namespace retake::run {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kIdLength = 8;
constexpr std::size_t kDateLength = 10;
constexpr std::string_view kIdLetters = "abcdefghijklmnopqrstuvwxyz234567";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' ||
         c == '.';
}

bool is_date(std::string_view text) {
  for (std::size_t i = 0; i < kDateLength; ++i) {
    const bool dash = i == 4 || i == 7;
    if (dash ? text[i] != '-' : !is_digit(text[i])) return false;
  }
  return true;
}

bool is_id(std::string_view text) {
  return text.size() == kIdLength && text.find_first_not_of(kIdLetters) == std::string_view::npos;
}

/// Drawn from the kernel: an id tells runs apart, it must not repeat with the run's seed.
std::string random_id() {
  unsigned char bytes[kIdLength];
  if (::getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes)) {
    fail_io("/dev/urandom", "draw a run id", errno);
  }
  std::string id;
  for (const unsigned char b : bytes) id.push_back(kIdLetters[b % kIdLetters.size()]);
  return id;
}

std::string safe_name(std::string_view name) {
  std::string out;
  for (const char c : name.substr(0, 100)) {
    if (is_word(c)) {
      out += c;
    } else if (out.empty() || out.back() != '-') {  // one for a letter of several bytes
      out += '-';
    }
  }
  return out.empty() ? "run" : out;
}

/// Whether any run below `runs_dir` has this id already.
bool id_taken(const fs::path& runs_dir, const std::string& id) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(runs_dir, error)) {
    if (entry.path().filename().string().ends_with("_" + id)) return true;
  }
  return false;
}

/// A path that ends with a name: of RUN/ and of "." parent_path() is not what holds the run.
fs::path ended_by_name(fs::path path) {
  while (!path.has_filename() && path.has_relative_path()) path = path.parent_path();
  if (path.filename() != "." && path.filename() != "..") return path;
  std::error_code error;
  const fs::path whole = fs::weakly_canonical(path, error);
  return error ? path : whole;
}

struct flock whole_file(short type) {
  struct flock request {};
  request.l_type = type;
  request.l_whence = SEEK_SET;
  return request;
}

}  // namespace

std::optional<RunName> parse_run_name(std::string_view folder_name) {
  if (folder_name.size() < kDateLength + kIdLength + 3) return std::nullopt;
  const std::string_view id = folder_name.substr(folder_name.size() - kIdLength);
  const std::size_t id_mark = folder_name.size() - kIdLength - 1;
  if (!is_date(folder_name) || folder_name[kDateLength] != '_' || !is_id(id) ||
      folder_name[id_mark] != '_') {
    return std::nullopt;
  }
  const std::string_view name = folder_name.substr(kDateLength + 1, id_mark - kDateLength - 1);
  return RunName{std::string(folder_name.substr(0, kDateLength)), std::string(name),
                 std::string(id)};
}

RunFolder::RunFolder(const fs::path& path, RunName name)
    : path_(ended_by_name(path)), name_(std::move(name)) {}

RunFolder RunFolder::create(const fs::path& runs_dir, std::string_view name) {
  make_folders(runs_dir);
  for (;;) {
    RunName parts{utc_now().substr(0, kDateLength), safe_name(name), random_id()};
    if (id_taken(runs_dir, parts.id)) continue;
    const fs::path path = runs_dir / (parts.date + "_" + parts.name + "_" + parts.id);
    // mkdir is exclusive: it fails for all but one of several processes.
    if (::mkdir(path.c_str(), 0777) == 0) return RunFolder(path, std::move(parts));
    if (errno != EEXIST) fail_io(path, "create the run folder", errno);
  }
}

std::optional<RunFolder> RunFolder::from_name(const fs::path& runs_dir,
                                              const std::string& folder_name) {
  auto parts = parse_run_name(folder_name);
  if (!parts) return std::nullopt;
  return RunFolder(runs_dir / folder_name, std::move(*parts));
}

RunFolder RunFolder::open(const fs::path& folder) {
  std::error_code error;
  const fs::path whole = fs::weakly_canonical(folder, error);
  const fs::path clean = error ? folder : whole;
  const bool marked = fs::exists(clean / "manifest.json", error) ||
                      fs::exists(clean / "config.resolved.toml", error);
  const auto parts = parse_run_name(clean.filename().string());
  if (!fs::is_directory(clean, error) || (!marked && !parts)) {
    throw DataError(file_diagnostic("E601", folder.string(), "this is not the folder of a run",
                                    "list the runs with  retake runs"));
  }
  if (parts) return RunFolder(folder, *parts);
  // A renamed folder still knows its id.
  RunName named{"", clean.filename().string(), ""};
  if (fs::exists(clean / "manifest.json", error)) {
    const Value manifest =
        parse_json(read_file(clean / "manifest.json"), (clean / "manifest.json").string());
    if (const Value* id = find_path(manifest, "run_id"); id && id->is_string()) {
      named.id = id->as_string();
    }
    if (const Value* started = find_path(manifest, "started"); started && started->is_string()) {
      named.date = started->as_string().substr(0, kDateLength);
    }
  }
  return RunFolder(folder, named);
}

void RunFolder::write_config(std::string_view resolved_toml,
                             const std::vector<std::string>& overrides,
                             const std::vector<std::string>& command) const {
  write_file_atomic(resolved_config(), resolved_toml);
  std::string lines;
  for (const auto& text : overrides) lines += text + "\n";
  write_file_atomic(path_ / "overrides.txt", lines);
  write_file_atomic(path_ / "command.txt", shell_quote(command) + "\n");
}

void RunFolder::write_inputs(const std::vector<InputFile>& files) const {
  if (files.empty()) return;
  std::vector<fs::path> whole;
  for (const auto& file : files) {
    // As bases are found: behind links to folders, beside a link to a file.
    const fs::path path = fs::absolute(file.path);
    whole.push_back(fs::weakly_canonical(path.parent_path()) / path.filename());
  }
  fs::path common = whole.front().parent_path();
  for (const auto& path : whole) {
    const fs::path parent = path.parent_path();
    while (std::mismatch(common.begin(), common.end(), parent.begin(), parent.end()).first !=
           common.end()) {
      common = common.parent_path();
    }
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    write_file_atomic(path_ / "config.input" / whole[i].lexically_relative(common), files[i].text);
  }
}

void RunFolder::write_progress(const Value& state) const {
  const fs::path temporary = path_ / (".progress.json.tmp-" + std::to_string(::getpid()));
  {
    const Descriptor file = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    write_all(file.get(), to_json(state) + "\n", temporary);
  }
  if (::rename(temporary.c_str(), progress().c_str()) != 0) {
    fail_io(progress(), "put the file in its place", errno);
  }
}

// Open-file-description locks instead of flock(2): they too end with the process and are not
// shared between threads' descriptors, and a reader can ask who holds one without taking it.
RunLock RunFolder::lock(std::string_view command) const {
  const fs::path file = path_ / ".lock";
  Descriptor held = open_file(file, O_RDWR | O_CREAT);
  struct flock request = whole_file(F_WRLCK);
  if (::fcntl(held.get(), F_OFD_SETLK, &request) != 0) {
    if (errno != EAGAIN && errno != EACCES) fail_io(file, "lock the run", errno);
    std::string holder = read_file(file);
    while (!holder.empty() && holder.back() == '\n') holder.pop_back();
    Diagnostic d = file_diagnostic("E603", path_.string(),
                                   "another command is writing into run `" + id() + "`",
                                   "wait for it to end, or stop it first");
    if (!holder.empty()) d.facts.push_back("held by " + holder);
    throw UsageError(d);
  }
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  if (::ftruncate(held.get(), 0) != 0) fail_io(file, "lock the run", errno);
  write_all(
      held.get(),
      "process " + std::to_string(::getpid()) + " on " + host + ": " + std::string(command) + "\n",
      file);
  return RunLock(std::move(held));
}

bool RunFolder::is_locked() const {
  const Descriptor file(::open((path_ / ".lock").c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return false;
  struct flock request = whole_file(F_WRLCK);
  if (::fcntl(file.get(), F_OFD_GETLK, &request) != 0) return false;
  return request.l_type != F_UNLCK;
}

void RunFolder::clean() const {
  remove_leftovers(path_);
  for (const fs::path& folder : {artifacts(), bin(), code()}) {
    std::error_code error;
    if (fs::is_directory(folder, error)) remove_leftovers(folder);
  }
}

}  // namespace retake::run
