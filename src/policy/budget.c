/* Bounds: see budget.h. */
#include "policy/budget.h"

#include "text/media_tokens.h"

enum { MTOK = 1000000, MEDIA_BYTES_MIN = 256 };

__extension__ typedef unsigned __int128 u128;

/* ---- input ---- */

/* The end of the string whose opening quote is at `at`: the index of its closing quote, or body.n. */
static size_t string_end(struct str body, size_t at) {
  for (size_t i = at + 1; i < body.n;) {
    const char *quote = memchr(body.p + i, '"', body.n - i);
    if (!quote) return body.n;
    size_t end = (size_t)(quote - body.p), slashes = 0;
    while (end - slashes > at + 1 && body.p[end - slashes - 1] == '\\') slashes++;
    if (slashes % 2 == 0) return end;
    i = end + 1;
  }
  return body.n;
}

static bool is_base64(struct str s) {
  for (size_t i = 0; i < s.n; i++) {
    char c = s.p[i];
    bool ok = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/' ||
              c == '-' || c == '_' || c == '=' || c == '\\';
    if (!ok) return false;
  }
  return true;
}

/* By how its base64 begins: PNG, JPEG, GIF, WebP. */
static bool is_picture(struct str base64) {
  static const struct str heads[] = {STR("iVBORw0KGgo"), STR("/9j/"), STR("\\/9j\\/"), STR("R0lGOD"), STR("UklGR")};
  for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
    if (str_has_prefix(base64, heads[i])) return true;
  return false;
}

static bool is_one_of(struct str key, const struct str *names, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (str_eq(key, names[i])) return true;
  return false;
}

/* Bytes of `value` that are a picture's, under a key that holds one: Anthropic's and Gemini's "data", OpenAI's "url"
 * and "image_url", Ollama's "images". */
static size_t picture_bytes(struct str key, struct str value) {
  static const struct str keys[] = {STR("data"), STR("url"), STR("image_url"), STR("images")};
  if (value.n < MEDIA_BYTES_MIN || !is_one_of(key, keys, sizeof keys / sizeof *keys)) return 0;
  if (str_has_prefix(value, STR("data:"))) {
    size_t comma = str_find_char(str_sub(value, 0, 100), ',');
    if (comma == SIZE_MAX || !str_has_suffix(str_sub(value, 0, comma), STR(";base64"))) return 0;
    value = str_sub(value, comma + 1, value.n);
  }
  return is_picture(value) && is_base64(value) ? value.n : 0;
}

static bool is_picture_url(struct str key, struct str value) {
  static const struct str keys[] = {STR("url"), STR("image_url"), STR("fileUri"), STR("file_uri"), STR("file_id")};
  if (!is_one_of(key, keys, sizeof keys / sizeof *keys)) return false;
  return str_eq(key, STR("file_id")) || str_has_prefix(value, STR("http")) || str_has_prefix(value, STR("gs:"));
}

int64_t budget_picture_tokens(struct str model) {
  /* The largest are not always the dearest: OpenAI's tiles are most for a picture of 2048 to 768. */
  static const struct image_size shapes[] = {{8000, 8000}, {8000, 3000}, {3000, 8000}, {8000, 1000}};
  int64_t most = 0;
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    int64_t tokens = media_tokens_image(model, shapes[i], STR("high"));
    if (tokens > most) most = tokens;
  }
  return most;
}

/* Adds up what pictures change of the bound, and counts them. */
static int64_t add_pictures(struct str body, int64_t picture_tokens, unsigned *count) {
  struct str key = STR_NONE;
  int64_t tokens = 0;
  *count = 0;
  for (size_t i = 0; i < body.n; i++) {
    const char *quote = memchr(body.p + i, '"', body.n - i);
    if (!quote) break;
    size_t at = (size_t)(quote - body.p), end = string_end(body, at);
    struct str text = str_sub(body, at + 1, end);
    size_t next = end + 1;
    while (next < body.n &&
           (body.p[next] == ' ' || body.p[next] == '\t' || body.p[next] == '\n' || body.p[next] == '\r'))
      next++;
    if (next < body.n && body.p[next] == ':') {
      key = text;
    } else {
      int64_t n = (int64_t)picture_bytes(key, text);
      if (n > picture_tokens) tokens -= n - picture_tokens;
      bool is_named = !n && is_picture_url(key, text);
      if (is_named) tokens += picture_tokens;
      *count += n || is_named;
    }
    i = end;
  }
  return tokens;
}

int64_t budget_input_bound(struct str body, int64_t picture_tokens) {
  unsigned count;
  return (int64_t)body.n + BUDGET_TEMPLATE_TOKENS + add_pictures(body, picture_tokens, &count);
}

unsigned budget_pictures(struct str body) {
  unsigned count;
  (void)add_pictures(body, 0, &count);
  return count;
}

/* ---- money ---- */

static int64_t dearest(const struct price *p, const enum usage_class *classes, size_t n) {
  int64_t most = 0;
  for (size_t i = 0; i < n; i++)
    if (price_has(p, classes[i]) && p->nano_usd_per_mtok[classes[i]] > most) most = p->nano_usd_per_mtok[classes[i]];
  return most;
}

static int64_t input_price(const struct price *p) {
  static const enum usage_class classes[] = {USAGE_INPUT, USAGE_CACHE_READ, USAGE_CACHE_WRITE};
  return dearest(p, classes, 3);
}

static int64_t output_price(const struct price *p) {
  static const enum usage_class classes[] = {USAGE_OUTPUT, USAGE_REASONING};
  return dearest(p, classes, 2);
}

static u128 choices_of(const struct budget_terms *t) { return t->choices > 1 ? (u128)t->choices : 1; }

int64_t budget_output_wanted(const struct budget_terms *t) {
  if (!t->has_output) return 0;
  if (t->max_tokens >= 0) return t->max_tokens;
  if (t->model_output_tokens > 0) return t->model_output_tokens;
  bool is_small = t->context_tokens > 0 && t->context_tokens < BUDGET_UNKNOWN_OUTPUT_TOKENS;
  return is_small ? t->context_tokens : BUDGET_UNKNOWN_OUTPUT_TOKENS;
}

/* Each class of a bill is rounded by itself, so a nano-USD is added for each. */
static u128 input_cost(const struct budget_terms *t) {
  return ((u128)t->input_tokens * (u128)input_price(t->price) + MTOK - 1) / MTOK + USAGE_CLASSES;
}

/* Of reasoning that no limit holds. */
static u128 apart_cost(const struct budget_terms *t) {
  if (!t->has_reasoning_apart || !t->has_output) return 0;
  int64_t tokens = t->model_output_tokens > 0 ? t->model_output_tokens
                   : t->context_tokens > 0    ? t->context_tokens
                                              : BUDGET_UNKNOWN_REASONING_TOKENS;
  return ((u128)tokens * (u128)output_price(t->price) + MTOK - 1) / MTOK * choices_of(t);
}

static u128 fixed_cost(const struct budget_terms *t) { return input_cost(t) + apart_cost(t); }

bool budget_amount(const struct budget_terms *t, int64_t output_tokens, int64_t *nano_usd) {
  if (input_price(t->price) == 0 && output_price(t->price) == 0) {
    *nano_usd = 0;
    return true;
  }
  u128 tokens = (u128)output_tokens * choices_of(t), price = (u128)output_price(t->price);
  u128 most = (u128)INT64_MAX * MTOK;
  if (price && tokens > most / price) return false;
  u128 sum = fixed_cost(t) + (tokens * price + MTOK - 1) / MTOK;
  if (sum > INT64_MAX) return false;
  *nano_usd = (int64_t)sum;
  return true;
}

int64_t budget_affordable(const struct budget_terms *t, int64_t wanted, int64_t left_nano_usd) {
  u128 fixed = fixed_cost(t), price = (u128)output_price(t->price) * choices_of(t);
  if (left_nano_usd < 0 || fixed > (u128)left_nano_usd) return -1;
  if (price == 0) return wanted;
  u128 tokens = ((u128)left_nano_usd - fixed) * MTOK / price;
  return tokens < (u128)wanted ? (int64_t)tokens : wanted;
}
