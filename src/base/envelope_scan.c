/* The envelope scan: see envelope_scan.h. One state machine over the bytes; a state is what is expected next. Strings,
 * numbers and literals that lie whole in the piece are taken at once; what a piece's end cuts goes byte by byte until
 * it is whole again. No recursion: what closes the open containers is a stack of bytes. */
#include "base/envelope_scan.h"

#include <assert.h>

#include "base/json_bytes.h"
#include "base/json_number.h"

enum state {
  AT_START,       /* the top-level object */
  AT_KEY_OR_END,  /* behind '{' */
  AT_KEY,         /* behind a comma in an object */
  IN_KEY,         /* of an object that is not looked into */
  IN_TRACKED_KEY, /* cut or with escapes: being assembled */
  AT_COLON,
  AT_VALUE_OR_END, /* behind '[' */
  AT_VALUE,
  IN_STRING,
  IN_NUMBER,
  IN_LITERAL,
  AT_AFTER, /* behind a value */
  AT_END,   /* behind the top-level object */
};

enum sub { SUB_NONE, SUB_ESCAPE, SUB_HEX, SUB_UTF8 };

static_assert(ENVELOPE_NAME_MAX + 1 + ENVELOPE_KEY_BLOCK < ERR_PARAM_MAX, "a path fits into err_info.param");
static_assert(sizeof(struct envelope_scan) <= 4096, "the state stays small: one per request in flight");

void envelope_scan_init(struct envelope_scan *s, const struct envelope_table *table,
                        const struct envelope_limits *limits, struct arena *arena) {
  static const struct envelope_limits none;
  if (!limits) limits = &none;
  /* Field by field: the rest is written before it is read, and zeroing it would cost as much as a small scan. */
  s->base = 0;
  s->found = 0;
  s->depth = s->max_depth = 0;
  s->row[0] = s->row[1] = 0;
  s->state = AT_START;
  s->sub = SUB_NONE;
  s->failed = OK;
  s->info = NULL;
  s->closers[0] = 0;
  s->root = (struct envelope_value){.type = ENVELOPE_OBJECT};
  s->seen[0].table = s->seen[1].table = NULL;
  s->seen[0].n = s->seen[1].n = 0;
  s->table = table;
  s->arena = arena;
  s->tracked_depth = 1;
  s->depth_limit = limits->depth && limits->depth < ENVELOPE_DEPTH_MAX ? limits->depth : ENVELOPE_DEPTH_MAX;
  s->members_limit = limits->members && limits->members < ENVELOPE_MEMBERS_MAX ? limits->members : ENVELOPE_MEMBERS_MAX;
  s->body_limit =
      (uint32_t)(limits->body_bytes && limits->body_bytes < ENVELOPE_BODY_MAX ? limits->body_bytes : ENVELOPE_BODY_MAX);
  s->keys_are_lenient = limits->keys_are_lenient;
}

static inline uint32_t offset_of(const struct envelope_scan *s, const char *p) {
  return (uint32_t)((uintptr_t)p - s->origin);
}

__attribute__((cold, noinline)) static const char *refuse(struct envelope_scan *s, const char *p, const char *why) {
  s->failed = ERR_BAD_JSON;
  err_set(s->info, ERR_BAD_JSON, "invalid JSON at byte %u: %s", offset_of(s, p), why);
  return NULL;
}

/* A fault of one key at depth 1 or 2, named by its path. */
__attribute__((cold, noinline)) static const char *refuse_key(struct envelope_scan *s, enum err e, uint32_t depth,
                                                              struct str key, const char *format) {
  char path[ERR_PARAM_MAX];
  struct err_info scratch;
  struct str parent = depth > 1 ? s->table->names[s->row[1] - 1].name : STR_NONE;
  size_t n = 0;
  for (size_t i = 0; i < parent.n; i++) path[n++] = parent.p[i];
  if (parent.n) path[n++] = '.';
  if (key.n > ENVELOPE_KEY_BLOCK) key = STR("(a long key)"); /* its bytes may be gone */
  const unsigned last = str_is_utf8(key) ? 0xff : 0x7f; /* it is not where an escape stood for half a surrogate pair */
  for (size_t i = 0; i < key.n; i++)
    path[n++] = (unsigned char)key.p[i] < 0x20 || (unsigned char)key.p[i] > last ? '?' : key.p[i];
  path[n] = 0;
  s->failed = (uint8_t)e;
  err_set_param(s->info ? s->info : &scratch, e, path, format, path);
  return NULL;
}

/* Part of a string body byte by byte: where an escape or a character is cut, or is wrong. `key` (may be NULL) takes the
 * unescaped bytes. *ended: the closing quote has been read. NULL when refused. */
static const char *string_slowly(struct envelope_scan *s, const char *p, const char *end, struct envelope_key *key,
                                 bool *ended) {
  do {
    unsigned char c = (unsigned char)*p;
    switch (s->sub) {
      case SUB_NONE:
        if (c == '"') {
          *ended = true;
          return p + 1;
        }
        if (c < 0x20) return refuse(s, p, "a control character in a string");
        if (c == '\\') {
          s->sub = SUB_ESCAPE;
          break;
        }
        if (key) envelope_key_put(key, (char)c);
        if (c < 0x80) break;
        if (c < 0xc2 || c > 0xf4) return refuse(s, p, "ill-formed UTF-8");
        s->sub = SUB_UTF8;
        s->sub_left = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
        s->utf8_low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
        s->utf8_high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
        break;
      case SUB_UTF8:
        if (c < s->utf8_low || c > s->utf8_high) return refuse(s, p, "ill-formed UTF-8");
        if (key) envelope_key_put(key, (char)c);
        s->utf8_low = 0x80;
        s->utf8_high = 0xbf;
        if (--s->sub_left == 0) s->sub = SUB_NONE;
        break;
      case SUB_ESCAPE:
        if (c == 'u') {
          s->sub = SUB_HEX;
          s->sub_left = 4;
          s->code_unit = 0;
          break;
        }
        if (!json_bytes_escaped[c]) return refuse(s, p, "an unknown escape in a string");
        if (key) envelope_key_put(key, (char)json_bytes_escaped[c]);
        s->sub = SUB_NONE;
        break;
      default: /* SUB_HEX */
        if (json_bytes_hex((char)c) > 15) return refuse(s, p, "a \\u escape without four hexadecimal digits");
        s->code_unit = (uint16_t)((unsigned)s->code_unit << 4 | json_bytes_hex((char)c));
        if (--s->sub_left) break;
        if (key) envelope_key_put_unit(key, s->code_unit);
        s->sub = SUB_NONE;
    }
    p++;
  } while (p < end && (s->sub != SUB_NONE || key));
  return p;
}

/* The rest of a string body. Returns what follows the closing quote; NULL when refused or when the piece is used up. */
__attribute__((noinline)) static const char *string_rest(struct envelope_scan *s, const char *p, const char *end) {
  bool ended = false;
  if (s->sub != SUB_NONE && p < end && !(p = string_slowly(s, p, end, NULL, &ended))) return NULL;
  for (;;) {
    p = json_bytes_run(p, end);
    if (p == end) return NULL;
    if (*p == '"') return p + 1;
    const char *odd = p;
    p = *p == '\\' ? p + json_bytes_escape(p, end) : json_bytes_run_utf8(p, end);
    if (p == odd && !(p = string_slowly(s, p, end, NULL, &ended))) return NULL;
  }
}

/* The same from the opening quote on: most strings are one run of plain bytes. */
static inline const char *string_body(struct envelope_scan *s, const char *p, const char *end) {
  const char *quote = json_bytes_run(p, end);
  return __builtin_expect(quote < end && *quote == '"', 1) ? quote + 1 : string_rest(s, quote, end);
}

/* Whether a reader that ignores letter case as Go does takes the key for a name of the table though no ASCII letter
 * says so: the long s and the Kelvin sign are an s and a k to it (encoding/json, read 2026-11). */
__attribute__((noinline)) static bool is_folded_name(const struct envelope_table *t, struct str key) {
  static const struct str long_s = STR("\xc5\xbf"), kelvin = STR("\xe2\x84\xaa");
  char plain[ENVELOPE_NAME_MAX];
  size_t n = 0;
  if (!memchr(key.p, long_s.p[0], key.n) && !memchr(key.p, kelvin.p[0], key.n)) return false;
  while (key.n && n < sizeof plain) {
    struct str from = str_has_prefix(key, long_s) ? long_s : str_has_prefix(key, kelvin) ? kelvin : str_sub(key, 0, 1);
    plain[n++] = from.n == 1 ? from.p[0] : from.n == long_s.n ? 's' : 'k';
    key = str_sub(key, from.n, key.n);
  }
  for (unsigned i = 0; !key.n && i < t->n; i++)
    if (!t->names[i].parent && str_eq_nocase(t->names[i].name, str_from(plain, n))) return true;
  return false;
}

/* A tracked key is whole: which row is it, and is it there a second time? hash is 0 when not known yet; else the bytes
 * at p are there only up to ENVELOPE_KEY_BLOCK. False when refused. */
__attribute__((always_inline)) static inline bool key_done(struct envelope_scan *s, uint32_t depth, const char *p,
                                                           size_t n, uint64_t hash) {
  const struct envelope_table *t = s->table;
  unsigned parent = depth > 1 ? s->row[1] : 0, row = 0;
  struct str key = str_from(p, n);
  s->row[depth] = 0;
  if (s->commas[depth] >= s->members_limit) {
    refuse_key(s, ERR_BAD_VALUE, depth, key, "too many members, at \"%s\"");
    return false;
  }
  if (n <= ENVELOPE_NAME_MAX) {
    struct envelope_words words = envelope_words(p, n);
    for (unsigned slot = envelope_slot(words, n, parent); (row = t->slots[slot]) != 0;
         slot = (slot + 1) % ENVELOPE_SLOTS) {
      const struct envelope_name *name = &t->names[row - 1];
      if (name->parent != parent || name->name.n != n) continue;
      if (name->words.head == words.head && name->words.tail == words.tail && (n <= 16 || str_eq(name->name, key)))
        break;
      if (parent == 0 && !s->keys_are_lenient && str_eq_nocase(name->name, key)) {
        refuse_key(s, ERR_BAD_VALUE, depth, key, "\"%s\" differs from a known member only in letter case");
        return false;
      }
    }
    if (!row && parent == 0 && !s->keys_are_lenient && is_folded_name(t, key)) {
      refuse_key(s, ERR_BAD_VALUE, depth, key, "\"%s\" differs from a known member only in letter case");
      return false;
    }
    if (!row && !s->keys_are_lenient && hash == 0)
      hash = n <= 16 ? envelope_key_hash_short(words, n) : envelope_key_hash(p, n);
  } else if (hash == 0 && !s->keys_are_lenient) {
    hash = envelope_key_hash(p, n);
  }
  enum err e = OK;
  if (row) {
    uint64_t bit = (uint64_t)1 << (row - 1);
    if (s->found & bit) e = ERR_DUPLICATE_KEY;
    s->found |= bit;
    s->row[depth] = (uint8_t)row;
    struct envelope_value *v = &s->values[row - 1];
    v->key_offset = s->key_offset;
    v->comma_before = s->commas[depth] ? s->last_comma[depth] : ENVELOPE_NO_COMMA;
    v->comma_after = ENVELOPE_NO_COMMA;
  } else if (!s->keys_are_lenient) {
    e = envelope_key_set_add(&s->seen[depth - 1], hash, s->arena);
  }
  if (e == OK) return true;
  refuse_key(s, e, depth, key, e == ERR_DUPLICATE_KEY ? "\"%s\" appears twice" : "out of memory at \"%s\"");
  return false;
}

/* The rest of a key that is being assembled. */
static const char *tracked_key_rest(struct envelope_scan *s, uint32_t depth, const char *p, const char *end) {
  bool ended = false;
  if (p == end || !(p = string_slowly(s, p, end, &s->key, &ended)) || !ended) return NULL;
  uint64_t hash = envelope_key_end(&s->key);
  return key_done(s, depth, s->key.block, s->key.bytes, hash) ? p : NULL;
}

/* Behind the opening quote of a key whose object is looked into. */
static inline const char *tracked_key(struct envelope_scan *s, uint32_t depth, const char *p, const char *end) {
  s->key_offset = offset_of(s, p) - 1;
  const char *quote = json_bytes_run(p, end);
  if (quote < end && *quote == '"') return key_done(s, depth, p, (size_t)(quote - p), 0) ? quote + 1 : NULL;
  envelope_key_begin(&s->key);
  return tracked_key_rest(s, depth, p, end);
}

static const char *number_rest(struct envelope_scan *s, const char *p, const char *end) {
  for (; p < end; p++) {
    enum json_number next = json_number_next((enum json_number)s->number, *p);
    if (next == JSON_NUMBER_NONE) {
      if (!json_number_is_whole((enum json_number)s->number) || json_number_is_digit(*p))
        return refuse(s, p, "a malformed number");
      return p;
    }
    s->number = (uint8_t)next;
  }
  return NULL;
}

static const char *literal_rest(struct envelope_scan *s, const char *p, const char *end) {
  for (; *s->literal; p++, s->literal++) {
    if (p == end) return NULL;
    if (*p != *s->literal) return refuse(s, p, "expected true, false or null");
  }
  return p;
}

/* A value begins whose key stands in the table. */
static inline void value_begin(struct envelope_scan *s, uint32_t depth, const char *p) {
  static const uint8_t types[256] = {
      ['"'] = ENVELOPE_STRING, ['{'] = ENVELOPE_OBJECT, ['['] = ENVELOPE_ARRAY,          ['t'] = ENVELOPE_TRUE,
      ['f'] = ENVELOPE_FALSE,  ['-'] = ENVELOPE_NUMBER, ['0' ... '9'] = ENVELOPE_NUMBER,
  };
  if (!s->row[depth]) return;
  struct envelope_value *v = &s->values[s->row[depth] - 1];
  v->offset = offset_of(s, p);
  v->type = types[(unsigned char)*p];
  v->count = 0;
}

static inline void value_end(struct envelope_scan *s, uint32_t depth, const char *p) {
  if (!s->row[depth]) return;
  struct envelope_value *v = &s->values[s->row[depth] - 1];
  v->length = offset_of(s, p) - v->offset;
}

/* Enters a container; the depth it has. 0 when that is too deep. */
static inline uint32_t container_begin(struct envelope_scan *s, uint32_t depth, const char *p) {
  if (depth >= s->depth_limit) {
    refuse(s, p, "nested too deeply");
    return 0;
  }
  bool tracked = depth <= s->tracked_depth;
  s->closers[++depth] = (char)(*p + 2); /* ASCII has them two apart */
  if (depth > s->max_depth) s->max_depth = depth;
  if (depth > 3) return depth;
  s->commas[depth] = 0;
  if (depth == 2 && *p == '{' && tracked && s->row[1] && s->table->names[s->row[1] - 1].has_children) {
    s->tracked_depth = 2;
    s->row[2] = 0;
    envelope_key_set_reset(&s->seen[1]);
  }
  return depth;
}

/* Leaves the container of that depth; the depth of the one around it. p is behind the bracket. */
static inline uint32_t container_end(struct envelope_scan *s, uint32_t depth, const char *p, bool is_empty) {
  uint32_t outer = depth - 1;
  if (depth > 3) return outer;
  if (depth == 2) s->tracked_depth = 1;
  uint32_t count = is_empty ? 0 : s->commas[depth] + 1;
  if (outer == 0) {
    s->root.length = offset_of(s, p) - s->root.offset;
    s->root.count = count;
  } else if (outer <= s->tracked_depth && s->row[outer]) {
    value_end(s, outer, p);
    s->values[s->row[outer] - 1].count = count;
  }
  return outer;
}

static inline void comma(struct envelope_scan *s, uint32_t depth, const char *p) {
  if (depth > 3) return;
  s->commas[depth]++;
  s->last_comma[depth] = offset_of(s, p);
  if (depth <= s->tracked_depth && s->row[depth]) s->values[s->row[depth] - 1].comma_after = offset_of(s, p);
}

static inline const char *skip_space(const char *p, const char *end) {
  if (__builtin_expect(p < end && (unsigned char)*p > ' ', 1)) return p;
  while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) p++;
  return p;
}

/* A number or a literal from its first byte on; sets *state to what a cut leaves behind. */
static inline const char *scalar(struct envelope_scan *s, const char *p, const char *end, enum state *state) {
  if (*p == '-' || json_number_is_digit(*p)) {
    const char *behind = json_number_whole(p, end);
    if (behind) return behind;
    *state = IN_NUMBER;
    s->number = JSON_NUMBER_START;
    return number_rest(s, p, end);
  }
  if (end - p > 4) {
    if (memcmp(p, "true", 4) == 0 || memcmp(p, "null", 4) == 0) return p + 4;
    if (*p == 'f' && memcmp(p + 1, "alse", 4) == 0) return p + 5;
  }
  s->literal = *p == 't' ? "true" : *p == 'f' ? "false" : *p == 'n' ? "null" : NULL;
  if (!s->literal) return refuse(s, p, "expected a value");
  *state = IN_LITERAL;
  return literal_rest(s, p, end);
}

/* Runs until the piece is used up or refused. A case falls through to what usually comes next. Long for a reason: in
 * one function depth, closer and place stay in registers from byte to byte, and every body passes through it. */
static void run(struct envelope_scan *s, const char *p, const char *end) {
  uint32_t depth = s->depth;
  char closer = s->closers[depth];
  bool is_empty = false;
  enum state state = (enum state)s->state;
  for (;;) {
    switch (state) {
      case AT_START:
        if ((p = skip_space(p, end)) == end) goto out;
        if (*p != '{') {
          refuse(s, p, "expected an object");
          goto out;
        }
        s->root.offset = offset_of(s, p);
        depth = container_begin(s, depth, p++);
        closer = '}';
        state = AT_KEY_OR_END;
        __attribute__((fallthrough));
      case AT_KEY_OR_END:
        if ((p = skip_space(p, end)) == end) goto out;
        if (*p == '}') {
          is_empty = true;
          state = AT_AFTER;
          continue;
        }
        state = AT_KEY;
        __attribute__((fallthrough));
      case AT_KEY:
        if ((p = skip_space(p, end)) == end) goto out;
        if (*p != '"') {
          refuse(s, p, "expected a key in double quotes");
          goto out;
        }
        if (depth <= s->tracked_depth) {
          state = IN_TRACKED_KEY;
          p = tracked_key(s, depth, p + 1, end);
        } else {
          state = IN_KEY;
          p = string_body(s, p + 1, end);
        }
        if (!p) goto out;
        state = AT_COLON;
        __attribute__((fallthrough));
      case AT_COLON:
        if ((p = skip_space(p, end)) == end) goto out;
        if (*p != ':') {
          refuse(s, p, "expected a colon");
          goto out;
        }
        p++;
        state = AT_VALUE;
        __attribute__((fallthrough));
      case AT_VALUE:
        if ((p = skip_space(p, end)) == end) goto out;
        if (depth <= s->tracked_depth) value_begin(s, depth, p);
        if (*p == '"') {
          state = IN_STRING;
          p = string_body(s, p + 1, end);
        } else if (*p == '{' || *p == '[') {
          closer = (char)(*p + 2);
          if (!(depth = container_begin(s, depth, p++))) goto out;
          state = closer == '}' ? AT_KEY_OR_END : AT_VALUE_OR_END;
          continue;
        } else {
          p = scalar(s, p, end, &state);
        }
        if (!p) goto out;
        if (depth <= s->tracked_depth) value_end(s, depth, p);
        state = AT_AFTER;
        __attribute__((fallthrough));
      case AT_AFTER:
        if ((p = skip_space(p, end)) == end) goto out;
        if (*p == ',') {
          comma(s, depth, p++);
          state = closer == '}' ? AT_KEY : AT_VALUE;
          continue;
        }
        if (*p != closer) {
          refuse(s, p, closer == '}' ? "expected a comma or a closing brace" : "expected a comma or a closing bracket");
          goto out;
        }
        depth = container_end(s, depth, ++p, is_empty);
        is_empty = false;
        closer = s->closers[depth];
        state = depth ? AT_AFTER : AT_END;
        continue;
      case AT_VALUE_OR_END:
        if ((p = skip_space(p, end)) == end) goto out;
        is_empty = *p == ']';
        state = is_empty ? AT_AFTER : AT_VALUE;
        continue;
      case AT_END:
        if ((p = skip_space(p, end)) < end) refuse(s, p, "bytes behind the end of the object");
        goto out;
      case IN_KEY:
        if (!(p = string_rest(s, p, end))) goto out;
        state = AT_COLON;
        continue;
      case IN_TRACKED_KEY:
        if (!(p = tracked_key_rest(s, depth, p, end))) goto out;
        state = AT_COLON;
        continue;
      case IN_STRING: p = string_rest(s, p, end); break;
      case IN_NUMBER: p = number_rest(s, p, end); break;
      case IN_LITERAL: p = literal_rest(s, p, end); break;
    }
    /* the rest of a value that an earlier piece began */
    if (!p) goto out;
    if (depth <= s->tracked_depth) value_end(s, depth, p);
    state = AT_AFTER;
  }
out:
  s->state = (uint8_t)state;
  s->depth = depth;
}

enum err envelope_scan_feed(struct envelope_scan *s, struct str piece, struct err_info *info) {
  if (s->failed) return (enum err)s->failed;
  if (piece.n == 0) return OK;
  if (piece.n > s->body_limit - s->base) {
    s->failed = ERR_BODY_TOO_LARGE;
    return err_set(info, ERR_BODY_TOO_LARGE, "the body is larger than %u bytes", s->body_limit);
  }
  s->info = info;
  s->origin = (uintptr_t)piece.p - s->base;
  run(s, piece.p, piece.p + piece.n);
  s->base += piece.n;
  s->info = NULL;
  return (enum err)s->failed;
}

enum err envelope_scan_end(struct envelope_scan *s, struct err_info *info) {
  if (s->failed || s->state == AT_END) return (enum err)s->failed;
  s->failed = ERR_BAD_JSON;
  if (s->base == 0) return err_set(info, ERR_BAD_JSON, "the body is empty");
  return err_set(info, ERR_BAD_JSON, "invalid JSON: it ends too early, after %zu bytes", s->base);
}

enum err envelope_scan_whole(struct envelope_scan *s, const struct envelope_table *table,
                             const struct envelope_limits *limits, struct arena *arena, struct str text,
                             struct err_info *info) {
  envelope_scan_init(s, table, limits, arena);
  enum err e = envelope_scan_feed(s, text, info);
  return e == OK ? envelope_scan_end(s, info) : e;
}

const struct envelope_value *envelope_scan_value(const struct envelope_scan *s, unsigned row) {
  return row < ENVELOPE_PATHS_MAX && (s->found >> row & 1) ? &s->values[row] : NULL;
}

const struct envelope_value *envelope_scan_root(const struct envelope_scan *s) { return &s->root; }

unsigned envelope_scan_depth(const struct envelope_scan *s) { return s->max_depth; }
