// Every `throw` of the process passes here, so that an exception which nobody expected can be told
// with the plugin that threw it. Libraries find the executable's definition before libstdc++'s.

#include <dlfcn.h>

#include <cstdlib>

#include "plugin/blame.hpp"

extern "C" [[noreturn]] void __cxa_throw(void* object, void* type, void (*destroy)(void*)) {
  using Throw = void (*)(void*, void*, void (*)(void*));
  static const auto real = reinterpret_cast<Throw>(::dlsym(RTLD_NEXT, "__cxa_throw"));
  retake::plugin::note_throw(object);
  if (real != nullptr) real(object, type, destroy);
  std::abort();
}
