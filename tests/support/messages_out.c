/* messages_out.c -- encoding for an upstream of the Messages dialect, in tests. */
#include "support/messages_out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "json/scan.h"

struct dialect_route
messages_route(enum caps_server server, const char *model)
{
    struct dialect_route route = {.model = str_z(model)};

    dialect_find(STR("messages"))->caps(server, route.model, &route.caps);
    return route;
}

void
messages_run(struct messages_result *r, const char *json, messages_change *change,
             struct dialect_route route)
{
    const struct dialect *d = dialect_find(STR("messages"));
    struct ir_drops drops = {.n = 0};
    struct ir_req req = {.n_msgs = 0};
    struct buf b, names;

    *r = (struct messages_result){.rc = TG_OK};
    arena_init(&r->a);
    buf_init(&b, 1 << 20);
    buf_init(&names, 1 << 12);
    if (d->decode_req(&r->a, str_z(json), &req, &r->err) != TG_OK)
        fail_msg("%s: %s", json, r->err.msg);
    if (route.model.n == 0)
        route.model = STR("claude-next");
    if (change)
        change(&r->a, &req);
    assert_int_equal(buf_append(&b, STR("kept")), TG_OK);
    if (route.caps.thinking == CAPS_THINKING_UNSAID)
        d->caps(CAPS_SERVER_AUTO, route.model, &route.caps);
    r->rc = d->encode_req(&r->a, &req, &route, &b, &drops, &r->err);
    if (r->rc == TG_OK)
        assert_int_equal(json_check(str_from(buf_str(&b), 4), JSON_DEPTH_MAX, NULL), TG_OK);
    else
        assert_int_equal(b.n, 4); /* the buffer is as it was */
    r->body = arena_printf(&r->a, "%.*s", STR_ARG(str_from(buf_str(&b), 4)));
    for (unsigned i = 0; i < drops.n; i++)
        assert_int_equal(buf_printf(&names, "%s%.*s", i ? " " : "", STR_ARG(drops.name[i])),
                         TG_OK);
    r->drops = arena_printf(&r->a, "%.*s", STR_ARG(buf_str(&names)));
    buf_fini(&b);
    buf_fini(&names);
}

void
messages_fini(struct messages_result *r)
{
    arena_fini(&r->a);
    arena_thread_fini();
}

void
messages_expect_on(struct dialect_route route, const char *json, messages_change *change,
                   const char *body, const char *drops)
{
    struct messages_result r;

    messages_run(&r, json, change, route);
    if (r.rc != TG_OK)
        fail_msg("%s: %s", json, r.err.msg);
    assert_string_equal(r.body.p, body);
    assert_string_equal(r.drops.p, drops);
    messages_fini(&r);
}

void
messages_expect(const char *json, messages_change *change, const char *body, const char *drops)
{
    messages_expect_on(MESSAGES_ANY, json, change, body, drops);
}

void
messages_expect_refused(struct dialect_route route, const char *json, messages_change *change,
                        const char *param)
{
    struct messages_result r;

    messages_run(&r, json, change, route);
    assert_int_equal(r.rc, TG_EINVAL);
    assert_string_equal(r.err.param, param);
    assert_int_equal(r.err.kind, TG_ERR_INVALID_REQUEST);
    messages_fini(&r);
}

void
messages_from_chat(struct arena *a, struct ir_req *req)
{
    (void)a;
    req->origin = "chat";
}
