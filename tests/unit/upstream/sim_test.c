/* sim_test.c -- the simulated model: parameters, determinism, limits, stop sequences, calls,
 * errors.
 *
 * Answers go through the grammar check into a log (the text dump of every event) and a fold, so
 * every test also tests that the events are well formed.  No pace is set: nothing here waits.
 */
#include "upstream/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/utf8.h"
#include "ir/dump.h"
#include "ir/event.h"
#include "ir/fold.h"
#include "support/co_test.h"
#include "upstream/sim_stamp.h"
#include "json/scan.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

/* One run: what goes in, and what came out. */
struct run {
    struct ir_sink sink;
    struct sim_params p;
    struct ir_req req;
    struct arena a;
    struct ir_check check;
    struct ir_fold fold;
    struct buf log;
    struct tg_err err;
    tg_rc rc;
    unsigned n, n_deltas;
};

static tg_rc
put(struct ir_sink *sink, const struct ir_event *ev)
{
    struct run *r = LIST_ITEM(sink, struct run, sink);

    r->n++;
    r->n_deltas += ev->kind == IR_EV_DELTA;
    assert_true(ev->kind != IR_EV_DELTA || utf8_valid(ev->text));
    assert_int_equal(ir_dump_event(ev, &r->log), TG_OK);
    return r->fold.sink.put(&r->fold.sink, ev);
}

static tg_rc
body(void *arg)
{
    struct run *r = arg;

    r->rc = sim_generate(&r->a, &r->p, &r->req, &r->check.sink, &r->err);
    return TG_OK;
}

static void
init(struct run *r)
{
    static const struct sim_settings none = {.tokens = 20, .seed = 1};

    memset(r, 0, sizeof *r);
    r->sink.put = put;
    arena_init(&r->a);
    buf_init(&r->log, 16 << 20);
    assert_int_equal(sim_params(&none, STR(""), &r->p, NULL), TG_OK);
    r->req = (struct ir_req){.model = STR("sim"),
                             .parallel_calls = true,
                             .max_tokens = -1,
                             .seed = -1,
                             .choices = 1};
}

static void
go(struct run *r)
{
    memset(&r->check, 0, sizeof r->check);
    ir_check_init(&r->check, r->req.choices, &r->sink, &r->err);
    ir_fold_init(&r->fold, &r->a, r->req.choices, 16 << 20, &r->err);
    buf_clear(&r->log);
    r->n = r->n_deltas = 0;
    assert_int_equal(co_test_run(body, r), TG_OK);
    if (r->rc != TG_OK)
        assert_int_equal(r->rc, r->err.rc);
}

static void
go_ok(struct run *r)
{
    go(r);
    if (r->rc != TG_OK)
        fail_msg("%s", r->err.msg);
}

static void
fini(struct run *r)
{
    buf_fini(&r->log);
    arena_fini(&r->a);
}

/* Appends a message with one block. */
static void
say(struct run *r, enum ir_role role, enum ir_kind kind, const char *text)
{
    struct ir_msg **m = &r->req.msgs;

    while (*m)
        m = &(*m)->next;
    *m = arena_new(&r->a, struct ir_msg);
    (*m)->role = role;
    (*m)->blocks = arena_new(&r->a, struct ir_block);
    (*m)->blocks->kind = kind;
    (*m)->blocks->text = str_z(text);
    r->req.n_msgs++;
}

static void
add_tool(struct run *r, const char *name, const char *schema, bool freeform)
{
    struct ir_tool **t = &r->req.tools;

    while (*t)
        t = &(*t)->next;
    *t = arena_new(&r->a, struct ir_tool);
    (*t)->allowed = true;
    (*t)->name = str_z(name);
    (*t)->schema = str_z(schema);
    (*t)->freeform = freeform;
}

static struct str
text_of(const struct run *r, unsigned choice)
{
    const struct ir_block *b = r->fold.res.answers[choice].blocks;

    return b ? b->text : (struct str){NULL, 0};
}

static struct str
keep(struct run *r)
{
    return arena_dup(&r->a, buf_str(&r->log));
}

static void
parameters(void **state)
{
    static const struct {
        const char *header, *says; /* NULL: accepted */
    } rows[] = {
        {"", NULL},
        {" ", NULL},
        {"tokens=5", NULL},
        {" tokens = 5 , seed=9,", NULL},
        {"first_token_ms=600000,tokens_per_second=1000000,tokens=1000000", NULL},
        {"error=429", NULL},
        {"cut=0", NULL},
        {"tool=get_weather", NULL},
        {"stamp=1", NULL},
        {"stamp=2", "stamp"},
        {"stamp=true", "stamp"},
        {"tokens", "tokens"},
        {"tokens=", "tokens"},
        {"tokens=-1", "tokens"},
        {"tokens=1000001", "tokens"},
        {"tokens=1e3", "tokens"},
        {"error=200", "error"},
        {"error=600", "error"},
        {"cut=-1", "cut"},
        {"tool=", "tool"},
        {"token=5", "unknown key \"token\""},
        {"tokens=1;seed=2", "tokens"},
    };
    const struct sim_settings s = {10, 20, 30, 40, false};
    struct sim_params p;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tg_err err = {0};
        tg_rc rc = sim_params(&s, str_z(rows[i].header), &p, &err);

        print_message("%s\n", rows[i].header);
        assert_int_equal(rc, rows[i].says ? TG_EINVAL : TG_OK);
        if (!rows[i].says)
            continue;
        assert_string_equal(err.param, "x-triglot-sim");
        assert_non_null(strstr(err.msg, rows[i].says));
    }
    assert_int_equal(sim_params(&s, STR("tokens=7, tool=f ,cut=2,error=503"), &p, NULL), TG_OK);
    assert_int_equal(p.first_token_ms, 10);
    assert_int_equal(p.tokens_per_second, 20);
    assert_int_equal(p.tokens, 7);
    assert_int_equal(p.seed, 40);
    assert_int_equal(p.cut, 2);
    assert_int_equal(p.error_status, 503);
    assert_true(str_eq(p.tool, STR("f")));
    assert_int_equal(p.stamp, 0);
}

/* Takes the timestamps out of text; how many there were, each not before the one ahead. */
static unsigned
take_stamps(struct str text, char *out, size_t *ret_n)
{
    int64_t last = 0, at;
    unsigned n = 0;

    *ret_n = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (!sim_stamp_get(str_from(text, i), &at)) {
            out[(*ret_n)++] = text.p[i];
            continue;
        }
        assert_true(at >= last);
        last = at;
        n++;
        i += SIM_STAMP_BYTES - 1;
    }
    return n;
}

/* Every event of a text begins with one, and without them the text is what it was; stop
 * sequences included. */
static void
timestamps(void **state)
{
    static const char *const stops[] = {NULL, "e", "a ", "zzzz"};

    (void)state;
    for (size_t i = 0; i < COUNT(stops); i++) {
        struct str plain, stamped;
        char out[4096];
        struct run r;
        size_t n;

        init(&r);
        r.p.tokens = 60;
        if (stops[i])
            r.req.stop[r.req.n_stop++] = str_z(stops[i]);
        go_ok(&r);
        plain = arena_dup(&r.a, text_of(&r, 0));
        r.p.stamp = 1;
        go_ok(&r);
        stamped = text_of(&r, 0);
        assert_true(stamped.n < sizeof out);
        assert_int_equal(take_stamps(stamped, out, &n), r.n_deltas);
        assert_true(str_eq(str_of(out, n), plain));
        assert_int_equal(r.n_deltas == 0, stamped.n == 0);
        fini(&r);
    }
}

/* What is to be JSON stays JSON. */
static void
timestamps_not_in_json(void **state)
{
    struct str plain;
    struct run r;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        init(&r);
        say(&r, IR_USER, IR_TEXT, "call f");
        if (i == 0)
            add_tool(&r, "f", "{\"type\":\"object\"}", false);
        r.req.format_json = i == 1;
        if (i == 2)
            r.req.format_schema = STR("{\"type\":\"array\",\"minItems\":3}");
        go_ok(&r);
        plain = keep(&r);
        r.p.stamp = 1;
        go_ok(&r);
        assert_true(str_eq(plain, keep(&r)));
        fini(&r);
    }
}

static void
same_in_same_out(void **state)
{
    struct run r;
    struct str first, other;

    (void)state;
    init(&r);
    say(&r, IR_USER, IR_TEXT, "Hello there");
    r.req.choices = 3;
    go_ok(&r);
    first = keep(&r);
    go_ok(&r);
    assert_true(str_eq(first, keep(&r)));
    /* choices, seeds and prompts each make a difference */
    assert_false(str_eq(text_of(&r, 0), text_of(&r, 1)));
    assert_false(str_eq(text_of(&r, 1), text_of(&r, 2)));
    r.p.seed = 2;
    go_ok(&r);
    other = keep(&r);
    assert_false(str_eq(first, other));
    r.p.seed = 1;
    r.req.seed = 7;
    go_ok(&r);
    assert_false(str_eq(first, keep(&r)));
    r.req.seed = -1;
    r.req.msgs->blocks->text = STR("Hello therf");
    go_ok(&r);
    assert_false(str_eq(first, keep(&r)));
    /* the sampling limits do not: a shorter answer is the beginning of a longer one */
    r.req.msgs->blocks->text = STR("Hello there");
    r.req.choices = 1;
    r.req.max_tokens = 5;
    go_ok(&r);
    other = arena_dup(&r.a, text_of(&r, 0));
    r.req.max_tokens = -1;
    go_ok(&r);
    assert_true(str_starts(text_of(&r, 0), other));
    fini(&r);
}

static void
lengths_and_usage(void **state)
{
    static const struct {
        int64_t tokens, max;
        int64_t want;
        enum ir_stop stop;
    } rows[] = {
        {20, -1, 20, IR_STOP_END},    {20, 21, 20, IR_STOP_END},     {20, 20, 20, IR_STOP_END},
        {20, 19, 19, IR_STOP_LENGTH}, {20, 1, 1, IR_STOP_LENGTH},    {1, -1, 1, IR_STOP_END},
        {0, -1, 0, IR_STOP_END},      {3000, -1, 3000, IR_STOP_END},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct run r;
        struct str text;

        init(&r);
        say(&r, IR_SYSTEM, IR_TEXT, "Be  brief.");
        say(&r, IR_USER, IR_TEXT, " one two\nthree ");
        r.p.tokens = rows[i].tokens;
        r.req.max_tokens = rows[i].max;
        go_ok(&r);
        text = text_of(&r, 0);
        assert_int_equal(r.fold.res.usage.output, rows[i].want);
        assert_int_equal(r.n_deltas, rows[i].want);
        assert_int_equal(r.fold.res.usage.input, 2 + 3 + 2 * 3);
        assert_int_equal(r.fold.res.answers[0].stop, rows[i].stop);
        if (rows[i].stop == IR_STOP_END && rows[i].want)
            assert_int_equal(text.p[text.n - 1], '.');
        if (text.n)
            assert_true(text.p[0] != ' ');
        fini(&r);
    }
}

/* Among some hundred tokens are characters of two, three and four bytes. */
static void
text_is_not_all_ascii(void **state)
{
    struct run r;
    bool seen[5] = {false};
    struct str text;

    (void)state;
    init(&r);
    r.p.tokens = 500;
    go_ok(&r);
    text = text_of(&r, 0);
    for (size_t i = 0; i < text.n;) {
        size_t n = utf8_seq(text.p + i, text.p + text.n);

        assert_in_range(n, 1, 4);
        seen[n] = true;
        i += n;
    }
    assert_true(seen[1] && seen[2] && seen[3] && seen[4]);
    fini(&r);
}

/* Every substring of a few lengths at every place of the text is tried as a stop sequence: the
 * answer is the text before its first appearance. */
static void
stop_sequences_at_every_place(void **state)
{
    static const size_t lengths[] = {1, 2, 5, 17, 40};
    struct run r;
    struct str all;

    (void)state;
    init(&r);
    r.p.tokens = 24;
    go_ok(&r);
    all = arena_dup(&r.a, text_of(&r, 0));
    r.req.n_stop = 1;
    for (size_t k = 0; k < COUNT(lengths); k++)
        for (size_t at = 0; at + lengths[k] <= all.n; at++) {
            struct str stop = {all.p + at, lengths[k]};
            const char *first;

            if (!utf8_valid(stop))
                continue;
            first = memmem(all.p, all.n, stop.p, stop.n);
            r.req.stop[0] = stop;
            go_ok(&r);
            assert_int_equal(r.fold.res.answers[0].stop, IR_STOP_SEQUENCE);
            assert_true(str_eq(text_of(&r, 0), str_of(all.p, (size_t)(first - all.p))));
        }
    fini(&r);
}

static void
stop_sequences_that_almost_come(void **state)
{
    struct run r;
    struct str all;
    char almost[80];

    (void)state;
    init(&r);
    r.p.tokens = 24;
    go_ok(&r);
    all = arena_dup(&r.a, text_of(&r, 0));
    /* Held back to the very end, then said after all. */
    (void)snprintf(almost, sizeof almost, "%.*s!", 20, all.p + all.n - 20);
    r.req.stop[0] = str_z(almost);
    r.req.n_stop = 1;
    go_ok(&r);
    assert_int_equal(r.fold.res.answers[0].stop, IR_STOP_END);
    assert_true(str_eq(text_of(&r, 0), all));
    /* and when the limit comes in between */
    r.req.max_tokens = 23;
    go_ok(&r);
    assert_int_equal(r.fold.res.answers[0].stop, IR_STOP_LENGTH);
    assert_true(str_starts(all, text_of(&r, 0)));
    /* the first of several wins, wherever it stands in the list */
    r.req.max_tokens = -1;
    r.req.n_stop = 3;
    r.req.stop[1] = str_of(all.p + 30, 3);
    r.req.stop[2] = str_of(all.p + 10, 3);
    go_ok(&r);
    assert_int_equal(r.fold.res.answers[0].stop, IR_STOP_SEQUENCE);
    assert_true(text_of(&r, 0).n <= 10);
    r.req.stop[0].n = 300;
    go(&r);
    assert_int_equal(r.rc, TG_EINVAL);
    assert_int_equal(r.n, 0);
    fini(&r);
}

static void
choices_interleave(void **state)
{
    struct run r;

    (void)state;
    init(&r);
    r.req.choices = IR_CHOICES_MAX;
    r.p.tokens = 3;
    go_ok(&r);
    assert_int_equal(r.fold.res.usage.output, 3 * IR_CHOICES_MAX);
    assert_int_equal(r.n, 1 + IR_CHOICES_MAX * (1 + 3 + 1 + 1) + 2);
    /* choice 1 begins before choice 0 ends */
    assert_true((const char *)memmem(buf_str(&r.log).p, r.log.n, "open 1.0", 8) <
                (const char *)memmem(buf_str(&r.log).p, r.log.n, "stop 0", 6));
    fini(&r);
}

static const char *const schema =
    "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"},\"days\":{\"type\":"
    "\"integer\",\"minimum\":1,\"maximum\":7}},\"required\":[\"city\",\"days\"]}";

struct call_case {
    const char *header, *user, *result;
    enum ir_choice choice;
    const char *named;
    bool parallel;
    const char *want; /* names called, in order; "" = text */
};

static void
which_tools_are_called(void **state)
{
    static const struct call_case rows[] = {
        {"", "Hello", NULL, IR_CHOICE_AUTO, "", true, ""},
        {"", "Please call weather now", NULL, IR_CHOICE_AUTO, "", true, "weather"},
        {"", "call `patch`.", NULL, IR_CHOICE_AUTO, "", true, "patch"},
        {"", "CALL the tool weather, then call patch and call weather", NULL, IR_CHOICE_AUTO,
         "", true, "weather patch weather"},
        {"", "call weather and call patch", NULL, IR_CHOICE_AUTO, "", false, "weather"},
        {"", "recall weather; call weathers; a call is weather", NULL, IR_CHOICE_AUTO, "", true,
         ""},
        {"", "call weather", NULL, IR_CHOICE_NONE, "", true, ""},
        {"", "Hello", NULL, IR_CHOICE_REQUIRED, "", true, "weather"},
        {"", "call patch, call weather", NULL, IR_CHOICE_REQUIRED, "", true, "patch"},
        {"", "Hello", "sunny", IR_CHOICE_REQUIRED, "", true, "weather"},
        {"", "Hello", NULL, IR_CHOICE_NAMED, "patch", true, "patch"},
        {"", "call weather", "sunny", IR_CHOICE_AUTO, "", true, ""},
        {"tool=patch", "Hello", NULL, IR_CHOICE_AUTO, "", true, "patch"},
        {"tool=patch", "Hello", "sunny", IR_CHOICE_AUTO, "", true, ""},
        {"tool=patch", "Hello", NULL, IR_CHOICE_NONE, "", true, ""},
        {"tool=patch", "Hello", NULL, IR_CHOICE_NAMED, "weather", true, "patch"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct sim_settings none = {.tokens = 5};
        struct str want = str_z(rows[i].want);
        const struct ir_block *b;
        struct run r;

        print_message("%s / %s\n", rows[i].header, rows[i].user);
        init(&r);
        assert_int_equal(sim_params(&none, str_z(rows[i].header), &r.p, NULL), TG_OK);
        say(&r, IR_USER, IR_TEXT, rows[i].user);
        if (rows[i].result)
            say(&r, IR_TOOL, IR_RESULT, rows[i].result);
        add_tool(&r, "weather", schema, false);
        add_tool(&r, "patch", "", true);
        r.req.tool_choice = rows[i].choice;
        r.req.tool_name = str_z(rows[i].named);
        r.req.parallel_calls = rows[i].parallel;
        go_ok(&r);
        b = r.fold.res.answers[0].blocks;
        if (want.n == 0) {
            assert_int_equal(b->kind, IR_TEXT);
            assert_int_equal(r.fold.res.answers[0].stop, IR_STOP_END);
            if (rows[i].result)
                assert_non_null(memmem(b->text.p, b->text.n, "sunny", 5));
        } else {
            assert_int_equal(r.fold.res.answers[0].stop, IR_STOP_CALLS);
        }
        for (; want.n; b = b->next) {
            struct str name = str_cut(want, ' ', &want);

            assert_non_null(b);
            assert_int_equal(b->kind, IR_CALL);
            assert_true(str_eq(b->name, name));
            assert_int_equal(b->freeform, str_eq(name, STR("patch")));
            assert_true(str_starts(b->id, STR("call_")) && b->id.n == 29);
            assert_true(b->text.n > 0);
            if (b->next)
                assert_false(str_eq(b->id, b->next->id));
            if (!b->freeform)
                assert_int_equal(json_check(b->text, JSON_DEPTH_MAX, NULL), TG_OK);
        }
        assert_true(rows[i].want[0] == '\0' || !b);
        fini(&r);
    }
}

static void
arguments_come_in_fragments(void **state)
{
    struct run r;

    (void)state;
    init(&r);
    add_tool(&r, "weather", schema, false);
    r.req.tool_choice = IR_CHOICE_REQUIRED;
    go_ok(&r);
    assert_true(r.n_deltas >= 4);
    assert_int_equal(r.fold.res.usage.output, r.n_deltas);
    /* a limit cuts them */
    r.req.max_tokens = 2;
    go_ok(&r);
    assert_int_equal(r.n_deltas, 2);
    assert_int_equal(r.fold.res.answers[0].stop, IR_STOP_LENGTH);
    assert_int_equal(r.fold.res.answers[0].blocks->kind, IR_CALL);
    /* stop sequences are for text */
    r.req.max_tokens = -1;
    r.req.n_stop = 1;
    r.req.stop[0] = STR("\"");
    go_ok(&r);
    assert_int_equal(r.fold.res.answers[0].stop, IR_STOP_CALLS);
    fini(&r);
}

static void
formats(void **state)
{
    struct json_member m;
    struct run r;
    int64_t days;

    (void)state;
    init(&r);
    r.req.format_json = true;
    go_ok(&r);
    assert_int_equal(json_check(text_of(&r, 0), JSON_DEPTH_MAX, NULL), TG_OK);
    assert_true(json_get(text_of(&r, 0), STR("answer"), &m) && m.kind == JSON_STRING);
    r.req.format_json = false;
    r.req.format_schema = str_z(schema);
    go_ok(&r);
    assert_int_equal(json_check(text_of(&r, 0), JSON_DEPTH_MAX, NULL), TG_OK);
    assert_true(json_get(text_of(&r, 0), STR("days"), &m));
    assert_int_equal(json_i64(m.value, &days), TG_OK);
    assert_in_range(days, 1, 7);
    assert_int_equal(r.fold.res.answers[0].stop, IR_STOP_END);
    /* as deep as it goes, on a coroutine's stack */
    r.req.format_schema =
        STR("{\"properties\":{\"next\":{\"anyOf\":[{\"properties\":{\"n\":{\"$ref\":\"#\"}},"
            "\"required\":[\"n\"]},{\"type\":\"null\"}]}},\"required\":[\"next\"]}");
    go_ok(&r);
    assert_int_equal(json_check(text_of(&r, 0), JSON_DEPTH_MAX, NULL), TG_OK);
    r.req.format_schema = STR("{\"type\":\"integer\",\"minimum\":3,\"maximum\":2}");
    go(&r);
    assert_int_equal(r.rc, TG_EINVAL);
    assert_string_equal(r.err.code, "invalid_schema");
    assert_int_equal(r.n, 0);
    fini(&r);
}

/* Results that hold quotes, half a character at the cut, or nothing. */
static void
results_are_mentioned(void **state)
{
    char longer[1000];
    const char *const results[] = {"", "{\"a\": \"b\"}", longer};

    (void)state;
    for (size_t i = 0; i + 1 < sizeof longer; i++)
        longer[i] = "\xe6\xbc\xa2"[i % 3];
    longer[sizeof longer - 1] = '\0';
    for (size_t i = 0; i < COUNT(results); i++) {
        struct run r;
        struct str head;

        init(&r);
        say(&r, IR_TOOL, IR_RESULT, results[i]);
        add_tool(&r, "weather", schema, false);
        go_ok(&r);
        head = arena_printf(&r.a, "The tool answered: %.*s", 180, results[i]);
        assert_true(str_starts(text_of(&r, 0), head));
        assert_true(utf8_valid(text_of(&r, 0)));
        fini(&r);
    }
}

static void
errors_by_status(void **state)
{
    static const struct {
        int64_t status;
        enum tg_err_kind kind;
        int64_t retry;
    } rows[] = {
        {400, TG_ERR_INVALID_REQUEST, 0}, {401, TG_ERR_AUTH, 0},
        {403, TG_ERR_PERMISSION, 0},      {404, TG_ERR_NOT_FOUND, 0},
        {413, TG_ERR_TOO_LARGE, 0},       {418, TG_ERR_INVALID_REQUEST, 0},
        {429, TG_ERR_RATE_LIMIT, 1000},   {500, TG_ERR_INTERNAL, 0},
        {502, TG_ERR_UPSTREAM, 0},        {503, TG_ERR_OVERLOADED, 1000},
        {504, TG_ERR_TIMEOUT, 0},         {599, TG_ERR_INTERNAL, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct run r;

        init(&r);
        r.p.error_status = rows[i].status;
        go(&r);
        assert_true(r.rc != TG_OK);
        assert_int_equal(r.n, 0);
        assert_int_equal(r.err.http, rows[i].status);
        assert_int_equal(r.err.kind, rows[i].kind);
        assert_int_equal(r.err.retry_after_ms, rows[i].retry);
        assert_int_equal(r.err.origin, TG_FROM_UPSTREAM);
        fini(&r);
    }
}

/* Cut after every number of events that there are: exactly so many come, and the start. */
static void
cuts_at_every_event(void **state)
{
    struct run r;
    unsigned whole;

    (void)state;
    init(&r);
    r.p.tokens = 5;
    go_ok(&r);
    whole = r.n - 1;
    assert_int_equal(whole, 1 + 5 + 1 + 1 + 1 + 1);
    for (unsigned cut = 0; cut < whole; cut++) {
        r.p.cut = cut;
        go(&r);
        assert_int_equal(r.rc, TG_EGONE);
        assert_int_equal(r.n, cut ? cut + 1 : 0);
        assert_string_equal(r.err.code, "upstream_truncated");
        assert_int_equal(r.err.origin, TG_FROM_UPSTREAM);
    }
    r.p.cut = whole;
    go_ok(&r);
    fini(&r);
}

static void
unknown_tools_are_refused(void **state)
{
    const struct sim_settings none = {.tokens = 5};
    struct run r;

    (void)state;
    init(&r);
    assert_int_equal(sim_params(&none, STR("tool=nope"), &r.p, NULL), TG_OK);
    go_ok(&r); /* no tools at all: nothing to call */
    add_tool(&r, "weather", schema, false);
    go(&r);
    assert_int_equal(r.rc, TG_EINVAL);
    assert_string_equal(r.err.param, "x-triglot-sim");
    fini(&r);
}

static void
embeddings(void **state)
{
    struct str inputs[] = {STR("one"), STR("two words"), STR("one")};
    struct ir_embed_req req = {.inputs = inputs, .n_inputs = 3, .dimensions = -1};
    struct ir_embed_res res = {0};
    struct sim_params p = {.seed = 3, .cut = -1};
    struct tg_err err = {0};
    struct arena a;

    (void)state;
    arena_init(&a);
    for (int64_t dimensions = -1; dimensions < 1024; dimensions = dimensions * 4 + 8) {
        double dot = 0;
        unsigned n;

        req.dimensions = dimensions;
        assert_int_equal(sim_embed(&a, &p, &req, &res, &err), TG_OK);
        n = res.dimensions;
        assert_int_equal(n, dimensions < 0 ? 64 : dimensions);
        assert_int_equal(res.n, 3);
        assert_int_equal(res.usage.input, 4);
        for (unsigned i = 0; i < res.n; i++) {
            double square = 0;

            for (unsigned k = 0; k < n; k++)
                square += (double)res.values[i * n + k] * (double)res.values[i * n + k];
            assert_true(square > 0.999 && square < 1.001);
        }
        assert_memory_equal(res.values, res.values + 2 * (size_t)n, n * sizeof(float));
        for (unsigned k = 0; k < n; k++)
            dot += (double)res.values[k] * (double)res.values[n + k];
        if (n >= 64)
            assert_true(dot < 0.5 && dot > -0.5);
    }
    req.dimensions = 4097;
    assert_int_equal(sim_embed(&a, &p, &req, &res, &err), TG_EINVAL);
    assert_string_equal(err.param, "dimensions");
    p.error_status = 401;
    assert_true(sim_embed(&a, &p, &req, &res, &err) != TG_OK);
    assert_int_equal(err.kind, TG_ERR_AUTH);
    arena_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters),
        cmocka_unit_test(timestamps),
        cmocka_unit_test(timestamps_not_in_json),
        cmocka_unit_test(same_in_same_out),
        cmocka_unit_test(lengths_and_usage),
        cmocka_unit_test(text_is_not_all_ascii),
        cmocka_unit_test(stop_sequences_at_every_place),
        cmocka_unit_test(stop_sequences_that_almost_come),
        cmocka_unit_test(choices_interleave),
        cmocka_unit_test(which_tools_are_called),
        cmocka_unit_test(arguments_come_in_fragments),
        cmocka_unit_test(formats),
        cmocka_unit_test(results_are_mentioned),
        cmocka_unit_test(errors_by_status),
        cmocka_unit_test(cuts_at_every_event),
        cmocka_unit_test(unknown_tools_are_refused),
        cmocka_unit_test(embeddings),
    };
    int failed = cmocka_run_group_tests_name("upstream/sim", tests, NULL, NULL);

    arena_thread_fini();
    return failed;
}
