// Looks like a plugin to dlopen, but nothing says what it was built with.
#include <cstdlib>

// Nobody may run this: a library without a stamp is never opened.
[[maybe_unused]] static const int opened = (std::abort(), 0);

extern "C" void retake_register_plugin(void*) {}
