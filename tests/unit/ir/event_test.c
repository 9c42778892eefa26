/* event_test.c -- the event grammar: what passes, what is a breach, and that a breach is final.
 *
 * Each case is a line of steps, one event each: the kind's first letters, then choice and
 * block.
 */
#include "ir/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/list.h"

struct counter {
    struct ir_sink sink;
    unsigned n;
    tg_rc answer;
};

static tg_rc
count(struct ir_sink *sink, const struct ir_event *ev)
{
    struct counter *c = LIST_ITEM(sink, struct counter, sink);

    (void)ev;
    c->n++;
    return c->answer;
}

/* "S" start, "O00" open choice 0 block 0 as text ("o00": a call, "t00":
 * reasoning), "D00", "N00" note, "C00"
 * ("c00": with a proof), "T0" stop, "U" usage, "E" end, "X" error */
static struct ir_event
parse(const char *step)
{
    static const struct ir_block head = {.kind = IR_TEXT};
    static const struct ir_block call = {.kind = IR_CALL}, think = {.kind = IR_THINK};
    static const struct ir_block proof = {
        .kind = IR_THINK, .sig = {"sig", 3}, .origin = "messages"};
    static const struct ir_note note = {.start = -1, .end = -1};
    static const struct ir_usage usage = {1, 2, 0, 0, 0};
    static const struct tg_err err = {.rc = TG_EPROTO};
    struct ir_event ev = {.note = &note, .usage = &usage, .err = &err, .text = STR("x")};
    static const char letters[] = "SODNCTUEX";
    const char *at = strchr(letters, step[0]);

    if (!at) {
        bool thinks = step[0] == 't';

        ev.kind = step[0] == 'c' ? IR_EV_CLOSE : IR_EV_OPEN;
        ev.head = ev.kind == IR_EV_CLOSE ? &proof : thinks ? &think : &call;
    } else {
        ev.kind = (enum ir_evkind)(at - letters);
        ev.head = ev.kind == IR_EV_OPEN ? &head : NULL;
    }
    if (step[1])
        ev.choice = (uint32_t)(step[1] - '0');
    if (step[1] && step[2])
        ev.block = (uint32_t)(step[2] - '0');
    return ev;
}

/* How many steps pass; the result of the first that does not goes to *ret_rc. */
static unsigned
run(const char *steps, unsigned choices, struct counter *c, struct tg_err *err, tg_rc *ret_rc)
{
    struct ir_check check = {0};
    struct str rest = str_z(steps);
    unsigned passed = 0;

    ir_check_init(&check, choices, &c->sink, err);
    *ret_rc = TG_OK;
    while (rest.n) {
        struct str step = str_cut(rest, ' ', &rest);
        char z[4] = {0};
        struct ir_event ev;
        tg_rc rc;

        memcpy(z, step.p, step.n);
        ev = parse(z);
        rc = check.sink.put(&check.sink, &ev);
        if (rc == TG_OK)
            passed++;
        else if (*ret_rc == TG_OK)
            *ret_rc = rc;
    }
    return passed;
}

static void
well_formed_answers_pass(void **state)
{
    static const struct {
        const char *steps;
        unsigned choices;
    } rows[] = {
        {"S O00 D00 D00 C00 T0 U E", 1},
        {"S T0 E", 1},
        {"S O00 C00 O01 D01 C01 T0 E", 1},
        {"S O00 O01 D01 D00 C00 C01 T0 U E", 1},
        {"S O00 O10 D10 D00 C10 T1 C00 T0 U E", 2},
        {"S O00 D00 X", 1},
        {"X", 1},
        {"S T0 U X", 1},
        {"S O00 N00 D00 N00 C00 T0 E", 1},
        {"S t00 D00 c00 o01 O02 N02 C01 C02 T0 U E", 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct counter c = {.sink = {count}};
        struct tg_err err = {0};
        unsigned steps = 1;
        tg_rc rc;

        for (const char *p = rows[i].steps; *p; p++)
            steps += *p == ' ';
        print_message("%s\n", rows[i].steps);
        assert_int_equal(run(rows[i].steps, rows[i].choices, &c, &err, &rc), steps);
        assert_int_equal(c.n, steps);
        assert_int_equal(err.rc, TG_OK);
    }
}

/* The last step of each row is the breach; nothing passes after it. */
static void
breaches_are_caught_and_final(void **state)
{
    static const struct {
        const char *steps;
        unsigned choices;
    } rows[] = {
        {"O00", 1},           {"E", 1},
        {"S S", 1},           {"S D00", 1},
        {"S O00 C00 D00", 1}, {"S O00 C00 C00", 1},
        {"S O01", 1},         {"S O00 O00", 1},
        {"S O00 C00 O02", 1}, {"S O10", 1},
        {"S O00 T0", 1},      {"S T0 O00", 1},
        {"S T0 T0", 1},       {"S T0 T0", 2},
        {"S T0 O00", 2},      {"S U", 1},
        {"S T0 U", 2},        {"S T0 U U", 1},
        {"S E", 1},           {"S T0 E E", 1},
        {"S T0 E X", 1},      {"S T0 U E D00", 1},
        {"N00", 1},           {"S N00", 1},
        {"S O00 C00 N00", 1}, {"S o00 N00", 1},
        {"S t00 N00", 1},     {"S O00 N10", 1},
        {"S O00 c00", 1},     {"S o00 c00", 1},
        {"S T0 N00", 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct counter c = {.sink = {count}};
        struct tg_err err = {0};
        char steps[64];
        unsigned good = 0;
        tg_rc rc;

        for (const char *p = rows[i].steps; *p; p++)
            good += *p == ' ';
        /* An error may always end an answer, but not after a breach. */
        (void)snprintf(steps, sizeof steps, "%s X", rows[i].steps);
        print_message("%s\n", steps);
        assert_int_equal(run(steps, rows[i].choices, &c, &err, &rc), good);
        assert_int_equal(rc, TG_EPROTO);
        assert_int_equal(c.n, good);
        assert_int_equal(err.kind, TG_ERR_UPSTREAM);
        assert_int_equal(err.origin, TG_FROM_UPSTREAM);
        assert_string_equal(err.code, "upstream_protocol_error");
    }
}

static void
messages_say_what_is_wrong(void **state)
{
    static const struct {
        const char *steps, *says;
    } rows[] = {
        {"O00", "did not begin"},      {"S S", "began twice"},
        {"S D00", "not open"},         {"S O01", "dense"},
        {"S O00 T0", "block open"},    {"S U", "usage before"},
        {"S T0 E X", "after its end"}, {"S O10", "not asked for"},
        {"S o00 N00", "is not text"},  {"S O00 c00", "not reasoning"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct counter c = {.sink = {count}};
        struct tg_err err = {0};
        tg_rc rc;

        (void)run(rows[i].steps, 1, &c, &err, &rc);
        assert_int_equal(rc, TG_EPROTO);
        if (!strstr(err.msg, rows[i].says))
            fail_msg("%s: %s", rows[i].steps, err.msg);
    }
}

static void
events_without_their_parts_are_breaches(void **state)
{
    const struct ir_event bad[] = {{.kind = IR_EV_OPEN},
                                   {.kind = IR_EV_KIND_N},
                                   {.kind = (enum ir_evkind)99},
                                   {.kind = IR_EV_ERROR},
                                   {.kind = IR_EV_NOTE}};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct counter c = {.sink = {count}};
        struct ir_check check = {0};
        struct ir_event start = {.kind = IR_EV_START};

        ir_check_init(&check, 1, &c.sink, NULL);
        assert_int_equal(check.sink.put(&check.sink, &start), TG_OK);
        assert_int_equal(check.sink.put(&check.sink, &bad[i]), TG_EPROTO);
        assert_int_equal(c.n, 1);
    }
}

static void
a_proof_needs_its_maker(void **state)
{
    struct ir_block head = {.kind = IR_THINK}, proof = {.kind = IR_THINK, .sig = STR("s")};
    const struct ir_event steps[] = {{.kind = IR_EV_START},
                                     {.kind = IR_EV_OPEN, .head = &head},
                                     {.kind = IR_EV_CLOSE, .head = &proof}};
    struct counter c = {.sink = {count}};
    struct ir_check check = {0};
    struct tg_err err = {0};

    (void)state;
    ir_check_init(&check, 1, &c.sink, &err);
    assert_int_equal(check.sink.put(&check.sink, &steps[0]), TG_OK);
    assert_int_equal(check.sink.put(&check.sink, &steps[1]), TG_OK);
    assert_int_equal(check.sink.put(&check.sink, &steps[2]), TG_EPROTO);
    assert_non_null(strstr(err.msg, "maker"));
}

/* Only text has them, and they are a list. */
static void
log_probabilities_are_lists_of_text(void **state)
{
    static const struct {
        enum ir_kind kind;
        struct str logprobs;
        const char *says;
    } rows[] = {
        {IR_TEXT, STR("[]"), NULL},       {IR_TEXT, STR("[{\"token\":\"a\"}]"), NULL},
        {IR_THINK, STR(""), NULL},        {IR_THINK, STR("[]"), "not text"},
        {IR_CALL, STR("[]"), "not text"}, {IR_REFUSAL, STR("[1]"), "not text"},
        {IR_TEXT, STR("{}"), "no list"},  {IR_TEXT, STR("[1"), "no list"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ir_block head = {.kind = rows[i].kind};
        const struct ir_event steps[] = {
            {.kind = IR_EV_START},
            {.kind = IR_EV_OPEN, .head = &head},
            {.kind = IR_EV_DELTA, .text = STR("a"), .logprobs = rows[i].logprobs}};
        struct counter c = {.sink = {count}};
        struct ir_check check = {0};
        struct tg_err err = {0};

        ir_check_init(&check, 1, &c.sink, &err);
        assert_int_equal(check.sink.put(&check.sink, &steps[0]), TG_OK);
        assert_int_equal(check.sink.put(&check.sink, &steps[1]), TG_OK);
        assert_int_equal(check.sink.put(&check.sink, &steps[2]),
                         rows[i].says ? TG_EPROTO : TG_OK);
        if (rows[i].says)
            assert_non_null(strstr(err.msg, rows[i].says));
        assert_int_equal(c.n, rows[i].says ? 2 : 3);
    }
}

/* A pause is a stop like any other. */
static void
every_stop_passes(void **state)
{
    (void)state;
    for (int stop = IR_STOP_NONE; stop <= IR_STOP_PAUSE; stop++) {
        const struct ir_event steps[] = {{.kind = IR_EV_START},
                                         {.kind = IR_EV_STOP, .stop = (enum ir_stop)stop},
                                         {.kind = IR_EV_END}};
        struct counter c = {.sink = {count}};
        struct ir_check check = {0};

        ir_check_init(&check, 1, &c.sink, NULL);
        for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
            assert_int_equal(check.sink.put(&check.sink, &steps[i]), TG_OK);
    }
}

/* Either kind of checker, and the arena of the second. */
struct checker {
    struct ir_check whole;
    struct arena arena;
    struct ir_sink *sink;
};

static void
checker_open(struct checker *k, bool in_arena, uint32_t choices, struct ir_sink *next,
             struct tg_err *err)
{
    *k = (struct checker){.sink = &k->whole.sink};
    arena_init(&k->arena);
    if (in_arena)
        k->sink = ir_check_new(&k->arena, choices, next, err);
    else
        ir_check_init(&k->whole, choices, next, err);
}

static void
checker_close(struct checker *k)
{
    arena_fini(&k->arena);
    arena_thread_fini();
}

static void
open_blocks_are_bounded(void **state)
{
    (void)state;
    for (int in_arena = 0; in_arena < 2; in_arena++) {
        struct counter c = {.sink = {count}};
        struct ir_block head = {.kind = IR_CALL};
        struct ir_event ev = {.kind = IR_EV_START, .head = &head};
        struct tg_err err = {0};
        struct checker k;

        checker_open(&k, in_arena, 1, &c.sink, &err);
        assert_int_equal(k.sink->put(k.sink, &ev), TG_OK);
        ev.kind = IR_EV_OPEN;
        for (ev.block = 0; ev.block < IR_OPEN_MAX; ev.block++)
            assert_int_equal(k.sink->put(k.sink, &ev), TG_OK);
        /* All of them are still known. */
        ev.kind = IR_EV_DELTA;
        for (ev.block = 0; ev.block < IR_OPEN_MAX; ev.block++)
            assert_int_equal(k.sink->put(k.sink, &ev), TG_OK);
        ev.kind = IR_EV_OPEN;
        assert_int_equal(k.sink->put(k.sink, &ev), TG_EPROTO);
        assert_non_null(strstr(err.msg, "too many"));
        checker_close(&k);
    }
}

static void
all_choices_may_be_open(void **state)
{
    (void)state;
    for (int in_arena = 0; in_arena < 2; in_arena++) {
        struct counter c = {.sink = {count}};
        struct ir_block head = {.kind = IR_TEXT};
        struct ir_note note = {.start = -1, .end = -1};
        struct ir_event ev = {.kind = IR_EV_START, .note = &note};
        struct checker k;

        checker_open(&k, in_arena, IR_CHOICES_MAX, &c.sink, NULL);
        assert_int_equal(k.sink->put(k.sink, &ev), TG_OK);
        for (int kind = IR_EV_OPEN; kind <= IR_EV_STOP; kind++) {
            ev.kind = (enum ir_evkind)kind;
            ev.head = ev.kind == IR_EV_OPEN ? &head : NULL;
            for (ev.choice = 0; ev.choice < IR_CHOICES_MAX; ev.choice++)
                assert_int_equal(k.sink->put(k.sink, &ev), TG_OK);
        }
        ev.kind = IR_EV_END;
        assert_int_equal(k.sink->put(k.sink, &ev), TG_OK);
        checker_close(&k);
    }
}

/* One answer with one choice, as nearly all are. */
static void
a_checker_in_an_arena_is_small(void **state)
{
    struct counter c = {.sink = {count}};
    struct arena a;

    (void)state;
    arena_init(&a);
    (void)ir_check_new(&a, 1, &c.sink, NULL);
    assert_in_range(a.used, 1, 256);
    arena_fini(&a);
    arena_thread_fini();
}

static void
what_the_next_sink_says_is_passed_on(void **state)
{
    struct counter c = {.sink = {count}, .answer = TG_EGONE};
    struct tg_err err = {0};
    tg_rc rc;

    (void)state;
    assert_int_equal(run("S", 1, &c, &err, &rc), 0);
    assert_int_equal(rc, TG_EGONE);
    assert_int_equal(err.rc, TG_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_answers_pass),
        cmocka_unit_test(breaches_are_caught_and_final),
        cmocka_unit_test(messages_say_what_is_wrong),
        cmocka_unit_test(events_without_their_parts_are_breaches),
        cmocka_unit_test(a_proof_needs_its_maker),
        cmocka_unit_test(log_probabilities_are_lists_of_text),
        cmocka_unit_test(every_stop_passes),
        cmocka_unit_test(open_blocks_are_bounded),
        cmocka_unit_test(all_choices_may_be_open),
        cmocka_unit_test(a_checker_in_an_arena_is_small),
        cmocka_unit_test(what_the_next_sink_says_is_passed_on),
    };

    return cmocka_run_group_tests_name("ir/event", tests, NULL, NULL);
}
