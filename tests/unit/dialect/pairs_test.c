/* pairs_test.c -- every ordered pair of dialects: answers through both, equal at the end. */
#include "support/pairs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ir/unfold.h"
#include "support/ir_gen.h"
#include "support/pairs_cases.h"
#include "support/pairs_run.h"
#include "support/shapes.h"

static void
answers_stream_through_every_pair(void **state)
{
    static const struct {
        const char *name;
        tg_rc (*put)(const struct pairs_source *, struct ir_sink *);
        unsigned overlap;
    } ways[] = {{"in order", pairs_in_order, 1},
                {"by characters", pairs_by_chars, 1},
                {"at random", pairs_at_random, 1}};

    (void)state;
    FOR_PAIRS(from, to)
    {
        if (!pairs_answers(from, to))
            continue;
        for (unsigned i = 0; i < pairs_n_cases; i++)
            for (unsigned w = 0; w < sizeof ways / sizeof ways[0]; w++) {
                const char *what, *why;
                struct ir_res got, *res;
                struct pairs_source source;
                struct arena a;

                arena_init(&a);
                res = pairs_cases[i].make(&a);
                source = (struct pairs_source){ways[w].put, res, 7 + i, ways[w].overlap};
                what = arena_printf(&a, "%s, streamed %s", pairs_cases[i].name, ways[w].name).p;
                why = pairs_stream(&a, from, to, &source, &got);
                pairs_compare(from, to, what, why, pairs_canon(&a, res, from, to),
                              why ? "" : pairs_canon(&a, &got, from, to));
                arena_fini(&a);
            }
    }
    pairs_settle();
}

static void
answers_go_whole_through_every_pair(void **state)
{
    (void)state;
    FOR_PAIRS(from, to)
    {
        if (!pairs_answers(from, to))
            continue;
        for (unsigned i = 0; i < pairs_n_cases; i++) {
            struct ir_res got, *res;
            const char *why;
            struct arena a;

            arena_init(&a);
            res = pairs_cases[i].make(&a);
            why = pairs_whole(&a, from, to, res, &got);
            pairs_compare(from, to, arena_printf(&a, "%s, whole", pairs_cases[i].name).p, why,
                          pairs_canon(&a, res, from, to),
                          why ? "" : pairs_canon(&a, &got, from, to));
            arena_fini(&a);
        }
    }
    pairs_settle();
}

/* Any sequence of blocks, with calls that overlap where the source allows it. */
static void
any_answer_arrives(void **state)
{
    struct prng r = {29};

    (void)state;
    FOR_PAIRS(from, to)
    {
        if (!pairs_answers(from, to))
            continue;
        for (int i = 0; i < 150; i++) {
            struct ir_res got, *res;
            struct pairs_source source = {pairs_at_random, NULL, 1 + prng_next(&r) % 1000003,
                                          1 + (unsigned)prng_below(&r, 4)};
            const char *why;
            struct arena a;

            arena_init(&a);
            source.res = res = pairs_gen(&a, &r);
            why = i % 3 ? pairs_stream(&a, from, to, &source, &got)
                        : pairs_whole(&a, from, to, res, &got);
            pairs_compare(from, to, arena_printf(&a, "random answer %d", i).p, why,
                          pairs_canon(&a, res, from, to),
                          why ? "" : pairs_canon(&a, &got, from, to));
            arena_fini(&a);
        }
    }
    pairs_settle();
}

/* However an upstream cuts its answer into records, the client gets the same one. */
static void
the_cut_of_an_upstream_does_not_matter(void **state)
{
    (void)state;
    FOR_PAIRS(from, to)
    {
        if (!pairs_answers(from, to))
            continue;
        for (unsigned i = 0; i < pairs_n_cuts; i++) {
            struct ir_res got, *res;
            const char *why;
            struct arena a;

            if (strcmp(pairs_cuts[i].dialect, from->name) != 0)
                continue;
            arena_init(&a);
            res = pairs_cut_answer(&a);
            why = pairs_restream(&a, from, to, str_z(pairs_cuts[i].stream), 1, &got);
            pairs_compare(from, to, pairs_cuts[i].name, why, pairs_canon(&a, res, from, to),
                          why ? "" : pairs_canon(&a, &got, from, to));
            arena_fini(&a);
        }
    }
    pairs_settle();
}

/* A stream that breaks off is never taken for a whole one. */
static void
a_stream_cut_off_is_an_error(void **state)
{
    (void)state;
    FOR_PAIRS(from, to)
    {
        struct pairs_enc out;
        struct str rest, all;
        struct shape_record rec;
        struct ir_res *res;
        struct arena a;

        if (from != to || !pairs_answers(from, to))
            continue;
        arena_init(&a);
        pairs_enc_init(&out, &a, from, 1, NULL);
        res = pairs_cut_answer(&a);
        if (ir_unfold(res, out.in) != TG_OK)
            pairs_fault(from, to, "cut off", "%s", out.err.msg);
        rest = all = buf_str(&out.out);
        while (shape_next(&a, &rest, &rec) && rest.n) {
            struct str part = str_of(all.p, all.n - rest.n);
            struct ir_fold fold;
            struct tg_err err = {0};
            tg_rc rc;

            pairs_ran();
            ir_fold_init(&fold, &a, 1, PAIRS_BYTES_MAX, &err);
            rc = pairs_decode_stream(&a, from, 1, part, &fold.sink, &err);
            if (rc == TG_OK) {
                fold.res.usage = res->usage; /* may come last */
                if (strcmp(pairs_canon(&a, res, from, to),
                           pairs_canon(&a, &fold.res, from, to)) != 0)
                    pairs_fault(from, to, "cut off", "after %zu of %zu bytes taken for whole",
                                part.n, all.n);
            } else if (!err.code || strcmp(err.code, "upstream_truncated") != 0) {
                pairs_fault(from, to, "cut off", "after %zu bytes: %s, %s", part.n,
                            err.code ? err.code : "no code", err.msg);
            }
        }
        pairs_enc_fini(&out);
        arena_fini(&a);
    }
    pairs_settle();
}

/* An error in mid-stream becomes the client's own, of the same kind. */
static void
an_error_in_mid_stream_stays_one(void **state)
{
    static const enum tg_err_kind kinds[] = {TG_ERR_RATE_LIMIT, TG_ERR_OVERLOADED,
                                             TG_ERR_UPSTREAM};

    (void)state;
    FOR_PAIRS(from, to)
    {
        if (!pairs_answers(from, to))
            continue;
        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
            struct ir_block head = {.kind = IR_TEXT};
            struct tg_err cause = {0};
            const struct ir_event evs[] = {{.kind = IR_EV_START},
                                           {.kind = IR_EV_OPEN, .head = &head},
                                           {.kind = IR_EV_DELTA, .text = {"half", 4}},
                                           {.kind = IR_EV_ERROR, .err = &cause}};
            const struct dialect *const way[] = {from, to};
            struct arena a;

            (void)tg_fail(&cause, TG_EUNAVAIL, kinds[k], NULL, "it broke");
            arena_init(&a);
            for (int i = 0; i < 2; i++) {
                struct pairs_enc out;
                struct ir_fold fold;
                struct tg_err err = {0};
                enum tg_err_kind kind = cause.kind;
                tg_rc rc = TG_OK;

                pairs_ran();
                pairs_enc_init(&out, &a, way[i], 1, NULL);
                for (size_t e = 0; e < sizeof evs / sizeof evs[0] && rc == TG_OK; e++)
                    rc = out.in->put(out.in, &evs[e]);
                ir_fold_init(&fold, &a, 1, PAIRS_BYTES_MAX, NULL);
                if (rc != TG_OK)
                    pairs_fault(from, to, "error", "encode_ev: %s", out.err.msg);
                else if (pairs_decode_stream(&a, way[i], 1, buf_str(&out.out), &fold.sink,
                                             &err) == TG_OK)
                    pairs_fault(from, to, "error", "decode_record of %s took it for an answer",
                                way[i]->name);
                else if (err.kind != kind || !strstr(err.msg, "it broke"))
                    pairs_fault(from, to, "error", "%s: kind %d became %d (%s)", way[i]->name,
                                (int)kind, (int)err.kind, err.msg);
                else if (err.rc == TG_OK)
                    pairs_fault(from, to, "error", "%s: an error without rc", way[i]->name);
                pairs_enc_fini(&out);
                if (err.kind != kind)
                    break;
                cause = err;
            }
            arena_fini(&a);
        }
    }
    pairs_settle();
}

/* Several choices, where both dialects have them. */
static void
choices_do_not_mix(void **state)
{
    const struct dialect *chat = dialect_find(STR("chat"));
    struct prng r = {31};

    (void)state;
    for (int i = 0; i < 100 && pairs_answers(chat, chat); i++) {
        struct ir_res got, *res, *more[3];
        struct pairs_source source = {pairs_at_random, NULL, 1 + (uint64_t)i, 3};
        const char *why;
        struct arena a;

        arena_init(&a);
        for (int k = 0; k < 3; k++)
            more[k] = pairs_gen(&a, &r);
        res = more[0];
        res->n_answers = 3;
        res->answers = arena_array(&a, struct ir_answer, 3);
        for (int k = 0; k < 3; k++)
            res->answers[k] = k ? more[k]->answers[0] : pairs_gen(&a, &r)->answers[0];
        source.res = res;
        why = i % 2 ? pairs_stream(&a, chat, chat, &source, &got)
                    : pairs_whole(&a, chat, chat, res, &got);
        pairs_compare(chat, chat, "three choices", why, pairs_canon(&a, res, chat, chat),
                      why ? "" : pairs_canon(&a, &got, chat, chat));
        arena_fini(&a);
    }
    pairs_settle();
}

/* Calls that an upstream gave no ids, or none that every dialect takes: each client gets ids of
 * its own form, no two alike. */
static void
every_call_gets_an_id(void **state)
{
    const struct dialect *chat = dialect_find(STR("chat"));

    (void)state;
    for (const struct dialect *const *p = dialect_all(); *p; p++)
        for (unsigned i = 0; i < pairs_n_odd_ids && pairs_answers(chat, *p); i++) {
            const struct ir_block *x, *y;
            struct ir_res got;
            const char *why;
            struct arena a;

            arena_init(&a);
            pairs_ran();
            why = pairs_restream(&a, chat, *p, str_z(pairs_odd_ids[i]), 1, &got);
            x = why ? NULL : got.answers[0].blocks;
            y = x ? x->next : NULL;
            if (why)
                pairs_fault(chat, *p, "odd ids", "%s", why);
            else if (!y || y->next || !x->id.n || !y->id.n || str_eq(x->id, y->id))
                pairs_fault(chat, *p, "odd ids", "%s", ir_gen_dump(&a, &got));
            arena_fini(&a);
        }
    pairs_settle();
}

static bool
cited_well(const struct ir_res *res)
{
    const struct ir_block *b = res->answers[0].blocks;
    const struct ir_note *n = b ? b->notes : NULL;

    return n && !n->next && str_eq(n->url, STR("https://z.example/?a=1&b=2")) &&
           str_eq(n->title, STR("Weather")) && n->start >= 0 && n->end > n->start;
}

/* Citations in each upstream's own words.  Messages has none for what its maker did not find.
 */
static void
citations_are_understood(void **state)
{
    (void)state;
    FOR_PAIRS(from, to)
    {
        for (unsigned i = 0; i < pairs_n_cited; i++) {
            struct ir_res got;
            const char *why;
            struct arena a;

            if (strcmp(pairs_cited[i].dialect, from->name) != 0 || !pairs_answers(from, to))
                continue;
            arena_init(&a);
            pairs_ran();
            why = pairs_restream(&a, from, to, str_z(pairs_cited[i].stream), 1, &got);
            if (why)
                pairs_fault(from, to, pairs_cited[i].name, "%s", why);
            else if (strcmp(to->name, "messages") != 0 && !cited_well(&got))
                pairs_fault(from, to, pairs_cited[i].name, "%s", ir_gen_dump(&a, &got));
            arena_fini(&a);
        }
    }
    pairs_settle();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(answers_stream_through_every_pair, pairs_begin),
        cmocka_unit_test_setup(answers_go_whole_through_every_pair, pairs_begin),
        cmocka_unit_test_setup(any_answer_arrives, pairs_begin),
        cmocka_unit_test_setup(the_cut_of_an_upstream_does_not_matter, pairs_begin),
        cmocka_unit_test_setup(a_stream_cut_off_is_an_error, pairs_begin),
        cmocka_unit_test_setup(an_error_in_mid_stream_stays_one, pairs_begin),
        cmocka_unit_test_setup(choices_do_not_mix, pairs_begin),
        cmocka_unit_test_setup(every_call_gets_an_id, pairs_begin),
        cmocka_unit_test_setup(citations_are_understood, pairs_begin),
    };
    int failed = cmocka_run_group_tests_name("dialect/pairs", tests, NULL, NULL);

    arena_thread_fini();
    return failed;
}
