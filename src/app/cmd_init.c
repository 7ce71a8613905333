/* `maestro init`: writes a first maestro.json, with every line explained, where there is none yet. */
#include <stdio.h>

#include "app/cli.h"
#include "state/disk.h"

static const char first_config[] =
    "{\n"
    "  // Maestro's configuration: JSON, comments and trailing commas allowed. `maestro check` finds faults;\n"
    "  // a running server reads changes within a second. All options: docs/config.md.\n"
    "  \"server\": {\n"
    "    \"host\": \"127.0.0.1\",\n"
    "    \"port\": 8080,\n"
    "  },\n"
    "\n"
    "  // Providers. Well-known ones need no entry: their environment variable (OPENAI_API_KEY, ANTHROPIC_API_KEY,\n"
    "  // GEMINI_API_KEY, OLLAMA_BASE_URL, ...) is enough. Others can be declared; `type` says which API they speak:\n"
    "  // openai, openai-compatible, anthropic, gemini, ollama, bedrock, or a well-known name (vllm, groq, ...).\n"
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

static int write_first(const char *path) {
  struct err_info info = {0};
  if (disk_exists(path)) {
    printf("%s is there already; nothing was changed. `maestro check` tells whether it is sound.\n", path);
    return CLI_OK;
  }
  if (disk_replace(path, str_from_c(first_config), 0600, &info)) return cli_fail(CLI_FAILED, "%s", info.text);
  printf(
      "Wrote %s\n\nNext:\n  1. set a provider's key in the environment (OPENAI_API_KEY, ...) or declare one in that "
      "file\n"
      "  2. maestro check\n  3. maestro serve\n",
      path);
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
  const char *path = e ? NULL : arena_printf(&a, "%s/maestro.json", paths.config_dir).p;
  if (!e && !path) e = ERR_NO_MEMORY;
  int code = e ? cli_fail(CLI_FAILED, "%s", err_info_text(e, &info)) : write_first(path);
  arena_clear(&a);
  return code;
}
