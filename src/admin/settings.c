/* The admin API of settings: see settings.h. */
#include "admin/settings.h"

#include "admin/change.h"
#include "admin/names/names_input.h"
#include "admin/names/names_json.h"
#include "base/json_out.h"
#include "gateway/exchange.h"
#include "jobs/reload.h"
#include "state/config/config_settings.h"
#include "state/store/store_names.h"

/* ---- the body of PUT: sections, nested as in maestro.json ---- */

struct settings_value {
  struct str path, text;
  bool is_null; /* to be forgotten */
};
enum { VALUES_MAX = 128, DEPTH_MAX = 4 };
struct settings_input {
  unsigned has;
  struct settings_values {
    struct settings_value *v;
    size_t n;
  } values;
};

static enum err join_list(struct arena *a, const struct json_node *n, struct str *out, struct err_info *info) {
  struct json_node node;
  struct buf text;
  enum err e = OK;
  buf_init(&text, 0);
  for (struct json_iter it = json_each(n); !e && json_next(&it, &node);) {
    struct str one;
    e = json_string(&node, &one, info);
    if (!e && str_find_char(one, ',') != SIZE_MAX) e = fields_refuse(&node, "must not have a comma", info);
    if (!e && text.n) buf_put_char(&text, ',');
    if (!e) buf_put(&text, one);
  }
  *out = e ? STR("") : arena_dup(a, buf_str(&text));
  if (!e && (text.failed || !out->p)) e = ERR_NO_MEMORY;
  buf_clear(&text);
  return e;
}

static enum err read_text(struct arena *a, const struct json_node *n, struct settings_value *out,
                          struct err_info *info) {
  bool flag = false;
  enum err e = OK;
  switch (json_type(n)) {
    case JSON_NULL: out->is_null = true; return OK;
    case JSON_STRING: return json_string(n, &out->text, info);
    case JSON_NUMBER: return json_number_raw(n, &out->text, info);
    case JSON_ARRAY: return join_list(a, n, &out->text, info);
    case JSON_BOOL:
      e = json_bool(n, &flag, info);
      out->text = flag ? STR("true") : STR("false");
      return e;
    default: return fields_refuse(n, "must be a value", info);
  }
}

/* As deep as sections are: DEPTH_MAX. */
static enum err read_section(struct arena *a, const struct json_node *section, unsigned depth,
                             struct settings_values *out, struct err_info *info) {
  struct json_node node;
  enum err e = json_expect(section, JSON_OBJECT, info);
  if (!e) e = json_check_keys(section, NULL, 0, a, info);
  for (struct json_iter it = json_each(section); !e && json_next(&it, &node);) {
    char path[ERR_PARAM_MAX];
    if (json_type(&node) == JSON_OBJECT && depth < DEPTH_MAX) {
      e = read_section(a, &node, depth + 1, out, info);
      continue;
    }
    json_path(&node, path);
    if (!config_setting_find(str_from_c(path))) return fields_refuse(&node, "is no option that may be kept so", info);
    if (out->n == VALUES_MAX) return fields_refuse(&node, "is one too many", info);
    if (!out->v && !(out->v = ARENA_NEW_ARRAY(a, struct settings_value, VALUES_MAX))) return ERR_NO_MEMORY;
    struct settings_value *v = &out->v[out->n++];
    v->path = arena_dup(a, str_from_c(path));
    e = v->path.p ? read_text(a, &node, v, info) : ERR_NO_MEMORY;
  }
  return e;
}

static enum err read_top(struct arena *a, const struct json_node *n, void *value, struct err_info *info) {
  return read_section(a, n, 2, value, info);
}

#define SECTION(name, number)                                                                 \
  {                                                                                           \
    STR(name), FIELD_OTHER, 1u << (number), offsetof(struct settings_input, values),          \
        .read = read_top, .schema = "\"type\":\"object\"", .help = "Options of this section." \
  }
static const struct field sections[] = {
    SECTION("server", 0), SECTION("upstream", 1),  SECTION("routing", 2), SECTION("fallback", 3),
    SECTION("guards", 4), SECTION("limits", 5),    SECTION("log", 6),     SECTION("stream", 7),
    SECTION("egress", 8), SECTION("responses", 9), SECTION("logs", 10),   SECTION("admin", 11),
    SECTION("docs", 12),
};
#undef SECTION
static const struct fields section_fields = {sections, sizeof sections / sizeof *sections,
                                             sizeof(struct settings_input)};

/* ---- changes ---- */

static struct names_setting *find(struct names *n, struct str key) {
  for (size_t i = 0; i < n->of[NAMES_SETTING].n; i++)
    if (str_eq(names_setting_at(n, i)->name, key)) return (struct names_setting *)n->of[NAMES_SETTING].v + i;
  return NULL;
}

static enum err unprocessable(enum err e, struct err_info *info) {
  if (e == ERR_BAD_VALUE && info) info->http_status = 422;
  return e;
}

static enum err set(struct db *db, struct names *now, struct str key, struct str value, const struct str *description,
                    struct err_info *info) {
  const struct config_option *option = config_setting_find(key);
  struct names_setting *s = find(now, key);
  enum err e = option ? config_setting_check(option, value, info)
                      : err_set_param(info, ERR_BAD_VALUE, "key", "\"key\": no option \"%.*s\" may be kept so",
                                      STR_ARG(str_cut_utf8(key, 128)));
  if (e) return unprocessable(e, info);
  bool is_new = !s;
  if (!s && !(s = names_add(now, NAMES_SETTING))) return ERR_NO_MEMORY;
  s->name = key;
  s->value = value;
  if (description) s->description = *description;
  return is_new ? store_names_add(db, NAMES_SETTING, s, info) : store_names_update(db, NAMES_SETTING, s, info);
}

static enum err forget(struct db *db, struct names *now, struct str key, bool must_exist, struct err_info *info) {
  struct names_table *t = &now->of[NAMES_SETTING];
  struct names_setting *s = find(now, key), *v = t->v;
  if (!s) return must_exist ? err_set(info, ERR_NOT_FOUND, "\"%.*s\" is not kept", STR_ARG(key)) : OK;
  enum err e = store_names_delete(db, NAMES_SETTING, s->row.id, info);
  *s = v[--t->n];
  return e;
}

static void put_kept(struct buf *out, const struct names *n) {
  json_out_begin(out, '{');
  json_out_key(out, "configs");
  json_out_begin(out, '[');
  for (size_t i = 0; i < n->of[NAMES_SETTING].n; i++) names_json_put_setting(out, names_setting_at(n, i));
  json_out_end(out, ']');
  json_out_end(out, '}');
}

/* One setting by its key, or all of them. */
static enum err describe(struct db *db, const struct change *c, struct buf *out, struct err_info *info) {
  struct names now;
  enum err e = names_load(db, &now, info);
  if (e) return e;
  const struct names_setting *s = find(&now, c->name);
  if (s) names_json_put_setting(out, s);
  if (!c->name.n) put_kept(out, &now);
  names_clear(&now);
  return OK;
}

/* `edit`, judged as the whole would be then, and shown. */
static enum err run(struct db *db, struct change *c, bool is_shown,
                    enum err (*edit)(struct db *db, struct change *c, struct names *now, struct err_info *info),
                    struct err_info *info) {
  struct names now;
  enum err e = names_load(db, &now, info);
  if (e) return e;
  e = edit(db, c, &now, info);
  if (!e) e = unprocessable(reload_check(&now, info), info);
  names_clear(&now);
  return e || !is_shown ? e : describe(db, c, c->out, info);
}

static enum err edit_all(struct db *db, struct change *c, struct names *now, struct err_info *info) {
  const struct settings_input *in = c->in;
  enum err e = OK;
  for (size_t i = 0; !e && i < in->values.n; i++) {
    const struct settings_value *v = &in->values.v[i];
    e = v->is_null ? forget(db, now, v->path, false, info) : set(db, now, v->path, v->text, NULL, info);
  }
  return e;
}
static enum err edit_one(struct db *db, struct change *c, struct names *now, struct err_info *info) {
  const struct names_input *in = c->in;
  const struct names_setting *s = &in->row.setting;
  bool has_description = in->has & NAMES_BIT(SETTING, description);
  return set(db, now, s->name, s->value.p ? s->value : STR(""), has_description ? &s->description : NULL, info);
}
static enum err edit_away(struct db *db, struct change *c, struct names *now, struct err_info *info) {
  return forget(db, now, c->name, true, info);
}

/* So that the audit log has what was before of this key. */
static enum err name_entity(struct request_context *rc, struct change *c, struct err_info *info) {
  (void)rc, (void)info;
  c->name = ((const struct names_input *)c->in)->row.setting.name;
  return OK;
}

static enum err run_all(struct db *db, struct change *c, struct err_info *info) {
  return run(db, c, true, edit_all, info);
}
static enum err run_one(struct db *db, struct change *c, struct err_info *info) {
  return run(db, c, true, edit_one, info);
}
static enum err run_away(struct db *db, struct change *c, struct err_info *info) {
  return run(db, c, false, edit_away, info);
}

static const struct change_row put_row = {.action = "settings_put",
                                          .entity_type = "config",
                                          .status = 200,
                                          .fields = &section_fields,
                                          .allowed = ~0u,
                                          .run = run_all,
                                          .describe = describe};
static const struct change_row set_row = {.action = "setting_set",
                                          .entity_type = "config",
                                          .status = 200,
                                          .fields = &names_input_fields[NAMES_SETTING],
                                          .allowed = NAMES_OWN,
                                          .required = NAMES_BIT(SETTING, name) | NAMES_BIT(SETTING, value),
                                          .prepare = name_entity,
                                          .run = run_one,
                                          .describe = describe};
static const struct change_row delete_row = {
    .action = "setting_delete", .entity_type = "config", .status = 204, .run = run_away, .describe = describe};

void settings_put(struct request_context *rc) { change_serve(rc, &put_row); }
void settings_set(struct request_context *rc) { change_serve(rc, &set_row); }
void settings_delete(struct request_context *rc) { change_serve(rc, &delete_row); }

/* ---- reads ---- */

static void answer(struct request_context *rc, struct buf *b) {
  entity_answer(rc, b);
  buf_clear(b);
}

void settings_show(struct request_context *rc) {
  struct buf b;
  exchange_adopt(rc);
  buf_init(&b, 0);
  config_settings_put(snapshot_config(rc->snapshot), &b);
  answer(rc, &b);
}

void settings_raw(struct request_context *rc) {
  struct buf b;
  exchange_adopt(rc);
  buf_init(&b, 0);
  put_kept(&b, route_names_stored(rc->names));
  answer(rc, &b);
}

void settings_get(struct request_context *rc) {
  struct err_info info = {0};
  struct str key, item;
  struct buf b;
  exchange_adopt(rc);
  enum err e = entity_path(rc, rc->arena, &key, &item, &info);
  const struct names_setting *s = e ? NULL : find((struct names *)(uintptr_t)route_names_stored(rc->names), key);
  if (!e && !s) e = err_set(&info, ERR_NOT_FOUND, "\"%.*s\" is not kept", STR_ARG(str_cut_utf8(key, 128)));
  if (e) {
    exchange_fail(rc, e, &info);
    return;
  }
  buf_init(&b, 0);
  names_json_put_setting(&b, s);
  answer(rc, &b);
}

/* ---- what these are, for the API's description ---- */

const struct schema settings_schema = {.name = "Settings", .put = config_settings_put_schema};

static const struct schema_member settings_kept_rows[] = {
    {"configs", SCHEMA_LIST, .of = &names_json_setting_schema, .help = "those that are kept in the store"},
};
const struct schema settings_kept_schema = SCHEMA_OF("KeptSettings", settings_kept_rows);
