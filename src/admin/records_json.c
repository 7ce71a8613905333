/* Rows and sums as text: see records_json.h. One table of columns gives the JSON members and the CSV cells. */
#include "admin/records_json.h"

#include "base/clock.h"
#include "base/json_out.h"

enum kind { TEXT, COUNT, MILLISECONDS, FLAG, USD, TIME, MODEL_NAME, TOTAL_TOKENS, ATTEMPTS, STATUS, ERROR_TEXT };

/* Members by their place in struct log_row. */
static const struct column {
  const char *name;
  enum kind kind;
  size_t offset;
} columns[] = {
#define TEXT_AT(i) offsetof(struct log_row, text) + (i) * sizeof(struct str)
#define TOKENS_AT(i) offsetof(struct log_row, tokens) + (i) * sizeof(int64_t)
    {"id", COUNT, offsetof(struct log_row, id)},
    {"created_at", TIME, offsetof(struct log_row, at_us)},
    {"trace_id", TEXT, offsetof(struct log_row, trace)},
    {"username", TEXT, TEXT_AT(LOG_TEXT_USER)},
    {"principal", TEXT, TEXT_AT(LOG_TEXT_PRINCIPAL)},
    {"team", TEXT, TEXT_AT(LOG_TEXT_TEAM)},
    {"model_name", MODEL_NAME, 0},
    {"asked_model", TEXT, TEXT_AT(LOG_TEXT_ASKED)},
    {"model", TEXT, TEXT_AT(LOG_TEXT_MODEL)},
    {"node", TEXT, TEXT_AT(LOG_TEXT_NODE)},
    {"request_type", TEXT, TEXT_AT(LOG_TEXT_TYPE)},
    {"source", TEXT, TEXT_AT(LOG_TEXT_SOURCE)},
    {"url_path", TEXT, TEXT_AT(LOG_TEXT_ENDPOINT)},
    {"is_stream", FLAG, offsetof(struct log_row, is_stream)},
    {"attempts", ATTEMPTS, 0},
    {"prompt_tokens", COUNT, TOKENS_AT(USAGE_INPUT)},
    {"completion_tokens", COUNT, TOKENS_AT(USAGE_OUTPUT)},
    {"total_tokens", TOTAL_TOKENS, 0},
    {"cache_read_tokens", COUNT, TOKENS_AT(USAGE_CACHE_READ)},
    {"cache_write_tokens", COUNT, TOKENS_AT(USAGE_CACHE_WRITE)},
    {"reasoning_tokens", COUNT, TOKENS_AT(USAGE_REASONING)},
    {"is_estimated", FLAG, offsetof(struct log_row, is_estimated)},
    {"cost_usd", USD, offsetof(struct log_row, cost_nano_usd)},
    {"ttft_ms", MILLISECONDS, offsetof(struct log_row, ttft_us)},
    {"duration_ms", MILLISECONDS, offsetof(struct log_row, duration_us)},
    {"status_code", STATUS, 0},
    {"error_code", TEXT, TEXT_AT(LOG_TEXT_ERROR)},
    {"error_message", ERROR_TEXT, 0},
};

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
