/* stream_test.c -- the two readers of streams, against each other and against what was written.
 *
 * Answers come from the scripts that --serve sends, in every dialect.  Both readers must count
 * the same events and timestamps however the bytes are cut, and notice every way to be wrong.
 */
#include "bench/decode.h"
#include "bench/script.h"
#include "bench/split.h"

#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "upstream/sim_stamp.h"

enum { EVENTS = 6, BYTES = 40, NOW = 5000000 };

struct reading {
    struct tally *t;
    struct watch w;
    struct arena a;
    struct split split;
    struct decode decode;
    bool fast, counting, over;
    enum fail fail;
};

static void
begin(struct reading *r, const struct dialect *d, bool fast)
{
    memset(r, 0, sizeof *r);
    r->t = calloc(1, sizeof *r->t);
    r->counting = true;
    r->fast = fast;
    r->w = (struct watch){.t = r->t, .counting = &r->counting, .start_ns = 1000};
    arena_init(&r->a);
    if (fast)
        split_init(&r->split, d);
    else
        decode_init(&r->decode, d, 1, &r->a, &r->w);
}

static void
feed(struct reading *r, struct str piece)
{
    if (r->over || r->fail)
        return;
    if (!r->fast) {
        r->fail = decode_piece(&r->decode, piece, NOW);
        r->over = r->decode.over;
        return;
    }
    switch (split_feed(&r->split, piece, NOW, &r->w)) {
    case SPLIT_OVER:
        r->over = true;
        break;
    case SPLIT_ERROR:
        r->fail = FAIL_STREAM;
        break;
    case SPLIT_TOO_LARGE:
        r->fail = FAIL_GRAMMAR;
        break;
    default:
        break;
    }
}

static void
end(struct reading *r)
{
    if (r->fast)
        split_fini(&r->split);
    else
        decode_fini(&r->decode);
    arena_fini(&r->a);
    free(r->t);
}

/* A stream whose timestamps lie 1,000 ns apart before NOW. */
static void
make(struct script *s, const struct dialect *d)
{
    assert_int_equal(script_make(s, d, false, EVENTS, BYTES), TG_OK);
    for (size_t i = 0; i < EVENTS; i++)
        sim_stamp_put(s->stream.p + s->stamp[i], NOW - 1000 * (int64_t)(i + 1));
}

static void
assert_whole(const struct reading *r)
{
    assert_int_equal(r->fail, FAIL_NONE);
    assert_true(r->over);
    assert_int_equal(r->t->events, EVENTS);
    assert_int_equal(r->t->hist[HIST_FIRST_EVENT].n, 1);
    assert_int_equal(r->t->hist[HIST_FIRST_EVENT].min, NOW - 1000);
    assert_int_equal(r->t->hist[HIST_GAP].n, EVENTS - 1);
    assert_int_equal(r->t->hist[HIST_LATENCY].n, EVENTS);
    assert_int_equal(r->t->hist[HIST_LATENCY].min, 1000);
    assert_int_equal(r->t->hist[HIST_LATENCY].max, 1000 * EVENTS);
    assert_true(r->t->records > EVENTS);
}

static void
for_all(void (*fn)(const struct dialect *d, struct str stream, bool fast))
{
    for (const struct dialect *const *d = dialect_all(); *d; d++) {
        struct script s;

        make(&s, *d);
        fn(*d, buf_str(&s.stream), false);
        fn(*d, buf_str(&s.stream), true);
        script_free(&s);
    }
}

static void
cut_everywhere(const struct dialect *d, struct str stream, bool fast)
{
    for (size_t at = 0; at <= stream.n; at++) {
        struct reading r;

        begin(&r, d, fast);
        if (at)
            feed(&r, str_of(stream.p, at));
        if (at < stream.n)
            feed(&r, str_from(stream, at));
        assert_whole(&r);
        end(&r);
    }
}

static void
test_cut_everywhere(void **state)
{
    (void)state;
    for_all(cut_everywhere);
}

static void
byte_by_byte(const struct dialect *d, struct str stream, bool fast)
{
    struct reading r;

    begin(&r, d, fast);
    for (size_t i = 0; i < stream.n; i++)
        feed(&r, str_of(stream.p + i, 1));
    assert_whole(&r);
    end(&r);
}

static void
test_byte_by_byte(void **state)
{
    (void)state;
    for_all(byte_by_byte);
}

/* A stream that ends early is never over; decoded, it is called truncated. */
static void
cut_short(const struct dialect *d, struct str stream, bool fast)
{
    struct reading r;
    size_t half = stream.n / 2;

    begin(&r, d, fast);
    feed(&r, str_of(stream.p, half));
    if (!fast)
        feed(&r, (struct str){NULL, 0});
    assert_false(r.over);
    assert_int_equal(r.fail, fast ? FAIL_NONE : FAIL_TRUNCATED);
    end(&r);
}

static void
test_cut_short(void **state)
{
    (void)state;
    for_all(cut_short);
}

/* Heartbeats between records are counted as such and as nothing else. */
static void
heartbeats(const struct dialect *d, struct str stream, bool fast)
{
    const char *first = memmem(stream.p, stream.n, "\n\n", 2);
    size_t at = (size_t)(first - stream.p) + 2;
    struct reading r;

    begin(&r, d, fast);
    feed(&r, str_of(stream.p, at));
    feed(&r, d->heartbeat);
    feed(&r, STR(": a comment\n\n"));
    feed(&r, str_from(stream, at));
    assert_whole(&r);
    assert_int_equal(r.t->heartbeats, 2);
    end(&r);
}

static void
test_heartbeats(void **state)
{
    (void)state;
    for_all(heartbeats);
}

/* An error that the server describes in mid-stream. */
static void
error_record(const struct dialect *d, struct str stream, bool fast)
{
    const char *first = memmem(stream.p, stream.n, "\n\n", 2);
    size_t at = (size_t)(first - stream.p) + 2;
    struct tg_err err;
    struct reading r;
    struct buf b;

    (void)tg_fail(&err, TG_EUNAVAIL, TG_ERR_OVERLOADED, "overloaded", "too much at once");
    buf_init(&b, 65536);
    assert_int_equal(d->encode_error_record(&err, &b), TG_OK);
    begin(&r, d, fast);
    feed(&r, str_of(stream.p, at));
    feed(&r, buf_str(&b));
    assert_int_equal(r.fail, FAIL_STREAM);
    end(&r);
    buf_fini(&b);
}

static void
test_error_record(void **state)
{
    (void)state;
    for_all(error_record);
}

/* What is not of the dialect, only decoding finds. */
static void
garbage(const struct dialect *d, struct str stream, bool fast)
{
    struct reading r;

    (void)stream;
    if (fast)
        return;
    begin(&r, d, fast);
    feed(&r, STR("event: message_start\ndata: {not json\n\n"));
    assert_int_equal(r.fail, FAIL_GRAMMAR);
    end(&r);
}

static void
test_garbage(void **state)
{
    (void)state;
    for_all(garbage);
}

/* Nothing is counted outside the window; the gap across its edge is. */
static void
test_window(void **state)
{
    struct reading r;

    (void)state;
    begin(&r, dialect_find(STR("chat")), true);
    r.counting = false;
    watch_text(&r.w, 2000, STR("a"));
    assert_int_equal(r.t->events, 0);
    r.counting = true;
    watch_text(&r.w, 5000, STR("b"));
    assert_int_equal(r.t->events, 1);
    assert_int_equal(r.t->hist[HIST_FIRST_EVENT].n, 0);
    assert_int_equal(r.t->hist[HIST_GAP].n, 1);
    assert_int_equal(r.t->hist[HIST_GAP].max, 3000);
    end(&r);
}

static void
test_stamps_in_text(void **state)
{
    struct reading r;

    (void)state;
    begin(&r, dialect_find(STR("chat")), true);
    watch_text(
        &r.w, 5000,
        STR("@0000000000000004000@ one @x@@0000000000000003000@two @000000000000000300@"));
    assert_int_equal(r.t->events, 1);
    assert_int_equal(r.t->hist[HIST_LATENCY].n, 2);
    assert_int_equal(r.t->hist[HIST_LATENCY].min, 1000);
    assert_int_equal(r.t->hist[HIST_LATENCY].max, 2000);
    end(&r);
}

static void
test_stamp(void **state)
{
    static const char *const bad[] = {"",
                                      "@",
                                      "@000000000000000001@",
                                      "@00000000000000000001@",
                                      "@000000000000000000x@",
                                      "0000000000000000001@@",
                                      "@0000000000000000001 ",
                                      "@9999999999999999999@",
                                      " @0000000000000000001@"};
    static const int64_t good[] = {0, 1, 1234567890123456789, INT64_MAX};
    char text[SIM_STAMP_BYTES + 1] = "";
    int64_t got;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        sim_stamp_put(text, good[i]);
        got = -1;
        assert_true(sim_stamp_get(str_of(text, SIM_STAMP_BYTES), &got));
        assert_int_equal(got, good[i]);
    }
    sim_stamp_put(text, 1234567890123456789);
    assert_string_equal(text, "@1234567890123456789@");
    sim_stamp_put(text, -1);
    assert_string_equal(text, "@0000000000000000000@");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (sim_stamp_get(str_z(bad[i]), &got))
            fail_msg("\"%s\" was taken for a timestamp", bad[i]);
}

/* Whole answers of the script are answers of the dialect. */
static void
test_whole(void **state)
{
    (void)state;
    for (const struct dialect *const *d = dialect_all(); *d; d++) {
        struct script s;
        struct reading r;
        struct str body;

        make(&s, *d);
        body = buf_str(&s.whole);
        begin(&r, *d, false);
        assert_int_equal(decode_whole(&r.decode, body), FAIL_NONE);
        assert_int_equal(r.t->events, 0);
        end(&r);
        begin(&r, *d, false);
        assert_int_equal(decode_whole(&r.decode, str_of(body.p, body.n - 1)), FAIL_GRAMMAR);
        end(&r);
        begin(&r, *d, false);
        assert_int_equal(decode_whole(&r.decode, STR("{}")), FAIL_GRAMMAR);
        end(&r);
        script_free(&s);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_everywhere), cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_cut_short),      cmocka_unit_test(test_heartbeats),
        cmocka_unit_test(test_error_record),   cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_window),         cmocka_unit_test(test_stamps_in_text),
        cmocka_unit_test(test_stamp),          cmocka_unit_test(test_whole),
    };

    return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
