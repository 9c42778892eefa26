/* responses_record.c -- fuzz target: any bytes as an upstream's Responses stream.
 *
 * Each line is a record; one that begins with '!' has a name, up to a blank.  The decoder
 * stands behind nothing and before the grammar checker, which must never find a breach: what an
 * upstream sends may be refused by the decoder, not passed on out of order.  What comes out is
 * encoded again, and that stream decoded gives the same answer.  All lines together are also an
 * answer that is not streamed, and both are shown to the tap.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "ir/dump.h"
#include "ir/event.h"
#include "ir/fold.h"
#include "ir/seq.h"
#include "ir/unfold.h"
#include "triglot/dialect.h"
#include "json/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BYTES_MAX = 1 << 22 };

static const struct dialect *dialect;

struct decoding {
    struct arena *a;
    struct ir_check check;
    struct ir_fold fold;
    struct tg_err err;
    struct dialect_dec dec;
};

static struct decoding *
begin(struct arena *a)
{
    struct decoding *d = arena_new(a, struct decoding);

    d->a = a;
    ir_fold_init(&d->fold, a, 1, BYTES_MAX, &d->err);
    ir_check_init(&d->check, 1, &d->fold.sink, &d->err);
    d->dec = (struct dialect_dec){.sink = &d->check.sink,
                                  .arena = a,
                                  .err = &d->err,
                                  .hold_max = BYTES_MAX,
                                  .state = arena_alloc(a, dialect->dec_size, 16)};
    return d;
}

/* The checker's words begin like this; ours do not. */
static void
no_breach(const struct decoding *d, tg_rc rc)
{
    assert(rc == TG_OK || d->err.rc != TG_OK);
    assert(rc == TG_OK || !strstr(d->err.msg, "answer is out of order"));
}

struct collect {
    struct ir_sink sink;
    struct dialect_enc enc;
    struct buf out;
};

static tg_rc
collect_put(struct ir_sink *sink, const struct ir_event *ev)
{
    struct collect *c = (struct collect *)sink;

    return dialect->encode_ev(&c->enc, ev, &c->out);
}

/* The answer as a stream of ours, decoded again. */
static void
once_more(struct arena *a, const struct ir_res *res)
{
    struct collect c = {.sink = {collect_put},
                        .enc = {.id = STR("resp_1"),
                                .model = STR("m"),
                                .usage = IR_USAGE_UNKNOWN,
                                .arena = a,
                                .state = arena_alloc(a, dialect->enc_size, 16)}};
    struct decoding *d = begin(a);
    struct str rest;
    bool over = false;
    tg_rc rc;

    buf_init(&c.out, 64 << 20);
    rc = ir_unfold(res, &c.sink);
    assert(rc == TG_OK);
    rest = buf_str(&c.out);
    while (rest.n && rc == TG_OK) {
        struct str line = str_cut(rest, '\n', &rest);

        if (str_starts(line, STR("data: ")))
            rc = dialect->decode_record(&d->dec, STR(""), str_from(line, 6), &over);
    }
    if (rc != TG_OK) {
        (void)fprintf(stderr, "%s\n", d->err.msg);
        abort();
    }
    assert(over && d->fold.res.answers[0].stop == res->answers[0].stop);
    buf_fini(&c.out);
}

static void
tap(struct str lines)
{
    struct dialect_tap t = {.usage = IR_USAGE_UNKNOWN}, whole = t;

    while (lines.n) {
        struct str event = {NULL, 0}, line = str_cut(lines, '\n', &lines);
        struct tg_err err = {0};
        enum dialect_seen seen;

        if (line.n && line.p[0] == '!')
            event = str_cut(str_from(line, 1), ' ', &line);
        seen = dialect->tap_record(&t, event, line, &err);
        assert(seen < DIALECT_FAILED || err.rc != TG_OK);
        if (seen == DIALECT_PASS && !str_starts(line, STR("[DONE]")) &&
            json_check(line, JSON_DEPTH_MAX, NULL) != TG_OK)
            abort();
        (void)dialect->tap_whole(&whole, DIALECT_GENERATE, line);
        (void)dialect->error_fits(line);
        dialect->decode_error(500, line, &err);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str whole = {(const char *)data, size}, rest = whole;
    struct decoding *d, *w;
    struct arena a;
    bool over = false;
    tg_rc rc = TG_OK;

    dialect = dialect_find(STR("responses"));
    arena_init(&a);
    d = begin(&a);
    while (rest.n && rc == TG_OK && !over) {
        struct str event = {NULL, 0}, line = str_cut(rest, '\n', &rest);

        if (line.n && line.p[0] == '!')
            event = str_cut(str_from(line, 1), ' ', &line);
        rc = dialect->decode_record(&d->dec, event, line, &over);
    }
    if (rc == TG_OK)
        rc = dialect->decode_eof(&d->dec);
    no_breach(d, rc);
    if (rc == TG_OK)
        once_more(&a, &d->fold.res);
    w = begin(&a);
    no_breach(w, dialect->decode_res(&w->dec, whole));
    tap(whole);
    arena_fini(&a);
    return 0;
}
