#include "config/layers.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <optional>
#include <set>

#include "config/merge.hpp"
#include "config/path.hpp"
#include "core/files.hpp"
#include "core/suggest.hpp"

namespace retake::config {
namespace {

namespace fs = std::filesystem;

Diagnostic unreadable(const std::string& id, std::string message, const fs::path& path) {
  Diagnostic d;
  d.id = id;
  d.message = std::move(message);
  d.help = "check the path";
  std::vector<std::string> siblings;
  std::error_code error;
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".toml") siblings.push_back(it->path().filename().string());
  }
  std::erase(siblings, path.filename().string());
  if (const auto guess = did_you_mean(path.filename().string(), siblings)) {
    d.help = "did you mean `" + (path.parent_path() / *guess).string() + "`?";
  }
  return d;
}

/// Reads at most one byte more than a file may have, so that devices end too.
std::string read_text(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (error && error != std::errc::no_such_file_or_directory &&
      error != std::errc::not_a_directory) {  // a circle of links, a folder without permission
    throw ConfigError(
        unreadable("E100", "cannot read `" + path.string() + "`: " + error.message(), path));
  }
  if (!fs::exists(status)) {
    throw ConfigError(
        unreadable("E100", "there is no experiment file `" + path.string() + "`", path));
  }
  if (fs::is_directory(status)) {
    throw ConfigError(
        unreadable("E100", "`" + path.string() + "` is a folder, not an experiment file", path));
  }
  std::ifstream in(path, std::ios::binary);
  std::string text;
  std::array<char, 16384> block;
  while (in && text.size() <= kMaxFileBytes) {
    in.read(block.data(), block.size());
    text.append(block.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (!in && !in.eof()) {
    Diagnostic d = unreadable("E100", "cannot read `" + path.string() + "`", path);
    d.help = "check its permissions";
    throw ConfigError(std::move(d));
  }
  return text;
}

/// One file on the way down an inheritance chain.
struct Link {
  std::string name;  ///< as shown
  fs::path real;     ///< identity of the file
};

/// While alive, the file is on the chain.
class OnChain {
 public:
  OnChain(std::vector<Link>& chain, Link link) : chain_(chain) {
    chain_.push_back(std::move(link));
  }
  ~OnChain() { chain_.pop_back(); }
  OnChain(const OnChain&) = delete;
  OnChain& operator=(const OnChain&) = delete;

 private:
  std::vector<Link>& chain_;
};

struct Extend {
  std::string text;
  Origin origin;
};

class Loader {
 public:
  Loader(const LoadOptions& options, Findings& findings, Layers& layers)
      : options_(options), findings_(findings), layers_(layers) {}

  Document load(const fs::path& file) {
    std::error_code none;  // pipes have no canonical name
    const fs::path canonical = fs::weakly_canonical(file, none);
    const fs::path real = none ? fs::absolute(file).lexically_normal() : canonical;
    if (const auto it = done_.find(real.string()); it != done_.end()) return it->second;
    const std::string name = plain_path(file).string();
    check_circle(name, real);
    const OnChain here(chain_, {name, real});
    const std::string text = read_text(file);
    layers_.files.emplace_back(name, text);
    Document document = assemble(parse_document(text, name), file.parent_path());
    done_.emplace(real.string(), document);
    return document;
  }

  /// Nothing, and a finding more, when the file cannot be had: the errors of others are told too.
  std::optional<Document> load_base(const fs::path& file) {
    if (file.empty() || lost_.contains(file)) return std::nullopt;  // told already
    try {
      return load(file);
    } catch (const ConfigError& e) {
      lost_.insert(file);
      findings_.add_lost_file(e.diagnostics());
      return std::nullopt;
    }
  }

  /// Lays a file on a document as if it extended it.
  void load_over(Document& below, const fs::path& file) {
    try {
      const std::string text = read_text(file);
      const std::string name = plain_path(file).string();
      layers_.files.emplace_back(name, text);
      Document own = parse_document(text, name);
      below = assemble(std::move(own), file.parent_path(), std::move(below));
    } catch (const ConfigError& e) {
      findings_.add_lost_file(e.diagnostics());
    }
  }

  /// A parsed document with its bases below it, and below these what is given.
  Document assemble(Document document, const fs::path& folder, Document below = {}) {
    const MergeRules rules = take_merge_rules(document, findings_);
    const std::vector<Extend> extends = take_extends(document);
    const std::vector<fs::path> bases = find_bases(extends, folder);
    for (std::size_t i = 0; i < extends.size(); ++i) {
      std::optional<Document> loaded = load_base(bases[i]);
      if (!loaded) continue;
      Document& base = *loaded;
      const Extend& extend = extends[i];
      const std::string via = "inherited by " + describe(extend.origin);
      for (auto& [path, origins] : base.origins) {
        for (Origin& origin : origins) {
          if (origin.via.empty()) origin.via = via;
        }
      }
      merge_over(below, base, {}, findings_);
    }
    ++layer_;
    for (auto& [path, origins] : document.origins) {
      for (Origin& origin : origins) origin.layer = layer_;
    }
    check_merge_rules(below, document, rules, findings_);
    merge_over(below, document, rules, findings_);
    keep_ = rules.keep;
    return below;
  }

  /// merge.keep of the file assembled last.
  const std::vector<MergeRules::Entry>& keep() const { return keep_; }

 private:
  void check_circle(const std::string& name, const fs::path& real) const {
    const auto begin = std::find_if(chain_.begin(), chain_.end(),
                                    [&](const Link& link) { return link.real == real; });
    if (begin == chain_.end()) return;
    std::string round;
    for (auto it = begin; it != chain_.end(); ++it) round += it->name + " -> ";
    Diagnostic d;
    d.id = "E131";
    d.message = "inheritance goes round: " + round + name;
    d.help = "delete one of these `extends`";
    throw ConfigError(std::move(d));
  }

  std::vector<Extend> take_extends(Document& document) {
    std::vector<Extend> out;
    const Value* extends = document.tree.find("extends");
    if (extends == nullptr) return out;
    const Origin whole = *origin_of(document.origins, "extends");
    bool good = extends->is_string() || extends->is_array();
    if (extends->is_string()) out.push_back({extends->as_string(), whole});
    if (extends->is_array()) {
      for (std::size_t i = 0; i < extends->as_array().size(); ++i) {
        const Value& item = extends->as_array()[i];
        good = good && item.is_string();
        if (!good) break;
        Origin origin = *origin_of(document.origins, item_path("extends", i));
        origin.key = origin.value;  // each entry by its own line
        out.push_back({item.as_string(), std::move(origin)});
      }
    }
    if (!good) {
      Diagnostic d;
      d.id = "E132";
      d.message = "`extends` must be a path or a list of paths";
      d.place = value_place(whole);
      d.help = "write  extends = [\"base.toml\"]";
      findings_.add_lost_file({std::move(d)});
      out.clear();
    }
    document.tree.erase("extends");
    erase_origins(document.origins, "extends");
    return out;
  }

  std::vector<fs::path> find_bases(const std::vector<Extend>& extends,
                                   const fs::path& folder) const {
    std::vector<fs::path> found;
    std::vector<Diagnostic> faults;
    for (const Extend& extend : extends) found.push_back(find_base(extend, folder, faults));
    if (!faults.empty()) findings_.add_lost_file(faults);
    return found;
  }

  /// Empty, and a fault more, when there is none.
  fs::path find_base(const Extend& extend, const fs::path& folder,
                     std::vector<Diagnostic>& faults) const {
    std::vector<fs::path> tried = {folder / extend.text};
    for (const fs::path& more : options_.config_path) tried.push_back(more / extend.text);
    for (const fs::path& candidate : tried) {
      std::error_code error;
      const auto status = fs::status(candidate, error);
      if (fs::exists(status) && !fs::is_directory(status)) return plain_path(candidate);
    }
    Diagnostic d = unreadable("E130", "there is no base `" + extend.text + "`", tried.front());
    d.place = value_place(extend.origin);
    for (const fs::path& candidate : tried) {
      d.facts.push_back("looked for " + candidate.string());
    }
    if (d.help == "check the path") {
      d.help = "bases are sought beside the file that names them, then in --config-path";
    }
    faults.push_back(std::move(d));
    return {};
  }

  const LoadOptions& options_;
  Findings& findings_;
  Layers& layers_;
  std::vector<Link> chain_;
  std::map<std::string, Document> done_;
  std::set<fs::path> lost_;
  std::vector<MergeRules::Entry> keep_;
  int layer_ = 0;
};

void lay_upper(Loader& loader, Layers& layers, const LoadOptions& options, Findings& findings) {
  // What a file keeps when a plugin changes is kept too where the command line changes it.
  MergeRules rules;
  rules.keep = loader.keep();
  for (const fs::path& file : options.set_files) {
    // A set file is no base of the experiment but stands above it, so it merges like a child.
    loader.load_over(layers.document, file);
    rules.keep.insert(rules.keep.end(), loader.keep().begin(), loader.keep().end());
  }
  apply_overrides(layers.document, options.overrides, findings, std::move(rules));
}

}  // namespace

Layers load_layers(const fs::path& file, const LoadOptions& options, Findings& findings) {
  Layers layers;
  Loader loader(options, findings, layers);
  layers.document = loader.load(file);
  lay_upper(loader, layers, options, findings);
  return layers;
}

Layers load_text(const std::string& text, const std::string& name, const LoadOptions& options,
                 Findings& findings) {
  Layers layers;
  layers.files.emplace_back(name, text);
  Loader loader(options, findings, layers);
  Document document = parse_document(text, name);
  if (const Origin* extends = origin_of(document.origins, "extends")) {
    Diagnostic d;
    d.id = "E132";
    d.message = "`extends` has no place in a resolved experiment";
    d.place = key_place(*extends);
    d.help = "resolve it first:  retake show EXP --resolved";
    throw ConfigError(std::move(d));
  }
  layers.document = loader.assemble(std::move(document), {});
  lay_upper(loader, layers, options, findings);
  return layers;
}

}  // namespace retake::config
