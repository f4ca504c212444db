#pragma once
// Whose code it was: the plugin library behind an address, a stack, a component or an exception.
// Nothing here costs anything while all goes well.

#include <exception>
#include <filesystem>
#include <string>

#include "retake/component.hpp"
#include "retake/error.hpp"

namespace retake::plugin {

/// While alive, the library is being opened: its static initialisers run, and nobody knows yet
/// where in memory it lies. One thread at a time.
class Opening {
 public:
  explicit Opening(const std::filesystem::path& library);
  ~Opening();
  Opening(const Opening&) = delete;
  Opening& operator=(const Opening&) = delete;
};

/// From now on code of the library that holds `address` is called `name`: "libx.so (loss/stop)".
/// At most 512 libraries are remembered. Thread-safe.
void remember_library(const void* address, const std::string& name);

/// The name of the plugin library at that address, or null. Async-signal-safe.
const char* library_at(const void* address);

/// Loads the unwinder, which a signal handler must not do: before a handler may search the stack.
void prepare_stack_search();

/// The innermost plugin library on the calling thread's stack, else the one that is being opened,
/// else null. `first`: an address that counts as further in than the stack, or null.
/// Async-signal-safe once `prepare_stack_search` has run.
const char* library_on_stack(const void* first = nullptr);

/// The library whose class the component is; empty for the host's own.
std::string library_of(const Component& component);

/// Called by the executable's `__cxa_throw` before the real one: remembers in which plugin library
/// the exception object was thrown. Thread-safe; the last 64 are known.
void note_throw(const void* object);

/// What an exception says, less the stack trace that LibTorch's exceptions append.
std::string said_by(const std::exception& exception);

/// The error now handled as the host acts on it. A plugin may say that a configuration, its data or
/// itself is at fault, or that a run diverged. With a code that is the host's own (done, preempted,
/// ...) or without a word its error becomes an unexpected one that names the library.
Error settled(const Error& error);

/// The plugin library in which the exception now handled was thrown, however it travelled since;
/// empty when no plugin was on the stack.
std::string thrown_in();

}  // namespace retake::plugin
