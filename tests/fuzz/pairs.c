/* pairs.c -- fuzz target: any bytes as an upstream's stream, for a client of any dialect.
 *
 * The first byte says which two dialects; its highest bit, that the rest is a whole JSON answer
 * and not a stream.  What the upstream's decoder lets through must be something that the
 * client's dialect can say, unless its encoder refuses; and what it said must be read back as
 * an answer with the same calls.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "support/pairs.h"
#include "json/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct dialect *
pick(unsigned n)
{
    const struct dialect *const *all = dialect_all();
    unsigned count = 0;

    while (all[count])
        count++;
    return all[n % count];
}

/* How many calls; *ret_json: all their arguments are JSON. */
static unsigned
calls(const struct ir_res *res, bool *ret_json)
{
    unsigned n = 0;

    *ret_json = true;
    for (const struct ir_block *b = res->answers[0].blocks; b; b = b->next) {
        if (b->kind != IR_CALL)
            continue;
        n++;
        if (!b->freeform && b->text.n && json_check(b->text, JSON_DEPTH_MAX, NULL) != TG_OK)
            *ret_json = false;
    }
    return n;
}

static tg_rc
decode(struct arena *a, const struct dialect *d, bool whole, struct str text,
       struct ir_sink *sink, struct tg_err *err)
{
    return whole ? pairs_decode_whole(a, d, 1, text, sink, err)
                 : pairs_decode_stream(a, d, 1, text, sink, err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct dialect *from, *to;
    struct ir_fold first, second;
    struct tg_err err = {0};
    struct pairs_enc out;
    struct arena a;
    struct str text;
    bool whole, json;
    unsigned n;

    if (size == 0)
        return 0;
    from = pick(data[0] & 15);
    to = pick(data[0] >> 4 & 7);
    whole = data[0] & 128;
    text = str_of((const char *)data + 1, size - 1);
    if (!from->decode_record || !to->decode_record)
        return 0;
    arena_init(&a);
    ir_fold_init(&first, &a, 1, PAIRS_BYTES_MAX, &err);
    ir_fold_init(&second, &a, 1, PAIRS_BYTES_MAX, &err);
    pairs_enc_init(&out, &a, to, 1, NULL);
    if (decode(&a, from, whole, text, &first.sink, &err) == TG_OK) {
        tg_rc rc = decode(&a, from, whole, text, out.in, &err);

        assert(rc == TG_OK || out.err.rc != TG_OK);
        if (rc == TG_OK) {
            rc = pairs_decode_stream(&a, to, 1, buf_str(&out.out), &second.sink, &err);
            n = calls(&first.res, &json);
            assert(rc == TG_OK || !json);
            assert(rc != TG_OK || n == calls(&second.res, &json));
        }
    } else {
        assert(err.rc != TG_OK);
    }
    pairs_enc_fini(&out);
    arena_fini(&a);
    return 0;
}
