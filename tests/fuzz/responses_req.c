/* responses_req.c -- fuzz target: any bytes as a Responses request.
 *
 * Nothing may crash, and what is accepted keeps its promises: a relayed body names the model
 * that was asked for; a decoded request can be dumped, and written for every dialect that
 * writes requests as JSON, or is refused with a reason; written for its own dialect, it is a
 * request again that can be decoded.  Which server it is written for, and so what it may hold,
 * the number of bytes says.
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
write_for_all(struct arena *a, const struct dialect *own, const struct ir_req *req,
              enum caps_server server)
{
    struct dialect_route route = {.model = STR("m"), .max_tokens = 4096};

    for (const struct dialect *const *d = dialect_all(); *d; d++) {
        struct ir_adapt *adapt = NULL;
        struct ir_drops drops = {.n = 0};
        struct ir_req again = {0};
        struct tg_err err = {0};
        struct buf out;

        if (!(*d)->encode_req)
            continue;
        (*d)->caps(server, route.model, &route.caps);
        buf_init(&out, 1 << 22);
        if (dialect_put_request(a, *d, req, &route, &out, &adapt, &drops, &err) != TG_OK) {
            assert(out.n == 0 && err.msg[0]);
        } else {
            if (json_check(buf_str(&out), JSON_DEPTH_MAX, NULL) != TG_OK)
                abort();
            if (*d == own && own->decode_req(a, buf_str(&out), &again, &err) != TG_OK)
                assert(memmem(out.p, out.n, "\"input\":[]", 10)); /* no item was left */
        }
        buf_fini(&out);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct dialect *d = dialect_find(STR("responses"));
    struct str body = {(const char *)data, size};
    struct ir_req req = {0};
    struct tg_err err = {0};
    struct arena a;
    struct buf out;

    arena_init(&a);
    buf_init(&out, 1 << 20);
    relay(&a, d, body);
    if (d->decode_req(&a, body, &req, &err) == TG_OK) {
        assert(req.choices == 1 && req.model.n > 0);
        (void)!ir_dump_req(&req, &out);
        write_for_all(&a, d, &req, (enum caps_server)(size % CAPS_SERVER_N));
    } else {
        assert(err.rc != TG_OK && err.msg[0]);
    }
    buf_fini(&out);
    arena_fini(&a);
    return 0;
}
