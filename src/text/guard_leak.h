/* The guard against models that write the scaffolding of their client into an answer: the messages that an agent's
 * client injects between turns, such as <task-notification>…</task-notification>. A client that sees one from a model
 * takes it for its own. A pair that is closed and not empty ends the answer with ERR_GUARD_LEAK; the client then asks
 * again. Tags: task-notification, teammate-message, channel, cross-session-message, tick; exact, attributes allowed.
 *
 * One machine stands behind one text part (content, refusal, thinking each have their own). From a tag on that may open
 * such a pair, text is held back: until the pair is closed (nothing of it goes out), or no tag is open any more, or the
 * text ends, or GUARD_LEAK_HELD bytes have gathered; then the older half goes, so that a pair of up to half of it is
 * found wherever it stands. Text in fences and inline code (text_code.h) is quoted, not leaked. What comes out is what
 * went in, unchanged, and the same however it was cut. */
#ifndef MAESTRO_TEXT_GUARD_LEAK_H
#define MAESTRO_TEXT_GUARD_LEAK_H

#include "base/buf.h"
#include "text/text_code.h"
#include "text/text_look.h"
#include "text/text_piece.h"

enum { GUARD_LEAK_HELD = 32 * 1024, GUARD_LEAK_NAMES = 5 };

struct guard_leak_open { /* of one name; offsets in the text */
  uint64_t last;         /* of the last opening tag + 1; 0: none */
  uint64_t previous;     /* of the one before + 1 */
  uint64_t first;        /* of the first that is held, or of a place before it */
  uint64_t end;          /* of the last one's ">" */
};

struct guard_leak_found {
  struct guard_leak_open open[GUARD_LEAK_NAMES];
  uint64_t content; /* offset of the last byte that is no white space; kept while a tag is open */
  unsigned open_count;
  bool is_leak; /* a pair is closed, but may turn out to be inline code */
};

enum guard_leak_tag { /* how far a tag has come */
                      GUARD_LEAK_NO_TAG,
                      GUARD_LEAK_NAME,  /* "<", "</" and letters */
                      GUARD_LEAK_INSIDE /* behind the name, before ">" */
};

struct guard_leak {
  enum text_piece_kind kind;
  uint32_t most;   /* bytes that are held: GUARD_LEAK_HELD; a tag has a 32nd of it at most */
  struct buf held; /* text from put_to on, of earlier pieces */
  uint64_t at;     /* offset of the next byte */
  uint64_t put_to; /* all before has been put out */
  uint64_t hold;   /* held back from here on; UINT64_MAX: nothing is */
  struct text_code code;
  struct guard_leak_found found, before_doubt;
  enum guard_leak_tag tag;
  uint64_t tag_at;
  uint8_t name;   /* row, behind the name */
  uint8_t name_n; /* bytes of the name so far */
  uint8_t names;  /* rows it may still be, as bits */
  bool is_close;
  bool is_loose; /* closes with white space before ">", which not every client takes for a closing tag */
  bool is_slash; /* the last byte inside the tag was "/" */
};

/* kind: of the pieces that come in and go out. */
void guard_leak_init(struct guard_leak *g, enum text_piece_kind kind);
void guard_leak_clear(struct guard_leak *g);
/* ERR_GUARD_LEAK: a leak. What stood before the first open tag has been put out; nothing more may come. Others: the
 * sink's, ERR_NO_MEMORY. The machine is of no use after a failure. */
enum err guard_leak_feed(struct guard_leak *g, struct str bytes, const struct text_sink *sink,
                         struct err_info *info) MUST_CHECK;
/* The text is over: what is held goes out, or is a leak after all. The machine is as after guard_leak_init. */
enum err guard_leak_end(struct guard_leak *g, const struct text_sink *sink, struct err_info *info) MUST_CHECK;
/* True when nothing is held back: all that was fed has been put out. */
static inline bool guard_leak_is_idle(const struct guard_leak *g) { return g->put_to == g->at; }

/* Is this text that changes nothing but where Markdown stands? It would come out as it is. The caller who then does not
 * feed it must call guard_leak_pass. */
static inline bool guard_leak_may_pass(const struct guard_leak *g, const struct text_look *look) {
  return g->hold == UINT64_MAX && g->put_to == g->at && !(look->seen & TEXT_LOOK_OPEN);
}
void guard_leak_pass_code(struct guard_leak *g, struct str bytes);
static inline void guard_leak_pass(struct guard_leak *g, struct str bytes, const struct text_look *look) {
  bool has_tick = g->code.run || look->seen & TEXT_LOOK_TICK;
  g->put_to = g->at += bytes.n;
  if (has_tick || g->code.state != TEXT_CODE_NONE) guard_leak_pass_code(g, bytes);
}

#endif
