/* chat_res.c -- fuzz target: any bytes as an upstream's whole Chat answer, and as its error.
 *
 * Nothing may crash.  An answer that is decoded and folded can be written again, and what was
 * written decodes to the same.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "ir/dump.h"
#include "ir/event.h"
#include "ir/fold.h"
#include "triglot/dialect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct dialect *chat;

/* Decodes body; true when it is an answer.  What it holds is printed. */
static bool
decode(struct arena *a, struct str body, struct ir_res *ret, struct buf *dump)
{
    struct ir_check check = {0};
    struct ir_fold fold;
    struct tg_err err = {0};
    struct dialect_dec dec = {.sink = &check.sink,
                              .arena = a,
                              .err = &err,
                              .hold_max = 1 << 20,
                              .state = arena_alloc(a, chat->dec_size, 16)};
    tg_rc rc;

    ir_fold_init(&fold, a, 1, 1 << 20, &err);
    ir_check_init(&check, 1, &fold.sink, &err);
    rc = chat->decode_res(&dec, body);
    assert(rc == TG_OK || err.rc != TG_OK);
    if (rc != TG_OK)
        return false;
    *ret = fold.res;
    (void)!ir_dump_res(ret, dump);
    return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str body = {(const char *)data, size};
    struct ir_res res, again;
    struct tg_err err = {0};
    struct buf first, second, out;
    struct arena a;

    chat = dialect_find(STR("chat"));
    arena_init(&a);
    buf_init(&first, 1 << 22);
    buf_init(&second, 1 << 22);
    buf_init(&out, 1 << 22);
    if (decode(&a, body, &res, &first)) {
        struct dialect_enc enc = {.id = STR("i"), .model = STR("m"), .arena = &a};

        if (chat->encode_res(&enc, &res, &out) != TG_OK)
            abort();
        assert(decode(&a, buf_str(&out), &again, &second));
        assert(again.answers[0].stop == res.answers[0].stop ||
               res.answers[0].stop == IR_STOP_SEQUENCE);
    }
    chat->decode_error(size ? 400 + data[0] % 200U : 500, body, &err);
    assert(err.rc != TG_OK && err.http != 401);
    buf_fini(&first);
    buf_fini(&second);
    buf_fini(&out);
    arena_fini(&a);
    return 0;
}
