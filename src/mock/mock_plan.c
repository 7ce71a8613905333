/* Names to plans: see mock_plan.h and behaviour.def. */
#include "mock/mock_plan.h"

enum { AT_NONE = 0xffff };

struct row {
  struct str name, help;
  uint16_t number_at, set_at; /* offsets into struct mock_plan, or AT_NONE */
  uint32_t unit, max, value;
};

#define AT(member) (uint16_t) offsetof(struct mock_plan, member)
static const struct row rows[] = {
#define NAME(name, member, value, help) {STR(name), STR(help), AT_NONE, AT(member), 0, 0, value},
#define NUMBER(name, member, unit, max, help) {STR(name), STR(help), AT(member), AT_NONE, unit, max, 0},
#define FAULT(name, what, help) {STR(name), STR(help), AT_NONE, AT(fault), 0, 0, MOCK_FAULT_##what},
#define FAULT_NUMBER(name, member, max, what, help) \
  {STR(name), STR(help), AT(member), AT(fault), 1, max, MOCK_FAULT_##what},
#include "mock/behaviour.def"
#undef NAME
#undef NUMBER
#undef FAULT
#undef FAULT_NUMBER
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static void put(struct mock_plan *plan, uint16_t at, uint32_t value) {
  if (at != AT_NONE) memcpy((char *)plan + at, &value, sizeof value);
}

struct mock_plan mock_plan_default(const struct mock_options *options) {
  return (struct mock_plan){
      .latency_ms = options->latency_ms,
      .interval_ms = options->chunk_interval_ms,
      .chunks = options->chunks,
      .reply_bytes = options->reply_bytes,
  };
}

static bool apply_row(struct mock_plan *plan, struct str name) {
  for (size_t i = 0; i < ROWS; i++) {
    const struct row *r = &rows[i];
    uint64_t number = 0;
    if (r->number_at == AT_NONE) {
      if (!str_eq(name, r->name)) continue;
    } else if (name.n <= r->name.n || !str_has_prefix(name, r->name) ||
               !str_to_u64(str_sub(name, r->name.n, name.n), &number) || number > r->max) {
      continue;
    }
    if (r->number_at == AT(status) && number < 400) continue;
    put(plan, r->number_at, (uint32_t)number * r->unit);
    put(plan, r->set_at, r->value);
    return true;
  }
  return false;
}

static bool apply_part(struct mock_plan *plan, struct str name) {
  if (apply_row(plan, name)) return true;
  if (!str_has_suffix(name, STR("-once"))) return false;
  plan->fault = MOCK_FAULT_NONE;
  if (!apply_row(plan, str_sub(name, 0, name.n - 5)) || plan->fault == MOCK_FAULT_NONE) return false;
  plan->is_once = 1;
  return true;
}

bool mock_plan_apply(struct mock_plan *plan, struct str name) {
  struct mock_plan changed = *plan;
  struct str part, rest = name;
  bool more = true;
  while (more) {
    more = str_cut(rest, '+', &part, &rest);
    if (!apply_part(&changed, part)) return false;
  }
  bool is_about_index = changed.tool_quirk == MOCK_QUIRK_INDEX_MISSING || changed.tool_quirk == MOCK_QUIRK_INDEX_DUP;
  if (changed.tool_quirk && changed.answer == MOCK_ANSWER_TEXT) /* a quirk of calls needs one */
    changed.answer = is_about_index ? MOCK_ANSWER_TOOL_PARALLEL : MOCK_ANSWER_TOOL;
  if (changed.prose && changed.answer == MOCK_ANSWER_TEXT) changed.answer = MOCK_ANSWER_LEAK + MOCK_LEAK_XML;
  *plan = changed;
  return true;
}

bool mock_plan_row(size_t i, struct str *name, struct str *help) {
  if (i >= ROWS) return false;
  *name = rows[i].name;
  *help = rows[i].help;
  return true;
}

bool mock_plan_tag(struct str text, struct str *name) {
  const struct str mark = STR("[[mock:");
  size_t at = str_find(text, mark);
  if (at == SIZE_MAX) return false;
  struct str rest = str_sub(text, at + mark.n, text.n);
  size_t end = str_find(rest, STR("]]"));
  if (end == SIZE_MAX) return false;
  *name = str_sub(rest, 0, end);
  return true;
}
