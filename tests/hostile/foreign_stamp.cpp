// Stamped by another compiler, with other headers and a LibTorch, on a Retake of another time.

#include <cstdlib>

// Nobody may run this: a foreign library is never opened.
[[maybe_unused]] static const int opened = (std::abort(), 0);

[[gnu::section(".retake.stamp"), gnu::used, gnu::retain]] static const char stamp[] =
    "name=foreign_stamp\nversion=9.9.9\ncplusplus=201703\ncompiler=gcc 7\ngxx_abi=1011\n"
    "cxx11_abi=0\nglibcxx_debug=0\nsanitizer=none\nheaders.lr_schedule=0123456789abcdef\n"
    "headers.spectral_wish=0123456789abcdef\nlibtorch=1.13.1 cpu\nmoon=full\n";

extern "C" void retake_register_plugin(void*) {}
