/* An upstream's message made fit for a caller's eyes: see provider_sanitise in provider.h. Word by word: a word is a
 * run of characters that may stand in a URL, a key or a host name. Linear, no allocation, bounded by the output. */
#include "provider/provider.h"

struct sink {
  char *out;
  size_t n, max;
};

static void put(struct sink *s, struct str bytes) {
  size_t room = s->max - 1 - s->n;
  size_t n = bytes.n < room ? bytes.n : room;
  if (n) memcpy(s->out + s->n, bytes.p, n);
  s->n += n;
}

static bool is_word_char(char c) {
  unsigned char u = (unsigned char)c;
  return (u >= '0' && u <= '9') || (u >= 'A' && u <= 'Z') || (u >= 'a' && u <= 'z') ||
         (u && strchr("-_.:/%?&=#@~+*", c));
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Keys in the shapes that vendors use, or a long run without structure. */
static bool looks_like_key(struct str w) {
  static const struct str prefixes[] = {STR("sk-"),  STR("sk_"),  STR("gsk_"), STR("xai-"), STR("AIza"),   STR("AKIA"),
                                        STR("ASIA"), STR("ghp_"), STR("gho_"), STR("ghu_"), STR("nvapi-"), STR("pplx-"),
                                        STR("r8_"),  STR("hf_"),  STR("eyJ"),  STR("key-"), STR("tgp_"),   STR("fw_")};
  for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
    if (w.n >= prefixes[i].n + 6 && str_has_prefix(w, prefixes[i])) return true;
  if (w.n < 32) return false;
  size_t letters = 0, digits = 0;
  for (size_t i = 0; i < w.n; i++) {
    if (w.p[i] == '.' || w.p[i] == '/') return false; /* a model name or path, not a key */
    digits += is_digit(w.p[i]);
    letters += !is_digit(w.p[i]) && w.p[i] != '-' && w.p[i] != '_';
  }
  return digits >= 4 && letters >= 4;
}

/* d.d.d.d with an optional port. */
static bool looks_like_ipv4(struct str w) {
  unsigned dots = 0, digits = 0;
  size_t i = 0;
  for (; i < w.n && (is_digit(w.p[i]) || w.p[i] == '.'); i++) {
    if (w.p[i] != '.') {
      if (++digits > 3) return false;
      continue;
    }
    if (digits == 0) return false;
    digits = 0;
    dots++;
  }
  return dots == 3 && digits && (i == w.n || w.p[i] == ':' || w.p[i] == '/');
}

static bool looks_like_host(struct str w) {
  static const struct str ends[] = {STR(".com"),   STR(".net"),      STR(".org"),   STR(".io"),
                                    STR(".ai"),    STR(".dev"),      STR(".app"),   STR(".xyz"),
                                    STR(".cloud"), STR(".internal"), STR(".local"), STR(".lan"),
                                    STR(".svc"),   STR(".sh"),       STR(".corp"),  STR(".intranet")};
  struct str host, rest;
  str_cut(w, '/', &host, &rest);
  str_cut(host, ':', &host, &rest);
  if (str_eq_nocase(host, STR("localhost"))) return true;
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
    if (host.n > ends[i].n && str_eq_nocase(str_sub(host, host.n - ends[i].n, host.n), ends[i])) return true;
  return false;
}

static struct str replacement(const struct provider *p, struct str w, bool after_bearer) {
  if (p->secret.n && str_find(w, p->secret) != SIZE_MAX) return STR("[secret]");
  if (str_find(w, STR("://")) != SIZE_MAX) return STR("[url]");
  if (after_bearer && w.n >= 8) return STR("[secret]");
  if (looks_like_key(w)) return STR("[secret]");
  if (looks_like_ipv4(w)) return STR("[address]");
  if (looks_like_host(w) || (p->origin.host.n && str_has_prefix_nocase(w, p->origin.host))) return STR("[host]");
  return w;
}

/* The end of s without an incomplete UTF-8 sequence at it. */
static size_t whole_characters(const char *s, size_t n) {
  size_t back = 0;
  while (back < 4 && back < n && ((unsigned char)s[n - 1 - back] & 0xc0) == 0x80) back++;
  if (back == n) return 0;
  unsigned char lead = (unsigned char)s[n - 1 - back];
  size_t need = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
  return need > back ? n - 1 - back : n;
}

void provider_sanitise(const struct provider *p, struct str message, char *out, size_t max) {
  struct sink s = {out, 0, max};
  bool after_bearer = false;
  for (size_t i = 0; i < message.n && s.n + 1 < max;) {
    size_t from = i;
    while (i < message.n && is_word_char(message.p[i])) i++;
    if (i > from) {
      struct str word = str_sub(message, from, i), tail = STR_NONE;
      /* The end of a sentence does not belong to the word. */
      while (word.n && strchr(".:?", word.p[word.n - 1])) word.n--;
      tail = str_sub(message, from + word.n, i);
      put(&s, replacement(p, word, after_bearer));
      put(&s, tail);
      after_bearer = str_eq_nocase(word, STR("bearer"));
      continue;
    }
    char c = message.p[i++];
    put(&s, (unsigned char)c < 0x20 || c == 0x7f ? STR(" ") : str_from(&c, 1));
  }
  out[str_is_utf8(str_from(out, s.n)) ? s.n : whole_characters(out, s.n)] = 0;
}
