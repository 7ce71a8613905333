/* Default rows by the admin API: see seeds.h. */
#include "admin/seeds.h"

#include "admin/job.h"
#include "base/json_out.h"
#include "state/seed.h"
#include "state/store/store.h"

enum { LOOK_MS = 30000 };

static void begin(struct buf *out) {
  json_out_begin(out, '{');
  json_out_key(out, "rows");
  json_out_begin(out, '[');
}
static void end(struct buf *out) {
  json_out_end(out, ']');
  json_out_end(out, '}');
}

static void note(void *arg, enum names_kind kind, struct str name, enum seed_state state) {
  struct buf *out = arg;
  json_out_begin(out, '{');
  json_out_member_string(out, "kind", str_from_c(names_kind_word(kind)));
  json_out_member_string(out, "name", name);
  json_out_member_string(out, "state", str_from_c(seed_state_name(state)));
  json_out_end(out, '}');
}

enum err seeds_describe(struct db *db, const struct change *c, struct buf *out, struct err_info *info) {
  (void)c;
  begin(out);
  enum err e = seed_look(db, note, out, info);
  end(out);
  return e;
}

static enum err lay(struct db *db, struct change *c, struct err_info *info) {
  const struct seeds_input *in = c->in;
  begin(c->out);
  enum err e = seed_lay(db, in->is_reset, note, c->out, info);
  end(c->out);
  return e;
}

static const struct field rows[] = {{STR("reset"), FIELD_BOOL, 1, offsetof(struct seeds_input, is_reset),
                                     .help = "Changed ones become as they are delivered."}};
static const struct fields fields = {rows, 1, sizeof(struct seeds_input)};

const struct change_row seeds_change = {.action = "seed",
                                        .entity_type = "store",
                                        .status = 200,
                                        .fields = &fields,
                                        .allowed = 1,
                                        .run = lay,
                                        .describe = seeds_describe};

void seeds_lay(struct request_context *rc) { change_serve(rc, &seeds_change); }

static enum err look_in(struct db *db, void *arg, struct err_info *info) {
  return seeds_describe(db, NULL, &((struct job *)arg)->out, info);
}
static enum err look(void *arg) { return store_read(look_in, arg, &((struct job *)arg)->info); }

void seeds_show(struct request_context *rc) {
  struct err_info info = {0};
  struct job *j = job_new(sizeof *j, look, NULL);
  enum err e = j ? job_run(j, POOL_STORE, LOOK_MS, &info) : ERR_NO_MEMORY;
  entity_end(rc, e, &info, &j->out);
  job_unref(j);
}

/* ---- what these are, for the API's description ---- */

static const struct schema_member row_rows[] = {
    {"kind", SCHEMA_TEXT, .help = "of what: tool_set or model_config"},
    {"name", SCHEMA_TEXT, .help = "its name"},
    {"state", SCHEMA_TEXT, .help = "whether it was laid, and is as it was delivered"},
};
static const struct schema row_schema = SCHEMA_OF(NULL, row_rows);

static const struct schema_member seeds_rows[] = {
    {"rows", SCHEMA_LIST, .of = &row_schema, .help = "what is delivered with this version"},
};
const struct schema seeds_schema = SCHEMA_OF("Seeds", seeds_rows);
