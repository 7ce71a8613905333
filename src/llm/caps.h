/* What a target dialect cannot say of a request: refused with its path, or left out and named. One walk over the
 * canonical request against the target's set of capabilities (caps.def); encoders then simply leave out what they
 * cannot say. Pure. */
#ifndef MAESTRO_LLM_CAPS_H
#define MAESTRO_LLM_CAPS_H

#include "llm/request.h"

enum cap {
#define X(name, class, word) CAP_##name,
#include "llm/caps.def"
#undef X
  CAPS_COUNT
};

typedef uint64_t caps_set; /* bit (1 << CAP_x) */
#define CAP_BIT(name) (UINT64_C(1) << CAP_##name)

enum cap_class { CAP_CLASS_HINT, CAP_CLASS_ANSWER };
enum cap_class caps_class(enum cap cap);
const char *caps_word(enum cap cap);

/* What was left out, each once, in the order of its finding: the value of x-maestro-dropped. */
struct caps_dropped {
  struct buf names; /* paths, joined by ", "; bounded; cleared by its owner */
  bool is_full;
};
enum { CAPS_DROPPED_BYTES_MAX = 1024 };
void caps_dropped_init(struct caps_dropped *d);
void caps_dropped_clear(struct caps_dropped *d);
/* Adds a path once; beyond the bound, "..." ends the list. Only visible ASCII gets in. */
void caps_dropped_add(struct caps_dropped *d, const char *path);

/* `can`: the target's set; `target`: its name; `words`: how the caller's dialect calls its members.
 * ERR_UNSUPPORTED with the path of the first thing that the target cannot say and that changes the answer. The rest of
 * what it cannot say, and every unknown member (`rest`), is added to *dropped. Where the request's own dialect is the
 * target nothing is refused or dropped. */
enum err caps_check(const struct request *r, struct str target, caps_set can, const struct request_words *words,
                    struct caps_dropped *dropped, struct err_info *info) MUST_CHECK;

#endif
