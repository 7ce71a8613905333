/* What the files of tool_text share: how a format's step works, the scanners, and the making of arguments. Included by
 * tool_text*.c only. */
#ifndef MAESTRO_TEXT_TOOL_TEXT_INTERNAL_H
#define MAESTRO_TEXT_TOOL_TEXT_INTERNAL_H

#include "text/tool_text.h"

struct yyjson_val;

enum {
  TOOL_TEXT_DEPTH_MAX = 64,    /* of sections, elements and JSON */
  TOOL_TEXT_TAG_MAX = 512,     /* bytes of a tag, of a header, of a name: looked at again until it is whole */
  TOOL_TEXT_PARAMS_MAX = 256,  /* of a call */
  TOOL_TEXT_ELEMENTS_MAX = 256 /* of a value */
};

/* A format's step looks at s, the bytes from the block's start (or its last call's end) on, from t->at on. */
enum tool_text_step {
  TOOL_TEXT_MORE,  /* it needs more bytes */
  TOOL_TEXT_AGAIN, /* it went on; call it again */
  TOOL_TEXT_CALL,  /* t->block.tool and t->args are a call that ends at t->at */
  TOOL_TEXT_DONE,  /* the block ends at t->at */
  TOOL_TEXT_FAIL   /* what lies before t->at is text, and the block is over */
};
typedef enum tool_text_step tool_text_step_fn(struct tool_text *t, struct str s);

struct tool_text_format {
  struct str marker;
  tool_text_step_fn *step;
  tool_text_step_fn *end; /* the text is over: CALL, DONE or FAIL. NULL: FAIL */
  bool is_xml;            /* a tag, which may have a prefix */
  bool is_special;        /* made of special tokens */
};

tool_text_step_fn tool_text_xml, tool_text_xml_end;
tool_text_step_fn tool_text_kimi, tool_text_deepseek, tool_text_section_end;
tool_text_step_fn tool_text_harmony, tool_text_harmony_end;
tool_text_step_fn tool_text_list, tool_text_list_end;
tool_text_step_fn tool_text_bare, tool_text_bare_end;

/* ---- scanning ---- */
enum tool_text_match { TOOL_TEXT_MATCH_NONE, TOOL_TEXT_MATCH_PART, TOOL_TEXT_MATCH_WHOLE };

/* s from `at` on. */
static inline struct str tool_text_rest(struct str s, size_t at) {
  return at < s.n ? str_from(s.p + at, s.n - at) : STR_NONE;
}
size_t tool_text_skip_space(struct str s, size_t at);
bool tool_text_is_name_char(char c);
/* Does s begin with the literal? PART: s ends within it. */
static inline enum tool_text_match tool_text_literal(struct str s, struct str literal) {
  for (size_t i = 0; i < literal.n; i++) { /* most differ in the first bytes */
    if (i == s.n) return TOOL_TEXT_MATCH_PART;
    if (s.p[i] != literal.p[i]) return TOOL_TEXT_MATCH_NONE;
  }
  return TOOL_TEXT_MATCH_WHOLE;
}
/* The first of `count` literals (all begin with '<') from *at on. WHOLE: *at is there. PART: *at is where one may
 * begin. NONE: *at is the end. */
enum tool_text_match tool_text_find(struct str s, size_t *at, const struct str *literals, size_t count, size_t *which);

struct tool_text_tag {
  bool is_close, is_empty;
  struct str name; /* without a prefix */
  struct str value;
  bool has_value;   /* <name=value> or <name name="value"> */
  int8_t is_string; /* of the attribute `string`; -1: none */
  size_t n;         /* bytes of the whole */
};
/* The tag at the beginning of s, which begins with '<'. */
enum tool_text_match tool_text_tag(struct str s, struct tool_text_tag *tag);
/* The bytes of a prefix that tags may have (DSML), behind '<' or '</'. */
enum tool_text_match tool_text_prefix(struct str s, size_t *n);
/* </name> at the beginning of s. */
enum tool_text_match tool_text_close(struct str s, struct str name, size_t *n);
/* Goes on with the JSON value (an object or array) that t->at stands in. WHOLE: t->at is behind it. NONE: too deep. */
enum tool_text_match tool_text_json(struct tool_text *t, struct str s);
void tool_text_json_start(struct tool_text *t);

/* ---- arguments ---- */
struct tool_text_param { /* offsets like t->at */
  size_t key, key_bytes, child, child_bytes, value, value_bytes;
  int8_t is_string;
};
/* Adds to t->params; false when there are too many. */
bool tool_text_param_add(struct tool_text *t, const struct tool_text_param *p);

/* The request's function of that name, however qualified, or -1. */
int64_t tool_text_resolve(struct tool_text *t, struct str name);

enum tool_text_verdict { TOOL_TEXT_GOOD, TOOL_TEXT_BAD, TOOL_TEXT_UNKNOWN };
/* Each writes t->args for t->block.tool (the second and the last find that too). */
enum tool_text_verdict tool_text_args_json(struct tool_text *t, struct str json);
enum tool_text_verdict tool_text_args_call(struct tool_text *t, struct str json);
enum tool_text_verdict tool_text_args_params(struct tool_text *t, struct str s);
enum tool_text_verdict tool_text_args_plain(struct tool_text *t, struct str text);
enum tool_text_verdict tool_text_args_mcp(struct tool_text *t, struct str s);

/* ---- values ---- */
enum {
  TOOL_TEXT_STRING = 1,
  TOOL_TEXT_NUMBER = 2,
  TOOL_TEXT_BOOL = 4,
  TOOL_TEXT_ARRAY = 8,
  TOOL_TEXT_OBJECT = 16,
  TOOL_TEXT_NULL = 32,
  TOOL_TEXT_LEAF = 64 /* alone: any, of an element that holds no others */
};
/* The types that the function's schema allows for a parameter; 0: it does not say. */
unsigned tool_text_types(const struct tool_text *t, struct str param);
/* Has the function's schema this property? */
bool tool_text_has_property(const struct tool_text *t, struct str param);
/* Writes a value of one of these types. has_entities: those are decoded. */
void tool_text_value(struct tool_text *t, struct buf *out, struct str text, unsigned types, bool has_entities);
/* The JSON value that text is, trimmed and with its types' bit; its tree is t->pool's. NULL: it is none. */
struct yyjson_val *tool_text_parse(struct tool_text *t, struct str text, unsigned *type);
/* What the parsed text is as strict JSON: itself, or written anew where it has lone surrogates. */
void tool_text_put_parsed(struct buf *out, struct str text, struct yyjson_val *v);

#endif
