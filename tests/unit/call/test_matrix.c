/* The matrix: each caller's dialect x each target's x each case of tests/matrix. A case says one thing in every
 * dialect, as its vendor specifies it, so that each text is input and expectation: what A's caller asks must reach B as
 * B's own text, what B answers must reach A's caller as A's own. Where a vendor's API cannot say it, the case says what
 * is expected instead, and why. Dialects come from dialects.def, what they are served for from the providers' tables: a
 * new row without its texts fails. Streams are also fed byte by byte and cut at every place.
 *
 * docs/dialects.md is written from the same run: `unit_call_test_matrix --docs FILE`, which `make docs` does; the test
 * fails where it differs. MATRIX=case[:kind[:caller>target]] runs a part of it and shows the bodies. */
#include "matrix_docs.h"

/* ---- expectations ---- */

struct expectation {
  struct str refused, dropped; /* path; paths */
  bool is_refused;
  yyjson_mut_val *value;
};

/* One line of a "differs" section on the value expected; the dialect that may stand before the pointer is the one whose
 * body it is about. */
static void change(yyjson_mut_doc *doc, struct expectation *x, struct str verb, struct str line,
                   const struct dialect *d) {
  struct str word = take_word(&line);
  if (word.p[0] != '/') {
    if (!is_one_of(word, d->name)) return;
    word = take_word(&line);
  }
  yyjson_mut_doc_set_root(doc, x->value);
  yyjson_mut_val *v = str_eq(verb, STR("del")) ? NULL : parse_into(doc, line);
  bool done = str_eq(verb, STR("del"))   ? yyjson_mut_ptr_removen(x->value, word.p, word.n) != NULL
              : str_eq(verb, STR("set")) ? yyjson_mut_ptr_setn(x->value, word.p, word.n, v, doc)
                                         : yyjson_mut_ptr_addn(x->value, word.p, word.n, v, doc);
  if (!done) fail_msg("cannot %.*s %.*s %.*s", STR_ARG(verb), STR_ARG(word), STR_ARG(line));
}

/* The frames of a stream in another order, by their numbers. */
static yyjson_mut_val *reorder(yyjson_mut_doc *doc, yyjson_mut_val *frames, struct str numbers) {
  yyjson_mut_val *out = yyjson_mut_arr(doc);
  uint64_t n;
  while (numbers.n) {
    assert_true(str_to_u64(take_word(&numbers), &n));
    yyjson_mut_arr_append(out, yyjson_mut_val_mut_copy(doc, yyjson_mut_arr_get(frames, n)));
  }
  if (yyjson_mut_arr_size(out) != yyjson_mut_arr_size(frames)) fail_msg("an order names every frame once");
  return out;
}

/* Applies what the case says of this pair; notes its reasons for the document. */
static void apply(struct matrix_case *c, const char *kind, struct cell *cell, yyjson_mut_doc *doc,
                  struct expectation *x, const struct dialect *body_of) {
  for (size_t i = 0; i < c->n; i++) {
    struct section *s = &c->v[i];
    if (!is_about(s, kind, cell->caller->name, cell->target->name)) continue;
    s->is_used = true;
    struct str rest = s->body, line;
    for (bool more = true; more;) {
      more = str_cut(rest, '\n', &line, &rest);
      struct str verb = take_word(&line);
      if (!verb.n || verb.p[0] == '#') continue;
      if (str_eq(verb, STR("why")))
        note_reason(cell, line);
      else if (str_eq(verb, STR("refused")))
        x->refused = line, x->is_refused = cell->is_refused = true;
      else if (str_eq(verb, STR("whole")))
        x->value = parse_into(doc, line);
      else if (str_eq(verb, STR("order")))
        x->value = reorder(doc, x->value, line);
      else if (str_eq(verb, STR("dropped")))
        x->dropped = line;
      else if (x->value)
        change(doc, x, verb, line, body_of);
    }
  }
}

/* ---- one cell ---- */

static struct str asked(void) { return str_from_c(getenv("MATRIX") ? getenv("MATRIX") : ""); }

static void complain(const struct cell *cell, const char *what) {
  fprintf(stderr, "  %.*s:%s:%.*s>%.*s  %s\n", STR_ARG(cell->of->name), cell->kind, STR_ARG(cell->caller->name),
          STR_ARG(cell->target->name), what);
}

static bool compare(const struct cell *cell, const struct dialect *d, const struct expectation *x, yyjson_mut_doc *doc,
                    struct str got, bool is_stream) {
  bool is_request = str_eq(str_from_c(cell->kind), STR("request"));
  yyjson_mut_val *v = value_of(d, doc, got, is_stream);
  if (v) v = comparable(d, doc, v, is_stream, is_request);
  yyjson_mut_val *want = comparable(d, doc, x->value, is_stream, is_request);
  if (v && yyjson_mut_equals(v, want)) return true;
  complain(cell, v ? "differs" : "is no JSON");
  print_difference("", want, v);
  if (asked().n) fprintf(stderr, "%.*s\n", STR_ARG(got));
  return false;
}

static struct section *needed(const struct cell *cell, const char *kind, const char *otherwise, struct str who) {
  struct section *s = kind ? find(cell->of, kind, who) : NULL;
  if (!s && otherwise) s = find(cell->of, otherwise, who);
  if (!s) complain(cell, "has no text for one of its dialects");
  return s;
}

static bool check_request(struct cell *cell) {
  struct matrix_case *c = cell->of;
  const struct dialect *a = cell->caller, *b = cell->target;
  struct section *from = needed(cell, NULL, "request", a->name);
  struct section *to = a == b ? from : needed(cell, "sent", "request", b->name);
  if (!from || !to) return false;
  struct exchange *x = calloc(1, sizeof *x);
  yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
  struct expectation want = {.value = parse_into(doc, to->body)};
  if (!want.value) fail_msg("%.*s: %.*s is no JSON", STR_ARG(c->name), STR_ARG(b->name));
  apply(c, "request", cell, doc, &want, b);
  struct str body = str_trim(from->body);
  enum err e = exchange_open(x, a, b, operation_of(c->operation), c->is_stream, c->is_array, body);
  if (a != b) x->deployment.model = model_of(c, b->name);
  if (!e) e = run_request(x);
  bool good;
  if (want.is_refused || e) {
    good = want.is_refused && e && str_eq(str_from_c(x->info.param), want.refused);
    if (!good) complain(cell, e ? "is refused:" : "is not refused");
    if (!good) fprintf(stderr, "    %s (%s)\n", x->info.text, x->info.param);
  } else {
    good = compare(cell, b, &want, doc, buf_str(&x->out), false);
    if (!str_eq(buf_str(&x->call.dropped.names), want.dropped)) {
      complain(cell, "names what it leaves out otherwise");
      fprintf(stderr, "    want %.*s\n    got  %.*s\n", STR_ARG(want.dropped),
              STR_ARG(buf_str(&x->call.dropped.names)));
      good = false;
    }
  }
  if (a == b && a->edit_request && !is_request_relayed(x, body))
    complain(cell, "is not relayed as it is"), good = false;
  exchange_close(x);
  yyjson_mut_doc_free(doc);
  free(x);
  return good;
}

/* The request that an answer is for: the case's own, or that of "text". */
static struct str request_for(const struct cell *cell) {
  struct section *s = find(cell->of, "request", cell->caller->name);
  for (size_t i = 0; !s && i < case_count; i++)
    if (str_eq(cases[i].operation, cell->of->operation) && str_has_suffix(cases[i].name, STR("text")))
      s = find(&cases[i], "request", cell->caller->name);
  if (!s) fail_msg("%.*s has no request in the case text", STR_ARG(cell->caller->name));
  return str_trim(s->body);
}

static enum err open_answer(struct exchange *x, const struct cell *cell, bool is_stream) {
  enum err e = exchange_open(x, cell->caller, cell->target, operation_of(cell->of->operation), is_stream,
                             cell->of->is_array, request_for(cell));
  struct str body;
  if (is_stream) x->request.is_stream = x->request.wants_usage = true;
  /* A target that cannot say the request has an answer all the same: what is looked at is the answer. */
  if (!e && translate_request(&x->call, &x->deployment, x->caller, false, &body, &x->info)) e = ERR_INTERNAL;
  if (e) complain(cell, x->info.text);
  x->info = (struct err_info){0};
  return e;
}

static int status_of(const struct section *s) {
  uint64_t status = 200;
  if (s->rest.n) assert_true(str_to_u64(s->rest, &status));
  return (int)status;
}

/* The words of an upstream's failure, as JSON has them: for "$message". */
static struct str message_of(struct str body) {
  static const struct str members[] = {STR("\"message\":\""), STR("\"error\":\"")};
  for (size_t i = 0; i < 2; i++) {
    size_t at = str_find(body, members[i]);
    if (at == SIZE_MAX) continue;
    struct str rest = str_sub(body, at + members[i].n, body.n);
    return str_sub(rest, 0, str_find_char(rest, '"'));
  }
  return STR_NONE;
}

static struct str with_message(struct exchange *x, struct str text, struct str upstream) {
  struct str word = STR("$message"), message = message_of(upstream);
  size_t at = str_find(text, word);
  if (at == SIZE_MAX) return text;
  return arena_printf(&x->arena, "%.*s%.*s%.*s", (int)at, text.p, STR_ARG(message),
                      STR_ARG(str_sub(text, at + word.n, text.n)));
}

/* "reply" and "error": whole bodies. */
static bool check_whole(struct cell *cell) {
  bool is_error = str_eq(str_from_c(cell->kind), STR("error"));
  const struct dialect *a = cell->caller, *b = cell->target;
  struct section *from = needed(cell, NULL, cell->kind, b->name);
  struct section *to = needed(cell, is_error ? "told" : "got", cell->kind, a->name);
  if (!from || !to) return false;
  struct exchange *x = calloc(1, sizeof *x);
  yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
  bool good = open_answer(x, cell, false) == OK;
  struct expectation want = {.value = parse_into(doc, with_message(x, to->body, from->body))};
  if (!want.value) fail_msg("%.*s: %s %.*s is no JSON", STR_ARG(cell->of->name), cell->kind, STR_ARG(a->name));
  apply(cell->of, cell->kind, cell, doc, &want, a);
  struct str body = str_trim(from->body);
  if (good) {
    int status = is_error ? run_error(x, status_of(from), body) : run_reply(x, body);
    good = compare(cell, a, &want, doc, buf_str(&x->out), false);
    int wanted = status_of(str_eq(to->rest, STR("$status")) ? from : to);
    if (status != wanted) {
      complain(cell, "has another status");
      fprintf(stderr, "    want %d\n    got  %d\n", wanted, status);
      good = false;
    }
  }
  if (good && a == b && !is_error && a->relay_reply && from == to && !is_reply_relayed(x, body))
    complain(cell, "is not relayed as it is"), good = false;
  exchange_close(x);
  yyjson_mut_doc_free(doc);
  free(x);
  return good;
}

/* Two streams that differ in nothing that is compared: times do. */
static bool is_equal(const struct dialect *d, struct str a, struct str b) {
  yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
  bool is = yyjson_mut_equals(comparable(d, doc, value_of(d, doc, a, true), true, false),
                              comparable(d, doc, value_of(d, doc, b, true), true, false));
  yyjson_mut_doc_free(doc);
  return is;
}

/* The stream once more, cut otherwise: the bytes must be the same. */
static bool is_same_cut(const struct cell *cell, struct str bytes, size_t cut, size_t step, const struct buf *first) {
  struct exchange *x = calloc(1, sizeof *x);
  bool good = open_answer(x, cell, true) == OK;
  if (good) run_stream(x, bytes, cut, step);
  good = good && (str_eq(buf_str(&x->out), buf_str(first)) || is_equal(cell->caller, buf_str(&x->out), buf_str(first)));
  if (!good) {
    complain(cell, "depends on how the stream is cut:");
    fprintf(stderr, "    at %zu, step %zu\n", cut, step);
  }
  exchange_close(x);
  free(x);
  return good;
}

static bool check_stream(struct cell *cell) {
  const struct dialect *a = cell->caller, *b = cell->target;
  struct section *from = needed(cell, NULL, "stream", b->name);
  struct section *to = needed(cell, "seen", "stream", a->name);
  if (!from || !to) return false;
  struct exchange *x = calloc(1, sizeof *x);
  yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
  struct buf bytes, wanted;
  buf_init(&bytes, 0);
  buf_init(&wanted, 0);
  put_stream(b, from->body, &bytes);
  put_stream(a, to->body, &wanted);
  struct expectation want = {.value = value_of(a, doc, buf_str(&wanted), true)};
  apply(cell->of, "stream", cell, doc, &want, a);
  bool good = open_answer(x, cell, true) == OK;
  if (good) {
    run_stream(x, buf_str(&bytes), 0, 0);
    good = compare(cell, a, &want, doc, buf_str(&x->out), true);
  }
  if (good) good = is_same_cut(cell, buf_str(&bytes), 0, 1, &x->out);
  /* The decoder does not know who listens: each place is tried with one of the callers. */
  for (size_t cut = cell->turn; good && cut < bytes.n && bytes.n <= 8192; cut += cell->turns)
    if (cut) good = is_same_cut(cell, buf_str(&bytes), cut, 0, &x->out);
  if (good && a == b && a->relay_frame && from == to && !cell->of->is_failing && !is_stream_relayed(x, buf_str(&bytes)))
    complain(cell, "is not relayed as it is"), good = false;
  exchange_close(x);
  yyjson_mut_doc_free(doc);
  buf_clear(&bytes);
  buf_clear(&wanted);
  free(x);
  return good;
}

/* ---- all of them ---- */

static bool is_asked(const struct cell *cell) {
  struct str want = asked(), part, rest;
  char pair[128];
  snprintf(pair, sizeof pair, "%.*s>%.*s", STR_ARG(cell->caller->name), STR_ARG(cell->target->name));
  const struct str is[] = {cell->of->name, str_from_c(cell->kind), str_from_c(pair)};
  for (size_t i = 0; i < 3 && want.n; i++, want = rest) {
    str_cut(want, ':', &part, &rest);
    if (part.n && !str_glob(part, is[i])) return false;
  }
  return true;
}

/* A dialect that has no such thing to say, or an upstream that never says it. */
static bool is_none(struct cell *cell) {
  bool is_request = str_eq(str_from_c(cell->kind), STR("request"));
  const struct dialect *speaker = is_request ? cell->caller : cell->target;
  const struct section *s = find_none(cell->of, cell->kind, speaker->name);
  if (!s && !is_request) s = find_none(cell->of, "got", cell->caller->name);
  if (!s && is_request) s = find_none(cell->of, "sent", cell->target->name);
  if (!s) return false;
  struct str rest = s->rest;
  take_word(&rest);
  note_none(cell, rest);
  return true;
}

static void run_cell(struct matrix_case *c, const char *kind, bool (*check)(struct cell *)) {
  enum llm_operation op = operation_of(c->operation);
  size_t callers = 0, turn = 0;
  for (size_t i = 0; i < DIALECTS; i++) callers += is_caller(dialects[i], op);
  for (size_t i = 0; i < DIALECTS; i++) {
    if (!is_caller(dialects[i], op)) continue;
    for (size_t k = 0; k < DIALECTS; k++) {
      if (!is_target(dialects[k], op)) continue;
      struct cell cell = {
          .of = c, .kind = kind, .caller = dialects[i], .target = dialects[k], .turn = turn, .turns = callers};
      if (!is_asked(&cell)) continue;
      if (!c->replies_first) signature_store_clear();
      if (!is_none(&cell) && !check(&cell)) cell.state = CELL_FAILED;
      note_cell(&cell);
    }
    turn++;
  }
}

static void run_case(struct matrix_case *c) {
  if (has_kind(c, "reply")) run_cell(c, "reply", check_whole);
  if (has_kind(c, "stream")) run_cell(c, "stream", check_stream);
  if (has_kind(c, "error")) run_cell(c, "error", check_whole);
  if (has_kind(c, "request")) run_cell(c, "request", check_request);
  for (size_t i = 0; !asked().n && i < c->n; i++)
    if (!c->v[i].is_used) {
      fprintf(stderr, "  %.*s: nothing uses \"%.*s %.*s %.*s\"\n", STR_ARG(c->name), STR_ARG(c->v[i].kind),
              STR_ARG(c->v[i].who), STR_ARG(c->v[i].rest));
      tally[CELL_FAILED]++;
    }
}

static const char *docs_path;

/* Writes the page, or compares it with the one in the repository. */
static void check_page(void) {
  static const char path[] = "docs/dialects.md";
  struct buf page;
  buf_init(&page, 0);
  put_page(&page, read_file("tests/matrix/dialects.md.in"));
  assert_false(page.failed);
  if (docs_path) {
    FILE *f = fopen(docs_path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(page.p, 1, page.n, f), page.n);
    assert_int_equal(fclose(f), 0);
  } else if (!str_eq(buf_str(&page), read_file(path))) {
    fail_msg("%s is not what the matrix says (make docs)", path);
  }
  buf_clear(&page);
}

TEST(matrix) {
  read_all("tests/matrix");
  for (size_t i = 0; i < case_count; i++) run_case(&cases[i]);
  signature_store_clear();
  printf("%zu cells: %zu passed, %zu of them with a reason; %zu with nothing to say; %zu failed\n",
         tally[CELL_PASSED] + tally[CELL_REASON] + tally[CELL_NONE] + tally[CELL_FAILED],
         tally[CELL_PASSED] + tally[CELL_REASON], tally[CELL_REASON], tally[CELL_NONE], tally[CELL_FAILED]);
  assert_int_equal(tally[CELL_FAILED], 0);
  if (!asked().n) check_page();
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(matrix)};
  if (argc == 3 && strcmp(argv[1], "--docs") == 0) docs_path = argv[2];
  return cmocka_run_group_tests(tests, NULL, NULL);
}
