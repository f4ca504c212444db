# RETAKE_SANITIZE=address;undefined (or thread) builds everything with these sanitizers. The nn room
# is left out, since LibTorch itself is not instrumented, unless RETAKE_SANITIZE_TORCH asks for it:
# what our own code does beside LibTorch's is then looked at too. For threads,
#   TSAN_OPTIONS="ignore_noninstrumented_modules=1 suppressions=tests/sanitize-thread.supp"
# keeps what LibTorch's own locks order from being reported.
option(RETAKE_SANITIZE_TORCH "With RETAKE_SANITIZE: the LibTorch half too" OFF)
if(RETAKE_SANITIZE)
  list(JOIN RETAKE_SANITIZE "," _sanitize)
  add_compile_options(-fsanitize=${_sanitize} -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${_sanitize})
  if(NOT RETAKE_SANITIZE_TORCH)
    set(RETAKE_NN OFF)
  endif()
endif()
