/* The parts of an OpenAI answer that are open, and the events that open, continue and close them. Private to the
 * reading of OpenAI's answers (openai_chat_read.c). */
#ifndef MAESTRO_DIALECT_OPENAI_CHAT_PARTS_H
#define MAESTRO_DIALECT_OPENAI_CHAT_PARTS_H

#include "dialect/dialect.h"

enum { OPENAI_CHAT_OPEN_MAX = 128 };
enum { OPENAI_CHAT_INDEX_NONE = -1, OPENAI_CHAT_INDEX_FUNCTION = -2 }; /* no index; the one call of the old form */

struct openai_chat_open {
  uint64_t id_hash; /* of a call's id as it came; 0: it had none */
  uint32_t part;
  int32_t index; /* of a call, as it came */
  uint8_t choice, kind;
};

struct openai_chat_choices { /* a bit for each */
  uint64_t v[ANSWER_CHOICES_MAX / 64];
};
static inline void openai_chat_choices_add(struct openai_chat_choices *s, uint32_t c) {
  s->v[c / 64] |= UINT64_C(1) << c % 64;
}
static inline bool openai_chat_choices_has(const struct openai_chat_choices *s, uint32_t c) {
  return s->v[c / 64] >> c % 64 & 1;
}

/* A stream's state. */
struct openai_chat_parts {
  bool is_started, is_ended;
  uint32_t next_part, invented;
  struct openai_chat_choices seen, stopped, called, refused;
  uint32_t open_count;
  struct openai_chat_open open[OPENAI_CHAT_OPEN_MAX]; /* in the order of their numbers */
};

/* One frame's or reply's way through it. */
struct openai_chat_reading {
  struct openai_chat_parts *parts;
  const struct dialect_exchange *x;
  const struct event_sink *sink;
  struct err_info *info;
};

/* Text of a kind: continues the open part, or closes the other texts of the choice and opens one. Empty text does
 * nothing. */
enum err openai_chat_parts_text(struct openai_chat_reading *r, uint32_t choice, enum part_kind kind,
                                struct str text) MUST_CHECK;
/* The open part of a kind; one is opened where there is none. */
enum err openai_chat_parts_ensure(struct openai_chat_reading *r, uint32_t choice, enum part_kind kind,
                                  uint32_t *part) MUST_CHECK;
enum err openai_chat_parts_attach(struct openai_chat_reading *r, uint32_t choice, enum part_kind kind, uint32_t part,
                                  enum event_attachment what, struct str bytes, struct str origin) MUST_CHECK;
/* A part that comes whole: opened, given its bytes, and closed; a signature (bytes may be empty) is its content where
 * the kind is REDACTED. */
enum err openai_chat_parts_whole(struct openai_chat_reading *r, uint32_t choice, enum part_kind kind, struct str mime,
                                 struct str bytes, const struct signature *signature) MUST_CHECK;
/* A piece of a tool call. index: OPENAI_CHAT_INDEX_NONE when it has none. */
struct openai_chat_call {
  int32_t index;
  struct str id, name, text;
  bool is_custom;
};
enum err openai_chat_parts_call(struct openai_chat_reading *r, uint32_t choice,
                                const struct openai_chat_call *call) MUST_CHECK;
/* Closes what is open of the choice. */
enum err openai_chat_parts_close(struct openai_chat_reading *r, uint32_t choice) MUST_CHECK;
/* The part of the choice that was opened last and is open, or UINT32_MAX. */
uint32_t openai_chat_parts_last(const struct openai_chat_parts *p, uint32_t choice);

#endif
