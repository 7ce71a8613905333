/* The load generator of `make bench`: one mode per run, on 127.0.0.1 only, bounded in time, results as one line of
 * key=value pairs. bench/run builds and calls it; `load --help` lists the modes and options.
 * The credential comes from the environment (BENCH_KEY) or a file, never from the command line. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "modes.h"

volatile sig_atomic_t modes_stop;

static const struct mode {
  const char *name;
  int (*run)(const struct options *options);
  const char *help;
} modes[] = {
    {"closed", mode_closed, "requests in a closed loop, or at --rate, for --seconds or --requests"},
    {"streams", mode_streams, "event streams of --chunks events, at --pace-ms once each, or looping for --seconds"},
    {"idle", mode_idle, "open --conns, one request each, print ready, hold until input ends or --seconds"},
    {"cancel", mode_cancel, "leave a silent upstream on --listen-port; time until it sees the close"},
    {"start", mode_start, "start the command after --, time until GET --path answers 200, then stop it"},
    {"probe", mode_probe, "wait until GET --path is answered"},
    {"selftest", mode_selftest, "check the parsers and the histogram"},
};

static const struct option flags[] = {
    {"port", required_argument, 0, 'p'},     {"listen-port", required_argument, 0, 'l'},
    {"path", required_argument, 0, 'u'},     {"dialect", required_argument, 0, 'D'},
    {"model", required_argument, 0, 'm'},    {"body", required_argument, 0, 'b'},
    {"stream", no_argument, 0, 's'},         {"fresh", no_argument, 0, 'f'},
    {"conns", required_argument, 0, 'c'},    {"rate", required_argument, 0, 'r'},
    {"chunks", required_argument, 0, 'k'},   {"pace-ms", required_argument, 0, 'e'},
    {"trials", required_argument, 0, 't'},   {"requests", required_argument, 0, 'n'},
    {"seconds", required_argument, 0, 'd'},  {"warmup", required_argument, 0, 'w'},
    {"key-file", required_argument, 0, 'K'}, {"pids", required_argument, 0, 'P'},
    {"help", no_argument, 0, 'h'},           {0},
};

static void usage(FILE *out) {
  fputs("usage: load MODE --port N [options]\n\nmodes:\n", out);
  for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) fprintf(out, "  %-9s %s\n", modes[i].name, modes[i].help);
  fputs("\noptions:", out);
  for (const struct option *f = flags; f->name; f++) fprintf(out, " --%s%s", f->name, f->has_arg ? " X" : "");
  fputs(
      "\nbodies: small, prompt, big, count. dialects: openai, anthropic, responses, gemini, ollama.\n"
      "The credential: BENCH_KEY in the environment, or --key-file.\n",
      out);
}

static void refuse(const char *what) {
  fprintf(stderr, "load: %s\n", what);
  exit(2);
}

static double number(const char *text, double least, double most) {
  char *end;
  double value = strtod(text, &end);
  if (end == text || *end || !(value >= least && value <= most)) {
    fprintf(stderr, "load: '%s' is not a number between %g and %g\n", text, least, most);
    exit(2);
  }
  return value;
}

static const char *read_key(const char *file) {
  static char key[256];
  FILE *in = fopen(file, "r");
  if (!in || !fgets(key, sizeof(key), in)) refuse("cannot read the key file");
  fclose(in);
  key[strcspn(key, "\r\n")] = '\0';
  return key;
}

static void read_pids(struct options *options, char *list) {
  for (char *word = strtok(list, ","); word; word = strtok(NULL, ",")) {
    if (options->pid_count == OPTIONS_PIDS) refuse("too many processes");
    options->pids[options->pid_count++] = (pid_t)number(word, 1, 1 << 30);
  }
}

static void read_flag(struct options *o, int flag) {
  switch (flag) {
    case 'p': o->port = (uint16_t)number(optarg, 1, 65535); break;
    case 'l': o->listen_port = (uint16_t)number(optarg, 1, 65535); break;
    case 'u': o->path = optarg; break;
    case 'D':
      if (!(o->dialect = dialect_by_name(optarg))) refuse("unknown dialect");
      break;
    case 'm': o->model = optarg; break;
    case 'b': o->body = optarg; break;
    case 's': o->is_stream = true; break;
    case 'f': o->is_fresh = true; break;
    case 'c': o->conns = (unsigned)number(optarg, 1, 20000); break;
    case 'r': o->rate = (unsigned)number(optarg, 1, 1000000); break;
    case 'k': o->chunks = (unsigned)number(optarg, 1, 100000); break;
    case 'e': o->pace_ms = (unsigned)number(optarg, 1, 10000); break;
    case 't': o->trials = (unsigned)number(optarg, 1, 10000); break;
    case 'n': o->requests = (uint64_t)number(optarg, 1, 1e8); break;
    case 'd': o->seconds = number(optarg, .01, 3600); break;
    case 'w': o->warmup = number(optarg, 0, 60); break;
    case 'K': o->key = read_key(optarg); break;
    case 'P': read_pids(o, optarg); break;
    case 'h': usage(stdout); exit(0);
    default: usage(stderr); exit(2);
  }
}

static void on_signal(int signal) {
  (void)signal;
  modes_stop = 1;
}

static void prepare_process(void) {
  struct sigaction action = {.sa_handler = on_signal};
  struct rlimit files;
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_TIMERSLACK, 1);
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
}

int main(int argc, char **argv) {
  struct options options = {.dialect = dialect_by_name("openai"),
                            .model = "echo",
                            .body = "small",
                            .conns = 1,
                            .chunks = 1,
                            .trials = 20,
                            .seconds = 2,
                            .key = getenv("BENCH_KEY")};
  int flag;
  if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
    usage(argc < 2 ? stderr : stdout);
    return argc < 2 ? 2 : 0;
  }
  options.mode = argv[1];
  optind = 2;
  while ((flag = getopt_long(argc, argv, "+h", flags, NULL)) != -1) read_flag(&options, flag);
  options.command = argv + optind;
  if (options.port == 0 && strcmp(options.mode, "selftest") != 0) refuse("--port is needed");
  if (options.key && !*options.key) options.key = NULL;
  if (strcmp(options.mode, "streams") == 0) {
    options.is_stream = true;
    options.body = "count";
  }
  if (strcmp(options.mode, "cancel") == 0 && options.listen_port == 0) refuse("cancel needs --listen-port");
  if (strcmp(options.mode, "start") == 0 && !options.command[0]) refuse("start needs a command after --");
  prepare_process();
  for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
    if (strcmp(modes[i].name, options.mode) == 0) return modes[i].run(&options);
  refuse("unknown mode; try --help");
}
