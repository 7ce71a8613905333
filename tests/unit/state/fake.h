/* A file system and an environment in memory, so that configuration tests touch neither the disk nor the process. */
#ifndef MAESTRO_TESTS_STATE_FAKE_H
#define MAESTRO_TESTS_STATE_FAKE_H

#include <stdio.h>
#include <stdlib.h>

#include "state/config/config.h"
#include "unit.h"

struct fake_entry {
  const char *name, *value;
};

struct fake {
  struct fake_entry files[8], env[16]; /* ended by a NULL name */
  unsigned mode;                       /* 0: 0600 */
  struct config_flag flags[3];
  size_t flag_count;
  const char *file;
  const struct config_vocabulary *vocabulary;
  /* results */
  struct config *config;
  struct config_diags diags;
  char *text; /* the diagnostics */
  enum err e;
};

static inline const char *fake_find(const struct fake_entry *entries, size_t max, const char *name) {
  for (size_t i = 0; i < max && entries[i].name; i++)
    if (strcmp(entries[i].name, name) == 0) return entries[i].value;
  return NULL;
}

static inline const char *fake_env(void *arg, const char *name) {
  return fake_find(((struct fake *)arg)->env, 16, name);
}

static inline enum err fake_read(void *arg, const char *path, struct buf *out, unsigned *mode, struct err_info *info) {
  const struct fake *f = arg;
  const char *text = fake_find(f->files, 8, path);
  if (!text) return err_set(info, ERR_NOT_FOUND, "no such file");
  if (strcmp(text, "<unreadable>") == 0) return err_set(info, ERR_IO, "Permission denied");
  buf_put(out, str_from_c(text));
  *mode = f->mode ? f->mode : 0600;
  return OK;
}

static const char *const fake_types[] = {"openai-compatible", "anthropic", "bedrock", "github-copilot"};
static const char *const fake_quirks[] = {"no-system", "max-completion-tokens"};
static const struct config_preset fake_presets[] = {
    {.name = "openrouter", .base_url = "https://openrouter.example/api/v1", .key_env = "OPENROUTER_API_KEY"},
    {.name = "vercel",
     .base_url = "https://vercel.example/v1",
     .key_env = "AI_GATEWAY_API_KEY",
     .base_url_env = "AI_GATEWAY_BASE_URL"},
    {.name = "openai", .base_url = "https://openai.example/v1"},
    {.name = "groq", .base_url = "https://groq.example/openai/v1"},
    {.name = "local", .key_env = "LOCAL_OPENAI_API_KEY", .base_url_env = "LOCAL_OPENAI_BASE_URL", .key_optional = true},
    {.name = "vllm", .key_optional = true},
    {.name = "cloud",
     .base_url = "https://runtime.default-1.cloud.example",
     .key_env = "CLOUD_TOKEN",
     .base_url_env = "CLOUD_BASE_URL",
     .is_aws = true},
};
static const struct config_vocabulary fake_vocabulary = {fake_types, 4, fake_presets, 7, fake_quirks, 2};

/* Loads with the configuration folder /c/maestro and the data folder /d/maestro. */
static inline void fake_load(struct fake *f) {
  struct buf out;
  struct config_sources s = {.config_dir = "/c/maestro",
                             .data_dir = "/d/maestro",
                             .file = f->file,
                             .flags = f->flags,
                             .flag_count = f->flag_count,
                             .vocabulary = f->vocabulary ? f->vocabulary : &fake_vocabulary,
                             .env = fake_env,
                             .env_arg = f,
                             .read = fake_read,
                             .read_arg = f};
  f->config = NULL;
  config_diags_init(&f->diags);
  f->e = config_load(&s, &f->config, &f->diags);
  assert_true((f->e == OK) == (f->config != NULL));
  assert_true((f->e == OK) == (f->diags.errors == 0));
  buf_init(&out, 0);
  config_diags_write(&f->diags, &out);
  buf_put_char(&out, '\0');
  f->text = out.p;
}

static inline void fake_clear(struct fake *f) {
  config_unref(f->config);
  config_diags_clear(&f->diags);
  free(f->text);
  f->text = NULL;
}

/* The whole report, line for line. */
static inline void fake_expect(const struct fake *f, const char *expected) {
  if (strcmp(f->text, expected) != 0) print_error("expected:\n%sgot:\n%s", expected, f->text);
  assert_string_equal(f->text, expected);
}

#endif
