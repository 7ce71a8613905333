/* The declared file, the environment, .env and flags: values, precedence, and the exact text of every kind of fault. */
#include "fake.h"
#include "io/http_client.h"
#include "io/http_server.h"

#define MAIN "/c/maestro/maestro.json"

TEST(defaults_without_any_file) {
  struct fake f = {0};
  fake_load(&f);
  fake_expect(&f, "");
  const struct config_options *o = &f.config->options;
  assert_str(o->server_host, STR("127.0.0.1"));
  assert_int_equal(o->server_port, 8080);
  assert_in_range(o->server_workers, 1, 4);
  assert_null(o->server_key);
  assert_int_equal(f.config->keys.n, 0);
  assert_int_equal(o->server_drain_ms, 30000);
  assert_int_equal(o->server_limits_body_bytes, 64 << 20);
  assert_int_equal(o->log_level, CONFIG_LOG_INFO);
  assert_int_equal(o->log_format, CONFIG_FORMAT_AUTO);
  assert_int_equal(o->stream_head_after_ms, 10000);
  assert_int_equal(o->stream_keep_alive_ms, 5000);
  assert_true(o->egress_private);
  assert_int_equal(o->fallback_strategy, CONFIG_FALLBACK_PRIORITY);
  assert_int_equal(o->fallback_max_retries, 2);
  assert_int_equal(o->routing_same_target_retries, 0);
  assert_int_equal(o->upstream_connect_ms, 10000);
  assert_int_equal(o->upstream_headers_ms, 600000);
  assert_int_equal(o->tls_ca_file.n, 0);
  assert_int_equal(f.config->provider_count, 0);
  assert_int_equal(f.config->origins[CONFIG_OPTION_server_port], CONFIG_FROM_DEFAULT);
  fake_clear(&f);
}

TEST(file_sets_every_kind_and_allows_comments) {
  struct fake f = {
      .files = {{MAIN,
                 "\xef\xbb\xbf// head\n{ /* c */ \"$schema\": \"x\",\n"
                 " \"server\": {\"host\": \"0.0.0.0\", \"port\": 9000, \"hosts\": [\"a.example\", \"b.example:81\",],\n"
                 "  \"limits\": {\"bodyBytes\": \"2MiB\", \"idleTimeoutMs\": \"2m\"}, \"drainMs\": 0},\n"
                 " \"log\": {\"level\": \"WARNING\"}, \"egress\": {\"private\": false},\n"
                 " \"tls\": {\"caFile\": \"certs/ca.pem\"}, \"registry\": {\"file\": \"/r.json\"},\n"
                 " \"priorities\": [\"a/b\", \"a/c/d\"],\n"
                 " \"fallback\": {\"strategy\": \"same-model\", \"maxRetries\": 7},\n"
                 "}"}}};
  fake_load(&f);
  fake_expect(&f, "");
  const struct config_options *o = &f.config->options;
  assert_str(o->server_host, STR("0.0.0.0"));
  assert_int_equal(o->server_port, 9000);
  assert_int_equal(o->server_hosts.n, 2);
  assert_str(o->server_hosts.items[1], STR("b.example:81"));
  assert_int_equal(o->server_limits_body_bytes, 2 << 20);
  assert_int_equal(o->server_limits_idle_timeout_ms, 120000);
  assert_int_equal(o->server_drain_ms, 0);
  assert_int_equal(o->log_level, CONFIG_LOG_WARN);
  assert_false(o->egress_private);
  assert_str(o->tls_ca_file, STR("/c/maestro/certs/ca.pem"));
  assert_str(o->registry_file, STR("/r.json"));
  assert_int_equal(f.config->priorities.n, 2);
  assert_str(f.config->priorities.items[1], STR("a/c/d"));
  assert_int_equal(f.config->priority_places[1].line, 7);
  assert_int_equal(o->fallback_strategy, CONFIG_FALLBACK_SAME_MODEL);
  assert_int_equal(o->fallback_max_retries, 7);
  assert_int_equal(f.config->places[CONFIG_OPTION_server_port].line, 3);
  assert_int_equal(f.config->origins[CONFIG_OPTION_server_port], CONFIG_FROM_FILE);
  assert_str(f.config->file, STR(MAIN));
  struct http_server_limits limits;
  struct http_client_options client;
  config_server_limits(f.config, &limits);
  config_client_options(f.config, &client);
  assert_int_equal(limits.body_bytes, 2 << 20);
  assert_int_equal(limits.header_bytes, 65536);
  assert_str(client.ca_file, STR("/c/maestro/certs/ca.pem"));
  assert_int_equal(client.connections_per_origin, 1024);
  fake_clear(&f);
}

/* One file, one report. */
static void expect_report(const char *file, const char *report) {
  struct fake f = {.files = {{MAIN, file}}};
  fake_load(&f);
  fake_expect(&f, report);
  assert_int_equal(f.e, strstr(report, "error: ") ? ERR_BAD_CONFIG : OK);
  fake_clear(&f);
}

TEST(every_fault_is_reported_with_its_line) {
  expect_report(
      "{\n \"server\": {\n  \"prot\": 1,\n  \"host\": \"example.org\",\n  \"port\": 70000\n },\n \"log\": {\n  "
      "\"level\": \"loud\"\n }, \"egress\": true\n}",
      MAIN ":3: error: server.prot: unknown key (did you mean \"port\"?)\n" MAIN
           ":4: error: server.host: \"example.org\": must be a numeric address or localhost\n" MAIN
           ":5: error: server.port: \"70000\": must be a whole number from 0 to 65535\n" MAIN
           ":8: error: log.level: \"loud\": must be debug, info, warn or error\n" MAIN
           ":9: error: egress: must be an object, not true or false\n");
}

TEST(unknown_keys_come_with_a_way_out) {
  expect_report(
      "{\"pipelines\": {}}", MAIN
      ":1: error: pipelines: unknown key (known here: server, log, logs, stream, egress, tls, "
      "upstream, fallback, routing, limits, guards, responses, metrics, admin, docs, auth, store, registry, providers, "
      "priorities, aliases, groups, $schema)\n");
  expect_report("{\"port\": 1}",
                MAIN ":1: error: port: unknown key (did you mean server.port, one object inside another?)\n");
  expect_report("{\"server.port\": 1}",
                MAIN ":1: error: server.port: unknown key (did you mean server.port, one object inside another?)\n");
  expect_report("{\"stream\": {\"head_after_ms\": 1}}",
                MAIN ":1: error: stream.head_after_ms: unknown key (did you mean \"headAfterMs\"?)\n");
  expect_report("{\"upstream\": {\"xyzzy\": 1}}", MAIN
                ":1: error: upstream.xyzzy: unknown key (known here: connectionsPerOrigin, idleMs, proxyFromEnv, "
                "replyLimitBytes, connectMs, headersMs, firstTokenMs, silenceMs, totalMs)\n");
}

TEST(values_of_the_wrong_type_or_range) {
  expect_report("{\"server\": {\"port\": \"80\"}}",
                MAIN ":1: error: server.port: must be a whole number, not a string\n");
  expect_report("{\"server\": {\"port\": -1}}",
                MAIN ":1: error: server.port: \"-1\": must be a whole number from 0 to 65535\n");
  expect_report("{\"server\": {\"port\": 1.5}}",
                MAIN ":1: error: server.port: \"1.5\": must be a whole number from 0 to 65535\n");
  expect_report("{\"server\": {\"host\": \"\"}}", MAIN ":1: error: server.host: \"\": must not be empty\n");
  expect_report("{\"server\": {\"origins\": [\"https://a.example\",\n\"*\"]}}",
                MAIN ":2: error: server.origins: \"*\": origins must be named one by one; * is not accepted\n");
  expect_report("{\"server\": {\"trustedProxies\": [\"10.0.0.0/33\", 5]}}",
                MAIN ":1: error: server.trustedProxies: \"10.0.0.0/33\": the prefix length is out of range\n" MAIN
                     ":1: error: server.trustedProxies: every entry must be a string\n");
  expect_report("{\"server\": {\"drainMs\": \"5 days\"}}",
                MAIN ":1: error: server.drainMs: \"5 days\": must be a whole number from 0 to 3600000 milliseconds\n");
  expect_report("{\"limits\": {\"budgetUsd\": \"5\"}}",
                MAIN ":1: error: limits.budgetUsd: must be a number of US dollars, not a string\n");
  expect_report("{\"limits\": {\"budgetUsd\": -1}}",
                MAIN ":1: error: limits.budgetUsd: \"-1\": must not be negative\n");
  expect_report("{\"limits\": {\"budgetUsd\": 1000000.5}}",
                MAIN ":1: error: limits.budgetUsd: \"1000000.5\": more than a million USD\n");
  expect_report("{\"limits\": {\"budgetUsd\": 0.0000000001}}",
                MAIN ":1: error: limits.budgetUsd: \"0.0000000001\": finer than a billionth of a USD\n");
  expect_report("{\"limits\": {\"period\": \"week\"}}",
                MAIN ":1: error: limits.period: \"week\": must be total, month or day\n");
  expect_report("{\"egress\": {\"private\": 1}}",
                MAIN ":1: error: egress.private: must be true or false, not a number\n");
  expect_report("{\"server\": {\"limits\": {\"writeHighBytes\": 4096}}}",
                "built in: error: server.limits.writeLowBytes: must be less than writeHighBytes\n");
  expect_report("{\"priorities\": [\"a/b\", \"nope\", \"a/b\", 3]}",
                MAIN ":1: error: priorities[1]: \"nope\" is not of the form provider/model\n" MAIN
                     ":1: warning: priorities[2]: \"a/b\" is listed twice (the first place counts)\n" MAIN
                     ":1: error: priorities[3]: must be a string, not a number\n");
}

TEST(broken_files) {
  expect_report("", MAIN ":1: error: the file is empty\n");
  expect_report("  \n ", MAIN ":1: error: the file is empty\n");
  expect_report("[]", MAIN ":1: error: must be an object, not an array\n");
  struct fake f = {.files = {{MAIN, "{\n\"server\": {\n\"port\" 80}}"}}};
  fake_load(&f); /* the parser's own words follow */
  assert_true(str_has_prefix(str_from_c(f.text), STR(MAIN ":3: error: not valid JSON: ")));
  fake_clear(&f);
  expect_report("{\"server\": {}, \n \"server\": {}}", MAIN ":2: error: server: appears twice; first in line 1\n");
  expect_report("{\"server\": {\"port\": 1,\n \"p\\u006frt\": 2}}",
                MAIN ":2: error: server.port: appears twice; first in line 1\n");
  expect_report("<unreadable>", MAIN ": error: cannot be read: Permission denied\n");
}

TEST(one_fault_voids_the_whole_file) {
  struct fake f = {.files = {{MAIN, "{\"server\": {\"port\": 9000}, \"log\": {\"level\": 1}}"}}};
  fake_load(&f);
  assert_int_equal(f.e, ERR_BAD_CONFIG);
  assert_null(f.config);
  fake_clear(&f);
}

TEST(environment_wins_over_dotenv_over_file) {
  struct fake f = {
      .files = {{MAIN, "{\"server\": {\"port\": 1, \"workers\": 1, \"drainMs\": 1}, \"log\": {\"level\": \"error\"}}"},
                {"/c/maestro/.env", "MAESTRO_PORT=2\nMAESTRO_WORKERS=2\nMAESTRO_DRAIN_MS=2\nLOG_LEVEL=debug\n"}},
      .env = {{"MAESTRO_WORKERS", "3"}, {"MAESTRO_DRAIN_MS", "3s"}, {"LOG_LEVEL", ""}, {"PORT", "77"}},
      .flags = {{STR("server.drainMs"), STR("4")}},
      .flag_count = 1};
  fake_load(&f);
  fake_expect(&f, "");
  const struct config_options *o = &f.config->options;
  assert_int_equal(o->server_port, 2); /* MAESTRO_PORT of .env comes before PORT */
  assert_int_equal(o->server_workers, 3);
  assert_int_equal(o->server_drain_ms, 4);
  assert_int_equal(o->log_level, CONFIG_LOG_DEBUG); /* an empty variable counts as unset */
  assert_int_equal(f.config->origins[CONFIG_OPTION_server_port], CONFIG_FROM_DOTENV);
  assert_int_equal(f.config->origins[CONFIG_OPTION_server_workers], CONFIG_FROM_ENVIRONMENT);
  assert_int_equal(f.config->origins[CONFIG_OPTION_server_drain_ms], CONFIG_FROM_FLAG);
  assert_int_equal(f.config->places[CONFIG_OPTION_log_level].line, 4);
  fake_clear(&f);
}

TEST(bad_variables_and_flags_are_errors) {
  struct fake f = {.files = {{"/c/maestro/.env", "\nLOG_LEVEL=loud\n"}},
                   .env = {{"PORT", "abc"}, {"MAESTRO_EGRESS_PRIVATE", "maybe"}},
                   .flags = {{STR("workers"), STR("999")}, {STR("log.nope"), STR("x")}, {STR("Log.levle"), STR("x")}},
                   .flag_count = 3};
  fake_load(&f);
  fake_expect(&f,
              "environment: error: PORT: \"abc\": must be a whole number from 0 to 65535\n"
              "/c/maestro/.env:2: error: LOG_LEVEL: \"loud\": must be debug, info, warn or error\n"
              "environment: error: MAESTRO_EGRESS_PRIVATE: \"maybe\": must be true or false\n"
              "command line: error: --workers: \"999\": must be a whole number from 0 to 64\n"
              "command line: error: --set log.nope: no such option (docs/config.md lists them)\n"
              "command line: error: --set Log.levle: no such option (did you mean \"log.level\"?)\n");
  fake_clear(&f);
}

TEST(dotenv_forms) {
  struct fake f = {.files = {{"/c/maestro/.env",
                              "# comment\n\nexport A=plain value # note\r\nB = \"quo\\\"ted\\n#x\" # note\nC='single "
                              "$x \\n'\nD=\nE=#only\n"
                              "nonsense\n1X=2\nF=\"open\nG='a' b\nA=second\nH=x#y\n"}}};
  struct str v;
  fake_load(&f);
  fake_expect(&f,
              "/c/maestro/.env:8: warning: is not NAME=value (the line is left out)\n"
              "/c/maestro/.env:9: warning: what is before = is not the name of a variable (the line is left out)\n"
              "/c/maestro/.env:10: warning: a quote is not closed on its line (the line is left out)\n"
              "/c/maestro/.env:11: warning: there is text after the closing quote (the line is left out)\n"
              "/c/maestro/.env:12: warning: A: set twice; the value of line 3 is not used\n");
  assert_true(config_env(f.config, "A", &v));
  assert_str(v, STR("second"));
  assert_true(config_env(f.config, "B", &v));
  assert_str(v, STR("quo\"ted\n#x"));
  assert_true(config_env(f.config, "C", &v));
  assert_str(v, STR("single $x \\n"));
  assert_true(config_env(f.config, "H", &v));
  assert_str(v, STR("x#y"));
  assert_false(config_env(f.config, "D", &v));
  assert_false(config_env(f.config, "E", &v));
  assert_false(config_env(f.config, "F", &v));
  fake_clear(&f);
}

TEST(explicit_file_and_dotenv_beside_it) {
  struct fake f = {.file = "/etc/m/x.json",
                   .files = {{"/etc/m/x.json", "{\"tls\": {\"caFile\": \"ca.pem\"}}"},
                             {"/etc/m/.env", "MAESTRO_PORT=5"},
                             {"/c/maestro/.env", "MAESTRO_PORT=6"},
                             {MAIN, "{\"broken\""}}};
  fake_load(&f);
  fake_expect(&f, "");
  assert_int_equal(f.config->options.server_port, 5);
  assert_str(f.config->options.tls_ca_file, STR("/etc/m/ca.pem"));
  fake_clear(&f);
  struct fake by_variable = {.env = {{"MAESTRO_CONFIG", "/nowhere.json"}}};
  fake_load(&by_variable);
  fake_expect(&by_variable, "/nowhere.json: error: there is no such file\n");
  fake_clear(&by_variable);
}

TEST(files_to_watch_include_the_missing_ones) {
  struct fake f = {.files = {{"/c/maestro/priorities.json", "{}"}}};
  bool saw_main = false, saw_priorities = false;
  fake_load(&f);
  for (size_t i = 0; i < f.config->file_count; i++) {
    const struct config_file *file = &f.config->files[i];
    if (str_eq(file->path, STR(MAIN))) saw_main = !file->exists;
    if (str_eq(file->path, STR("/c/maestro/priorities.json"))) saw_priorities = file->exists;
  }
  assert_true(saw_main && saw_priorities);
  assert_int_equal(f.config->file_count, 5); /* .env, maestro.json, providers.json, priorities.json, auth.json */
  fake_clear(&f);
}

TEST(guards_have_two_spellings) {
  struct fake f = {.files = {{MAIN, "{}"}}};
  fake_load(&f);
  const struct config_options *o = &f.config->options;
  assert_int_equal(o->guards_tool_text, CONFIG_GUARD_AUTO);
  assert_int_equal(o->guards_think, CONFIG_GUARD_AUTO);
  assert_true(o->guards_leak_enabled && o->guards_runaway_enabled);
  assert_int_equal(o->guards_runaway_max_bytes, 10000000);
  assert_int_equal(o->guards_runaway_max_deltas, 50000);
  assert_int_equal(o->guards_runaway_repeat_bytes, 65536);
  fake_clear(&f);
  f = (struct fake){
      .files = {{MAIN,
                 "{\"guards\": {\"toolText\": \"on\", \"think\": \"off\", \"leak\": {\"enabled\": false},\n"
                 "\"runaway\": {\"enabled\": false, \"maxBytes\": \"1MiB\", \"maxDeltas\": 7, \"repeatBytes\": 0}}}"}}};
  fake_load(&f);
  fake_expect(&f, "");
  o = &f.config->options;
  assert_int_equal(o->guards_tool_text, CONFIG_GUARD_ON);
  assert_int_equal(o->guards_think, CONFIG_GUARD_OFF);
  assert_false(o->guards_leak_enabled || o->guards_runaway_enabled);
  assert_int_equal(o->guards_runaway_max_bytes, 1 << 20);
  assert_int_equal(o->guards_runaway_max_deltas, 7);
  assert_int_equal(o->guards_runaway_repeat_bytes, 0);
  fake_clear(&f);
#define THEIRS                                           \
  "\"guards\": {\"leak_guard\": {\"enabled\": false},\n" \
  "\"runaway_guard\": {\"enabled\": false, \"max_bytes\": 200000, \"max_deltas\": 8}}"
  const struct fake theirs[] = {{.files = {{MAIN, "{" THEIRS "}"}}},
                                {.files = {{"/c/maestro/priorities.json", "{" THEIRS ", \"priorities\": []}"}}}};
  for (size_t i = 0; i < 2; i++) {
    f = theirs[i];
    fake_load(&f);
    fake_expect(&f, "");
    o = &f.config->options;
    assert_false(o->guards_leak_enabled || o->guards_runaway_enabled);
    assert_int_equal(o->guards_runaway_max_bytes, 200000);
    assert_int_equal(o->guards_runaway_max_deltas, 8);
    assert_int_equal(f.config->origins[CONFIG_OPTION_guards_leak_enabled],
                     i ? CONFIG_FROM_PRIORITIES : CONFIG_FROM_FILE);
    fake_clear(&f);
  }
  f = (struct fake){.files = {{MAIN, "{\"guards\": {\"leak\": {\"enabled\": true}}}"},
                              {"/c/maestro/priorities.json",
                               "{\"guards\": {\"leak_guard\": {\"enabled\": false},\n"
                               "\"runaway_guard\": {\"max_bytes\": 99999, \"repeat\": 1}, \"leak\": 1}}"}}};
  fake_load(&f);
  fake_expect(&f,
              "/c/maestro/priorities.json:2: warning: guards.runaway_guard.max_bytes: \"99999\": must be a whole "
              "number from 100000 to 17179869184 bytes\n"
              "/c/maestro/priorities.json:2: warning: guards.runaway_guard.repeat: unknown key, ignored (known here: "
              "enabled, max_bytes, max_deltas)\n"
              "/c/maestro/priorities.json:2: warning: guards.leak: unknown key, ignored (known here: leak_guard, "
              "runaway_guard)\n");
  assert_true(f.config->options.guards_leak_enabled); /* maestro.json is stronger */
  assert_int_equal(f.config->options.guards_runaway_max_bytes, 10000000);
  fake_clear(&f);
  expect_report("{\"guards\": {\"leak_guard\": {\"on\": true}}}",
                MAIN ":1: error: guards.leak_guard.on: unknown key (known here: enabled)\n");
}

TEST(priorities_json_is_weaker_and_lenient) {
  struct fake f = {
      .files = {{"/c/maestro/priorities.json",
                 "{\"priorities\": [\"p/m\", \"bad\"],\n\"fallback\": {\"strategy\": \"none\", \"maxRetries\": 99},\n"
                 "\"thinking\": {\"default_budget\": 1}, \"model_overrides\": {}, \"prioritys\": 1}"}}};
  fake_load(&f);
  fake_expect(
      &f,
      "/c/maestro/priorities.json:1: warning: priorities[1]: \"bad\" is not of the form provider/model\n"
      "/c/maestro/priorities.json:2: warning: fallback.maxRetries: \"99\": must be a whole number from 0 to 10\n"
      "/c/maestro/priorities.json:3: note: thinking: has no effect in this version\n"
      "/c/maestro/priorities.json:3: warning: prioritys: unknown key, ignored (did you mean \"priorities\"?)\n");
  assert_int_equal(f.config->priorities.n, 1);
  assert_int_equal(f.config->options.fallback_strategy, CONFIG_FALLBACK_NONE);
  assert_int_equal(f.config->options.fallback_max_retries, 2);
  assert_int_equal(f.config->origins[CONFIG_OPTION_fallback_strategy], CONFIG_FROM_PRIORITIES);
  fake_clear(&f);
  struct fake both = {
      .files = {{"/c/maestro/priorities.json", "{\"priorities\": [\"p/m\"], \"fallback\": {\"maxRetries\": 1}}"},
                {MAIN, "{\"priorities\": [\"q/n\"], \"fallback\": {\"maxRetries\": 3}}"}}};
  fake_load(&both);
  fake_expect(&both, MAIN ":1: note: priorities: the list in priorities.json is not used\n");
  assert_str(both.config->priorities.items[0], STR("q/n"));
  assert_int_equal(both.config->options.fallback_max_retries, 3);
  fake_clear(&both);
  struct fake broken = {.files = {{"/c/maestro/priorities.json", "{"}}};
  fake_load(&broken);
  assert_int_equal(broken.e, OK);
  assert_int_equal(broken.diags.warnings, 1);
  fake_clear(&broken);
}

TEST(router_maestro_files_are_read_in_place) {
  struct fake f = {
      .files = {{"/c/router-maestro/providers.json",
                 "{\"providers\": {\"mine\": {\"type\": \"openai-compatible\", \"baseURL\": \"http://h/v1\"}}}"},
                {"/d/router-maestro/auth.json", "{\"mine\": {\"type\": \"api\", \"key\": \"k-1\"}}"}}};
  fake_load(&f);
  fake_expect(&f, "/c/router-maestro: note: read in place (to have files of its own, run: maestro init)\n");
  assert_int_equal(f.config->provider_count, 1);
  assert_int_equal(f.config->providers[0].credential, CONFIG_CREDENTIAL_STORED);
  assert_str(secret_reveal(f.config->providers[0].api_key), STR("k-1"));
  fake_clear(&f);
  struct fake own = f;
  own.files[2] = (struct fake_entry){MAIN, "{}"};
  fake_load(&own);
  fake_expect(&own, "");
  assert_int_equal(own.config->provider_count, 0);
  fake_clear(&own);
}

TEST(server_keys_are_merged_in_order) {
  struct fake f = {
      .files = {{MAIN, "{\"server\": {\"keys\": [\"from-file\"]}}"}},
      .env = {{"ROUTER_MAESTRO_API_KEY", "first-key"}, {"MAESTRO_API_KEYS", " second-key ,first-key,, third-key"}}};
  fake_load(&f);
  fake_expect(&f, "");
  assert_int_equal(f.config->keys.n, 3);
  assert_str(secret_reveal(f.config->keys.items[0]), STR("first-key"));
  assert_str(secret_reveal(f.config->keys.items[1]), STR("second-key"));
  assert_str(secret_reveal(f.config->keys.items[2]), STR("third-key"));
  fake_clear(&f);
}

/* A marker in every place that holds a secret, each made faulty: it must be in no diagnostic. */
TEST(secrets_are_in_no_diagnostic) {
  struct fake f = {
      .mode = 0644,
      .files = {{MAIN,
                 "{\"server\": {\"key\": \"hunter2 x\", \"keys\": [\"hunter2,y\", 7, \"hunter2\\n\"]}, \"metrics\": "
                 "{\"token\": \"hunter2 \"},\n"
                 "\"admin\": {\"token\": \"hunter2\\u0000\"},\n"
                 "\"providers\": {\"a\": {\"type\": \"openai\", \"apiKey\": \"hunter2\\u0001\", \"apiKeyEnv\": "
                 "\"sk-hunter2\"},\n"
                 "\"b\": {\"type\": \"openai\", \"headers\": {\"x-a\": \"hunter2\\u0007\", \"host\": \"hunter2\"}},\n"
                 "\"c\": {\"type\": \"openai\", \"baseURL\": \"https://u:hunter2@h/\"}}}"},
                {"/c/maestro/.env", "KEY=\"hunter2\nX Y=hunter2\nhunter2\n"},
                {"/c/maestro/providers.json",
                 "{\"providers\": {\"d\": {\"type\": \"openai\", \"options\": {\"api_key_env\": \"hunter2!\"}}}}"},
                {"/d/maestro/auth.json",
                 "{\"x\": {\"type\": \"api\", \"key\": 5}, \"y\": {\"type\": \"hunter2\"},"
                 "\"z\": {\"type\": \"api\", \"key\": \"hunter2\\u0001\"}}"}},
      .env = {{"MAESTRO_METRICS_TOKEN", "hunter2 2"},
              {"MAESTRO_API_KEYS", "hunter2 a"},
              {"ADMIN_TOKEN", "hunter2\x7f"},
              {"GROQ_API_KEY", "hunter2\n"},
              {"MAESTRO_PROVIDERS", "[{\"name\":\"m\",\"baseUrl\":\"http://h\",\"apiKey\":\"hunter2\\t\"}]"}},
      .flags = {{STR("api-key"), STR("hunter2 b")}},
      .flag_count = 1};
  fake_load(&f);
  assert_int_equal(f.e, ERR_BAD_CONFIG);
  assert_true(f.diags.errors >= 14);
  if (strstr(f.text, "hunter2")) print_error("%s", f.text);
  assert_null(strstr(f.text, "hunter2"));
  struct buf json;
  buf_init(&json, 0);
  config_diags_write_json(&f.diags, &json);
  assert_int_equal(str_find(buf_str(&json), STR("hunter2")), SIZE_MAX);
  buf_clear(&json);
  fake_clear(&f);
}

TEST(files_with_keys_should_be_private) {
  struct fake f = {.mode = 0644, .files = {{MAIN, "{\"server\": {\"key\": \"abc\"}}"}}};
  fake_load(&f);
  fake_expect(&f, MAIN ": warning: holds keys and may be read by other users (chmod 600)\n");
  fake_clear(&f);
  f.mode = 0600;
  fake_load(&f);
  fake_expect(&f, "");
  fake_clear(&f);
  f.mode = 0644;
  f.files[0].value = "{\"server\": {\"port\": 1}}";
  fake_load(&f);
  fake_expect(&f, "");
  fake_clear(&f);
}

TEST(reload_names_what_needs_a_restart) {
  struct fake a = {.files = {{MAIN, "{}"}}};
  struct fake b = {.files = {{MAIN, "{\"server\": {\"host\": \"::1\",\n \"port\": 1, \"drainMs\": 1}}"}}};
  struct config_diags diags;
  struct buf out;
  fake_load(&a);
  fake_load(&b);
  config_diags_init(&diags);
  buf_init(&out, 0);
  config_note_restart(a.config, b.config, &diags);
  config_diags_write(&diags, &out);
  assert_str(buf_str(&out), STR(MAIN ":1: warning: server.host: the change takes effect at the next start\n" MAIN
                                     ":2: warning: server.port: the change takes effect at the next start\n"));
  buf_clear(&out);
  config_diags_clear(&diags);
  fake_clear(&a);
  fake_clear(&b);
}

TEST(too_many_faults_are_counted_not_kept) {
  static char file[200000];
  size_t n = 0;
  file[n++] = '{';
  for (int i = 0; i < 1000; i++) n += (size_t)snprintf(file + n, sizeof file - n, "\"unknown%d\": 0,", i);
  snprintf(file + n, sizeof file - n, "}");
  struct fake f = {.files = {{MAIN, file}}};
  struct config_sources s = {.config_dir = "/c/maestro", .read = fake_read, .read_arg = &f};
  struct config_diags diags;
  config_diags_init(&diags);
  assert_int_equal(config_load(&s, &f.config, &diags), ERR_BAD_CONFIG);
  assert_int_equal(diags.n, CONFIG_DIAGS_MAX);
  assert_int_equal(diags.errors, 1000);
  assert_int_equal(diags.left_out, 1000 - CONFIG_DIAGS_MAX);
  assert_int_equal(config_load(&s, &f.config, NULL), ERR_BAD_CONFIG); /* diagnostics may be unwanted */
  config_diags_clear(&diags);
}

TEST(references_keep_it_alive) {
  struct fake f = {.env = {{"MAESTRO_API_KEY", "abc"}}};
  fake_load(&f);
  struct config *second = config_ref(f.config);
  config_unref(f.config);
  assert_str(secret_reveal(second->keys.items[0]), STR("abc"));
  config_unref(second);
  config_unref(NULL);
  f.config = NULL;
  fake_clear(&f);
}

TEST(directories) {
  struct arena a;
  const char *config, *data;
  struct err_info info = {0};
  arena_init(&a, 0);
  struct fake home = {.env = {{"HOME", "/home/u"}, {"XDG_DATA_HOME", "relative"}}};
  assert_int_equal(config_directories(&a, fake_env, &home, &config, &data, &info), OK);
  assert_string_equal(config, "/home/u/.config/maestro");
  assert_string_equal(data, "/home/u/.local/share/maestro");
  struct fake xdg = {.env = {{"XDG_CONFIG_HOME", "/x"}, {"XDG_DATA_HOME", "/y"}}};
  assert_int_equal(config_directories(&a, fake_env, &xdg, &config, &data, &info), OK);
  assert_string_equal(config, "/x/maestro");
  assert_string_equal(data, "/y/maestro");
  struct fake none = {0};
  assert_int_equal(config_directories(&a, fake_env, &none, &config, &data, &info), ERR_BAD_CONFIG);
  arena_clear(&a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(defaults_without_any_file),
      cmocka_unit_test(file_sets_every_kind_and_allows_comments),
      cmocka_unit_test(every_fault_is_reported_with_its_line),
      cmocka_unit_test(unknown_keys_come_with_a_way_out),
      cmocka_unit_test(values_of_the_wrong_type_or_range),
      cmocka_unit_test(broken_files),
      cmocka_unit_test(one_fault_voids_the_whole_file),
      cmocka_unit_test(environment_wins_over_dotenv_over_file),
      cmocka_unit_test(bad_variables_and_flags_are_errors),
      cmocka_unit_test(dotenv_forms),
      cmocka_unit_test(explicit_file_and_dotenv_beside_it),
      cmocka_unit_test(files_to_watch_include_the_missing_ones),
      cmocka_unit_test(guards_have_two_spellings),
      cmocka_unit_test(priorities_json_is_weaker_and_lenient),
      cmocka_unit_test(router_maestro_files_are_read_in_place),
      cmocka_unit_test(server_keys_are_merged_in_order),
      cmocka_unit_test(secrets_are_in_no_diagnostic),
      cmocka_unit_test(files_with_keys_should_be_private),
      cmocka_unit_test(reload_names_what_needs_a_restart),
      cmocka_unit_test(too_many_faults_are_counted_not_kept),
      cmocka_unit_test(references_keep_it_alive),
      cmocka_unit_test(directories),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
