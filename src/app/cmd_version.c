/* `maestro version`. */
#include <curl/curlver.h>
#include <sqlite3.h>
#include <stdio.h>
#include <uv.h>
#include <yyjson.h>

#include "app/cli.h"

int cmd_version(int argc, char **argv) {
  if (cli_take_flag(&argc, argv, "--json"))
    printf("{\"name\":\"maestro\",\"version\":\"" MAESTRO_VERSION "\"}\n");
  else
    printf("maestro " MAESTRO_VERSION " (libuv %s, yyjson %s, libcurl %s, SQLite %s)\n", uv_version_string(),
           YYJSON_VERSION_STRING, LIBCURL_VERSION, sqlite3_libversion());
  return CLI_OK;
}
