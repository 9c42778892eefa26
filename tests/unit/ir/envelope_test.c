/* envelope_test.c -- sealed proofs: round trips, one pinned spelling, and damage of all sorts.
 */
#include "ir/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/ir_gen.h"

/* {"sig":"Ab+/","id":"rs_1","summary":true} */
#define PINNED "tg1:responses:eyJzaWciOiJBYisvIiwiaWQiOiJyc18xIiwic3VtbWFyeSI6dHJ1ZX0"

static void
the_spelling_is_pinned(void **state)
{
    struct ir_block b = {.kind = IR_THINK,
                         .sig = STR("Ab+/"),
                         .sig_id = STR("rs_1"),
                         .origin = "responses",
                         .summary = true};
    struct ir_block got = {.kind = IR_THINK, .text = STR("seen by the client")};
    struct arena a;

    (void)state;
    arena_init(&a);
    assert_true(str_eq(ir_seal(&a, &b), STR(PINNED)));
    assert_true(ir_unseal(&a, STR(PINNED), &got));
    assert_true(str_eq(got.sig, b.sig));
    assert_true(str_eq(got.sig_id, b.sig_id));
    assert_string_equal(got.origin, "responses");
    assert_true(got.summary);
    assert_false(got.redacted);
    /* Nothing was sealed in, so what was there stays. */
    assert_true(str_eq(got.text, STR("seen by the client")));
    arena_fini(&a);
}

static void
what_is_sealed_is_opened(void **state)
{
    static const char *const makers[] = {"chat", "messages", "responses", "x-9_y"};
    struct prng r = {7};

    (void)state;
    for (int i = 0; i < 2000; i++) {
        struct ir_block b = {.kind = IR_THINK}, got = {.kind = IR_THINK, .text = STR("other")};
        struct arena a;
        struct str sealed;

        arena_init(&a);
        b.sig = ir_gen_text(&a, &r, 40);
        b.sig_id = ir_gen_text(&a, &r, 10);
        b.text = ir_gen_text(&a, &r, 50);
        b.origin = makers[prng_below(&r, 4)];
        b.redacted = prng_below(&r, 2);
        b.summary = prng_below(&r, 2);
        sealed = ir_seal(&a, &b);
        for (size_t at = 0; at < sealed.n; at++)
            assert_true(sealed.p[at] > ' ' && sealed.p[at] < 127 && sealed.p[at] != '"' &&
                        sealed.p[at] != '\\');
        assert_true(ir_unseal(&a, sealed, &got));
        assert_true(str_eq(got.sig, b.sig));
        assert_true(str_eq(got.sig_id, b.sig_id));
        assert_true(str_eq(got.text, b.text.n ? b.text : STR("other")));
        assert_string_equal(got.origin, b.origin);
        assert_int_equal(got.redacted, b.redacted);
        assert_int_equal(got.summary, b.summary);
        arena_fini(&a);
    }
}

static void
large_proofs_are_whole(void **state)
{
    struct ir_block b = {.kind = IR_THINK, .origin = "messages"}, got = {.kind = IR_THINK};
    enum { N = 300000 };
    struct arena a;
    char *sig;

    (void)state;
    arena_init(&a);
    sig = arena_alloc(&a, N, 1);
    memset(sig, '"', N); /* two bytes each when escaped */
    b.sig = str_of(sig, N);
    assert_true(ir_unseal(&a, ir_seal(&a, &b), &got));
    assert_true(str_eq(got.sig, b.sig));
    arena_fini(&a);
}

static void
what_is_not_ours_is_left_alone(void **state)
{
    static const char *const bad[] = {
        "",
        "tg1:",
        "tg1:chat",
        "tg1:chat:",    /* no object */
        "tg1::e30",     /* no maker */
        "tg1:Chat:e30", /* not a dialect's name */
        "tg1:ch at:e30",
        "tg1:abcdefghijklmnopqrstuvwxyz0123456789:e30",
        "tg2:chat:e30",
        "TG1:chat:e30",
        " tg1:chat:e30",
        "tg1:chat:e30=", /* padding */
        "tg1:chat:e3",   /* "{" */
        "tg1:chat:e",    /* no whole byte */
        "tg1:chat:e31",  /* stray bits */
        "tg1:chat:e3+",  /* the other alphabet */
        "tg1:chat:e30 ",
        "tg1:chat:W10",                /* [] */
        "tg1:chat:bnVsbA",             /* null */
        "tg1:chat:eyJzaWciOjF9",       /* {"sig":1} */
        "tg1:chat:eyJzdW1tYXJ5IjoxfQ", /* {"summary":1} */
        "tg1:chat:e30:e30",
        "EuYBCkQYBiJAx", /* a maker's own */
        "gAAAAABpc0",
    };
    struct arena a;

    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ir_block b = {.kind = IR_THINK, .sig = STR("s"), .origin = "mine"};

        if (ir_unseal(&a, str_z(bad[i]), &b))
            fail_msg("%s was taken", bad[i]);
        assert_true(str_eq(b.sig, STR("s")));
        assert_string_equal(b.origin, "mine");
    }
    arena_fini(&a);
}

/* Nothing but the proof's presence: {} is ours, and members we do not know are passed over. */
static void
members_are_optional_and_open(void **state)
{
    struct ir_block b = {.kind = IR_THINK};
    struct arena a;

    (void)state;
    arena_init(&a);
    assert_true(ir_unseal(&a, STR("tg1:chat:e30"), &b));
    assert_string_equal(b.origin, "chat");
    assert_int_equal(b.sig.n, 0);
    /* {"sig":"a","new":[1]} */
    assert_true(ir_unseal(&a, STR("tg1:chat:eyJzaWciOiJhIiwibmV3IjpbMV19"), &b));
    assert_true(str_eq(b.sig, STR("a")));
    arena_fini(&a);
}

/* Any byte changed: refused, or another block, but never a fault (sanitizers look on). */
static void
damage_does_no_harm(void **state)
{
    struct prng r = {11};
    struct arena a;

    (void)state;
    arena_init(&a);
    for (size_t at = 0; at < sizeof PINNED - 1; at++)
        for (int i = 0; i < 20; i++) {
            char text[sizeof PINNED];
            struct ir_block b = {.kind = IR_THINK};

            memcpy(text, PINNED, sizeof PINNED);
            text[at] = (char)prng_next(&r);
            if (at < 4 && text[at] != PINNED[at])
                assert_false(ir_unseal(&a, str_of(text, sizeof text - 1), &b));
            else
                (void)ir_unseal(&a, str_of(text, sizeof text - 1), &b);
            (void)ir_unseal(&a, str_of(text, at), &b);
        }
    arena_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_spelling_is_pinned),
        cmocka_unit_test(what_is_sealed_is_opened),
        cmocka_unit_test(large_proofs_are_whole),
        cmocka_unit_test(what_is_not_ours_is_left_alone),
        cmocka_unit_test(members_are_optional_and_open),
        cmocka_unit_test(damage_does_no_harm),
    };
    int failed = cmocka_run_group_tests_name("ir/envelope", tests, NULL, NULL);

    arena_thread_fini();
    return failed;
}
