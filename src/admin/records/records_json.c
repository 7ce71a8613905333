/* Rows and sums as text: see records_json.h. One table of columns gives the JSON members and the CSV cells. */
#include "admin/records/records_json.h"

#include "base/clock.h"
#include "base/json_out.h"

enum kind { TEXT, COUNT, MILLISECONDS, FLAG, USD, TIME, MODEL_NAME, TOTAL_TOKENS, ATTEMPTS, STATUS, ERROR_TEXT };

/* Members by their place in struct log_row; of what type they are as JSON, and what they mean. */
#define TEXT_AT(i) offsetof(struct log_row, text) + (i) * sizeof(struct str)
#define TOKENS_AT(i) offsetof(struct log_row, tokens) + (i) * sizeof(int64_t)
#define COLUMN_ROWS                                                                                                    \
  X("id", COUNT, offsetof(struct log_row, id), SCHEMA_INTEGER, "orders the log: a later request has a larger one")     \
  X("created_at", TIME, offsetof(struct log_row, at_us), SCHEMA_TIME, "when it arrived")                               \
  X("trace_id", TEXT, offsetof(struct log_row, trace), SCHEMA_TEXT | SCHEMA_NULL, "as in x-maestro-trace-id")          \
  X("username", TEXT, TEXT_AT(LOG_TEXT_USER), SCHEMA_TEXT | SCHEMA_NULL, "null: no user's")                            \
  X("principal", TEXT, TEXT_AT(LOG_TEXT_PRINCIPAL), SCHEMA_TEXT | SCHEMA_NULL, "who called: user:7, key:1, local")     \
  X("team", TEXT, TEXT_AT(LOG_TEXT_TEAM), SCHEMA_TEXT | SCHEMA_NULL, "the user's team")                                \
  X("model_name", MODEL_NAME, 0, SCHEMA_TEXT | SCHEMA_NULL, "what was asked for, else what answered")                  \
  X("asked_model", TEXT, TEXT_AT(LOG_TEXT_ASKED), SCHEMA_TEXT | SCHEMA_NULL, "the name in the request")                \
  X("model", TEXT, TEXT_AT(LOG_TEXT_MODEL), SCHEMA_TEXT | SCHEMA_NULL, "provider/model that answered")                 \
  X("node", TEXT, TEXT_AT(LOG_TEXT_NODE), SCHEMA_TEXT | SCHEMA_NULL, "the provider that answered")                     \
  X("request_type", TEXT, TEXT_AT(LOG_TEXT_TYPE), SCHEMA_TEXT | SCHEMA_NULL, "the operation")                          \
  X("source", TEXT, TEXT_AT(LOG_TEXT_SOURCE), SCHEMA_TEXT | SCHEMA_NULL, "the tool that called")                       \
  X("url_path", TEXT, TEXT_AT(LOG_TEXT_ENDPOINT), SCHEMA_TEXT | SCHEMA_NULL, "the endpoint's template")                \
  X("is_stream", FLAG, offsetof(struct log_row, is_stream), SCHEMA_BOOL, "whether the answer was a stream")            \
  X("attempts", ATTEMPTS, 0, SCHEMA_COUNT | SCHEMA_NULL, "how often a provider was asked")                             \
  X("prompt_tokens", COUNT, TOKENS_AT(USAGE_INPUT), SCHEMA_TOKENS | SCHEMA_NULL, "null: unknown")                      \
  X("completion_tokens", COUNT, TOKENS_AT(USAGE_OUTPUT), SCHEMA_TOKENS | SCHEMA_NULL, "null: unknown")                 \
  X("total_tokens", TOTAL_TOKENS, 0, SCHEMA_TOKENS | SCHEMA_NULL, "both, where both are known")                        \
  X("cache_read_tokens", COUNT, TOKENS_AT(USAGE_CACHE_READ), SCHEMA_TOKENS | SCHEMA_NULL,                              \
    "of the prompt, from the provider's cache")                                                                        \
  X("cache_write_tokens", COUNT, TOKENS_AT(USAGE_CACHE_WRITE), SCHEMA_TOKENS | SCHEMA_NULL, "of the prompt, into it")  \
  X("reasoning_tokens", COUNT, TOKENS_AT(USAGE_REASONING), SCHEMA_TOKENS | SCHEMA_NULL, "of the answer, thinking")     \
  X("is_estimated", FLAG, offsetof(struct log_row, is_estimated), SCHEMA_BOOL, "whether the tokens were counted here") \
  X("cost_usd", USD, offsetof(struct log_row, cost_nano_usd), SCHEMA_USD | SCHEMA_NULL, "null: no price is known")     \
  X("ttft_ms", MILLISECONDS, offsetof(struct log_row, ttft_us), SCHEMA_MS | SCHEMA_NULL, "until the first content")    \
  X("duration_ms", MILLISECONDS, offsetof(struct log_row, duration_us), SCHEMA_MS | SCHEMA_NULL, "until the end")      \
  X("status_code", STATUS, 0, SCHEMA_COUNT | SCHEMA_NULL, "of the answer")                                             \
  X("error_code", TEXT, TEXT_AT(LOG_TEXT_ERROR), SCHEMA_TEXT | SCHEMA_NULL, "null: none")                              \
  X("error_message", ERROR_TEXT, 0, SCHEMA_TEXT | SCHEMA_NULL, "what people read of that code")

static const struct column {
  const char *name;
  enum kind kind;
  size_t offset;
} columns[] = {
#define X(name, kind, offset, type, text) {name, kind, offset},
    COLUMN_ROWS
#undef X
};

static const struct schema_member row_rows[] = {
#define X(name, kind, offset, type_, text) {name, type_, .help = text},
    COLUMN_ROWS
#undef X
};
const struct schema records_json_row_schema = SCHEMA_OF("Request", row_rows);

enum { COLUMNS = sizeof columns / sizeof *columns };

struct str records_error_text(struct str code) {
  for (int e = OK + 1; code.n && e < ERR_COUNT; e++)
    if (str_eq(code, str_from_c(err_code((enum err)e)))) return str_from_c(err_text((enum err)e));
  return STR_NONE;
}

static int64_t number(const struct log_row *row, const struct column *c) {
  const int64_t *t = row->tokens;
  if (c->kind == ATTEMPTS) return row->attempts;
  if (c->kind == STATUS) return row->status;
  if (c->kind == TOTAL_TOKENS) return t[USAGE_INPUT] < 0 || t[USAGE_OUTPUT] < 0 ? -1 : t[USAGE_INPUT] + t[USAGE_OUTPUT];
  return *(const int64_t *)(const void *)((const char *)row + c->offset);
}

static struct str text(const struct log_row *row, const struct column *c) {
  if (c->kind == ERROR_TEXT) return records_error_text(row->text[LOG_TEXT_ERROR]);
  if (c->kind == MODEL_NAME) return row->text[row->text[LOG_TEXT_ASKED].n ? LOG_TEXT_ASKED : LOG_TEXT_MODEL];
  return *(const struct str *)(const void *)((const char *)row + c->offset);
}

static void put_milliseconds(struct buf *b, int64_t us) {
  int64_t rest = us % 1000;
  const char digits[4] = {'.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10), (char)('0' + rest % 10)};
  buf_put_i64(b, us / 1000);
  if (rest) buf_put(b, str_from(digits, 4));
}

/* False: the cell is unknown, and nothing was put. */
static bool put_value(struct buf *b, const struct log_row *row, const struct column *c) {
  switch (c->kind) {
    case FLAG: buf_put(b, *((const bool *)row + c->offset) ? STR("true") : STR("false")); return true;
    case USD:
      if (number(row, c) < 0) return false;
      buf_put_nano_usd(b, number(row, c));
      return true;
    case MILLISECONDS:
      if (number(row, c) < 0) return false;
      put_milliseconds(b, number(row, c));
      return true;
    default:
      if (number(row, c) < 0) return false;
      buf_put_i64(b, number(row, c));
      return true;
  }
}

static bool is_text(const struct column *c) {
  return c->kind == TEXT || c->kind == MODEL_NAME || c->kind == ERROR_TEXT;
}

void records_json_row(struct buf *b, const struct log_row *row) {
  json_out_begin(b, '{');
  for (size_t i = 0; i < COLUMNS; i++) {
    const struct column *c = &columns[i];
    if (c->kind == TIME) {
      json_out_member_time(b, c->name, number(row, c));
      continue;
    }
    json_out_key(b, c->name);
    bool is_there = is_text(c) ? text(row, c).n > 0 : put_value(b, row, c);
    if (!is_there)
      buf_put(b, STR("null"));
    else if (is_text(c))
      buf_put_json(b, text(row, c));
  }
  json_out_end(b, '}');
}

void records_csv_header(struct buf *b) {
  for (size_t i = 0; i < COLUMNS; i++) {
    if (i) buf_put_char(b, ',');
    buf_put(b, str_from_c(columns[i].name));
  }
  buf_put(b, STR("\r\n"));
}

/* Quoted as RFC 4180 has it (October 2005). Spreadsheets run cells that begin with these characters. */
static void put_cell(struct buf *b, struct str s) {
  bool is_formula = s.n && memchr("=+-@\t\r", s.p[0], 6);
  buf_put_char(b, '"');
  if (is_formula) buf_put_char(b, '\'');
  for (struct str rest = s, head; rest.n;) {
    if (str_cut(rest, '"', &head, &rest)) {
      buf_put(b, head);
      buf_put(b, STR("\"\""));
    } else {
      buf_put(b, head);
    }
  }
  buf_put_char(b, '"');
}

void records_csv_row(struct buf *b, const struct log_row *row) {
  char at[25];
  for (size_t i = 0; i < COLUMNS; i++) {
    const struct column *c = &columns[i];
    if (i) buf_put_char(b, ',');
    if (c->kind == TIME) {
      clock_format_rfc3339(number(row, c), at);
      buf_put(b, str_from_c(at));
    } else if (!is_text(c)) {
      (void)put_value(b, row, c);
    } else if (text(row, c).n) {
      put_cell(b, text(row, c));
    }
  }
  buf_put(b, STR("\r\n"));
}

void records_json_sums(struct buf *b, const struct log_sums *s) {
  json_out_member_i64(b, "prompt_tokens", s->v[LOG_SUM_INPUT]);
  json_out_member_i64(b, "completion_tokens", s->v[LOG_SUM_OUTPUT]);
  json_out_member_i64(b, "total_tokens", s->v[LOG_SUM_INPUT] + s->v[LOG_SUM_OUTPUT]);
  json_out_member_i64(b, "cache_read_tokens", s->v[LOG_SUM_CACHE_READ]);
  json_out_member_i64(b, "cache_write_tokens", s->v[LOG_SUM_CACHE_WRITE]);
  json_out_member_i64(b, "reasoning_tokens", s->v[LOG_SUM_REASONING]);
  json_out_key(b, "cost_usd"); /* of those whose price is known; none: unknown, not nothing */
  if (s->v[LOG_SUM_PRICED])
    buf_put_nano_usd(b, s->v[LOG_SUM_COST]);
  else
    buf_put(b, STR("null"));
  json_out_member_i64(b, "unpriced_requests",
                      s->v[LOG_SUM_USED] > s->v[LOG_SUM_PRICED] ? s->v[LOG_SUM_USED] - s->v[LOG_SUM_PRICED] : 0);
  json_out_member_i64(b, "estimated_requests", s->v[LOG_SUM_ESTIMATED]);
}

static const struct schema_member records_json_sums_rows[] = {
    {"prompt_tokens", SCHEMA_TOKENS, .help = "of the requests whose use is known, as are the following"},
    {"completion_tokens", SCHEMA_TOKENS, .help = "of the answers"},
    {"total_tokens", SCHEMA_TOKENS, .help = "both"},
    {"cache_read_tokens", SCHEMA_TOKENS, .help = "of the prompts, from the providers' caches"},
    {"cache_write_tokens", SCHEMA_TOKENS, .help = "of the prompts, into them"},
    {"reasoning_tokens", SCHEMA_TOKENS, .help = "of the answers, thinking"},
    {"cost_usd", SCHEMA_USD | SCHEMA_NULL, .help = "of those whose price is known; null: of none"},
    {"unpriced_requests", SCHEMA_COUNT, .help = "requests whose price is not known"},
    {"estimated_requests", SCHEMA_COUNT, .help = "requests whose tokens were counted here"},
};
const struct schema records_json_sums_schema = SCHEMA_OF(NULL, records_json_sums_rows);
