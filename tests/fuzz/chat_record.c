/* chat_record.c -- fuzz target: any bytes as the records of an upstream's Chat stream.
 *
 * Each line is a record, a line that begins with '!' being one with a name.  Nothing may crash,
 * what is decoded keeps the event grammar without the checker's help, a failure is described,
 * and a decoder that is denied the short way for records that are alike says the same.  What
 * was decoded can be written as a stream again.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "ir/dump.h"
#include "ir/event.h"
#include "triglot/dialect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct rig {
    struct ir_sink sink;
    struct ir_check check;
    struct arena a;
    struct buf dump, stream;
    struct dialect_enc enc;
    struct dialect_dec dec;
    struct tg_err err, breach;
};

static const struct dialect *chat;

static tg_rc
put(struct ir_sink *sink, const struct ir_event *ev)
{
    struct rig *r = (struct rig *)sink;

    (void)!ir_dump_event(ev, &r->dump);
    buf_clear(&r->stream);
    assert(chat->encode_ev(&r->enc, ev, &r->stream) == TG_OK);
    return TG_OK;
}

static void *
zeroed(size_t n)
{
    void *p = calloc(1, n);

    if (!p)
        abort();
    return p;
}

static void
rig_init(struct rig *r)
{
    memset(r, 0, sizeof *r);
    r->sink.put = put;
    arena_init(&r->a);
    buf_init(&r->dump, 1 << 20);
    buf_init(&r->stream, 1 << 20);
    r->enc = (struct dialect_enc){
        .id = STR("i"), .model = STR("m"), .arena = &r->a, .state = zeroed(chat->enc_size)};
    ir_check_init(&r->check, IR_CHOICES_MAX, &r->sink, &r->breach);
    r->dec = (struct dialect_dec){.sink = &r->check.sink,
                                  .arena = &r->a,
                                  .err = &r->err,
                                  .hold_max = 1 << 16,
                                  .state = zeroed(chat->dec_size)};
}

static void
rig_fini(struct rig *r)
{
    free(r->enc.state);
    free(r->dec.state);
    buf_fini(&r->dump);
    buf_fini(&r->stream);
    arena_fini(&r->a);
}

static tg_rc
feed(struct rig *r, struct str event, struct str line, bool space, bool *over)
{
    char *exact = zeroed(line.n + 1);
    size_t n = line.n;
    tg_rc rc;

    if (n)
        memcpy(exact, line.p, n);
    if (space)
        exact[n++] = ' ';
    /* At the end of an allocation, so that a read too far is seen. */
    if (!space) {
        char *less = zeroed(n ? n : 1);

        memcpy(less, exact, n);
        free(exact);
        exact = less;
    }
    rc = chat->decode_record(&r->dec, event, str_of(exact, n), over);
    free(exact);
    /* Of the grammar only the number of choices is not the decoder's to keep, and how many
     * blocks may be open. */
    assert(rc == TG_OK || r->err.rc != TG_OK || r->breach.rc != TG_OK);
    return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size};
    struct rig quick, slow;
    bool over = false, over2 = false, odd = false;
    tg_rc rc = TG_OK, rc2 = TG_OK;

    chat = dialect_find(STR("chat"));
    rig_init(&quick);
    rig_init(&slow);
    while (rest.n && rc == TG_OK && !over) {
        struct str event = {NULL, 0}, line = str_cut(rest, '\n', &rest);

        if (line.n && line.p[0] == '!')
            event = str_cut(str_from(line, 1), ' ', &line);
        rc = feed(&quick, event, line, false, &over);
        rc2 = feed(&slow, event, line, line.n && line.p[0] == '{' && odd, &over2);
        odd = !odd;
        assert(rc == rc2 && over == over2);
    }
    if (rc == TG_OK && !over) {
        rc = chat->decode_eof(&quick.dec);
        assert(rc == chat->decode_eof(&slow.dec));
    }
    assert(str_eq(buf_str(&quick.dump), buf_str(&slow.dump)));
    rig_fini(&quick);
    rig_fini(&slow);
    return 0;
}
