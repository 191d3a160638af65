# llhttp, the second opinion on HTTP/1: its C sources as Debian's node-llhttp ships them, in its strict mode. For tests and
# fuzz targets only. Defines llhttp_oracle where the sources are there.
if(EXISTS /usr/share/llhttp/llhttp.c AND NOT TARGET llhttp_oracle)
  enable_language(C)
  # By itself: our flags are C++'s, and the fuzz targets' are clang's.
  add_library(llhttp STATIC /usr/share/llhttp/llhttp.c /usr/share/llhttp/api.c /usr/share/llhttp/http.c)
  target_compile_definitions(llhttp PUBLIC LLHTTP_STRICT_MODE=1)
  target_compile_options(llhttp PRIVATE -w -O1)
  target_include_directories(llhttp SYSTEM PUBLIC /usr/share/include/llhttp)
  add_library(llhttp_oracle STATIC ${CMAKE_CURRENT_LIST_DIR}/llhttp_oracle.cc)
  target_include_directories(llhttp_oracle PUBLIC ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(llhttp_oracle PUBLIC gl_http PRIVATE llhttp)
endif()
