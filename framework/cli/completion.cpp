// retake completion: the script that a shell reads, and the command that the script calls.

#include <algorithm>

#include "candidates.hpp"
#include "command.hpp"

namespace retake::cli {
namespace {

constexpr const char* kBash = R"SCRIPT(# In ~/.bashrc:  eval "$(retake completion bash)"
_retake() {
  local line=${COMP_LINE:0:COMP_POINT} words breaks=${COMP_WORDBREAKS//[^=:]/}
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  local current=${words[-1]}
  mapfile -t COMPREPLY < <("$1" __complete -- "${words[@]:1}" 2>/dev/null)
  # Readline splits words at = and :, and replaces only what follows the last one.
  if [[ -n $breaks ]]; then
    local typed=${current%"${current##*[$breaks]}"}
    COMPREPLY=("${COMPREPLY[@]#"$typed"}")
  fi
  if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=./] ]]; then
    compopt -o nospace 2>/dev/null
  fi
}
complete -o default -F _retake retake
)SCRIPT";

constexpr const char* kZsh = R"SCRIPT(#compdef retake
# In ~/.zshrc, after compinit:  eval "$(retake completion zsh)"
_retake() {
  local -a found open
  found=(${(f)"$(${words[1]} __complete -- "${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)"})
  if (( ! $#found )); then
    _files
    return
  fi
  open=(${(M)found:#*[=./]})
  found=(${found:#*[=./]})
  (( $#open )) && compadd -Q -S '' -- $open
  (( $#found )) && compadd -Q -- $found
  return 0
}
compdef _retake retake
)SCRIPT";

int run_completion(const Arguments& a) {
  const std::vector<std::string> shells = {"bash", "zsh"};
  if (a.positional.size() != 1) {
    throw usage_error("`retake completion` takes the name of a shell", "bash or zsh");
  }
  const std::string& shell = a.positional.front();
  if (std::find(shells.begin(), shells.end(), shell) == shells.end()) {
    throw usage_error("there is no completion for `" + shell + "`", "bash and zsh have one");
  }
  const std::string script = shell == "bash" ? kBash : kZsh;
  Table out;
  out["shell"] = shell;
  out["script"] = script;
  print_result(a, out, [&] { return script; });
  return 0;
}

int run_complete(const Arguments& a) {
  // As typed: the frame's parser would take the options among them for its own.
  const auto dashes = std::find(a.argv.begin(), a.argv.end(), "--");
  if (dashes == a.argv.end()) return 0;
  std::string out;
  for (const std::string& word : candidates({dashes + 1, a.argv.end()})) out += word + "\n";
  print_text(out);
  return 0;
}

const RegisterCommand completion(
    {.name = "completion",
     .synopsis = "bash|zsh",
     .summary = "Print the completion script of a shell",
     .examples = {"retake completion bash > ~/.retake-completion.bash",
                  "retake completion zsh > ~/.zsh/_retake"},
     .run = run_completion,
     .details = "Commands, options, experiment files, keys and values of overrides, plugins and "
                "runs are completed.\nNo plugin is loaded for it. In bash:  eval \"$(retake "
                "completion bash)\""});

const RegisterCommand complete({.name = "__complete",
                                .synopsis = "-- WORDS",
                                .summary = "What the last word may become, one a line",
                                .examples = {"retake __complete -- plugins ''",
                                             "retake __complete -- show experiments/"},
                                .run = run_complete});

}  // namespace
}  // namespace retake::cli
