/* What the matrix compares: bodies as JSON values and streams as arrays of frames, after the rules of rules.txt. All is
 * static. */
#ifndef MAESTRO_TESTS_MATRIX_JSON_H
#define MAESTRO_TESTS_MATRIX_JSON_H

#include <openssl/evp.h>
#include <zlib.h>

#include "matrix_case.h"

static yyjson_mut_val *parse_into(yyjson_mut_doc *doc, struct str text) {
  yyjson_doc *parsed = yyjson_read(text.p, text.n, YYJSON_READ_NUMBER_AS_RAW);
  if (!parsed) return NULL;
  yyjson_mut_val *v = yyjson_val_mut_copy(doc, yyjson_doc_get_root(parsed));
  yyjson_doc_free(parsed);
  return v;
}

static struct str key_of(yyjson_mut_val *key) { return str_from(yyjson_mut_get_str(key), yyjson_mut_get_len(key)); }

/* ---- rules ---- */

struct matrix_names { /* ids in the order of their appearance */
  struct str v[64];
  size_t n;
  bool is_request;
};

static yyjson_mut_val *rename_id(yyjson_mut_doc *doc, struct matrix_names *names, yyjson_mut_val *id) {
  char text[16];
  size_t i = 0;
  struct str s = key_of(id);
  while (i < names->n && !str_eq(names->v[i], s)) i++;
  assert_true(i < sizeof names->v / sizeof *names->v);
  if (i == names->n) names->v[names->n++] = s;
  snprintf(text, sizeof text, "id-%zu", i + 1);
  return yyjson_mut_strcpy(doc, text);
}

static bool is_rule(const struct rule *r, const char *verb, struct str dialect) {
  return str_eq(r->verb, str_from_c(verb)) && is_one_of(r->dialect, dialect);
}

/* "where" of a rule: "*", or "member=text" of the object the member stands in. */
static bool is_where(struct str where, yyjson_mut_val *object) {
  struct str key, value;
  if (!str_cut(where, '=', &key, &value)) return true;
  yyjson_mut_val *v = yyjson_mut_obj_getn(object, key.p, key.n);
  return yyjson_mut_is_str(v) && str_eq(key_of(v), value);
}

static bool has_word(struct str list, struct str word) {
  while (list.n)
    if (str_eq(take_word(&list), word)) return true;
  return false;
}

static bool is_left_out(struct str dialect, yyjson_mut_doc *doc, yyjson_mut_val *object, struct str key,
                        yyjson_mut_val *value) {
  for (size_t i = 0; i < rule_count; i++) {
    struct str rest = rules[i].rest, where = take_word(&rest);
    if (is_rule(&rules[i], "ignore", dialect) && is_where(where, object) && has_word(rest, key)) return true;
    if (!is_rule(&rules[i], "absent", dialect) || !is_where(where, object)) continue;
    if (!str_eq(take_word(&rest), key)) continue;
    yyjson_mut_val *v = parse_into(doc, rest);
    if (!v) fail_msg("a rule's value is no JSON: %.*s", STR_ARG(rest));
    if (yyjson_mut_equals(v, value)) return true;
  }
  return false;
}

/* "strip <dialects> <member> <text>": where the member's string begins so, that is taken off. */
static yyjson_mut_val *strip(struct str dialect, yyjson_mut_doc *doc, struct str key, yyjson_mut_val *v) {
  for (size_t i = 0; i < rule_count && yyjson_mut_is_str(v); i++) {
    struct str text = rules[i].rest, member = take_word(&text);
    if (!is_rule(&rules[i], "strip", dialect) || !str_eq(member, key) || !str_has_prefix(key_of(v), text)) continue;
    struct str rest = str_trim(str_sub(key_of(v), text.n, yyjson_mut_get_len(v)));
    return yyjson_mut_strncpy(doc, rest.p, rest.n);
  }
  return v;
}

/* A wrapped signature as plain text (llm/signature.h): base64 of "maestro1:<origin>:<bytes>". */
static yyjson_mut_val *unwrap(yyjson_mut_doc *doc, yyjson_mut_val *v) {
  char plain[256];
  if (!yyjson_mut_is_str(v) || !str_has_prefix(key_of(v), STR("bWFlc3RybzE6")) || key_of(v).n > 256) return v;
  int n = EVP_DecodeBlock((unsigned char *)plain, (const unsigned char *)key_of(v).p, (int)key_of(v).n);
  for (size_t i = key_of(v).n; n > 0 && key_of(v).p[i - 1] == '='; i--) n--;
  return n < 0 ? v : yyjson_mut_strncpy(doc, plain, (size_t)n);
}

static bool is_id(struct str dialect, struct str key) {
  for (size_t i = 0; i < rule_count; i++)
    if (is_rule(&rules[i], "id", dialect) && has_word(rules[i].rest, key)) return true;
  return false;
}

/* "text <dialect> <member> <type>": a string there is the same as one part of that type. */
static yyjson_mut_val *as_parts(struct str dialect, yyjson_mut_doc *doc, yyjson_mut_val *object, struct str key,
                                yyjson_mut_val *value) {
  for (size_t i = 0; i < rule_count && yyjson_mut_is_str(value); i++) {
    struct str rest = rules[i].rest, where = take_word(&rest), member = take_word(&rest);
    if (!is_rule(&rules[i], "text", dialect) || !str_eq(member, key) || !is_where(where, object)) continue;
    yyjson_mut_val *part = yyjson_mut_obj(doc), *list = yyjson_mut_arr(doc);
    yyjson_mut_obj_add_strn(doc, part, "type", rest.p, rest.n);
    yyjson_mut_obj_add_val(doc, part, "text", value);
    yyjson_mut_arr_append(list, part);
    return list;
  }
  return value;
}

static yyjson_mut_val *normalise(struct str dialect, yyjson_mut_doc *doc, struct matrix_names *names,
                                 yyjson_mut_val *v) {
  if (yyjson_mut_is_arr(v)) {
    yyjson_mut_val *out = yyjson_mut_arr(doc);
    size_t i, max;
    yyjson_mut_val *e;
    yyjson_mut_arr_foreach(v, i, max, e) {
      yyjson_mut_val *copy = yyjson_mut_val_mut_copy(doc, e);
      yyjson_mut_arr_append(out, normalise(dialect, doc, names, copy));
    }
    return out;
  }
  if (!yyjson_mut_is_obj(v)) return v;
  yyjson_mut_val *out = yyjson_mut_obj(doc), *key, *value;
  size_t i, max;
  yyjson_mut_obj_foreach(v, i, max, key, value) {
    struct str k = key_of(key);
    yyjson_mut_val *copy = strip(dialect, doc, k, unwrap(doc, yyjson_mut_val_mut_copy(doc, value)));
    if (yyjson_mut_is_str(copy) && is_id(dialect, k))
      copy = rename_id(doc, names, copy);
    else
      copy = normalise(dialect, doc, names, names->is_request ? as_parts(dialect, doc, v, k, copy) : copy);
    if (is_left_out(dialect, doc, v, k, copy)) continue;
    yyjson_mut_obj_add(out, yyjson_mut_strncpy(doc, k.p, k.n), copy);
  }
  return out;
}

/* ---- streams ---- */

static void put_u32(struct buf *b, uint32_t v) {
  const char bytes[] = {(char)(v >> 24), (char)(v >> 16), (char)(v >> 8), (char)v};
  buf_put(b, str_from(bytes, 4));
}

static void put_aws_header(struct buf *b, struct str name, struct str value) {
  buf_put_char(b, (char)name.n);
  buf_put(b, name);
  buf_put(b, STR("\x07\0"));
  buf_put_char(b, (char)value.n);
  buf_put(b, value);
}

/* "event: x" (or "exception: x") and "data: {…}" as a frame of an AWS event stream. */
static void put_aws_frame(struct buf *out, struct str word, struct str name, struct str data) {
  struct buf headers;
  bool is_event = str_eq(word, STR("event"));
  size_t from = out->n;
  buf_init(&headers, 0);
  put_aws_header(&headers, is_event ? STR(":event-type") : STR(":exception-type"), name);
  put_aws_header(&headers, STR(":content-type"), STR("application/json"));
  put_aws_header(&headers, STR(":message-type"), word);
  put_u32(out, (uint32_t)(12 + headers.n + data.n + 4));
  put_u32(out, (uint32_t)headers.n);
  put_u32(out, (uint32_t)crc32(0, (const Bytef *)out->p + from, 8));
  buf_put(out, buf_str(&headers));
  buf_put(out, data);
  put_u32(out, (uint32_t)crc32(0, (const Bytef *)out->p + from, (uInt)(out->n - from)));
  buf_clear(&headers);
}

/* A section's text as the bytes of the wire. */
static void put_stream(const struct dialect *d, struct str body, struct buf *out) {
  struct str line, rest = body, word, name = STR_NONE, kind = STR_NONE;
  body = str_trim(body);
  if (d->framing != FRAMING_AWS) {
    buf_put(out, body);
    buf_put(out, d->framing == FRAMING_SSE ? STR("\n\n") : STR("\n"));
    return;
  }
  while (str_cut(rest, '\n', &line, &rest) || line.n) {
    if (!str_cut(line, ':', &word, &line)) continue;
    if (str_eq(word, STR("data")))
      put_aws_frame(out, kind, name, str_trim(line));
    else
      kind = word, name = str_trim(line);
  }
}

/* Numbers must count up from 0; then they say no more than the order does. */
static void check_numbers(yyjson_mut_val *list) {
  size_t i, max;
  yyjson_mut_val *frame, *n;
  char text[24];
  yyjson_mut_arr_foreach(list, i, max, frame) {
    if (!(n = yyjson_mut_obj_get(frame, "sequence_number"))) continue;
    snprintf(text, sizeof text, "%zu", i);
    if (!str_eq(str_from(yyjson_mut_get_raw(n), yyjson_mut_get_len(n)), str_from_c(text))) continue;
    yyjson_mut_obj_remove_key(frame, "sequence_number");
  }
}

/* Bytes of a stream as an array of its frames' data; NULL where one is no frame. */
static yyjson_mut_val *frames_of(const struct dialect *d, yyjson_mut_doc *doc, struct str bytes) {
  struct frame_reader reader;
  struct frame frame;
  enum err e = OK;
  yyjson_mut_val *list = yyjson_mut_arr(doc);
  frame_reader_init(&reader, d->framing, 0);
  frame_reader_feed(&reader, bytes);
  while (frame_reader_next(&reader, &frame, &e)) {
    if (!frame.has_data || str_trim(frame.data).n == 0) continue;
    yyjson_mut_val *v = parse_into(doc, frame.data), *type = yyjson_mut_obj_get(v, "type");
    if (!v) v = yyjson_mut_strncpy(doc, frame.data.p, frame.data.n);
    if (frame.event.n && !(type && str_eq(key_of(type), frame.event))) {
      yyjson_mut_val *named = yyjson_mut_obj(doc);
      yyjson_mut_obj_add(named, yyjson_mut_strncpy(doc, frame.event.p, frame.event.n), v);
      v = named;
    }
    yyjson_mut_arr_append(list, v);
  }
  if (e || frame_reader_is_partial(&reader)) yyjson_mut_arr_add_str(doc, list, "an unfinished frame");
  frame_reader_clear(&reader);
  check_numbers(list);
  return list;
}

/* "lead <dialect> <pointer>": a member that the first of several deltas has alone. It is taken off for comparing. */
static yyjson_mut_val *take_lead(struct str dialect, yyjson_mut_val *a, yyjson_mut_val *b) {
  for (size_t i = 0; i < rule_count; i++) {
    struct str at = rules[i].rest;
    if (is_rule(&rules[i], "lead", dialect) && !yyjson_mut_ptr_getn(b, at.p, at.n))
      return yyjson_mut_ptr_removen(a, at.p, at.n);
  }
  return NULL;
}

static void put_lead(struct str dialect, yyjson_mut_doc *doc, yyjson_mut_val *a, yyjson_mut_val *lead) {
  for (size_t i = 0; lead && i < rule_count; i++) {
    if (is_rule(&rules[i], "lead", dialect))
      assert_true(yyjson_mut_ptr_setn(a, rules[i].rest.p, rules[i].rest.n, lead, doc));
  }
}

/* Appends b's text to a's where both frames are deltas of the same thing ("merge <dialect> <pointer>"). */
static bool merge(struct str dialect, yyjson_mut_doc *doc, yyjson_mut_val *a, yyjson_mut_val *b) {
  yyjson_mut_val *lead = take_lead(dialect, a, b);
  for (size_t i = 0; i < rule_count; i++) {
    if (!is_rule(&rules[i], "merge", dialect)) continue;
    struct str at = rules[i].rest;
    yyjson_mut_val *x = yyjson_mut_ptr_getn(a, at.p, at.n), *y = yyjson_mut_ptr_getn(b, at.p, at.n);
    if (!yyjson_mut_is_str(x) || !yyjson_mut_is_str(y)) continue;
    struct str first = key_of(x), second = key_of(y);
    yyjson_mut_set_strn(x, "", 0);
    yyjson_mut_set_strn(y, "", 0);
    bool is_same = yyjson_mut_equals(a, b);
    char *joined = malloc(first.n + second.n + 1);
    memcpy(joined, first.p, first.n);
    memcpy(joined + first.n, second.p, second.n);
    yyjson_mut_val *text = yyjson_mut_strncpy(doc, joined, first.n + second.n);
    free(joined);
    if (is_same)
      yyjson_mut_set_strn(x, yyjson_mut_get_str(text), yyjson_mut_get_len(text));
    else
      yyjson_mut_set_strn(x, first.p, first.n);
    if (!is_same) yyjson_mut_set_strn(y, second.p, second.n);
    put_lead(dialect, doc, a, lead);
    return is_same;
  }
  put_lead(dialect, doc, a, lead);
  return false;
}

static yyjson_mut_val *merge_deltas(struct str dialect, yyjson_mut_doc *doc, yyjson_mut_val *list) {
  yyjson_mut_val *out = yyjson_mut_arr(doc), *frame;
  size_t i, max;
  yyjson_mut_arr_foreach(list, i, max, frame) {
    yyjson_mut_val *copy = yyjson_mut_val_mut_copy(doc, frame), *last = yyjson_mut_arr_get_last(out);
    if (!last || !merge(dialect, doc, last, copy)) yyjson_mut_arr_append(out, copy);
  }
  return out;
}

/* Bytes, a whole body or a stream, as JSON; a stream may be one array (Gemini). NULL: they are none. */
static yyjson_mut_val *value_of(const struct dialect *d, yyjson_mut_doc *doc, struct str bytes, bool is_stream) {
  bool is_array = str_has_prefix(bytes, STR("["));
  return is_stream && !is_array ? frames_of(d, doc, bytes) : parse_into(doc, bytes);
}

/* "level <dialect> <pointer>": whatever stands there will do. */
static void level(struct str dialect, yyjson_mut_val *v) {
  for (size_t i = 0; i < rule_count; i++) {
    if (!is_rule(&rules[i], "level", dialect)) continue;
    yyjson_mut_val *n = yyjson_mut_ptr_getn(v, rules[i].rest.p, rules[i].rest.n);
    if (n) yyjson_mut_set_str(n, "anything");
  }
}

/* The same as it is compared. */
static yyjson_mut_val *comparable(const struct dialect *d, yyjson_mut_doc *doc, yyjson_mut_val *v, bool is_stream,
                                  bool is_request) {
  struct matrix_names names = {.is_request = is_request};
  level(d->name, v);
  v = normalise(d->name, doc, &names, v);
  return is_stream ? merge_deltas(d->name, doc, v) : v;
}

static const char *name_of(yyjson_mut_val *key) {
  const char *name = yyjson_mut_get_str(key);
  return name ? name : "";
}

/* Prints where two values first differ. */
static void print_difference(const char *path, yyjson_mut_val *want, yyjson_mut_val *got) {
  char below[512];
  size_t i, max;
  yyjson_mut_val *key, *value;
  if (yyjson_mut_is_obj(want) && yyjson_mut_is_obj(got)) {
    yyjson_mut_obj_foreach(want, i, max, key, value) {
      yyjson_mut_val *other = yyjson_mut_obj_getn(got, yyjson_mut_get_str(key), yyjson_mut_get_len(key));
      snprintf(below, sizeof below, "%s/%s", path, name_of(key));
      if (!other || !yyjson_mut_equals(value, other)) print_difference(below, value, other);
    }
    yyjson_mut_obj_foreach(got, i, max, key, value) {
      snprintf(below, sizeof below, "%s/%s", path, name_of(key));
      if (!yyjson_mut_obj_getn(want, yyjson_mut_get_str(key), yyjson_mut_get_len(key)))
        print_difference(below, NULL, value);
    }
    return;
  }
  if (yyjson_mut_is_arr(want) && yyjson_mut_is_arr(got) && yyjson_mut_arr_size(want) == yyjson_mut_arr_size(got)) {
    yyjson_mut_arr_foreach(want, i, max, value) {
      yyjson_mut_val *other = yyjson_mut_arr_get(got, i);
      snprintf(below, sizeof below, "%s/%zu", path, i);
      if (!yyjson_mut_equals(value, other)) print_difference(below, value, other);
    }
    return;
  }
  if (yyjson_mut_is_arr(want) && yyjson_mut_is_arr(got)) {
    for (i = 0; yyjson_mut_equals(yyjson_mut_arr_get(want, i), yyjson_mut_arr_get(got, i));) i++;
    fprintf(stderr, "    %s has %zu elements, not %zu; the first that differ:\n", path, yyjson_mut_arr_size(got),
            yyjson_mut_arr_size(want));
    want = yyjson_mut_arr_get(want, i);
    got = yyjson_mut_arr_get(got, i);
  }
  char *a = want ? yyjson_mut_val_write(want, 0, NULL) : NULL, *b = got ? yyjson_mut_val_write(got, 0, NULL) : NULL;
  fprintf(stderr, "    %s\n      want %s\n      got  %s\n", path, a ? a : "nothing", b ? b : "nothing");
  free(a);
  free(b);
}

#endif
