/* An answer before it has a wire format: what a dialect's templates are filled with, and the order in which a stream
 * says it. Made by mock_answer_build from a plan and a request; everything borrowed lives as long as the exchange.
 * Pure. */
#ifndef MAESTRO_MOCK_ANSWER_H
#define MAESTRO_MOCK_ANSWER_H

#include "base/arena.h"
#include "base/buf.h"
#include "io/http_msg.h"
#include "mock/mock_plan.h"
#include "mock/mock_scan.h"

enum { MOCK_TOOLS_MAX = 2, MOCK_CHOICES_MAX = 4, MOCK_ID_BYTES = 29 };

struct mock_tool {
  struct str name;      /* raw text */
  struct str arguments; /* JSON text; of a custom tool what it is given, raw */
  struct str space;     /* of a tool in a namespace */
  bool is_custom;
};

/* What a dialect found in a request. The part behind `is_parsed` is there only after its parse function ran. */
struct mock_request {
  struct str body;
  struct str path, query; /* the path percent-decoded */
  struct str wildcard;    /* what the route's `*` stood for */
  struct http_headers headers;
  bool is_demo;               /* generated JSON says so */
  uint64_t seed;              /* of what comes back sealed */
  struct mock_stored *stored; /* what answers are kept in; NULL: nowhere */
  struct mock_shelf *shelf;   /* models that came and went */
  void *own;                  /* the dialect's */
  struct mock_scan scan;
  bool is_parsed;
  struct str user_text;                   /* of the last user message, parts joined by LF */
  struct str tool_result;                 /* of the last message if its role is tool */
  struct mock_tool tools[MOCK_TOOLS_MAX]; /* the first tools, with arguments that fit their schemas */
  unsigned tool_count;
  bool is_functions;        /* they are OpenAI's legacy functions */
  bool takes_quirks;        /* the dialect can say calls wrongly */
  struct str json;          /* an object that fits the schema asked for; empty: none wanted */
  struct str stop_sequence; /* the first of the request */
};

enum mock_finish {
  MOCK_FINISH_STOP,
  MOCK_FINISH_LENGTH,
  MOCK_FINISH_TOOLS,
  MOCK_FINISH_FILTER,
  MOCK_FINISH_SEQUENCE,
  MOCK_FINISH_PAUSE,
  MOCK_FINISH_COUNT
};

struct mock_answer {
  const struct mock_request *q; /* what it answers */
  char id[MOCK_ID_BYTES];       /* characters that every vendor's ids may have; not NUL-terminated */
  int64_t created_s;
  struct str model;                    /* JSON-escaped, as the client sent it */
  struct str reasoning, refusal, text; /* raw text; n == 0: absent */
  struct str redacted;                 /* encrypted thinking; n == 0: absent */
  bool has_server_tool, has_citation, has_audio, has_logprobs;
  enum mock_reasoning_style reasoning_style;
  enum mock_quirk quirk;
  struct str stop_sequence; /* with MOCK_FINISH_SEQUENCE */
  bool is_plain;            /* no byte of text needs escaping */
  bool is_escaped;          /* text is written with escapes that it does not need */
  bool by_character;        /* a stream sends one character an event */
  bool is_uneven;           /* a stream cuts the text into small pieces of many sizes, and its writes anywhere */
  bool has_obfuscation;
  struct mock_tool tools[MOCK_TOOLS_MAX];
  unsigned tool_count, choices;
  size_t pieces; /* content events a stream cuts the text into */
  enum mock_finish finish;
  bool has_usage;         /* of this answer or stream */
  bool asked_usage;       /* the client of a stream asked: events before the last carry a null */
  uint64_t prompt_tokens; /* all of them, cached or not */
  uint64_t completion_tokens, cached_tokens, cache_write_tokens, reasoning_tokens;
};

/* A text of any length that repeats; made once from a seed. */
struct mock_prose {
  char block[4096]; /* lower-case words and spaces */
};
void mock_prose_init(struct mock_prose *p, uint64_t seed);

/* Fills everything but id, created_s and model. ERR_NO_MEMORY only. */
enum err mock_answer_build(struct mock_answer *a, const struct mock_plan *plan, const struct mock_request *q,
                           const struct mock_options *options, const struct mock_prose *prose,
                           struct arena *arena) MUST_CHECK;

/* The steps of a stream, in order; each before USAGE once per choice. A dialect writes nothing for what it lacks. */
enum mock_step_kind {
  MOCK_STEP_START,     /* the role; with one tool and nothing before it also opens that tool */
  MOCK_STEP_REDACTED,  /* encrypted thinking */
  MOCK_STEP_REASONING, /* piece */
  MOCK_STEP_SERVER_TOOL,
  MOCK_STEP_TEXT,           /* piece */
  MOCK_STEP_CITATION,       /* of that text */
  MOCK_STEP_REFUSAL,        /* piece */
  MOCK_STEP_TOOL_OPEN,      /* tool */
  MOCK_STEP_TOOL_ARGUMENTS, /* tool, piece */
  MOCK_STEP_FINISH,
  MOCK_STEP_USAGE, /* only if the client asked */
  MOCK_STEP_DONE,
  MOCK_STEP_END /* nothing more */
};

struct mock_step {
  enum mock_step_kind kind;
  unsigned choice, tool;
  struct str piece;
  bool opens_tool; /* of START */
};

/* The k-th of the sizes that uneven pieces and writes have, in bytes: 1 to 17, the same for the same k. */
size_t mock_answer_uneven(size_t k);

/* Zero-initialise, then call mock_steps_next until it returns false. */
struct mock_steps {
  enum mock_step_kind kind;
  unsigned choice, tool;
  size_t piece;    /* number of the next piece of this kind */
  size_t from, to; /* the current piece */
};
bool mock_steps_next(struct mock_steps *it, const struct mock_answer *a, struct mock_step *out);

#endif
