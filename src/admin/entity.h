/* One thing that the admin API shows and changes: the names in its path, the body of its change, and its answer with an
 * entity tag (RFC 9110, read 2026-11), by which a client tells that what it is about to change is still what it has
 * read. The tag is a hash of the entity's JSON, so it needs no column and no counter. */
#ifndef MAESTRO_ADMIN_ENTITY_H
#define MAESTRO_ADMIN_ENTITY_H

#include "admin/fields.h"
#include "base/crypto.h"
#include "gateway/request_context.h"

/* The template's first and second {name}, decoded into `a`; empty where it has none. ERR_NOT_FOUND for a path that the
 * template does not serve or a name that is empty. */
enum err entity_path(const struct request_context *rc, struct arena *a, struct str *name, struct str *item,
                     struct err_info *info) MUST_CHECK;

/* The request's body, by the table; none is as good as an empty one. Memory from a; errors of fields_read, and those of
 * a body that cannot be had. */
WAIT enum err entity_body(struct request_context *rc, struct arena *a, size_t max_bytes, const struct fields *fields,
                          unsigned allowed, unsigned required, void *out, struct err_info *info);

enum { ENTITY_TAG_BYTES = 35 };
/* The tag of that JSON, with its quotes and a NUL. */
enum err entity_tag(struct str json, char out[ENTITY_TAG_BYTES]) MUST_CHECK;
/* If-Match or If-None-Match: true when the list has the tag, or is "*" (which no tag at all, "", does not match). */
bool entity_tag_is_in(struct str list, struct str tag);

/* Answers with JSON that must not be stored: 200 with its tag, or 304 where If-None-Match has it. */
void entity_answer(struct request_context *rc, const struct buf *json);
/* The same, or the failure where there is one. */
void entity_end(struct request_context *rc, enum err e, const struct err_info *info, const struct buf *json);
/* As entity_answer, with a tag that the entity has of its own. */
void entity_answer_tagged(struct request_context *rc, struct str tag, const struct buf *json);
/* The same with another status, and without a tag of the body: `tag` (empty: none) is the entity's. */
void entity_answer_change(struct request_context *rc, int status, struct str tag, const struct buf *json);

#endif
