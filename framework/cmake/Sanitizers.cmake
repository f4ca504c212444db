# RETAKE_SANITIZE=address;undefined (or thread) builds everything with these sanitizers. The nn room
# is left out then: LibTorch itself is not instrumented.
if(RETAKE_SANITIZE)
  list(JOIN RETAKE_SANITIZE "," _sanitize)
  add_compile_options(-fsanitize=${_sanitize} -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${_sanitize})
  set(RETAKE_NN OFF)
endif()
