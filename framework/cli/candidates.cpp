#include "candidates.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <sstream>

#include "config/error_ids.hpp"
#include "config/experiment.hpp"
#include "config/path.hpp"
#include "frame.hpp"
#include "plugin/registry.hpp"
#include "run/run_find.hpp"

namespace retake::cli {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

/// "EXP KEY [OVERRIDES] [--format toml|json]" -> EXP, KEY, OVERRIDES: what stands where.
Words places_of(const std::string& synopsis) {
  Words out;
  std::istringstream in(synopsis);
  bool in_option = false;
  for (std::string word; in >> word;) {
    in_option = in_option || word.starts_with("[-") || word.starts_with("-");
    const bool ends = word.find(']') != std::string::npos;
    if (!in_option) {
      std::erase_if(word, [](char c) { return c == '[' || c == ']' || c == '.'; });
      out.push_back(word);
    }
    if (ends) in_option = false;
  }
  return out;
}

/// "toml|json" of "[--format toml|json]"; empty when the synopsis says nothing of the option.
std::string place_of_option(const std::string& synopsis, const std::string& option) {
  const std::size_t at = synopsis.find("--" + option + " ");
  if (at == std::string::npos) return {};
  const std::size_t begin = at + option.size() + 3;
  return synopsis.substr(begin, synopsis.find_first_of(" ]", begin) - begin);
}

class Completer {
 public:
  explicit Completer(const Words& words)
      : before_(words.begin(), words.end() - 1), current_(words.back()) {
    drop_leading_options();
  }

  Words run() {
    find_command();
    if (command_ == nullptr) return finished();
    for (std::size_t i = used_; i < before_.size(); ++i) read_word(i);
    if (value_of_) {
      place(*value_of_);
    } else if (current_.starts_with("-") && current_ != "-") {
      option_word();
    } else {
      const Words places = places_of(command_->synopsis);
      if (!places.empty()) {
        place(places[std::min(positional_.size(), places.size() - 1)]);
      }
    }
    return finished();
  }

 private:
  // ---- where the word stands

  /// Global options may stand before the command.
  void drop_leading_options() {
    while (!before_.empty() && before_.front().starts_with("-")) {
      const bool with_value = before_.front() == "--color" || before_.front() == "--plugin-path" ||
                              before_.front() == "--config-path";
      if (before_.front() == "--plugin-path" && before_.size() > 1) {
        plugin_path_.push_back(before_[1]);
      }
      const std::size_t words = std::min<std::size_t>(with_value ? 2 : 1, before_.size());
      before_.erase(before_.begin(), before_.begin() + static_cast<std::ptrdiff_t>(words));
    }
  }

  void find_command() {
    if (before_.empty()) {
      add_all(first_words());
      return;
    }
    const auto& table = command_table();
    const Words inner = subcommands_of(before_[0]);
    if (before_[0] == "help" && before_.size() == 1) add_all(first_words());
    if (before_.size() > 1) {
      const auto both = table.find(before_[0] + " " + before_[1]);
      if (both != table.end()) {
        use(both->second, 2);
        return;
      }
    }
    const auto one = table.find(before_[0]);
    if (one != table.end() && !is_hidden(before_[0])) use(one->second, 1);
    if (before_.size() == 1) add_all(inner);
  }

  void use(const Command& command, std::size_t words) {
    command_ = &command;
    used_ = words;
    if (command.options) command.options(options_);
    options_.add(global_options());
  }

  /// What the option's value is, by the synopsis or else by its own name; nullopt for a flag.
  std::optional<std::string> value_place(const std::string& word) const {
    const std::string name = word.substr(word.find_first_not_of('-'));
    const auto* found = word.starts_with("--") ? options_.find_nothrow(name, false)
                                               : options_.find_nothrow("-" + name, false);
    if (found == nullptr || found->semantic()->max_tokens() == 0) return std::nullopt;
    if (found->long_name() == "color") return "auto|always|never";
    const std::string said = place_of_option(command_->synopsis, found->long_name());
    return said.empty() ? found->format_parameter() : said;
  }

  void read_word(std::size_t i) {
    const std::string& word = before_[i];
    if (value_of_) {
      if (before_[i - 1] == "--plugin-path") plugin_path_.push_back(word);
      if (before_[i - 1] == "--dir") runs_dir_ = word;
      value_of_.reset();
    } else if (word.size() > 1 && word.starts_with("-") &&
               word.find_first_not_of('-') != std::string::npos) {
      if (word.find('=') == std::string::npos) value_of_ = value_place(word);
    } else {
      positional_.push_back(word);
    }
  }

  void option_word() {
    const std::size_t equals = current_.find('=');
    if (equals == std::string::npos) {
      for (const auto& option : options_.options()) {
        add("--" + option->long_name());
      }
      return;
    }
    const std::string option = current_.substr(0, equals);
    head_ = option + "=";
    current_.erase(0, head_.size());
    if (const auto what = value_place(option)) place(*what);
  }

  // ---- what may stand there

  void place(const std::string& what) {
    const auto is = [&](std::initializer_list<const char*> names) {
      return std::any_of(names.begin(), names.end(), [&](const char* n) { return what == n; });
    };
    if (is({"OVERRIDES", "KEY", "PATH"})) {
      override_word(what);
    } else if (is({"EXP", "OTHER", "OTHER|RUN"})) {
      experiment_files();
      if (what != "EXP") runs();
    } else if (is({"RUN", "CKPT"})) {
      runs();
    } else if (is({"KIND"})) {
      add_all(registry().kinds());
    } else if (is({"KIND/NAME"})) {
      for (const std::string& kind : registry().kinds()) {
        for (const std::string& name : registry().names(kind)) add(kind + "/" + name);
      }
    } else if (is({"ID"})) {
      for (const auto& doc : config::error_docs()) add(std::string(doc.id));
    } else if (is({"TABLE"})) {
      tables();
    } else if (what.find('|') != std::string::npos &&
               std::none_of(what.begin(), what.end(),
                            [](char c) { return c >= 'A' && c <= 'Z'; })) {
      std::istringstream in(what);
      for (std::string choice; std::getline(in, choice, '|');) add(choice);
    }
  }

  void experiment_files() {
    const std::size_t slash = current_.rfind('/');
    const std::string folder = slash == std::string::npos ? "" : current_.substr(0, slash + 1);
    std::error_code error;
    for (fs::directory_iterator it(folder.empty() ? "." : folder, error), end; !error && it != end;
         it.increment(error)) {
      const std::string name = it->path().filename().string();
      if (name.starts_with(".")) continue;
      std::error_code none;
      if (it->is_directory(none)) {
        add(folder + name + "/");
      } else if (name.ends_with(".toml")) {
        add(folder + name);
      }
    }
  }

  void runs() {
    add("last");
    for (const auto& run : run::list_runs(runs_dir_)) add(run.id());
  }

  // ---- keys and values of the experiment

  const plugin::Registry& registry() {
    if (!registry_) registry_.emplace(plugin_path_);
    return *registry_;
  }

  /// What the files say; empty when they cannot be read.
  const Table& tree() {
    if (tree_) return *tree_;
    tree_.emplace();
    if (positional_.empty()) return *tree_;
    try {
      *tree_ = config::merge_experiment(positional_.front()).tree.as_table();
    } catch (const Error&) {
      // Whoever presses TAB wants no message; `retake check` gives it.
    }
    return *tree_;
  }

  struct ComponentTable {
    std::string path;
    std::string kind;
    const ComponentInfo* info;  ///< null when it is not installed
  };

  std::vector<ComponentTable> component_tables() {
    std::vector<ComponentTable> out;
    const auto add_table = [&](const std::string& path, const std::string& kind, const Value& v) {
      const Value* plugin = v.is_table() ? v.as_table().find("plugin") : nullptr;
      if (plugin == nullptr || !plugin->is_string()) return;
      out.push_back({path, kind, registry().find(kind, plugin->as_string())});
    };
    for (const std::string& kind : registry().kinds()) {
      const Value* table = tree().find(kind);
      if (table == nullptr || !table->is_table()) continue;
      add_table(kind, kind, *table);
      for (const auto& [name, inner] : table->as_table()) {
        add_table(config::child_path(kind, name), kind, inner);
      }
    }
    return out;
  }

  /// Those of the experiment, and one for each kind that it does not have yet.
  std::vector<ComponentTable> possible_tables() {
    std::vector<ComponentTable> out = component_tables();
    for (const std::string& kind : registry().kinds()) {
      if (!tree().contains(kind)) out.push_back({kind, kind, nullptr});
    }
    return out;
  }

  void tables() {
    for (const char* host : {"experiment", "train", "run"}) add(host);
    for (const ComponentTable& table : component_tables()) add(table.path);
  }

  void override_word(const std::string& what) {
    const std::size_t equals = current_.find('=');
    const bool assigns = what == "OVERRIDES";
    if (assigns && equals != std::string::npos) {
      head_ += current_.substr(0, equals + 1);
      const bool appends = equals > 0 && current_[equals - 1] == '+';
      const std::string path = current_.substr(0, equals - (appends ? 1 : 0));
      current_.erase(0, equals + 1);
      values_of(path);
      return;
    }
    end_ = assigns ? "=" : "";
    for (const char* host : {"experiment", "train", "run"}) {
      keys(host, config::host_schema(host)->fields);
    }
    for (const ComponentTable& table : possible_tables()) {
      keys(table.path, config::component_host_keys(table.kind));
      if (table.info != nullptr) keys(table.path, table.info->schema.fields);
    }
  }

  /// Keys below a table; the table alone while nothing of it is typed.
  void keys(const std::string& path, const std::vector<FieldInfo>& fields) {
    if (!current_.starts_with(path + ".")) {
      const std::size_t dot = path.find('.', current_.size());
      add(path.substr(0, dot) + ".");
      return;
    }
    for (const FieldInfo& f : fields) {
      const std::string at = config::child_path(path, f.name);
      if (f.type == FieldType::group && !f.is_list) {
        keys(at, f.fields);
      } else if (!f.deprecated) {
        add(at + end_);
      }
    }
  }

  void values_of(const std::string& path) {
    for (const ComponentTable& table : possible_tables()) {
      if (path == table.path + ".plugin") add_all(registry().names(table.kind));
      if (table.info != nullptr) values_in(path, table.path, table.info->schema.fields);
      values_in(path, table.path, config::component_host_keys(table.kind));
      if (table.info == nullptr || path != "train.metric") continue;
      for (const MetricInfo& m : table.info->traits.metrics) {
        if (m.name.find('*') == std::string::npos) add(m.name);
      }
    }
    for (const char* host : {"experiment", "train", "run"}) {
      values_in(path, host, config::host_schema(host)->fields);
    }
    if (path == "run.device") add_all({"auto", "cpu", "cuda"});
    if (path == "train.init_from") runs();
  }

  void values_in(const std::string& path, const std::string& table,
                 const std::vector<FieldInfo>& fields) {
    for (const FieldInfo& f : fields) {
      const std::string at = config::child_path(table, f.name);
      if (f.type == FieldType::group) values_in(path, at, f.fields);
      if (path != at) continue;
      if (f.type == FieldType::boolean) add_all({"true", "false"});
      for (const Value& choice : f.choices) {
        add(choice.is_string() ? choice.as_string() : to_json(choice));
      }
    }
  }

  // ---- result

  void add(const std::string& word) {
    if (word.starts_with(current_)) found_.insert(head_ + word);
  }
  void add_all(const Words& words) {
    for (const std::string& word : words) add(word);
  }
  Words finished() const { return {found_.begin(), found_.end()}; }

  Words before_;
  std::string current_;
  const Command* command_ = nullptr;
  std::size_t used_ = 0;
  po::options_description options_;
  std::optional<std::string> value_of_;  ///< what the option before the word takes
  Words positional_;
  Words plugin_path_;
  std::string runs_dir_ = "runs";
  std::string head_;  ///< part of the word that stands before what is completed: "model.plugin="
  std::string end_;
  std::optional<plugin::Registry> registry_;
  std::optional<Table> tree_;
  std::set<std::string> found_;
};

}  // namespace

std::vector<std::string> candidates(const std::vector<std::string>& words) {
  if (words.empty()) return {};
  try {
    return Completer(words).run();
  } catch (const Error&) {
    return {};  // a folder that is gone, a run that is damaged: nothing to offer, nothing to say
  }
}

}  // namespace retake::cli
