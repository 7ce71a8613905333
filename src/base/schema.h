/* What a JSON answer has, as a table beside the function that writes it: for the API's description. From it comes the
 * JSON Schema (draft 2020-12, json-schema.org/draft/2020-12, which is what OpenAPI 3.1 has; read 2026-11) and what the
 * pages for people say. Tables are static and refer to each other without a circle, so nothing here is deeper than
 * they are. That they are true is seen by the integration tests, which hold every answer against its schema.
 *
 * A row: {"created_at", SCHEMA_TIME | SCHEMA_NULL, .help = "when it was made"}. */
#ifndef MAESTRO_BASE_SCHEMA_H
#define MAESTRO_BASE_SCHEMA_H

#include "base/buf.h"

enum schema_type {
  SCHEMA_TEXT,
  SCHEMA_BOOL,
  SCHEMA_INTEGER,
  SCHEMA_COUNT, /* an integer, 0 or more; so are the next three, of their unit */
  SCHEMA_TOKENS,
  SCHEMA_BYTES,
  SCHEMA_SECONDS,
  SCHEMA_MS, /* a number, 0 or more, with fractions */
  SCHEMA_USD,
  SCHEMA_NUMBER,
  SCHEMA_TIME,  /* RFC 3339, UTC */
  SCHEMA_DAY,   /* "2026-11-29", UTC */
  SCHEMA_WORD,  /* one of `words` */
  SCHEMA_TEXTS, /* lists */
  SCHEMA_TEXTS_OR_NULLS,
  SCHEMA_COUNTS,
  SCHEMA_OBJECT, /* of `of`, as are the next three */
  SCHEMA_LIST,
  SCHEMA_MAP,  /* an object of any keys with such objects as values */
  SCHEMA_PART, /* no member of its own: those of `of` stand here */
  SCHEMA_ANY,  /* whatever it is */
  SCHEMA_ANYS, /* a list of that */
  SCHEMA_TYPE_COUNT,
  /* to be or-ed to one of these */
  SCHEMA_NULL = 0x100,    /* or null: unknown, none */
  SCHEMA_OPTIONAL = 0x200 /* may be left out */
};

struct schema;

struct schema_member {
  const char *key; /* needs no escaping; NULL: a SCHEMA_PART */
  unsigned type;   /* enum schema_type with its flags */
  const struct schema *of;
  const char *words; /* "total|month|day" */
  const char *help;  /* a line without an end; NULL: the key says it all */
};

struct schema {
  const char *name; /* under components/schemas, [A-Za-z]+; NULL: it is written where it is used */
  const struct schema_member *v;
  size_t n;
  bool is_open;                 /* others may stand beside: a vendor's */
  void (*put)(struct buf *out); /* writes the schema itself, in the place of v; NULL: v */
};

/* A schema of an array of members, for static tables. */
#define SCHEMA_OF(name, members) \
  { name, members, sizeof(members) / sizeof *(members), false, NULL }
/* Where others may stand beside. */
#define SCHEMA_OPEN(name, members) \
  { name, members, sizeof(members) / sizeof *(members), true, NULL }

/* An enum schema_type, without the flags. */
static inline unsigned schema_type_of(const struct schema_member *m) {
  return m->type & ~(unsigned)(SCHEMA_NULL | SCHEMA_OPTIONAL);
}

/* Appends the whole schema of an object, one JSON object. */
void schema_put(const struct schema *s, struct buf *out);
/* Appends a reference where it has a name, else the whole. */
void schema_put_use(const struct schema *s, struct buf *out);
/* Appends "text or null", for people. */
void schema_put_type(const struct schema_member *m, struct buf *out);
/* Calls fn for each member, those of parts in their place. */
void schema_each(const struct schema *s, void (*fn)(void *arg, const struct schema_member *m), void *arg);
/* The same with those of schemas without a name, behind the member that they are of: "a.b", "a[].b" of a list, "a.*.b"
 * of a map. */
void schema_walk(const struct schema *s, void (*fn)(void *arg, struct str path, const struct schema_member *m),
                 void *arg);
/* Calls fn for each schema with a name that s is or refers to, perhaps several times. */
void schema_each_named(const struct schema *s, void (*fn)(void *arg, const struct schema *named), void *arg);

#endif
