/* links: provider */
/* What an upstream says of its failures and models: no secret and no address comes through, text stays UTF-8, and words
 * for machines stay words. */
#include <stdlib.h>

#include "base/buf.h"
#include "provider/provider.h"

static const struct http_header own_headers[] = {{STR("x-key"), STR("Token hidden-header-value")}};
static const struct provider provider = {.id = STR("acme"),
                                         .origin = {.host = STR("llm.acme.example")},
                                         .headers = {own_headers, 1},
                                         .secret = STR("the$ecret!")};

static void check(bool ok) {
  if (!ok) abort();
}

static void check_clean(struct str s) {
  check(str_find(s, STR("the$ecret!")) == SIZE_MAX && str_find(s, STR("hidden-header-value")) == SIZE_MAX);
  check(str_find(s, STR("://")) == SIZE_MAX);
  for (size_t i = 0; i < s.n; i++) check((unsigned char)s.p[i] >= 0x20 && s.p[i] != 0x7f);
}

static void check_word(const char *word) {
  for (; *word; word++) check(*word > 0x20 && *word < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  struct str body = str_from((const char *)data + 2, size - 2);
  struct err_info info;
  struct arena a;
  struct provider_listed *listed;
  size_t n;
  size_t max = 1 + data[1];
  char *clean = malloc(max);
  static const int statuses[] = {0, 400, 401, 429, 500};
  const struct http_header h[] = {{STR("retry-after"), str_sub(body, 0, 40)}};
  memset(&info, '#', sizeof info);
  enum err e = provider_openai_compatible.classify_failure(&provider, statuses[data[0] % 5],
                                                           (struct http_headers){h, 1}, body, &info);
  check(e == ERR_UPSTREAM_STATUS && info.http_status >= 400 && info.http_status < 600);
  check(info.retry_after_ms >= 0 && info.retry_after_ms <= 86400000);
  check(info.text[0] && str_is_utf8(str_from_c(info.text)));
  check_clean(str_from_c(info.text));
  check_word(info.code);
  check_word(info.type);
  check_word(info.param);
  provider_sanitise(&provider, body, clean, max);
  check(strlen(clean) < max);
  check_clean(str_from_c(clean));
  check(!str_is_utf8(body) || str_is_utf8(str_from_c(clean)));
  free(clean);
  arena_init(&a, 0);
  if (!provider_openai_compatible.parse_catalog(&a, body, &listed, &n, &info))
    for (size_t i = 0; i < n; i++) {
      check(listed[i].id.n > 0 && listed[i].id.n <= 256 && str_is_utf8(listed[i].id));
      check(http_header_value_is_safe(listed[i].id));
    }
  arena_clear(&a);
  return 0;
}
