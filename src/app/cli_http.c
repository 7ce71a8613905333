/* A command's request to a running server: small, blocking, over libcurl. The key never appears in an argument list. */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "app/cli.h"
#include "base/crypto.h"
#include "base/json.h"
#include "state/data_lock.h"

enum { REPLY_MAX = 4 * 1024 * 1024, TIMEOUT_MS = 30000, CONNECT_MS = 3000 };

static size_t take(char *bytes, size_t size, size_t n, void *arg) {
  struct buf *out = arg;
  buf_put(out, str_from(bytes, size * n));
  return out->failed ? 0 : size * n;
}

static struct curl_slist *make_headers(const struct context *context) {
  char line[1200];
  struct str key = secret_reveal(context->key);
  struct curl_slist *list = curl_slist_append(NULL, "Content-Type: application/json");
  if (!key.n || key.n > 1024) return list;
  snprintf(line, sizeof line, "Authorization: Bearer %.*s", STR_ARG(key));
  struct curl_slist *longer = curl_slist_append(list, line);
  crypto_wipe(line, sizeof line);
  return longer ? longer : list;
}

enum err cli_request(const struct context *context, const char *method, const char *path, struct cli_reply *out,
                     struct err_info *info) {
  return cli_request_body(context, method, path, STR_NONE, out, info);
}

enum err cli_request_body(const struct context *context, const char *method, const char *path, struct str body,
                          struct cli_reply *out, struct err_info *info) {
  char url[1024];
  long status = 0;
  CURL *curl = curl_easy_init();
  struct curl_slist *headers = make_headers(context);
  enum err e = OK;
  snprintf(url, sizeof url, "%s%s", context->endpoint, path);
  buf_init(&out->body, REPLY_MAX);
  out->status = 0;
  if (!curl || !headers) {
    e = ERR_NO_MEMORY;
    goto done;
  }
  curl_easy_setopt(curl, CURLOPT_URL, url);
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
  if (body.n || !strcmp(method, "POST")) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.n ? body.p : "");
  }
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &out->body);
  CURLcode code = curl_easy_perform(curl);
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (code != CURLE_OK)
    e = err_set(info, ERR_CONNECT_FAILED, "no server answers at %s (%s)", context->endpoint, curl_easy_strerror(code));
  else
    out->status = (int)status;
done:
  curl_slist_free_all(headers);
  curl_easy_cleanup(curl);
  return e;
}

bool cli_is_served(const struct cli_paths *paths, const struct context *context) {
  struct server_info server;
  bool is_here = !context || !strcmp(context->name, CONTEXTS_LOCAL);
  return !is_here || (cli_find_server(paths, &server) && data_lock_is_held(paths->data_dir));
}

/* The member `detail`, which every error of the admin API has. */
static int fail_with_reply(struct arena *a, const struct cli_reply *reply) {
  struct json doc;
  struct str detail = STR_NONE;
  if (!json_parse_copy(&doc, buf_str(&reply->body), NULL, a, NULL)) {
    struct json_node root = json_root(&doc);
    if (json_get_string(&root, STR("detail"), &detail, NULL)) detail = STR_NONE;
  }
  if (!detail.n) return cli_fail(CLI_FAILED, "the server answers with status %d", reply->status);
  return cli_fail(CLI_FAILED, "%.*s", STR_ARG(detail));
}

int cli_ask(const struct cli_paths *paths, struct arena *a, const struct context *context, const char *method,
            const char *path, struct str body, struct buf *answer) {
  struct cli_reply reply;
  struct err_info info = {0};
  char room[CLI_ENDPOINT_BYTES];
  struct context real = *context;
  real.endpoint = (char *)cli_endpoint(paths, context, room, sizeof room);
  enum err e = cli_request_body(&real, method, path, body, &reply, &info);
  int code = CLI_OK;
  if (e)
    code = cli_fail(CLI_NOT_RUNNING, "%s", err_info_text(e, &info));
  else if (reply.status < 200 || reply.status > 299)
    code = fail_with_reply(a, &reply);
  else
    buf_put(answer, buf_str(&reply.body));
  crypto_wipe(reply.body.p, reply.body.n);
  buf_clear(&reply.body);
  return code;
}

const char *cli_percent_encode(struct arena *a, struct str text) {
  struct buf b;
  buf_init(&b, 0);
  buf_put_percent(&b, text, "");
  struct str out = b.failed ? STR_NONE : arena_printf(a, "%.*s", STR_ARG(buf_str(&b)));
  buf_clear(&b);
  return out.p;
}
