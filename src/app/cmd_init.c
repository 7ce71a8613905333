/* `maestro init`: writes a first maestro.json, with every line explained, where there is none yet. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/cli.h"

static const char first_config[] =
    "{\n"
    "  // Maestro's configuration: JSON, comments and trailing commas allowed. `maestro check` finds faults;\n"
    "  // a running server reads changes within a second. All options: docs/config.md.\n"
    "  \"server\": {\n"
    "    \"host\": \"127.0.0.1\",\n"
    "    \"port\": 8080,\n"
    "  },\n"
    "\n"
    "  // Providers. Well-known ones need no entry: their environment variable (OPENAI_API_KEY, OPENROUTER_API_KEY,\n"
    "  // GROQ_API_KEY, ...) is enough. Anything that speaks OpenAI's API can be declared:\n"
    "  \"providers\": {\n"
    "    // \"my-vllm\": {\n"
    "    //   \"type\": \"openai-compatible\",\n"
    "    //   \"baseURL\": \"http://127.0.0.1:8000/v1\",\n"
    "    //   \"apiKeyEnv\": \"MY_VLLM_API_KEY\",\n"
    "    //   \"models\": {\"llama-3.3-70b\": {\"name\": \"Llama 3.3 70B\"}},\n"
    "    // },\n"
    "  },\n"
    "\n"
    "  // Which models `router-maestro` and `maestro-auto` try, in this order.\n"
    "  // \"priorities\": [\"openai/gpt-4o-mini\", \"my-vllm/llama-3.3-70b\"],\n"
    "}\n";

/* mkdir -p for the last two components. */
static bool make_directory(const char *path) {
  char parent[1024];
  snprintf(parent, sizeof parent, "%s", path);
  char *slash = strrchr(parent, '/');
  if (slash && slash != parent) {
    *slash = 0;
    if (mkdir(parent, 0700) && errno != EEXIST) return false;
  }
  return !mkdir(path, 0700) || errno == EEXIST;
}

static int write_new(const char *path) {
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0 && errno == EEXIST) {
    printf("%s is there already; nothing was changed. `maestro check` tells whether it is sound.\n", path);
    return CLI_OK;
  }
  bool is_ok = fd >= 0 && write(fd, first_config, sizeof first_config - 1) == (ssize_t)(sizeof first_config - 1);
  if (fd >= 0) is_ok = !close(fd) && is_ok;
  if (!is_ok) return cli_fail(CLI_FAILED, "could not write %s: %s", path, strerror(errno));
  printf("Wrote %s\n\nNext:\n  1. set a provider's key in the environment (OPENAI_API_KEY, ...) or declare one in that file\n"
         "  2. maestro check\n  3. maestro serve\n", path);
  return CLI_OK;
}

int cmd_init(int argc, char **argv) {
  struct arena a;
  struct cli_paths paths;
  struct err_info info = {0};
  (void)argv;
  if (argc > 1) return cli_fail(CLI_USAGE, "`maestro init` takes no arguments");
  arena_init(&a, 0);
  enum err e = cli_paths(&a, &paths, &info);
  int code;
  if (e)
    code = cli_fail(CLI_FAILED, "%s", err_info_text(e, &info));
  else if (!make_directory(paths.config_dir))
    code = cli_fail(CLI_FAILED, "could not create %s: %s", paths.config_dir, strerror(errno));
  else
    code = write_new(arena_printf(&a, "%s/maestro.json", paths.config_dir).p);
  arena_clear(&a);
  return code;
}
