# llhttp, the second opinion on HTTP/1: its C sources as Debian's node-llhttp ships them, in its strict mode. For tests and
# fuzz targets only. Defines llhttp_oracle where the sources are there.
if(EXISTS /usr/share/llhttp/llhttp.c AND NOT TARGET llhttp_oracle)
  enable_language(C)
  add_library(llhttp_oracle STATIC ${CMAKE_CURRENT_LIST_DIR}/llhttp_oracle.cc /usr/share/llhttp/llhttp.c /usr/share/llhttp/api.c /usr/share/llhttp/http.c)
  target_include_directories(llhttp_oracle PUBLIC ${CMAKE_SOURCE_DIR}/tests PRIVATE SYSTEM /usr/share/include/llhttp)
  target_compile_definitions(llhttp_oracle PRIVATE LLHTTP_STRICT_MODE=1)
  target_link_libraries(llhttp_oracle PUBLIC gl_http)
  set_source_files_properties(/usr/share/llhttp/llhttp.c /usr/share/llhttp/api.c /usr/share/llhttp/http.c PROPERTIES COMPILE_OPTIONS "-w")
endif()
