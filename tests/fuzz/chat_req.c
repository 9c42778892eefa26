/* chat_req.c -- fuzz target: any bytes as a Chat request.
 *
 * Nothing may crash, and what is accepted keeps its promises: a relayed body is JSON, names the
 * model that was asked for, and asks for usage when it streams; what can be decoded can be
 * dumped.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "ir/dump.h"
#include "triglot/dialect.h"
#include "json/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
relay(struct arena *a, const struct dialect *d, enum dialect_call call, struct str body)
{
    const struct str model = STR("up/\"x\"\n");
    struct str pieces[DIALECT_PIECES_MAX];
    struct dialect_view v = {0}, again = {0};
    struct tg_err err = {0};
    struct buf out;
    int n = 0;

    if (d->scan_req(a, call, body, &v, &err) != TG_OK) {
        assert(err.rc != TG_OK && err.msg[0]);
        return;
    }
    d->relay_req(a, &v, model, pieces, &n);
    assert(n >= 1 && n <= DIALECT_PIECES_MAX);
    buf_init(&out, body.n * 2 + 4096);
    for (int i = 0; i < n; i++)
        if (buf_append(&out, pieces[i]) != TG_OK)
            abort();
    if (d->scan_req(a, call, buf_str(&out), &again, &err) != TG_OK)
        abort();
    assert(str_eq(again.model, model));
    assert(again.stream == v.stream);
    assert(call != DIALECT_GENERATE || !again.stream || again.wants_usage);
    buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct dialect *d = dialect_find(STR("chat"));
    struct str body = {(const char *)data, size};
    struct ir_req req = {0};
    struct ir_embed_req embed = {0};
    struct tg_err err = {0};
    struct arena a;
    struct buf out;

    arena_init(&a);
    buf_init(&out, 1 << 20);
    for (int call = 0; call < DIALECT_CALL_N; call++)
        relay(&a, d, (enum dialect_call)call, body);
    if (d->decode_req(&a, body, &req, &err) == TG_OK) {
        assert(req.n_msgs >= 1 && req.choices >= 1 && req.choices <= IR_CHOICES_MAX);
        (void)!ir_dump_req(&req, &out);
    }
    if (d->decode_embed(&a, body, &embed, &err) == TG_OK) {
        assert(embed.n_inputs >= 1);
        (void)!ir_dump_embed_req(&embed, &out);
    }
    buf_fini(&out);
    arena_fini(&a);
    return 0;
}
