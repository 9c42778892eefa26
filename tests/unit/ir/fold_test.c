/* fold_test.c -- events folded into a whole response, its bound, and odd sources. */
#include "ir/fold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "ir/dump.h"

static const struct ir_usage usage = {3, 7, 1, 0, 2};

static struct ir_event
open_ev(uint32_t choice, uint32_t block, const struct ir_block *head)
{
    return (struct ir_event){
        .kind = IR_EV_OPEN, .choice = choice, .block = block, .head = head};
}

static struct ir_event
delta(uint32_t choice, uint32_t block, struct str text)
{
    return (struct ir_event){
        .kind = IR_EV_DELTA, .choice = choice, .block = block, .text = text};
}

static struct ir_event
plain(enum ir_evkind kind, uint32_t choice, uint32_t block)
{
    return (struct ir_event){
        .kind = kind, .choice = choice, .block = block, .stop = IR_STOP_END, .usage = &usage};
}

static void
put_ok(struct ir_fold *f, struct ir_event ev)
{
    assert_int_equal(f->sink.put(&f->sink, &ev), TG_OK);
}

/* Two choices, interleaved; two calls open at once; the strings change after every put. */
static void
interleaved_blocks_come_apart(void **state)
{
    struct arena a;
    struct ir_fold f;
    char text[8] = "one";
    struct ir_block head = {.kind = IR_TEXT};
    struct ir_block call = {
        .kind = IR_CALL, .id = str_of(text, 3), .name = STR("f"), .freeform = true};
    struct buf b;

    (void)state;
    arena_init(&a);
    buf_init(&b, 4096);
    ir_fold_init(&f, &a, 2, 4096, NULL);
    put_ok(&f, plain(IR_EV_START, 0, 0));
    put_ok(&f, open_ev(0, 0, &call));
    put_ok(&f, open_ev(1, 0, &head));
    put_ok(&f, delta(0, 0, str_of(text, 3)));
    memcpy(text, "two", 3);
    put_ok(&f, open_ev(0, 1, &call));
    put_ok(&f, delta(0, 1, str_of(text, 3)));
    put_ok(&f, delta(1, 0, STR("hello")));
    put_ok(&f, delta(0, 0, str_of(text, 3)));
    memcpy(text, "---", 3);
    put_ok(&f, plain(IR_EV_CLOSE, 0, 0));
    put_ok(&f, plain(IR_EV_CLOSE, 1, 0));
    put_ok(&f, plain(IR_EV_CLOSE, 0, 1));
    put_ok(&f, (struct ir_event){.kind = IR_EV_STOP, .choice = 0, .stop = IR_STOP_CALLS});
    put_ok(&f, plain(IR_EV_STOP, 1, 0));
    put_ok(&f, plain(IR_EV_USAGE, 0, 0));
    put_ok(&f, plain(IR_EV_END, 0, 0));
    assert_int_equal(ir_dump_res(&f.res, &b), TG_OK);
    assert_int_equal(buf_putc(&b, '\0'), TG_OK);
    assert_string_equal(buf_str(&b).p,
                        "answer 0 calls\n"
                        "  call freeform id=\"one\" name=\"f\" \"onetwo\"\n"
                        "  call freeform id=\"two\" name=\"f\" \"two\"\n"
                        "answer 1 end\n"
                        "  text \"hello\"\n"
                        "usage input=3 output=7 cached=1 reasoning=0 cache_write=2\n");
    buf_fini(&b);
    arena_fini(&a);
}

/* What is known only at a block's end, citations, and the sequence that stopped it. */
static void
proofs_and_notes_are_kept(void **state)
{
    struct ir_block think = {.kind = IR_THINK, .summary = true}, text = {.kind = IR_TEXT};
    char sig[] = "sig", maker[] = "messages", url[] = "u1", seq[] = "END";
    struct ir_block proof = {.kind = IR_THINK,
                             .sig = str_of(sig, 3),
                             .sig_id = STR("rs_1"),
                             .origin = maker,
                             .redacted = true};
    struct ir_note note = {.url = str_of(url, 2), .title = STR("t"), .start = 0, .end = 4};
    struct arena a;
    struct ir_fold f;
    struct buf b;

    (void)state;
    arena_init(&a);
    buf_init(&b, 4096);
    ir_fold_init(&f, &a, 1, 4096, NULL);
    put_ok(&f, open_ev(0, 0, &think));
    put_ok(&f, (struct ir_event){.kind = IR_EV_CLOSE, .head = &proof});
    put_ok(&f, open_ev(0, 1, &text));
    put_ok(&f, (struct ir_event){.kind = IR_EV_NOTE, .block = 1, .note = &note});
    put_ok(&f, delta(0, 1, STR("said")));
    url[1] = '2';
    put_ok(&f, (struct ir_event){.kind = IR_EV_NOTE, .block = 1, .note = &note});
    put_ok(&f, (struct ir_event){.kind = IR_EV_CLOSE, .block = 1});
    put_ok(&f, (struct ir_event){
                   .kind = IR_EV_STOP, .stop = IR_STOP_SEQUENCE, .text = str_of(seq, 3)});
    memset(sig, '-', 3);
    memset(maker, '-', 8);
    memset(url, '-', 2);
    memset(seq, '-', 3);
    assert_int_equal(ir_dump_res(&f.res, &b), TG_OK);
    assert_int_equal(buf_putc(&b, '\0'), TG_OK);
    assert_string_equal(buf_str(&b).p,
                        "answer 0 sequence text=\"END\"\n"
                        "  think redacted summary origin=\"messages\" sig_id=\"rs_1\" "
                        "sig=\"sig\" \"\"\n"
                        "  text \"said\"\n"
                        "    note url=\"u1\" title=\"t\" start=0 end=4\n"
                        "    note url=\"u2\" title=\"t\" start=0 end=4\n"
                        "usage input=-1 output=-1 cached=-1 reasoning=-1\n");
    buf_fini(&b);
    arena_fini(&a);
}

static struct ir_event
scored(uint32_t choice, struct str text, struct str logprobs)
{
    return (struct ir_event){
        .kind = IR_EV_DELTA, .choice = choice, .text = text, .logprobs = logprobs};
}

/* Lists become one list, element by element; deltas without any add none. */
static void
log_probabilities_are_joined(void **state)
{
    struct ir_block head = {.kind = IR_TEXT};
    char list[] = "[ {\"token\":\"b\"} ,2\t]";
    struct arena a;
    struct ir_fold f;

    (void)state;
    arena_init(&a);
    ir_fold_init(&f, &a, 3, 8192, NULL);
    for (uint32_t i = 0; i < 3; i++)
        put_ok(&f, open_ev(i, 0, &head));
    put_ok(&f, scored(0, STR("a"), STR("[1]")));
    put_ok(&f, scored(1, STR("x"), STR("[ ]")));
    put_ok(&f, scored(0, STR("b"), str_z(list)));
    memset(list, '-', sizeof list - 1);
    put_ok(&f, scored(0, STR("c"), STR("")));
    put_ok(&f, scored(0, STR(""), STR("[[3,4]]")));
    put_ok(&f, scored(2, STR("y"), STR("[5]")));
    for (uint32_t i = 0; i < 3; i++)
        put_ok(&f, plain(IR_EV_CLOSE, i, 0));
    assert_true(str_eq(f.res.answers[0].blocks->text, STR("abc")));
    assert_true(
        str_eq(f.res.answers[0].blocks->logprobs, STR("[1,{\"token\":\"b\"} ,2,[3,4]]")));
    assert_int_equal(f.res.answers[1].blocks->logprobs.n, 0);
    assert_true(str_eq(f.res.answers[2].blocks->logprobs, STR("[5]")));
    arena_fini(&a);
}

static void
log_probabilities_are_bounded_and_checked(void **state)
{
    static const struct str bad[] = {STR("7"), STR("["), STR("{}"), STR("[1")};
    struct ir_block head = {.kind = IR_TEXT};
    struct ir_event ev = scored(0, STR(""), STR("[\"0123456789\"]"));
    struct arena a;
    struct ir_fold f;
    tg_rc rc = TG_OK;
    int n = 0;

    (void)state;
    arena_init(&a);
    ir_fold_init(&f, &a, 1, 1500, NULL);
    put_ok(&f, open_ev(0, 0, &head));
    for (; rc == TG_OK && n < 200; n++)
        rc = f.sink.put(&f.sink, &ev);
    assert_int_equal(rc, TG_ELIMIT);
    assert_in_range(n, 20, 110);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ir_fold_init(&f, &a, 1, 8192, NULL);
        put_ok(&f, open_ev(0, 0, &head));
        ev = scored(0, STR("x"), bad[i]);
        assert_int_equal(f.sink.put(&f.sink, &ev), TG_EPROTO);
    }
    head.kind = IR_CALL;
    ir_fold_init(&f, &a, 1, 8192, NULL);
    put_ok(&f, open_ev(0, 0, &head));
    ev = scored(0, STR("x"), STR("[]"));
    assert_int_equal(f.sink.put(&f.sink, &ev), TG_EPROTO);
    arena_fini(&a);
}

static void
long_texts_are_whole(void **state)
{
    struct arena a;
    struct ir_fold f;
    struct ir_block head = {.kind = IR_TEXT};
    char piece[32];
    struct str text;

    (void)state;
    arena_init(&a);
    ir_fold_init(&f, &a, 1, 1 << 20, NULL);
    put_ok(&f, open_ev(0, 0, &head));
    for (int i = 0; i < 20000; i++) {
        int n = snprintf(piece, sizeof piece, "%d,", i);

        put_ok(&f, delta(0, 0, str_of(piece, (size_t)n)));
    }
    put_ok(&f, plain(IR_EV_CLOSE, 0, 0));
    text = f.res.answers[0].blocks->text;
    for (int i = 0; i < 20000; i++) {
        int n = snprintf(piece, sizeof piece, "%d,", i);

        assert_true(str_starts(text, str_of(piece, (size_t)n)));
        text = str_from(text, (size_t)n);
    }
    assert_int_equal(text.n, 0);
    assert_true(a.used < 1 << 19);
    arena_fini(&a);
}

static void
the_bound_holds(void **state)
{
    struct arena a;
    struct ir_fold f;
    struct tg_err err = {0};
    struct ir_block head = {.kind = IR_TEXT};
    struct ir_event ev = delta(0, 0, STR("0123456789"));
    tg_rc rc = TG_OK;
    int n = 0;

    (void)state;
    arena_init(&a);
    ir_fold_init(&f, &a, 1, 1000, &err);
    put_ok(&f, open_ev(0, 0, &head));
    for (; rc == TG_OK && n < 200; n++)
        rc = f.sink.put(&f.sink, &ev);
    assert_int_equal(rc, TG_ELIMIT);
    assert_true(n > 70 && n <= 101);
    assert_string_equal(err.code, "upstream_response_too_large");
    /* Blocks without text count too. */
    ir_fold_init(&f, &a, 1, 10000, &err);
    for (n = 0, rc = TG_OK; rc == TG_OK && n < 1000; n++) {
        struct ir_event open = open_ev(0, (uint32_t)n, &head);

        rc = f.sink.put(&f.sink, &open);
    }
    assert_int_equal(rc, TG_ELIMIT);
    assert_true(n < 200);
    /* Citations and proofs too. */
    ir_fold_init(&f, &a, 1, 2000, &err);
    put_ok(&f, open_ev(0, 0, &head));
    ev = (struct ir_event){.kind = IR_EV_NOTE, .note = &(struct ir_note){.url = STR("u")}};
    for (n = 0, rc = TG_OK; rc == TG_OK && n < 1000; n++)
        rc = f.sink.put(&f.sink, &ev);
    assert_int_equal(rc, TG_ELIMIT);
    assert_true(n < 40);
    ir_fold_init(&f, &a, 1, 600, &err);
    head.kind = IR_THINK;
    put_ok(&f, open_ev(0, 0, &head));
    head.sig = str_of((char[600]){"s"}, 600);
    ev = (struct ir_event){.kind = IR_EV_CLOSE, .head = &head};
    assert_int_equal(f.sink.put(&f.sink, &ev), TG_ELIMIT);
    arena_fini(&a);
}

static void
an_error_is_the_result(void **state)
{
    struct arena a;
    struct ir_fold f;
    struct tg_err err = {0},
                  cause = {.rc = TG_EUNAVAIL, .kind = TG_ERR_RATE_LIMIT, .msg = "slow"};
    struct ir_event ev = {.kind = IR_EV_ERROR, .err = &cause};

    (void)state;
    arena_init(&a);
    ir_fold_init(&f, &a, 1, 1000, &err);
    assert_int_equal(f.sink.put(&f.sink, &ev), TG_EUNAVAIL);
    assert_int_equal(err.kind, TG_ERR_RATE_LIMIT);
    assert_string_equal(err.msg, "slow");
    arena_fini(&a);
}

static void
unknown_blocks_and_choices_are_refused(void **state)
{
    struct arena a;
    struct ir_fold f;
    struct ir_block head = {.kind = IR_TEXT};
    const struct ir_event bad[] = {delta(0, 0, STR("x")),   plain(IR_EV_CLOSE, 0, 0),
                                   plain(IR_EV_STOP, 1, 0), open_ev(7, 0, &head),
                                   {.kind = IR_EV_OPEN},    {.kind = IR_EV_USAGE},
                                   {.kind = IR_EV_NOTE}};

    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct tg_err err = {0};

        ir_fold_init(&f, &a, 1, 1000, &err);
        assert_int_equal(f.sink.put(&f.sink, &bad[i]), TG_EPROTO);
        assert_int_equal(err.kind, TG_ERR_UPSTREAM);
    }
    arena_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interleaved_blocks_come_apart),
        cmocka_unit_test(proofs_and_notes_are_kept),
        cmocka_unit_test(log_probabilities_are_joined),
        cmocka_unit_test(log_probabilities_are_bounded_and_checked),
        cmocka_unit_test(long_texts_are_whole),
        cmocka_unit_test(the_bound_holds),
        cmocka_unit_test(an_error_is_the_result),
        cmocka_unit_test(unknown_blocks_and_choices_are_refused),
    };
    int failed = cmocka_run_group_tests_name("ir/fold", tests, NULL, NULL);

    arena_thread_fini();
    return failed;
}
