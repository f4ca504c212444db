#include "many_files.hpp"

#include <algorithm>
#include <sstream>

#include "core/stop.hpp"
#include "core/suggest.hpp"
#include "run/run_context.hpp"

namespace retake::cli {

namespace {

bool contains(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

}  // namespace

void threads_option(po::options_description& options, const std::string& help) {
  options.add_options()("threads", po::value<std::int64_t>()->default_value(0)->value_name("N"),
                        help.c_str());
}

int threads_of(const Arguments& arguments) {
  const std::int64_t threads = arguments.options["threads"].as<std::int64_t>();
  if (threads < 0) throw usage_error("--threads is at least 0", "0 means all cores");
  return run::resolve_threads(threads);
}

void only_option(po::options_description& options, const std::string& help) {
  const std::string text = help + "; several ids: a b, or a,b";
  options.add_options()("only",
                        po::value<std::vector<std::string>>()->value_name("ID...")->multitoken(),
                        text.c_str());
}

std::vector<std::string> only_of(const Arguments& arguments, const std::vector<std::string>& known,
                                 const std::string& remedy) {
  std::vector<std::string> ids;
  if (!arguments.options.contains("only")) return ids;
  for (const auto& value : arguments.options["only"].as<std::vector<std::string>>()) {
    if (contains(known, value)) {
      ids.push_back(value);
      continue;
    }
    std::istringstream parts(value);
    for (std::string id; std::getline(parts, id, ',');) ids.push_back(id);
  }
  for (const std::string& id : ids) {
    if (contains(known, id)) continue;
    if (id.find('=') != std::string::npos) {
      throw usage_error("--only: there is no `" + id + "` here",
                        "parameters stand before --only: all words behind it are ids");
    }
    const auto nearest = did_you_mean(id, known);
    throw usage_error("--only: there is no `" + id + "` here",
                      nearest ? "did you mean `" + *nearest + "`?" : remedy);
  }
  return ids;
}

bool Batch::attempt(const std::function<void()>& work) {
  stopped_ = stop_requested();
  if (stopped_) return false;
  try {
    work();
    ++done_;
  } catch (const DataError& e) {  // the other files are still worth their work
    problems_.insert(problems_.end(), e.diagnostics().begin(), e.diagnostics().end());
  } catch (const Error& e) {
    stopped_ = stop_requested() && e.code() == stop_exit_code();
    if (!stopped_) throw;
  }
  return !stopped_;
}

void Batch::finish(const std::string& remedy) const {
  std::vector<Diagnostic> all = problems_;
  if (stopped_) {
    const Error stop =
        stopped("stopped by a signal; finished before it: " + std::to_string(done_), remedy);
    all.insert(all.begin(), stop.diagnostics().begin(), stop.diagnostics().end());
    throw Error(stop.code(), std::move(all));
  }
  if (!all.empty()) throw DataError(std::move(all));
}

}  // namespace retake::cli
