/* messages_req.c -- fuzz target: any bytes as a Messages request.
 *
 * Nothing may crash, and what is accepted keeps its promises: a relayed body is JSON and names
 * the model that was asked for; what can be decoded can be dumped, and encoded again it is JSON
 * that can be decoded, or it is refused with a reason.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "dialect/request.h"
#include "ir/dump.h"
#include "triglot/dialect.h"
#include "json/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
relay(struct arena *a, const struct dialect *d, struct str body)
{
    const struct str model = STR("up/\"x\"\n");
    struct str pieces[DIALECT_PIECES_MAX];
    struct dialect_view v = {0}, again = {0};
    struct tg_err err = {0};
    struct buf out;
    int n = 0;

    if (d->scan_req(a, DIALECT_GENERATE, body, &v, &err) != TG_OK) {
        assert(err.rc != TG_OK && err.msg[0]);
        return;
    }
    d->relay_req(a, &v, model, pieces, &n);
    assert(n >= 1 && n <= DIALECT_PIECES_MAX);
    buf_init(&out, body.n * 2 + 4096);
    for (int i = 0; i < n; i++)
        if (buf_append(&out, pieces[i]) != TG_OK)
            abort();
    if (d->scan_req(a, DIALECT_GENERATE, buf_str(&out), &again, &err) != TG_OK)
        abort();
    assert(str_eq(again.model, model));
    assert(again.stream == v.stream);
    buf_fini(&out);
}

static void
encode(struct arena *a, const struct dialect *d, const struct ir_req *req,
       enum caps_server server, bool strict)
{
    struct dialect_route route = {.model = STR("claude-x"), .strict = strict};
    struct ir_adapt *adapt = NULL;
    struct ir_drops drops = {.n = 0};
    struct ir_req again = {0};
    struct tg_err err = {0};
    struct buf out;

    d->caps(server, route.model, &route.caps);
    buf_init(&out, 8 << 20);
    if (dialect_put_request(a, d, req, &route, &out, &adapt, &drops, &err) != TG_OK) {
        assert(err.rc != TG_OK && err.msg[0] && out.n == 0);
    } else {
        if (json_check(buf_str(&out), JSON_DEPTH_MAX, &err) != TG_OK)
            assert(err.rc == TG_ELIMIT); /* as deep as allowed, and a little deeper now */
        else if (d->decode_req(a, buf_str(&out), &again, &err) == TG_OK)
            assert(again.stream == req->stream && again.n_msgs > 0);
    }
    buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct dialect *d = dialect_find(STR("messages"));
    struct str body = {(const char *)data, size};
    struct ir_req req = {0};
    struct tg_err err = {0};
    struct arena a;
    struct buf out;

    arena_init(&a);
    buf_init(&out, 1 << 20);
    relay(&a, d, body);
    if (d->decode_req(&a, body, &req, &err) == TG_OK) {
        assert(req.n_msgs >= 1 && req.choices == 1 && req.max_tokens > 0);
        (void)!ir_dump_req(&req, &out);
        encode(&a, d, &req, CAPS_SERVER_AUTO, false);
        req.origin = "chat";
        for (int server = 0; server < CAPS_SERVER_N; server++)
            encode(&a, d, &req, (enum caps_server)server, false);
        encode(&a, d, &req, CAPS_SERVER_AUTO, true);
    } else {
        assert(err.rc != TG_OK && err.msg[0]);
    }
    buf_fini(&out);
    arena_fini(&a);
    return 0;
}
