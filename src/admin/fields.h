/* The body of a request of the admin API as a table of fields: what is read, what is refused and with which path, and
 * the JSON Schema of the API's description (draft 2020-12, as OpenAPI 3.1 has it) all come from it. Pure; memory from
 * the caller's arena. The struct that a table fills begins with `unsigned has`: the bits of the fields that came.
 *
 * A row: {STR("role"), FIELD_CHOICE, BIT, offsetof(struct x, role), .choices = names, .max = count}. */
#ifndef MAESTRO_ADMIN_FIELDS_H
#define MAESTRO_ADMIN_FIELDS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"

enum field_type {
  FIELD_STRING,  /* struct str; min to max bytes, is_valid */
  FIELD_BOOL,    /* bool */
  FIELD_INTEGER, /* int64_t; min to max */
  FIELD_USD,     /* int64_t, billionths (nano-USD) of a number or a decimal string; min to max */
  FIELD_CHOICE,  /* unsigned: index into choices, of which there are max */
  FIELD_STRINGS, /* struct field_strings, none twice; at most max, each is_valid */
  FIELD_OBJECT,  /* a struct of the table `element`; null: its `has` is 0 */
  FIELD_OBJECTS, /* struct field_objects of the table `element`; min to max */
  FIELD_OTHER,   /* whatever `read` makes of it */
  FIELD_TYPE_COUNT
};

struct field_strings {
  const struct str *v;
  size_t n;
};
struct field_objects {
  void *v; /* n structs of the element's table */
  size_t n;
};

struct field {
  struct str key;
  enum field_type type;
  unsigned bit; /* in `has` */
  size_t offset;
  int64_t min, max;
  bool (*is_valid)(struct str s); /* of strings; NULL: all are */
  const char *must;               /* what it says of one that is not: "must have 1 to 128 bytes" */
  const char *const *choices;
  const struct fields *element;
  unsigned element_required;
  enum err (*read)(struct arena *a, const struct json_node *n, void *value, struct err_info *info);
  const char *schema; /* FIELD_OTHER: its JSON Schema's members, as `"type":"integer"` */
  bool is_nullable;
  int64_t none;     /* of a number that is null; strings and lists are empty then */
  const char *help; /* one line, for the description; NULL: none */
};

struct fields {
  const struct field *v;
  size_t n;
  size_t bytes; /* of the struct that is filled */
};

/* An empty body is an empty object; what did not come is zero. Malformed JSON is ERR_BAD_JSON (400); what is in it has
 * status 422 and the member's path in *info: an unknown member or one that is not of `allowed`, one of `required` that
 * is missing, a wrong type, a value out of range, a key or a string that comes twice. */
enum err fields_read(struct arena *a, struct str body, const struct fields *fields, unsigned allowed, unsigned required,
                     void *out, struct err_info *info) MUST_CHECK;
/* The same for a value inside of a body, for a field's own `read`. */
enum err fields_read_node(struct arena *a, const struct json_node *n, const struct fields *fields, unsigned allowed,
                          unsigned required, void *out, struct err_info *info) MUST_CHECK;
/* "must be …" of a member that came, with its path; for readers and checks of their own. ERR_BAD_VALUE, 422. */
enum err fields_refuse(const struct json_node *n, const char *why, struct err_info *info);
/* ERR_BAD_VALUE with status 422 about a member or parameter of that name, in these words. */
enum err fields_refuse_named(struct err_info *info, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The next name of what f is, round and round; f itself: it has one name. */
const struct field *fields_other_name(const struct fields *fields, const struct field *f);
/* The object's schema, one JSON object. */
void fields_put_schema(const struct fields *fields, unsigned allowed, unsigned required, struct buf *out);

#endif
