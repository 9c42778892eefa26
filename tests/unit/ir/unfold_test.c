/* unfold_test.c -- a whole answer as events: folded again it is the same, and it keeps the
 * grammar. */
#include "ir/unfold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/list.h"
#include "base/utf8.h"
#include "ir/event.h"
#include "ir/fold.h"
#include "support/ir_gen.h"

enum { BYTES_MAX = 8 << 20 };

static void
folding_is_the_reverse(void **state)
{
    struct prng r = {3};

    (void)state;
    for (int i = 0; i < 2000; i++) {
        unsigned choices = 1 + (unsigned)prng_below(&r, 3);
        struct ir_check check = {0};
        struct tg_err err = {0};
        struct ir_fold fold;
        struct ir_res *res;
        struct arena a;

        arena_init(&a);
        res = ir_gen_res(&a, &r, choices);
        ir_fold_init(&fold, &a, choices, BYTES_MAX, &err);
        ir_check_init(&check, choices, &fold.sink, &err);
        if (ir_unfold(res, &check.sink) != TG_OK)
            fail_msg("run %d: %s", i, err.msg);
        assert_string_equal(ir_gen_dump(&a, res), ir_gen_dump(&a, &fold.res));
        arena_fini(&a);
    }
}

/* However it arrives, it folds to the same. */
static void
any_order_of_arrival_folds_to_the_same(void **state)
{
    struct prng r = {5};

    (void)state;
    for (int i = 0; i < 2000; i++) {
        unsigned choices = 1 + (unsigned)prng_below(&r, 3);
        struct ir_check check = {0};
        struct tg_err err = {0};
        struct ir_fold fold;
        struct ir_res *res;
        struct arena a;

        arena_init(&a);
        res = ir_gen_res(&a, &r, choices);
        ir_fold_init(&fold, &a, choices, BYTES_MAX, &err);
        ir_check_init(&check, choices, &fold.sink, &err);
        if (ir_gen_stream(res, &r, 1 + (unsigned)prng_below(&r, 6), false, &check.sink) !=
            TG_OK)
            fail_msg("run %d: %s", i, err.msg);
        assert_string_equal(ir_gen_dump(&a, res), ir_gen_dump(&a, &fold.res));
        arena_fini(&a);
    }
}

struct pieces {
    struct ir_sink sink;
    unsigned n, fail_at;
    size_t bytes;
};

static tg_rc
count_pieces(struct ir_sink *sink, const struct ir_event *ev)
{
    struct pieces *p = LIST_ITEM(sink, struct pieces, sink);

    if (ev->kind == IR_EV_DELTA) {
        assert_in_range(ev->text.n, 1, IR_PIECE_MAX);
        assert_true(utf8_valid(ev->text));
        assert_int_equal(ev->choice, 2);
        assert_int_equal(ev->block, 7);
        p->bytes += ev->text.n;
    }
    return p->n++ == p->fail_at ? TG_EGONE : TG_OK;
}

static void
long_texts_go_in_pieces_of_whole_characters(void **state)
{
    enum { N = 100000 };
    struct arena a;
    char *text;

    (void)state;
    arena_init(&a);
    text = arena_alloc(&a, N * 3, 1);
    for (size_t shift = 0; shift < 3; shift++) {
        struct pieces p = {.sink = {count_pieces}, .fail_at = 1000};
        struct ir_event place = {.choice = 2, .block = 7};

        memset(text, 'x', shift);
        for (size_t i = 0; i + 1 < N; i++)
            memcpy(text + shift + i * 3, "\xe2\x82\xac", 3);
        assert_int_equal(ir_put_text(&p.sink, &place, str_of(text, shift + (N - 1) * 3)),
                         TG_OK);
        assert_int_equal(p.bytes, shift + (N - 1) * 3);
        assert_in_range(p.n, N * 3 / IR_PIECE_MAX, N * 3 / IR_PIECE_MAX + 2);
    }
    arena_fini(&a);
}

/* All of them with the first piece of the block, or alone when it has no text. */
struct scores {
    struct ir_sink sink;
    unsigned n, n_scored;
    struct str logprobs;
};

static tg_rc
look_for_scores(struct ir_sink *sink, const struct ir_event *ev)
{
    struct scores *s = LIST_ITEM(sink, struct scores, sink);

    if (ev->kind == IR_EV_OPEN)
        assert_int_equal(ev->head->logprobs.n, 0);
    if (ev->kind != IR_EV_DELTA) {
        assert_int_equal(ev->logprobs.n, 0);
        return TG_OK;
    }
    if (s->n++ == 0)
        s->logprobs = ev->logprobs;
    s->n_scored += ev->logprobs.n > 0;
    return TG_OK;
}

static void
log_probabilities_go_first(void **state)
{
    static char text[3 * IR_PIECE_MAX];
    static const size_t sizes[] = {0, 1, sizeof text};

    (void)state;
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct ir_block block = {
            .kind = IR_TEXT, .text = {text, sizes[i]}, .logprobs = STR("[1,2]")};
        struct ir_answer answer = {.blocks = &block, .stop = IR_STOP_PAUSE};
        struct ir_res res = {&answer, 1, IR_USAGE_UNKNOWN};
        struct scores s = {.sink = {look_for_scores}};
        struct ir_fold fold;
        struct arena a;

        assert_int_equal(ir_unfold(&res, &s.sink), TG_OK);
        assert_int_equal(s.n, sizes[i] ? (sizes[i] + IR_PIECE_MAX - 1) / IR_PIECE_MAX : 1);
        assert_int_equal(s.n_scored, 1);
        assert_true(str_eq(s.logprobs, STR("[1,2]")));
        arena_init(&a);
        ir_fold_init(&fold, &a, 1, BYTES_MAX, NULL);
        assert_int_equal(ir_unfold(&res, &fold.sink), TG_OK);
        assert_string_equal(ir_gen_dump(&a, &res), ir_gen_dump(&a, &fold.res));
        arena_fini(&a);
    }
}

static void
the_first_failure_ends_it(void **state)
{
    struct ir_res *res;
    struct arena a;

    (void)state;
    arena_init(&a);
    res = arena_new(&a, struct ir_res);
    res->n_answers = 1;
    res->answers = arena_new(&a, struct ir_answer);
    res->answers->blocks = arena_new(&a, struct ir_block);
    *res->answers->blocks = (struct ir_block){.kind = IR_REFUSAL};
    res->usage = (struct ir_usage){1, -1, -1, -1, -1};
    /* start, open, close, stop, usage, end */
    for (unsigned at = 0; at < 7; at++) {
        struct pieces p = {.sink = {count_pieces}, .fail_at = at};

        assert_int_equal(ir_unfold(res, &p.sink), at < 6 ? TG_EGONE : TG_OK);
        assert_int_equal(p.n, at < 6 ? at + 1 : 6);
    }
    arena_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folding_is_the_reverse),
        cmocka_unit_test(any_order_of_arrival_folds_to_the_same),
        cmocka_unit_test(long_texts_go_in_pieces_of_whole_characters),
        cmocka_unit_test(log_probabilities_go_first),
        cmocka_unit_test(the_first_failure_ends_it),
    };
    int failed = cmocka_run_group_tests_name("ir/unfold", tests, NULL, NULL);

    arena_thread_fini();
    return failed;
}
