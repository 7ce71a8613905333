/* server.json: a handful of members, written whole and read leniently, since only our own processes write it. */
#include "state/server_info.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "state/config/config_read.h"
#include "state/disk.h"

enum err server_info_write(const char *path, const struct server_info *s, struct err_info *info) {
  struct buf out;
  char started[25];
  buf_init(&out, 0);
  clock_format_rfc3339(s->started_wall_us, started);
  buf_printf(&out, "{\n  \"pid\": %lld,\n  \"host\": ", (long long)s->pid);
  buf_put_json(&out, str_from_c(s->host));
  buf_printf(&out, ",\n  \"port\": %u,\n  \"started\": \"%s\",\n  \"version\": ", s->port, started);
  buf_put_json(&out, str_from_c(s->version));
  buf_put(&out, STR("\n}\n"));
  enum err e =
      out.failed ? err_set(info, ERR_NO_MEMORY, "out of memory") : disk_replace(path, buf_str(&out), 0600, info);
  buf_clear(&out);
  return e;
}

static void copy_text(yyjson_val *val, char *out, size_t out_bytes) {
  struct str text = config_read_text(val);
  snprintf(out, out_bytes, "%.*s", STR_ARG(text));
}

static int64_t parse_time(yyjson_val *val) {
  char text[32];
  struct tm tm = {0};
  int ms = 0;
  copy_text(val, text, sizeof text);
  if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min,
             &tm.tm_sec, &ms) < 6)
    return 0;
  tm.tm_year -= 1900;
  tm.tm_mon -= 1;
  return (int64_t)timegm(&tm) * 1000000 + ms * 1000;
}

static enum err parse(const char *path, struct str bytes, struct server_info *out, struct err_info *info) {
  struct config_read r;
  struct server_info s = {0};
  uint64_t pid = 0, port = 0;
  bool ok = config_read_open(&r, NULL, NULL, CONFIG_ERROR, str_from_c(path), bytes) && yyjson_is_obj(r.root) &&
            str_to_u64(config_read_text(yyjson_obj_get(r.root, "pid")), &pid) && pid > 0 && pid < INT32_MAX &&
            str_to_u64(config_read_text(yyjson_obj_get(r.root, "port")), &port) && port <= UINT16_MAX;
  if (ok) {
    s.pid = (int64_t)pid;
    s.port = (uint16_t)port;
    s.started_wall_us = parse_time(yyjson_obj_get(r.root, "started"));
    copy_text(yyjson_obj_get(r.root, "host"), s.host, sizeof s.host);
    copy_text(yyjson_obj_get(r.root, "version"), s.version, sizeof s.version);
    *out = s;
  }
  config_read_clear(&r);
  return ok ? OK : err_set(info, ERR_BAD_VALUE, "%s: not a server.json", path);
}

enum err server_info_read(const char *path, struct server_info *out, struct err_info *info) {
  struct buf bytes;
  buf_init(&bytes, 0);
  enum err e = disk_read(path, 65536, &bytes, NULL, info);
  if (!e) e = parse(path, buf_str(&bytes), out, info);
  buf_clear(&bytes);
  return e;
}

void server_info_remove(const char *path, int64_t pid) {
  struct server_info s;
  if (server_info_read(path, &s, NULL) == OK && s.pid == pid) unlink(path);
}
