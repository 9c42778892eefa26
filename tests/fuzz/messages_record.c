/* messages_record.c -- fuzz target: any bytes as the records of a Messages stream, and as a
 * whole answer.
 *
 * Each line is a record; a line that begins with '!' has a name in front of its data.  The
 * observer's verdict may not depend on what it remembers; the events of the decoder keep the
 * grammar, or it says why not, and written by the encoder they are a stream that the decoder
 * reads to its end.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "ir/event.h"
#include "ir/fold.h"
#include "ir/seq.h"
#include "triglot/dialect.h"
#include "json/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HOLD_MAX = 1 << 16 };

static const struct dialect *d;

/* Behind the checker and the sequencer: the encoder. */
struct writer {
    struct ir_sink sink;
    struct dialect_enc enc;
    struct buf out;
};

static tg_rc
write_event(struct ir_sink *sink, const struct ir_event *ev)
{
    struct writer *w = (struct writer *)sink;

    return d->encode_ev(&w->enc, ev, &w->out);
}

static struct dialect_dec
decoder(struct arena *a, struct ir_sink *sink, struct tg_err *err)
{
    return (struct dialect_dec){.sink = sink,
                                .arena = a,
                                .err = err,
                                .hold_max = HOLD_MAX,
                                .state = arena_alloc(a, d->dec_size, 16)};
}

static struct str
next_record(struct str *rest, struct str *ret_event)
{
    struct str line = str_cut(*rest, '\n', rest);

    *ret_event = (struct str){NULL, 0};
    if (line.n && line.p[0] == '!')
        *ret_event = str_cut(str_from(line, 1), ' ', &line);
    return line;
}

static void
tap(struct str rest)
{
    struct dialect_tap t = {.usage = IR_USAGE_UNKNOWN}, slow = t;

    while (rest.n) {
        struct str event, line = next_record(&rest, &event);
        struct tg_err err = {0}, err2 = {0};
        enum dialect_seen seen, seen2;
        char *exact = malloc(line.n ? line.n : 1);

        /* At the end of an allocation, so that a read too far is seen. */
        if (!exact)
            abort();
        if (line.n)
            memcpy(exact, line.p, line.n);
        line.p = exact;
        memset(slow.memory, 0, sizeof slow.memory);
        seen = d->tap_record(&t, event, line, &err);
        seen2 = d->tap_record(&slow, event, line, &err2);
        assert(seen == seen2 && t.events == slow.events && t.finished == slow.finished);
        assert(t.usage.input == slow.usage.input && t.usage.output == slow.usage.output);
        assert(seen < DIALECT_FAILED || err.rc != TG_OK);
        if (seen == DIALECT_PASS)
            assert(json_check(line, JSON_DEPTH_MAX, NULL) == TG_OK);
        free(exact);
    }
}

/* What we wrote must be read to its end. */
static void
read_back(struct arena *a, struct str stream)
{
    struct ir_fold fold;
    struct ir_check check = {.err = NULL};
    struct tg_err err = {0};
    struct dialect_dec dec;
    bool over = false;

    ir_fold_init(&fold, a, 1, 64 << 20, &err);
    ir_check_init(&check, 1, &fold.sink, &err);
    dec = decoder(a, &check.sink, &err);
    dec.hold_max = 64 << 20;
    while (stream.n && !over) {
        struct str event = str_cut(stream, '\n', &stream);
        struct str data = str_cut(stream, '\n', &stream);

        (void)str_cut(stream, '\n', &stream);
        if (d->decode_record(&dec, str_from(event, 7), str_from(data, 6), &over) != TG_OK)
            abort();
    }
    assert(over && stream.n == 0);
}

static void
decode(struct str rest, bool whole)
{
    struct writer w = {.sink = {write_event}};
    struct tg_err err = {0};
    struct ir_check check = {.err = NULL};
    struct ir_seq seq = {.err = NULL};
    struct dialect_dec dec;
    struct arena a;
    bool over = false;
    tg_rc rc = TG_OK;

    arena_init(&a);
    buf_init(&w.out, 16 << 20);
    w.enc = (struct dialect_enc){.id = STR("msg_1"),
                                 .model = STR("m"),
                                 .usage = IR_USAGE_UNKNOWN,
                                 .arena = &a,
                                 .state = arena_alloc(&a, d->enc_size, 16)};
    ir_seq_init(&seq, &a, 8 << 20, &w.sink, &err);
    ir_check_init(&check, 1, &seq.sink, &err);
    dec = decoder(&a, &check.sink, &err);
    if (whole) {
        rc = d->decode_res(&dec, rest);
    } else {
        while (rc == TG_OK && rest.n && !over) {
            struct str event, line = next_record(&rest, &event);

            rc = d->decode_record(&dec, event, line, &over);
        }
        if (rc == TG_OK)
            rc = d->decode_eof(&dec);
    }
    if (rc == TG_OK)
        read_back(&a, buf_str(&w.out));
    else
        assert(err.rc != TG_OK && err.msg[0]);
    ir_seq_fini(&seq);
    buf_fini(&w.out);
    arena_fini(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str input = {(const char *)data, size};
    struct dialect_tap once = {.usage = IR_USAGE_UNKNOWN};
    struct tg_err err = {0};

    d = dialect_find(STR("messages"));
    tap(input);
    decode(input, false);
    decode(input, true);
    (void)d->tap_whole(&once, DIALECT_GENERATE, input);
    (void)d->error_fits(input);
    d->decode_error(400, input, &err);
    assert(err.rc != TG_OK);
    return 0;
}
