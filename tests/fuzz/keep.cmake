# Keeps what fuzzing found: of the inputs that lie in the build folder, those that reach code which
# no other does, packed into found/NAME.tar.xz. After ctest -L fuzz:
#   cmake -DBUILD=build/tests/fuzz -P tests/fuzz/keep.cmake
get_filename_component(BUILD ${BUILD} ABSOLUTE)
foreach(name toml edl npz checkpoint plugin manifest)
  set(kept ${BUILD}/keep/${name})
  file(REMOVE_RECURSE ${kept})
  file(MAKE_DIRECTORY ${kept})
  execute_process(
    COMMAND ${BUILD}/build/bin/fuzz_${name} -merge=1 -max_len=4096 ${kept}
            ${CMAKE_CURRENT_LIST_DIR}/corpus/${name} ${BUILD}/build/found/${name} ${BUILD}/${name}
    OUTPUT_QUIET ERROR_QUIET COMMAND_ERROR_IS_FATAL ANY)
  execute_process(
    COMMAND tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cJf
            ${CMAKE_CURRENT_LIST_DIR}/found/${name}.tar.xz ${name}
    WORKING_DIRECTORY ${BUILD}/keep COMMAND_ERROR_IS_FATAL ANY)
endforeach()
