/* An upstream's message made fit for a caller's eyes: see provider_sanitise in provider.h. First whatever is this
 * provider's own secret is looked for as it stands; the rest goes word by word, a word being a run of characters that
 * may stand in a URL, a key or a host name. No allocation; bounded by the output and linear in the message. */
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

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
static bool is_hex(char c) { return is_digit(c) || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f'); }
static bool is_in(char c, const char *set) { return c && strchr(set, c); }
static bool is_word_char(char c) { return is_digit(c) || is_letter(c) || is_in(c, "-_.:/%?&=#@~+*"); }

/* ---- secrets ---- */

enum { SECRET_MIN = 8 }; /* what is shorter would hit innocent words; such a header value is no credential */

/* The k-th text of this provider that nobody may see: its key, then what its headers hold ("Bearer KEY": KEY). Empty
 * where there is nothing to hide; false behind the last one. */
static bool hidden_text(const struct provider *p, size_t k, struct str *out) {
  if (k == 0) {
    *out = p->secret;
    return true;
  }
  if (k > p->headers.n) return false;
  const struct http_header *h = &p->headers.v[k - 1];
  bool is_public = str_eq_nocase(h->name, STR("content-type")) || str_eq_nocase(h->name, STR("user-agent"));
  size_t space = str_rfind_char(h->value, ' ');
  *out = space == SIZE_MAX ? h->value : str_sub(h->value, space + 1, h->value.n);
  if (is_public || out->n < SECRET_MIN) *out = STR_NONE;
  return true;
}

/* Where it stands at or after `from`; SIZE_MAX: nowhere. A short key ("x", "token": what servers of one's own are
 * given) is hidden as a word only, or it would be seen in "max_tokens". */
static size_t find_hidden(struct str message, size_t from, struct str text) {
  while (text.n && from < message.n) {
    size_t at = str_find(str_sub(message, from, message.n), text);
    if (at == SIZE_MAX) return SIZE_MAX;
    at += from;
    size_t end = at + text.n;
    bool is_within = (at > 0 && is_word_char(message.p[at - 1])) || (end < message.n && is_word_char(message.p[end]));
    if (text.n >= SECRET_MIN || !is_within) return at;
    from = at + 1;
  }
  return SIZE_MAX;
}

/* Where the next hidden text begins at or after `from`, and its length; SIZE_MAX when there is none. */
static size_t next_hidden(const struct provider *p, struct str message, size_t from, size_t *length) {
  size_t best = SIZE_MAX;
  struct str text;
  for (size_t k = 0; hidden_text(p, k, &text); k++) {
    size_t at = find_hidden(message, from, text);
    if (at == SIZE_MAX || (at >= best && !(at == best && text.n > *length))) continue;
    best = at;
    *length = text.n;
  }
  return best;
}

/* A run of letters and digits without structure: what hashes, tokens and random keys have and names do not. */
static bool has_random_run(struct str w) {
  size_t run = 0, digits = 0, upper = 0, lower = 0;
  for (size_t i = 0; i <= w.n; i++) {
    if (i == w.n || (!is_digit(w.p[i]) && !is_letter(w.p[i]))) {
      run = digits = upper = lower = 0;
      continue;
    }
    run++;
    digits += is_digit(w.p[i]);
    upper += w.p[i] >= 'A' && w.p[i] <= 'Z';
    lower += w.p[i] >= 'a' && w.p[i] <= 'z';
    if (run >= 20 && digits >= 4 && upper + lower >= 4) return true;
    if (run >= 12 && w.n >= 32 && digits >= 2 && upper >= 2 && lower >= 2) return true;
  }
  return false;
}

/* Keys in the shapes that vendors use, masked ones too. */
static bool looks_like_key(struct str w) {
  static const struct str prefixes[] = {STR("sk-"),  STR("sk_"),  STR("gsk_"), STR("xai-"), STR("AIza"),   STR("AKIA"),
                                        STR("ASIA"), STR("ghp_"), STR("gho_"), STR("ghu_"), STR("nvapi-"), STR("pplx-"),
                                        STR("r8_"),  STR("hf_"),  STR("eyJ"),  STR("tgp_"), STR("fw_"),    STR("csk-")};
  for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
    if (w.n >= prefixes[i].n + 6 && str_has_prefix(w, prefixes[i])) return true;
  return has_random_run(w);
}

/* What follows "Bearer": prose has neither digits nor capitals inside. */
static bool looks_like_token(struct str w) {
  if (w.n < 8) return false;
  for (size_t i = 1; i < w.n; i++)
    if (!(w.p[i] >= 'a' && w.p[i] <= 'z') && w.p[i] != '-') return true;
  return w.n >= 20;
}

/* ---- addresses ---- */

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
  return dots == 3 && digits && (i == w.n || is_in(w.p[i], ":/"));
}

/* Groups of hexadecimal digits with colons: all eight, or shortened by "::". A time of day has neither. */
static bool looks_like_ipv6(struct str w) {
  unsigned colons = 0, digits = 0;
  bool is_short = false;
  for (size_t i = 0; i < w.n; i++) {
    if (w.p[i] == ':') {
      is_short = is_short || (i && w.p[i - 1] == ':');
      colons++;
      digits = 0;
    } else if (w.p[i] == '%' || w.p[i] == '/') {
      break;
    } else if ((!is_hex(w.p[i]) && w.p[i] != '.') || ++digits > 15) {
      return false;
    }
  }
  return colons == 7 || (is_short && colons < 8 && w.n > 2);
}

/* host:1000 to host:65535; a shorter number is rather a tag ("llama3:70") or a place in a text, and what has an
 * underscore is a parameter ("max_tokens:4096"). */
static bool has_port(struct str host, struct str rest) {
  size_t digits = 0;
  if (str_find_char(host, '_') != SIZE_MAX) return false;
  while (digits < rest.n && is_digit(rest.p[digits])) digits++;
  return host.n && is_letter(host.p[0]) && digits >= 4 && digits <= 5 && (digits == rest.n || rest.p[digits] == '/');
}

static bool looks_like_host(const struct provider *p, struct str w) {
  static const struct str ends[] = {STR(".com"),  STR(".net"),      STR(".org"),     STR(".io"),    STR(".ai"),
                                    STR(".dev"),  STR(".app"),      STR(".xyz"),     STR(".sh"),    STR(".svc"),
                                    STR(".lan"),  STR(".internal"), STR(".local"),   STR(".cloud"), STR(".run"),
                                    STR(".corp"), STR(".home"),     STR(".intranet")};
  struct str authority, host, path, port;
  str_cut(w, '/', &authority, &path);
  bool has_colon = str_cut(authority, ':', &host, &port);
  if (str_eq_nocase(host, STR("localhost")) || (has_colon && has_port(host, port))) return true;
  if (p->origin.host.n && str_eq_nocase(host, p->origin.host)) return true;
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
    if (host.n > ends[i].n && str_eq_nocase(str_sub(host, host.n - ends[i].n, host.n), ends[i])) return true;
  return false;
}

/* The parts of "addr=10.0.0.5:80" and "user@host" are looked at one by one. */
static struct str address_in(const struct provider *p, struct str w) {
  size_t from = 0;
  for (size_t i = 0; i <= w.n; i++) {
    if (i < w.n && !is_in(w.p[i], "=@&?#")) continue;
    struct str part = str_sub(w, from, i);
    from = i + 1;
    if (looks_like_ipv4(part) || looks_like_ipv6(part)) return STR("[address]");
    if (looks_like_host(p, part)) return STR("[host]");
  }
  return STR_NONE;
}

static struct str replacement(const struct provider *p, struct str w, bool after_bearer) {
  if (str_find(w, STR("://")) != SIZE_MAX) return STR("[url]");
  if (after_bearer && looks_like_token(w)) return STR("[secret]");
  if (looks_like_key(w)) return STR("[secret]");
  struct str address = address_in(p, w);
  return address.n ? address : w;
}

void provider_sanitise(const struct provider *p, struct str message, char *out, size_t max) {
  struct sink s = {out, 0, max};
  bool after_bearer = false;
  size_t hidden_n = 0, hidden = next_hidden(p, message, 0, &hidden_n);
  for (size_t i = 0; i < message.n && s.n + 1 < max;) {
    if (i == hidden) {
      put(&s, STR("[secret]"));
      i += hidden_n;
      hidden = next_hidden(p, message, i, &hidden_n);
      continue;
    }
    size_t from = i;
    while (i < message.n && i < hidden && is_word_char(message.p[i])) i++;
    if (i > from) {
      struct str word = str_sub(message, from, i);
      /* The end of a sentence does not belong to the word. */
      while (word.n && is_in(word.p[word.n - 1], ".:?")) word.n--;
      put(&s, replacement(p, word, after_bearer));
      put(&s, str_sub(message, from + word.n, i));
      after_bearer = str_eq_nocase(word, STR("bearer"));
      continue;
    }
    char c = message.p[i++];
    put(&s, (unsigned char)c < 0x20 || c == 0x7f ? STR(" ") : str_from(&c, 1));
  }
  out[str_cut_utf8(str_from(out, s.n), SIZE_MAX).n] = 0;
}
