/* What one request is answered with: defaults from the options, changed by the names of behaviour.def. Pure; used by
 * mock.c for each request and by `maestro mock --help`. All members are uint32_t so that a table row can write any. */
#ifndef MAESTRO_MOCK_PLAN_H
#define MAESTRO_MOCK_PLAN_H

#include "mock/mock.h"

enum mock_answer_kind {
  MOCK_ANSWER_TEXT,
  MOCK_ANSWER_ECHO,
  MOCK_ANSWER_TOOL,
  MOCK_ANSWER_TOOL_PARALLEL,
  MOCK_ANSWER_JSON,
  MOCK_ANSWER_UNICODE,
  MOCK_ANSWER_REFUSAL,
  MOCK_ANSWER_EMPTY,
  MOCK_ANSWER_LENGTH,
  MOCK_ANSWER_FILTER,
  MOCK_ANSWER_SEQUENCE,
  MOCK_ANSWER_PAUSE,
};

/* Answers of leaking models: this and an enum mock_leak. */
enum { MOCK_ANSWER_LEAK = 0x100 };

enum mock_leak {
#define LEAK(id, name, help, text, parameter, bytes) MOCK_LEAK_##id,
#include "mock/leak.def"
#undef LEAK
  MOCK_LEAK_COUNT
};

/* Words beside what leaks. */
enum mock_prose_place { MOCK_PROSE_NONE, MOCK_PROSE_BEFORE, MOCK_PROSE_AROUND };

enum mock_thinking_kind { MOCK_THINKING_NONE, MOCK_THINKING_PLAIN, MOCK_THINKING_REDACTED };

enum mock_reasoning_style { MOCK_REASONING_CONTENT, MOCK_REASONING_OPENROUTER };

/* How calls are said wrongly. */
enum mock_quirk {
  MOCK_QUIRK_NONE,
  MOCK_QUIRK_INDEX_MISSING,
  MOCK_QUIRK_INDEX_DUP,
  MOCK_QUIRK_ID_MISSING,
  MOCK_QUIRK_ARGS_INVALID,
  MOCK_QUIRK_ARGS_OBJECT,
};

enum mock_usage_kind { MOCK_USAGE_PLAIN, MOCK_USAGE_NONE, MOCK_USAGE_CACHE };

enum mock_fault {
  MOCK_FAULT_NONE,
#define NAME(name, member, value, help)
#define NUMBER(name, member, unit, max, help)
#define FAULT(name, fault, help) MOCK_FAULT_##fault,
#define FAULT_NUMBER(name, member, max, fault, help) MOCK_FAULT_##fault,
#include "mock/behaviour.def"
#undef NAME
#undef NUMBER
#undef FAULT
#undef FAULT_NUMBER
  MOCK_FAULT_COUNT
};

struct mock_plan {
  uint32_t answer;    /* enum mock_answer_kind, or MOCK_ANSWER_LEAK + enum mock_leak */
  uint32_t fault;     /* enum mock_fault */
  uint32_t status;    /* with MOCK_FAULT_STATUS */
  uint32_t cut_bytes; /* with MOCK_FAULT_CUT_AT */
  uint32_t is_once;   /* the fault happens once for each user text */
  uint32_t latency_ms, first_ms, interval_ms;
  uint32_t chunks, reply_bytes; /* 0: the default */
  uint32_t usage;               /* enum mock_usage_kind */
  uint32_t thinking;            /* enum mock_thinking_kind */
  uint32_t reasoning_style;     /* enum mock_reasoning_style */
  uint32_t tool_quirk;          /* enum mock_quirk */
  uint32_t prose;               /* enum mock_prose_place */
  uint32_t uses_server_tool, cites, is_strict, speaks;
  uint32_t has_obfuscation, is_escaped, is_gzip, closes;
};

struct mock_plan mock_plan_default(const struct mock_options *options);
/* Applies a name. False (and *plan as it was) when any part of it is unknown. */
bool mock_plan_apply(struct mock_plan *plan, struct str name);
/* Row i of the table for help texts; false past the end. `name` ends in '-' where a number follows. */
bool mock_plan_row(size_t i, struct str *name, struct str *help);
/* The first tag of a text without its brackets; false when there is none. */
bool mock_plan_tag(struct str text, struct str *name);

#endif
