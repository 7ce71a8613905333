/* links: state */
/* A whole configuration from hostile bytes: the first byte says which file they are (and, by its bit 6, whether a
 * variable with a bad secret is there too), the rest is its content. Whatever they hold, loading ends with a sound
 * configuration or with a reported error, and the secret gets into no diagnostic. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "state/config/config.h"
#include "state/config/config_check.h"
#include "state/config/config_price.h"
#include "state/registry.h"

enum { TARGETS = 6 };

struct input {
  const char *path; /* of the file that the bytes are; NULL: the variable MAESTRO_PROVIDERS */
  struct str bytes;
  char *variable;
  bool has_marker;
};

static enum err read_input(void *arg, const char *path, struct buf *out, unsigned *mode, struct err_info *info) {
  const struct input *in = arg;
  if (!in->path || strcmp(path, in->path) != 0) return err_set(info, ERR_NOT_FOUND, "no such file");
  buf_put(out, in->bytes);
  *mode = 0644;
  return out->failed ? ERR_NO_MEMORY : OK;
}

static const char *get_variable(void *arg, const char *name) {
  const struct input *in = arg;
  if (strcmp(name, "MAESTRO_PROVIDERS") == 0) return in->variable;
  return in->has_marker && strcmp(name, "ADMIN_TOKEN") == 0 ? "Zq7-marker-of-a-secret \x01" : NULL;
}

static void check_registry(struct str bytes) {
  struct registry *r = NULL;
  struct config_diags diags;
  config_diags_init(&diags);
  enum err e = registry_parse(STR("r"), bytes, &r, &diags);
  if ((e == OK) != (r != NULL) || (e == ERR_BAD_CONFIG) != (diags.errors > 0)) abort();
  for (size_t i = 0; r && i < r->model_count; i++)
    if (r->models[i].strength > 100 || r->models[i].price.in < 0) abort();
  registry_unref(r);
  config_diags_clear(&diags);
}

/* What the rest of the program relies on without looking. */
static void check_sound(const struct config *c) {
  if (c->options.server_workers == 0 || c->options.server_port > 65535 || c->options.log_level > CONFIG_LOG_ERROR)
    abort();
  for (size_t i = 0; i < c->provider_count; i++) {
    const struct config_provider *p = &c->providers[i];
    if (p->id.n == 0 || p->type.n == 0 || config_provider_find(c, p->id) != p) abort();
    if (p->base_url.n && config_check_url(p->base_url)) abort();
    if ((p->credential == CONFIG_CREDENTIAL_ENV || p->credential == CONFIG_CREDENTIAL_DECLARED) && !p->api_key) abort();
    for (size_t k = 0; k < p->model_count; k++)
      if (p->models[k].id.n == 0) abort();
  }
  for (size_t i = 0; i < c->priorities.n; i++)
    if (str_find_char(c->priorities.items[i], '/') == SIZE_MAX) abort();
}

static void check_config(struct input *in) {
  static const char *const types[] = {"openai-compatible", "anthropic", "github-copilot"};
  static const struct config_preset presets[] = {{.name = "openai", .base_url = "https://openai.example/v1"},
                                                 {.name = "vllm", .key_optional = true}};
  static const struct config_vocabulary vocabulary = {types, 3, presets, 2, NULL, 0};
  struct config_sources s = {.config_dir = "/c/maestro",
                             .data_dir = "/d/maestro",
                             .vocabulary = &vocabulary,
                             .env = get_variable,
                             .env_arg = in,
                             .read = read_input,
                             .read_arg = in};
  struct config *c = NULL;
  struct config_diags diags;
  struct buf out;
  config_diags_init(&diags);
  buf_init(&out, 0);
  enum err e = config_load(&s, &c, &diags);
  if ((e == OK) != (c != NULL) || (e == ERR_BAD_CONFIG) != (diags.errors > 0)) abort();
  if (in->has_marker && diags.errors == 0) abort();
  if (c) check_sound(c);
  config_unref(c);
  config_diags_write(&diags, &out);
  config_diags_write_json(&diags, &out);
  if (str_find(buf_str(&out), STR("Zq7-marker")) != SIZE_MAX) abort();
  buf_clear(&out);
  config_diags_clear(&diags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const paths[TARGETS] = {"/c/maestro/maestro.json",    "/c/maestro/providers.json",
                                             "/c/maestro/priorities.json", "/c/maestro/.env",
                                             "/d/maestro/auth.json",       NULL};
  if (size == 0) return 0;
  struct input in = {.path = paths[data[0] % TARGETS],
                     .bytes = str_from((const char *)data + 1, size - 1),
                     .has_marker = data[0] & 0x40};
  if (!in.path) {
    in.variable = malloc(size);
    if (!in.variable) return 0;
    memcpy(in.variable, data + 1, size - 1);
    in.variable[size - 1] = '\0';
  }
  check_config(&in);
  check_registry(in.bytes);
  int64_t nano = 0;
  const char *why = config_price_parse_usd(in.bytes, &nano);
  if (!why && nano < 0) abort();
  free(in.variable);
  return 0;
}
