/* links: policy */
/* Heads of requests against auth and CORS. Input: one byte of choices, then "peer\nquery\nName: value\n…". Checked
 * beyond memory safety: without the key's bytes in the input nobody becomes a key or the admin, a local principal comes
 * only with a loopback peer and a Host of ours, and no error repeats the marker. */
#include <stdio.h>
#include <stdlib.h>

#include "policy/auth.h"
#include "policy/auth_failures.h"
#include "policy/cors.h"

#define KEY "sk-maestro-k"
#define ADMIN "admin-a"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct arena arena;
static struct auth_rules *rules[2];
static struct auth_failures *failures;
static const struct str origins[] = {{"https://*.example.com", 21}};

static void check(bool holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "broken: %s\n", what);
  abort();
}

static void prepare(void) {
  static const struct str keys[] = {{KEY, sizeof KEY - 1}}, hosts[] = {{"box:9000", 8}},
                          proxies[] = {{"10.0.0.0/9", 10}};
  struct auth_rules_input in = {.keys = keys,
                                .keys_n = 1,
                                .admin_token = STR(ADMIN),
                                .is_bind_loopback = true,
                                .port = 8080,
                                .hosts = hosts,
                                .hosts_n = 1,
                                .origins = origins,
                                .origins_n = 1,
                                .trusted_proxies = proxies,
                                .trusted_proxies_n = 1};
  if (rules[0]) return;
  arena_init(&arena, 0);
  check(auth_rules_new(&arena, &in, &rules[0], NULL) == OK, "rules");
  in.is_bind_loopback = false;
  check(auth_rules_new(&arena, &in, &rules[1], NULL) == OK, "rules");
  check(auth_failures_new(&failures, &(struct auth_failures_options){.addresses = 8}, NULL) == OK, "failures");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct http_header headers[64], out[CORS_HEADERS_MAX];
  struct str all = str_from((const char *)data, size), rest, peer_text, line;
  static uint64_t now_us;
  if (size < 1) return 0;
  prepare();
  unsigned choices = data[0];
  struct http_request request = {.content_length = -1};
  struct http_peer peer = {.local_port = 8080};
  str_cut(str_sub(all, 1, size), '\n', &peer_text, &rest);
  snprintf(peer.address, sizeof peer.address, "%.*s", STR_ARG(str_sub(peer_text, 0, 45)));
  peer.is_loopback = str_has_prefix(peer_text, STR("127."));
  str_cut(rest, '\n', &request.query, &rest);
  size_t n = 0;
  while (rest.n && n < 64) {
    str_cut(rest, '\n', &line, &rest);
    str_cut(line, ':', &headers[n].name, &headers[n].value);
    headers[n].value = str_trim(headers[n].value);
    if (str_eq_nocase(headers[n].name, STR("host"))) request.host = headers[n].value;
    n++;
  }
  request.headers = (struct http_headers){headers, n};
  request.method = choices & 1 ? HTTP_POST : choices & 2 ? HTTP_OPTIONS : HTTP_GET;
  request.has_body = choices & 1;
  const struct auth_rules *r = rules[choices >> 2 & 1];
  struct auth_call call = {.request = &request,
                           .peer = &peer,
                           .class = (enum auth_class)((choices >> 3) % AUTH_CLASS_COUNT),
                           .accept = size % 8,
                           .failures = failures,
                           .now_us = now_us += 400000};
  struct auth_principal principal = {.kind = AUTH_KIND_COUNT};
  struct err_info info = {0};
  enum err e = auth_check(r, &call, &principal, &info);
  check((e == OK) == (principal.kind != AUTH_KIND_COUNT), "a principal comes with OK only");
  check(e == OK || info.text[0], "an error says why");
  /* Percent-encoding may hide the key's bytes. */
  bool may_hide = str_find_char(request.query, '%') != SIZE_MAX;
  if (!may_hide && str_find(all, STR(KEY)) == SIZE_MAX) check(principal.kind != AUTH_KEY, "no key without its bytes");
  if (!may_hide && str_find(all, STR(ADMIN)) == SIZE_MAX)
    check(principal.kind != AUTH_ADMIN, "no admin without its bytes");
  if (principal.kind == AUTH_LOCAL) {
    check(peer.is_loopback && r == rules[0], "local means loopback");
    check(str_has_suffix(request.host, STR(":8080")) || str_eq_nocase(request.host, STR("box:9000")),
          "local means our Host");
  }
  size_t count = 0;
  struct cors_rules cors = {.origins = origins, .origins_n = 1};
  (void)cors_answer_options(&cors, &request, STR("GET"), out, &count);
  check(count <= CORS_HEADERS_MAX, "headers fit");
  for (size_t i = 0; i < count; i++)
    for (size_t k = 0; k < out[i].value.n; k++) check((unsigned char)out[i].value.p[k] >= 0x20, "headers are clean");
  return 0;
}
