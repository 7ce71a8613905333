/* Fills the templates of leak.def: see mock_leak.h. */
#include "mock/mock_leak.h"

#include "mock/mock_json.h"

struct row {
  struct str text, parameter;
  size_t bytes;
};

#define LEAK(id, name, help, text, parameter, bytes) {STR(text), STR(parameter), bytes},
static const struct row rows[MOCK_LEAK_COUNT] = {
#include "mock/leak.def"
};
#undef LEAK

/* What the fields of a template stand for. */
struct filling {
  struct buf *out;
  const struct row *row;
  const struct mock_tool *tool;
  yyjson_val *arguments;
  yyjson_val *key, *value; /* within `parameter` */
  struct arena *arena;
};

typedef void field_fn(struct filling *f);

static void put_name(struct filling *f) { buf_put(f->out, f->tool->name); }

static void put_arguments(struct filling *f) { buf_put(f->out, f->tool->arguments); }

static void put_server(struct filling *f) {
  struct str server, tool;
  if (str_cut(f->tool->name, '_', &server, &tool)) buf_put(f->out, server);
}

static void put_tool(struct filling *f) {
  struct str server, tool;
  buf_put(f->out, str_cut(f->tool->name, '_', &server, &tool) ? tool : f->tool->name);
}

static void put_key(struct filling *f) { buf_put(f->out, mock_json_str(f->key)); }

static void put_value(struct filling *f) {
  buf_put(f->out, yyjson_is_str(f->value) ? mock_json_str(f->value) : mock_json_written(f->value, f->arena));
}

static void put_is_string(struct filling *f) { buf_put(f->out, yyjson_is_str(f->value) ? STR("true") : STR("false")); }

struct field {
  struct str mark;
  field_fn *put;
};

/* {PARAMETERS} is not among them: it fills a template itself. */
static const struct field fields[] = {
    {STR("{NAME}"), put_name},           {STR("{ARGS}"), put_arguments}, {STR("{SERVER}"), put_server},
    {STR("{TOOL}"), put_tool},           {STR("{KEY}"), put_key},        {STR("{VALUE}"), put_value},
    {STR("{IS_STRING}"), put_is_string},
};

/* The field that the text begins with; NULL: none. */
static const struct field *field_at(struct str text) {
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
    if (str_has_prefix(text, fields[i].mark)) return &fields[i];
  return NULL;
}

static void fill(struct filling *f, struct str text) {
  while (text.n) {
    const struct field *field = text.p[0] == '{' ? field_at(text) : NULL;
    if (field)
      field->put(f);
    else
      buf_put_char(f->out, text.p[0]);
    text = str_sub(text, field ? field->mark.n : 1, text.n);
  }
}

static void fill_parameters(struct filling *f) {
  size_t i, n;
  yyjson_obj_foreach(f->arguments, i, n, f->key, f->value) fill(f, f->row->parameter);
}

/* The row's text once. */
static void fill_row(struct filling *f) {
  const struct str mark = STR("{PARAMETERS}");
  size_t at = str_find(f->row->text, mark);
  fill(f, str_sub(f->row->text, 0, at));
  if (at == SIZE_MAX) return;
  fill_parameters(f);
  fill(f, str_sub(f->row->text, at + mark.n, f->row->text.n));
}

/* What stands in the buffer after `from`, again and again until the buffer has so many bytes. */
static void repeat(struct buf *out, size_t from, size_t bytes) {
  size_t unit = out->n - from;
  if (bytes == 0 || unit == 0 || !buf_reserve(out, bytes + unit)) return;
  while (out->n < bytes) {
    size_t have = (out->n - from) / unit * unit, room = bytes - out->n;
    size_t more = have < room ? have : (room + unit - 1) / unit * unit;
    memcpy(out->p + out->n, out->p + from, more);
    out->n += more;
  }
}

struct str mock_leak_text(const struct mock_plan *plan, const struct mock_tool *tool, struct arena *arena) {
  struct buf out;
  buf_init(&out, 0);
  struct filling f = {.out = &out,
                      .row = &rows[plan->answer - MOCK_ANSWER_LEAK],
                      .tool = tool,
                      .arguments = mock_json_read(tool->arguments, arena),
                      .arena = arena};
  if (plan->prose) PUT(&out, "I will look that up.\n\n");
  size_t from = out.n;
  fill_row(&f);
  repeat(&out, from, f.row->bytes);
  if (plan->prose == MOCK_PROSE_AROUND) PUT(&out, "\n\nThat should do.");
  struct str kept = out.failed ? STR_NONE : arena_dup(arena, buf_str(&out));
  buf_clear(&out);
  return kept;
}

bool mock_leak_is_long(const struct mock_plan *plan) { return rows[plan->answer - MOCK_ANSWER_LEAK].bytes > 0; }
