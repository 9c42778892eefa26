/* seq_test.c -- the sequencer: one block open at a time, nothing lost, nothing past the bound.
 */
#include "ir/seq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/list.h"
#include "ir/dump.h"
#include "ir/event.h"
#include "ir/fold.h"
#include "support/ir_gen.h"

enum { BYTES_MAX = 8 << 20 };

/* Stands behind the sequencer: at most one block open, numbers dense. */
struct in_line {
    struct ir_sink sink, *next;
    bool open, over;
    uint32_t opened;
    unsigned n, fail_at; /* events seen; the one that fails, 0 = none */
};

static tg_rc
in_line_put(struct ir_sink *sink, const struct ir_event *ev)
{
    struct in_line *l = LIST_ITEM(sink, struct in_line, sink);

    assert_false(l->over);
    switch (ev->kind) {
    case IR_EV_OPEN:
        assert_false(l->open);
        assert_int_equal(ev->block, l->opened);
        l->open = true;
        l->opened++;
        break;
    case IR_EV_DELTA:
        assert_true(ev->text.n > 0);
        __attribute__((fallthrough));
    case IR_EV_NOTE:
    case IR_EV_CLOSE:
        assert_true(l->open);
        assert_int_equal(ev->block, l->opened - 1);
        l->open = ev->kind != IR_EV_CLOSE;
        break;
    case IR_EV_STOP:
        assert_false(l->open);
        break;
    case IR_EV_ERROR:
    case IR_EV_END:
        l->over = true;
        break;
    default:
        break;
    }
    if (++l->n == l->fail_at)
        return TG_EGONE;
    return l->next->put(l->next, ev);
}

/* Before the sequencer: looks at what it keeps after every event. */
struct bound {
    struct ir_sink sink;
    struct ir_seq *seq;
    size_t most;
};

static tg_rc
bound_put(struct ir_sink *sink, const struct ir_event *ev)
{
    struct bound *b = LIST_ITEM(sink, struct bound, sink);
    tg_rc rc = b->seq->sink.put(&b->seq->sink, ev);

    assert_true(b->seq->held <= b->seq->held_max);
    if (b->seq->held > b->most)
        b->most = b->seq->held;
    return rc;
}

struct rig {
    struct arena a;
    struct tg_err err;
    struct ir_fold fold;
    struct ir_check behind, front;
    struct in_line line;
    struct ir_seq seq;
    struct bound bound;
};

/* checker, bound, sequencer, in_line, checker, fold */
static void
set_up(struct rig *g, size_t held_max)
{
    memset(g, 0, sizeof *g);
    arena_init(&g->a);
    ir_fold_init(&g->fold, &g->a, 1, BYTES_MAX, &g->err);
    ir_check_init(&g->behind, 1, &g->fold.sink, &g->err);
    g->line = (struct in_line){.sink = {in_line_put}, .next = &g->behind.sink};
    ir_seq_init(&g->seq, &g->a, held_max, &g->line.sink, &g->err);
    g->bound = (struct bound){.sink = {bound_put}, .seq = &g->seq};
    ir_check_init(&g->front, 1, &g->bound.sink, &g->err);
}

static void
tear_down(struct rig *g)
{
    ir_seq_fini(&g->seq);
    assert_int_equal(g->seq.held, 0);
    arena_fini(&g->a);
}

static void
blocks_come_one_by_one_and_whole(void **state)
{
    struct prng r = {13};
    size_t most = 0;

    (void)state;
    for (int i = 0; i < 3000; i++) {
        struct ir_res *res;
        struct rig g;

        set_up(&g, BYTES_MAX);
        res = ir_gen_res(&g.a, &r, 1);
        if (ir_gen_stream(res, &r, 1 + (unsigned)prng_below(&r, 6), false, &g.front.sink) !=
            TG_OK)
            fail_msg("run %d: %s", i, g.err.msg);
        assert_string_equal(ir_gen_dump(&g.a, res), ir_gen_dump(&g.a, &g.fold.res));
        assert_int_equal(g.seq.held, 0);
        most = g.bound.most > most ? g.bound.most : most;
        tear_down(&g);
    }
    assert_true(most > 1000);
}

/* A block that need not wait does not: the sequencer is a pipe for streams in order. */
static void
streams_in_order_are_not_held(void **state)
{
    struct prng r = {17};

    (void)state;
    for (int i = 0; i < 500; i++) {
        struct ir_res *res;
        struct rig g;

        set_up(&g, 0);
        res = ir_gen_res(&g.a, &r, 1);
        assert_int_equal(ir_gen_stream(res, &r, 1, false, &g.front.sink), TG_OK);
        assert_string_equal(ir_gen_dump(&g.a, res), ir_gen_dump(&g.a, &g.fold.res));
        assert_int_equal(g.bound.most, 0);
        tear_down(&g);
    }
}

static void
the_bound_holds(void **state)
{
    struct prng r = {19};
    unsigned passed = 0, refused = 0;

    (void)state;
    for (int i = 0; i < 2000; i++) {
        struct ir_res *res;
        struct rig g;
        tg_rc rc;

        set_up(&g, (size_t)prng_below(&r, 1500));
        res = ir_gen_res(&g.a, &r, 1);
        rc = ir_gen_stream(res, &r, 6, false, &g.front.sink);
        if (rc == TG_OK) {
            assert_string_equal(ir_gen_dump(&g.a, res), ir_gen_dump(&g.a, &g.fold.res));
            passed++;
        } else {
            assert_int_equal(rc, TG_ELIMIT);
            assert_int_equal(g.err.kind, TG_ERR_UPSTREAM);
            assert_int_equal(g.err.origin, TG_FROM_UPSTREAM);
            assert_string_equal(g.err.code, "upstream_protocol_error");
            refused++;
        }
        tear_down(&g);
    }
    assert_true(passed > 100);
    assert_true(refused > 100);
}

/* Blocks without text are bounded too. */
static void
empty_blocks_count(void **state)
{
    struct ir_block head = {.kind = IR_CALL, .id = STR("c"), .name = STR("f")};
    struct ir_event ev = {.kind = IR_EV_START, .head = &head};
    tg_rc rc = TG_OK;
    struct rig g;

    (void)state;
    set_up(&g, 4096);
    assert_int_equal(g.seq.sink.put(&g.seq.sink, &ev), TG_OK);
    for (ev.block = 0; rc == TG_OK && ev.block < 200; ev.block++) {
        ev.kind = IR_EV_OPEN;
        rc = g.seq.sink.put(&g.seq.sink, &ev);
        ev.kind = IR_EV_CLOSE;
        ev.head = NULL;
        if (ev.block > 0 && rc == TG_OK)
            rc = g.seq.sink.put(&g.seq.sink, &ev);
        ev.head = &head;
    }
    assert_int_equal(rc, TG_ELIMIT);
    assert_in_range(ev.block, 5, 60);
    tear_down(&g);
}

/* What comes out, as text, in the place of the fold. */
struct writer {
    struct ir_sink sink;
    struct buf b;
};

static tg_rc
write_event(struct ir_sink *sink, const struct ir_event *ev)
{
    struct writer *w = LIST_ITEM(sink, struct writer, sink);

    return ir_dump_event(ev, &w->b);
}

/* Held with the text they are about, and counted. */
static void
log_probabilities_keep_their_text(void **state)
{
    static const struct ir_block call = {.kind = IR_CALL, .id = {"c", 1}, .name = {"f", 1}};
    static const struct ir_block text = {.kind = IR_TEXT};
    static const struct ir_note note = {.url = {"u", 1}, .start = -1, .end = -1};
    const struct ir_event steps[] = {
        {.kind = IR_EV_START},
        {.kind = IR_EV_OPEN, .block = 0, .head = &call},
        {.kind = IR_EV_OPEN, .block = 1, .head = &text},
        {.kind = IR_EV_DELTA, .block = 1, .text = {"plain ", 6}},
        {.kind = IR_EV_DELTA, .block = 1, .text = {"more ", 5}},
        {.kind = IR_EV_DELTA, .block = 1, .text = {"a", 1}, .logprobs = {"[1]", 3}},
        {.kind = IR_EV_NOTE, .block = 1, .note = &note},
        {.kind = IR_EV_DELTA, .block = 1, .text = {"bc", 2}, .logprobs = {"[2,3]", 5}},
        {.kind = IR_EV_DELTA, .block = 1, .logprobs = {"[4]", 3}},
        {.kind = IR_EV_DELTA, .block = 1, .text = {"d", 1}},
        {.kind = IR_EV_CLOSE, .block = 0},
        {.kind = IR_EV_DELTA, .block = 1, .text = {"e", 1}, .logprobs = {"[5]", 3}},
        {.kind = IR_EV_DELTA, .block = 1, .logprobs = {"[6]", 3}},
        {.kind = IR_EV_DELTA, .block = 1},
        {.kind = IR_EV_CLOSE, .block = 1},
    };
    struct writer w = {.sink = {write_event}};
    struct ir_seq s = {0};
    size_t held = 0;
    struct arena a;

    (void)state;
    arena_init(&a);
    buf_init(&w.b, 4096);
    ir_seq_init(&s, &a, BYTES_MAX, &w.sink, NULL);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        assert_int_equal(s.sink.put(&s.sink, &steps[i]), TG_OK);
        if (i > 2 && i < 10)
            assert_true(s.held >= held + steps[i].text.n + steps[i].logprobs.n);
        held = s.held;
    }
    assert_int_equal(buf_putc(&w.b, '\0'), TG_OK);
    assert_string_equal(buf_str(&w.b).p, "start\n"
                                         "open 0.0 call id=\"c\" name=\"f\"\n"
                                         "close 0.0\n"
                                         "open 0.1 text\n"
                                         "delta 0.1 \"plain more \"\n"
                                         "delta 0.1 \"a\" logprobs=[1]\n"
                                         "note 0.1 url=\"u\"\n"
                                         "delta 0.1 \"bc\" logprobs=[2,3]\n"
                                         "delta 0.1 \"\" logprobs=[4]\n"
                                         "delta 0.1 \"d\"\n"
                                         "delta 0.1 \"e\" logprobs=[5]\n"
                                         "delta 0.1 \"\" logprobs=[6]\n"
                                         "close 0.1\n");
    assert_int_equal(s.held, 0);
    /* Past the bound: refused, and freed. */
    ir_seq_init(&s, &a, held / 2, &w.sink, NULL);
    {
        tg_rc rc = TG_OK;

        for (size_t i = 0; rc == TG_OK && i < 3; i++)
            rc = s.sink.put(&s.sink, &steps[i]);
        for (size_t i = 0; rc == TG_OK && i < 1000; i++)
            rc = s.sink.put(&s.sink, &steps[8]);
        assert_int_equal(rc, TG_ELIMIT);
    }
    ir_seq_fini(&s);
    assert_int_equal(s.held, 0);
    buf_fini(&w.b);
    arena_fini(&a);
}

/* Wherever the client leaves, what was kept is freed. */
static void
a_failure_anywhere_is_passed_on(void **state)
{
    struct prng r = {23};

    (void)state;
    for (int i = 0; i < 60; i++)
        for (unsigned at = 1;; at++) {
            struct prng again = {r.state};
            struct ir_res *res;
            struct rig g;
            tg_rc rc;

            set_up(&g, BYTES_MAX);
            g.line.fail_at = at;
            res = ir_gen_res(&g.a, &again, 1);
            rc = ir_gen_stream(res, &again, 6, false, &g.front.sink);
            if (rc == TG_OK)
                assert_true(g.line.n < at);
            else
                assert_int_equal(rc, TG_EGONE);
            tear_down(&g);
            if (rc == TG_OK) {
                r = again;
                break;
            }
        }
}

static void
an_error_passes_at_once(void **state)
{
    struct ir_block head = {.kind = IR_CALL, .id = STR("c"), .name = STR("f")};
    struct tg_err cause = {.rc = TG_EUNAVAIL, .kind = TG_ERR_OVERLOADED};
    const struct ir_event steps[] = {
        {.kind = IR_EV_START},
        {.kind = IR_EV_OPEN, .block = 0, .head = &head},
        {.kind = IR_EV_OPEN, .block = 1, .head = &head},
        {.kind = IR_EV_DELTA, .block = 1, .text = STR("{}")},
        {.kind = IR_EV_CLOSE, .block = 1},
    };
    struct ir_event error = {.kind = IR_EV_ERROR, .err = &cause};
    struct rig g;

    (void)state;
    set_up(&g, 4096);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        assert_int_equal(g.front.sink.put(&g.front.sink, &steps[i]), TG_OK);
    assert_true(g.seq.held > 0);
    assert_int_equal(g.line.n, 2);
    assert_int_equal(g.front.sink.put(&g.front.sink, &error), TG_EUNAVAIL);
    assert_int_equal(g.line.n, 3);
    assert_true(g.line.over);
    assert_int_equal(g.seq.held, 0);
    tear_down(&g);
}

/* Without the checker in front: refused, not believed. */
static void
what_makes_no_sense_is_refused(void **state)
{
    struct ir_block head = {.kind = IR_TEXT};
    const struct ir_event open = {.kind = IR_EV_OPEN, .head = &head};
    const struct ir_event held = {.kind = IR_EV_OPEN, .block = 1, .head = &head};
    const struct ir_event shut = {.kind = IR_EV_CLOSE, .block = 1};
    const struct ir_event bad[] = {
        {.kind = IR_EV_OPEN, .block = 2},
        {.kind = IR_EV_OPEN, .block = 2, .choice = 1, .head = &head},
        {.kind = IR_EV_DELTA, .block = 1, .text = {"x", 1}},
        {.kind = IR_EV_CLOSE, .block = 3},
        {.kind = IR_EV_NOTE, .block = 3},
        {.kind = IR_EV_STOP},
        {.kind = IR_EV_END},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ir_event start = {.kind = IR_EV_START};
        struct rig g;

        set_up(&g, 4096);
        assert_int_equal(g.seq.sink.put(&g.seq.sink, &start), TG_OK);
        assert_int_equal(g.seq.sink.put(&g.seq.sink, &open), TG_OK);
        assert_int_equal(g.seq.sink.put(&g.seq.sink, &held), TG_OK);
        assert_int_equal(g.seq.sink.put(&g.seq.sink, &shut), TG_OK);
        assert_int_equal(g.seq.sink.put(&g.seq.sink, &bad[i]), TG_EPROTO);
        assert_int_equal(g.err.kind, TG_ERR_UPSTREAM);
        tear_down(&g);
    }
}

static void
a_zeroed_one_may_be_ended(void **state)
{
    struct ir_seq s = {.held = 0};

    (void)state;
    ir_seq_fini(&s);
    assert_int_equal(s.held, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_come_one_by_one_and_whole),
        cmocka_unit_test(streams_in_order_are_not_held),
        cmocka_unit_test(the_bound_holds),
        cmocka_unit_test(empty_blocks_count),
        cmocka_unit_test(log_probabilities_keep_their_text),
        cmocka_unit_test(a_failure_anywhere_is_passed_on),
        cmocka_unit_test(an_error_passes_at_once),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(a_zeroed_one_may_be_ended),
    };
    int failed = cmocka_run_group_tests_name("ir/seq", tests, NULL, NULL);

    arena_thread_fini();
    return failed;
}
