/* golden_test.c -- the golden cases: tests/golden/DIALECT/CASE.md against the codecs.
 *
 * A case is prose and fences.  The first words behind the three backquotes say what a fence
 * holds:
 *
 *   DIALECT request      a request body                        sets the request
 *   DIALECT embed        an embeddings request body            sets the request
 *   DIALECT records [usage]  records of a stream as they come from an upstream; usage: asked
 *                            for
 *   DIALECT answer       a whole JSON answer as it comes from an upstream
 *   ir events            events of an answer, one a line       sets the events
 *
 *   ir request, ir embed the request decoded
 *   error                how the request was refused: param, code
 *   DIALECT upstream MODEL [strict]  the request for an upstream of that dialect, then what was
 *                        dropped; or "refused" with param and code
 *   decoded [CHOICES]    the records, or the answer, as events; "failed" with kind, code and
 *                        message behind them when it is not whole
 *   DIALECT relay MODEL  the request as relayed to an upstream that calls the model so
 *   DIALECT stream [usage]   the events as the dialect's stream
 *   DIALECT whole        the events as one response of the dialect
 *   tap                  what the observer said of each record, and what it knows at the end
 *
 * The first five are input; each of the others is compared with what the codecs make.  Answers
 * have id "ID-1", model "m" and time 1700000000.  The events are also printed again: what comes
 * out must be what was read.  Run in the tree's root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <glob.h>

#include "base/buf.h"
#include "dialect/request.h"
#include "ir/dump.h"
#include "ir/event.h"
#include "ir/fold.h"
#include "triglot/dialect.h"
#include "json/scan.h"

enum { EVENTS_MAX = 256, TEXT_MAX = 1 << 20 };

struct golden {
    const char *path;
    struct arena a;
    const struct dialect *dialect; /* of the input */
    struct str body;
    enum dialect_call call;
    struct str records;
    bool keep_usage;
    bool whole; /* records is one JSON answer */
    struct ir_event events[EVENTS_MAX];
    unsigned n_events;
    unsigned compared;
    struct ir_req *req; /* the request decoded, once there was one */
};

static void
compare(struct golden *g, struct str fence, struct str want, struct buf *got)
{
    struct str have = buf_str(got);

    while (have.n && have.p[have.n - 1] == '\n')
        have.n--;
    while (want.n && want.p[want.n - 1] == '\n')
        want.n--;
    g->compared++;
    if (!str_eq(want, have)) {
        /* cmocka cuts long messages. */
        (void)fprintf(stderr, "%s: ```%.*s\n--- expected\n%.*s\n--- got\n%.*s\n---\n", g->path,
                      STR_ARG(fence), STR_ARG(want), STR_ARG(have));
        fail();
    }
    buf_clear(got);
}

static struct str
word(struct str *line)
{
    return str_cut(*line, ' ', line);
}

/* The JSON string at the beginning of *line. */
static struct str
quoted(struct golden *g, struct str *line)
{
    struct str s = {NULL, 0};
    size_t n = 1;

    assert_true(line->n >= 2 && line->p[0] == '"');
    while (n < line->n && line->p[n] != '"')
        n += line->p[n] == '\\' ? 2 : 1;
    assert_true(n < line->n);
    assert_int_equal(json_string(&g->a, str_of(line->p, n + 1), &s), TG_OK);
    *line = str_from(*line, n + 2);
    return s;
}

static int
index_of(struct str name, const char *(*name_of)(int), int n)
{
    for (int i = 0; i < n; i++)
        if (str_eq(name, str_z(name_of(i))))
            return i;
    fail_msg("unknown word \"%.*s\"", STR_ARG(name));
    return 0;
}

static const char *
kind_name(int i)
{
    return ir_kind_name((enum ir_kind)i);
}

static const char *
evkind_name(int i)
{
    return ir_evkind_name((enum ir_evkind)i);
}

static const char *
stop_name(int i)
{
    return ir_stop_name((enum ir_stop)i);
}

static const char *
err_kind_name(int i)
{
    return ir_err_kind_name((enum tg_err_kind)i);
}

/* One attribute of a block: a flag, or a name with a text. */
static void
parse_attr(struct golden *g, struct str *rest, struct ir_block *b)
{
    const struct {
        struct str name;
        bool *to;
    } flags[] = {{STR("freeform"), &b->freeform},
                 {STR("failed"), &b->failed},
                 {STR("redacted"), &b->redacted},
                 {STR("summary"), &b->summary}};
    struct str key;

    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (str_starts(*rest, flags[i].name)) {
            *flags[i].to = true;
            (void)word(rest);
            return;
        }
    key = str_cut(*rest, '=', rest);
    if (str_eq(key, STR("id")))
        b->id = quoted(g, rest);
    else if (str_eq(key, STR("name")))
        b->name = quoted(g, rest);
    else if (str_eq(key, STR("sig")))
        b->sig = quoted(g, rest);
    else if (str_eq(key, STR("sig_id")))
        b->sig_id = quoted(g, rest);
    else if (str_eq(key, STR("origin")))
        b->origin = arena_dup(&g->a, quoted(g, rest)).p;
    else
        fail_msg("unknown attribute \"%.*s\"", STR_ARG(key));
}

static struct ir_block *
parse_head(struct golden *g, struct str rest, bool has_kind)
{
    struct ir_block *b = arena_new(&g->a, struct ir_block);

    b->kind = IR_THINK;
    if (has_kind)
        b->kind = (enum ir_kind)index_of(word(&rest), kind_name, IR_OPAQUE + 1);
    while (rest.n)
        parse_attr(g, &rest, b);
    return b;
}

static struct ir_note *
parse_note(struct golden *g, struct str rest)
{
    struct ir_note *n = arena_new(&g->a, struct ir_note);

    n->start = n->end = -1;
    while (rest.n) {
        struct str key = str_cut(rest, '=', &rest);

        if (str_eq(key, STR("start")))
            n->start = atoll(arena_dup(&g->a, word(&rest)).p);
        else if (str_eq(key, STR("end")))
            n->end = atoll(arena_dup(&g->a, word(&rest)).p);
        else if (str_eq(key, STR("url")))
            n->url = quoted(g, &rest);
        else if (str_eq(key, STR("title")))
            n->title = quoted(g, &rest);
        else
            n->cited = quoted(g, &rest);
    }
    return n;
}

static void
parse_place(struct str text, struct ir_event *ev)
{
    unsigned choice = 0, block = 0;
    char z[32] = {0};

    assert_true(text.n < sizeof z);
    memcpy(z, text.p, text.n);
    assert_true(sscanf(z, "%u.%u", &choice, &block) >= 1);
    ev->choice = choice;
    ev->block = block;
}

static struct ir_event
parse_event(struct golden *g, struct str line)
{
    struct ir_event ev = {.kind =
                              (enum ir_evkind)index_of(word(&line), evkind_name, IR_EV_KIND_N)};
    long long v[5] = {0, 0, 0, 0, -1};
    enum tg_err_kind kind;
    struct ir_usage *usage;
    struct tg_err *err;

    if (ev.kind >= IR_EV_OPEN && ev.kind <= IR_EV_STOP)
        parse_place(word(&line), &ev);
    switch (ev.kind) {
    case IR_EV_OPEN:
        ev.head = parse_head(g, line, true);
        break;
    case IR_EV_DELTA:
        ev.text = quoted(g, &line);
        if (str_starts(line, STR("logprobs=")))
            ev.logprobs = str_from(line, strlen("logprobs="));
        break;
    case IR_EV_NOTE:
        ev.note = parse_note(g, line);
        break;
    case IR_EV_CLOSE:
        ev.head = line.n ? parse_head(g, line, false) : NULL;
        break;
    case IR_EV_STOP:
        ev.stop = (enum ir_stop)index_of(word(&line), stop_name, IR_STOP_PAUSE + 1);
        if (line.n) {
            (void)str_cut(line, '=', &line);
            ev.text = quoted(g, &line);
        }
        break;
    case IR_EV_USAGE:
        assert_true(sscanf(arena_dup(&g->a, line).p,
                           "input=%lld output=%lld cached=%lld reasoning=%lld cache_write=%lld",
                           &v[0], &v[1], &v[2], &v[3], &v[4]) >= 4);
        usage = arena_new(&g->a, struct ir_usage);
        *usage = (struct ir_usage){v[0], v[1], v[2], v[3], v[4]};
        ev.usage = usage;
        break;
    case IR_EV_ERROR:
        err = arena_new(&g->a, struct tg_err);
        kind = (enum tg_err_kind)index_of(word(&line), err_kind_name, TG_ERR_KIND_N);
        (void)tg_fail(err, TG_EPROTO, kind, NULL, "%s", arena_dup(&g->a, quoted(g, &line)).p);
        ev.err = err;
        break;
    default:
        break;
    }
    return ev;
}

static void
read_events(struct golden *g, struct str fence, struct str text)
{
    struct str rest = text;
    struct buf again;

    buf_init(&again, TEXT_MAX);
    g->n_events = 0;
    while (rest.n) {
        struct str line = str_cut(rest, '\n', &rest);

        if (line.n == 0)
            continue;
        assert_true(g->n_events < EVENTS_MAX);
        g->events[g->n_events] = parse_event(g, line);
        assert_int_equal(ir_dump_event(&g->events[g->n_events++], &again), TG_OK);
    }
    compare(g, fence, text, &again);
    buf_fini(&again);
}

struct collect {
    struct ir_sink sink;
    const struct dialect *dialect;
    struct dialect_enc enc;
    struct buf *out;
};

static tg_rc
collect_put(struct ir_sink *sink, const struct ir_event *ev)
{
    struct collect *c = (struct collect *)sink;

    return c->dialect->encode_ev(&c->enc, ev, c->out);
}

static struct dialect_enc
encoder(struct golden *g, const struct dialect *d, bool usage)
{
    return (struct dialect_enc){.id = STR("ID-1"),
                                .model = STR("m"),
                                .created = 1700000000,
                                .stream_usage = usage,
                                .usage = IR_USAGE_UNKNOWN,
                                .arena = &g->a,
                                .req = g->req,
                                .state = arena_alloc(&g->a, d->enc_size + 1, 16)};
}

static unsigned
n_choices(const struct golden *g)
{
    unsigned n = 1;

    for (unsigned i = 0; i < g->n_events; i++)
        if (g->events[i].choice >= n)
            n = g->events[i].choice + 1;
    return n;
}

/* Behind the grammar check, as in the daemon. */
static void
put_all(struct golden *g, struct ir_sink *sink)
{
    struct ir_check check = {0};
    struct tg_err err = {0};

    ir_check_init(&check, n_choices(g), sink, &err);
    for (unsigned i = 0; i < g->n_events; i++)
        if (check.sink.put(&check.sink, &g->events[i]) != TG_OK)
            fail_msg("%s: event %u: %s", g->path, i, err.msg);
}

static void
make_stream(struct golden *g, const struct dialect *d, bool usage, struct buf *out)
{
    struct collect c = {{collect_put}, d, encoder(g, d, usage), out};

    put_all(g, &c.sink);
}

static void
make_whole(struct golden *g, const struct dialect *d, struct buf *out)
{
    struct dialect_enc enc = encoder(g, d, false);
    struct ir_fold fold;
    struct tg_err err = {0};

    ir_fold_init(&fold, &g->a, n_choices(g), TEXT_MAX, &err);
    put_all(g, &fold.sink);
    assert_int_equal(d->encode_res(&enc, &fold.res, out), TG_OK);
    assert_int_equal(json_check(buf_str(out), JSON_DEPTH_MAX, NULL), TG_OK);
}

static void
make_relay(struct golden *g, struct str model, struct buf *out)
{
    struct str pieces[DIALECT_PIECES_MAX];
    struct dialect_view view = {0};
    struct tg_err err = {0};
    int n = 0;

    if (g->dialect->scan_req(&g->a, g->call, g->body, &view, &err) != TG_OK)
        fail_msg("%s: scan_req: %s", g->path, err.msg);
    g->dialect->relay_req(&g->a, &view, model, pieces, &n);
    assert_in_range(n, 1, DIALECT_PIECES_MAX);
    for (int i = 0; i < n; i++)
        assert_int_equal(buf_append(out, pieces[i]), TG_OK);
}

/* The request decoded, or how it was refused. */
static void
make_request(struct golden *g, bool refused, struct buf *out)
{
    struct tg_err err = {0};
    struct ir_req *req = arena_new(&g->a, struct ir_req);
    struct ir_embed_req embed = {0};
    tg_rc rc = g->call == DIALECT_EMBED ? g->dialect->decode_embed(&g->a, g->body, &embed, &err)
                                        : g->dialect->decode_req(&g->a, g->body, req, &err);

    if (refused != (rc != TG_OK))
        fail_msg("%s: %s", g->path, rc == TG_OK ? "was not refused" : err.msg);
    if (refused)
        assert_int_equal(buf_printf(out, "%s %s\n", err.param, err.code), TG_OK);
    else if (g->call == DIALECT_EMBED)
        assert_int_equal(ir_dump_embed_req(&embed, out), TG_OK);
    else
        assert_int_equal(ir_dump_req(g->req = req, out), TG_OK);
}

static void
make_upstream(struct golden *g, const struct dialect *d, struct str model, struct buf *out)
{
    struct str rest = model;
    struct dialect_route route = {.model = word(&rest), .max_tokens = 4096};
    struct ir_req *req = arena_new(&g->a, struct ir_req);
    struct ir_adapt *adapt = NULL;
    struct ir_drops drops = {0};
    struct tg_err err = {0};
    tg_rc rc;

    route.strict = str_eq(rest, STR("strict"));
    d->caps(CAPS_SERVER_AUTO, route.model, &route.caps);
    if (g->dialect->decode_req(&g->a, g->body, req, &err) != TG_OK)
        fail_msg("%s: %s", g->path, err.msg);
    g->req = req;
    rc = dialect_put_request(&g->a, d, req, &route, out, &adapt, &drops, &err);
    if (rc != TG_OK) {
        assert_int_equal(out->n, 0);
        assert_int_equal(buf_printf(out, "refused %s %s\n", err.param, err.code), TG_OK);
        return;
    }
    assert_int_equal(json_check(buf_str(out), JSON_DEPTH_MAX, NULL), TG_OK);
    for (unsigned i = 0; i < drops.n; i++)
        assert_int_equal(buf_printf(out, "\ndropped %.*s", STR_ARG(drops.name[i])), TG_OK);
}

struct dump {
    struct ir_sink sink;
    struct buf *out;
};

static tg_rc
dump_put(struct ir_sink *sink, const struct ir_event *ev)
{
    return ir_dump_event(ev, ((struct dump *)sink)->out);
}

static tg_rc
decode_all(struct golden *g, struct dialect_dec *dec)
{
    struct str rest = g->records, event = {NULL, 0};
    bool over = false;
    tg_rc rc = TG_OK;

    if (g->whole)
        return g->dialect->decode_res(dec, g->records);
    while (rest.n && rc == TG_OK && !over) {
        struct str line = str_cut(rest, '\n', &rest);

        if (str_starts(line, STR("event: ")))
            event = str_from(line, 7);
        if (!str_starts(line, STR("data: ")))
            continue;
        rc = g->dialect->decode_record(dec, event, str_from(line, 6), &over);
        event = (struct str){NULL, 0};
    }
    return rc == TG_OK && !over ? g->dialect->decode_eof(dec) : rc;
}

static void
make_decoded(struct golden *g, struct str choices, struct buf *out)
{
    struct dump dump = {{dump_put}, out};
    struct ir_check check = {0};
    struct tg_err err = {0};
    struct dialect_dec dec = {.sink = &check.sink,
                              .arena = &g->a,
                              .err = &err,
                              .hold_max = TEXT_MAX,
                              .state = arena_alloc(&g->a, g->dialect->dec_size + 1, 16)};

    ir_check_init(&check, choices.n ? (uint32_t)atoll(arena_dup(&g->a, choices).p) : 1,
                  &dump.sink, &err);
    if (decode_all(g, &dec) != TG_OK)
        assert_int_equal(buf_printf(out, "failed %s %s \"%s\"\n", ir_err_kind_name(err.kind),
                                    err.code ? err.code : "-", err.msg),
                         TG_OK);
}

static void
tap_one(struct golden *g, struct dialect_tap *tap, struct str event, struct str data,
        struct buf *out)
{
    static const char *const names[] = {"pass", "drop", "failed", "broken"};
    struct tg_err err = {0};
    enum dialect_seen seen = g->dialect->tap_record(tap, event, data, &err);
    tg_rc rc = buf_printf(out, "%s", names[seen]);

    if (rc == TG_OK && seen >= DIALECT_FAILED)
        rc = buf_printf(out, " %s %s \"%s\"", ir_err_kind_name(err.kind), err.code, err.msg);
    if (rc == TG_OK)
        rc = buf_putc(out, '\n');
    assert_int_equal(rc, TG_OK);
}

static void
make_tap(struct golden *g, struct buf *out)
{
    struct dialect_tap tap = {.keep_usage = g->keep_usage, .usage = IR_USAGE_UNKNOWN};
    struct str rest = g->records, event = {NULL, 0};

    while (rest.n) {
        struct str line = str_cut(rest, '\n', &rest);

        if (str_starts(line, STR("event: ")))
            event = str_from(line, 7);
        if (!str_starts(line, STR("data: ")))
            continue;
        tap_one(g, &tap, event, str_from(line, 6), out);
        event = (struct str){NULL, 0};
    }
    assert_int_equal(buf_printf(out, "%s%s%s%sevents=%llu usage=%lld,%lld,%lld,%lld\n",
                                tap.started ? "started " : "", tap.finished ? "finished " : "",
                                tap.terminal ? "terminal " : "", tap.failed ? "failed " : "",
                                (unsigned long long)tap.events, (long long)tap.usage.input,
                                (long long)tap.usage.output, (long long)tap.usage.cached,
                                (long long)tap.usage.reasoning),
                     TG_OK);
}

static void
run_fence(struct golden *g, struct str fence, struct str text)
{
    struct str rest = fence, first = word(&rest), what = word(&rest);
    const struct dialect *d = dialect_find(first);
    bool usage = str_eq(rest, STR("usage"));
    struct buf out;

    buf_init(&out, TEXT_MAX);
    if (str_eq(fence, STR("ir events"))) {
        read_events(g, fence, text);
    } else if (str_eq(fence, STR("ir request")) || str_eq(fence, STR("ir embed"))) {
        make_request(g, false, &out);
        compare(g, fence, text, &out);
    } else if (str_eq(fence, STR("error"))) {
        make_request(g, true, &out);
        compare(g, fence, text, &out);
    } else if (str_eq(first, STR("decoded"))) {
        make_decoded(g, what, &out);
        compare(g, fence, text, &out);
    } else if (d && str_eq(what, STR("upstream"))) {
        make_upstream(g, d, rest, &out);
        compare(g, fence, text, &out);
    } else if (str_eq(fence, STR("tap"))) {
        make_tap(g, &out);
        compare(g, fence, text, &out);
    } else if (d && (str_eq(what, STR("request")) || str_eq(what, STR("embed")))) {
        g->dialect = d;
        g->body = text;
        g->call = str_eq(what, STR("embed")) ? DIALECT_EMBED : DIALECT_GENERATE;
    } else if (d && (str_eq(what, STR("records")) || str_eq(what, STR("answer")))) {
        g->dialect = d;
        g->records = text;
        g->whole = str_eq(what, STR("answer"));
        g->keep_usage = usage;
    } else if (d && str_eq(what, STR("relay"))) {
        make_relay(g, rest, &out);
        compare(g, fence, text, &out);
    } else if (d && str_eq(what, STR("stream"))) {
        make_stream(g, d, usage, &out);
        compare(g, fence, text, &out);
    } else if (d && str_eq(what, STR("whole"))) {
        make_whole(g, d, &out);
        compare(g, fence, text, &out);
    } else {
        fail_msg("%s: a fence of no known kind: ```%.*s", g->path, STR_ARG(fence));
    }
    buf_fini(&out);
}

static struct str
read_file(struct golden *g)
{
    FILE *f = fopen(g->path, "rb");
    char *p = arena_alloc(&g->a, TEXT_MAX, 1);
    size_t n;

    assert_non_null(f);
    n = fread(p, 1, TEXT_MAX, f);
    (void)fclose(f);
    assert_true(n < TEXT_MAX);
    return str_of(p, n);
}

static void
run_case(void **state)
{
    struct golden *g = calloc(1, sizeof *g);
    struct str rest, line, fence;

    assert_non_null(g);
    g->path = *state;
    arena_init(&g->a);
    rest = read_file(g);
    while (rest.n) {
        const char *from;

        line = str_cut(rest, '\n', &rest);
        if (!str_starts(line, STR("```")))
            continue;
        fence = str_from(line, 3);
        from = rest.p;
        do {
            assert_true(rest.n > 0); /* a fence must be closed */
            line = str_cut(rest, '\n', &rest);
        } while (!str_eq(line, STR("```")));
        /* Without the newline in front of the closing fence. */
        run_fence(g, fence,
                  line.p > from ? str_of(from, (size_t)(line.p - from) - 1) : str_of(from, 0));
    }
    assert_true(g->compared > 0);
    arena_fini(&g->a);
    arena_thread_fini();
    free(g);
}

int
main(void)
{
    struct CMUnitTest *tests;
    glob_t files;
    int failed;

    if (glob("tests/golden/*/*.md", 0, NULL, &files) != 0) {
        print_error("no golden cases: run in the tree's root\n");
        return 1;
    }
    tests = calloc(files.gl_pathc, sizeof *tests);
    if (!tests)
        return 1;
    for (size_t i = 0; i < files.gl_pathc; i++)
        tests[i] =
            (struct CMUnitTest){files.gl_pathv[i], run_case, NULL, NULL, files.gl_pathv[i]};
    failed = _cmocka_run_group_tests("golden", tests, files.gl_pathc, NULL, NULL);
    free(tests);
    globfree(&files);
    return failed;
}
