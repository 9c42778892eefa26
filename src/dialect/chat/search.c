/* search.c -- the search of the web, which the dialect asks for beside the tools.
 *
 *   web_search_options {search_context_size, user_location {type, approximate {city, ...}}}
 *
 * Inside it is a tool that a provider runs, in the form that Responses has for it, where the
 * place is flat.  Messages' tool of that name says the place in the same way.  What both have
 * besides (domains, a limit of uses) the dialect has no words for.
 */
#include "dialect/chat/enc_int.h"

static const char field_name[] = "web_search_options";

/* The place's members, beside its type. */
static tg_rc
put_flat_place(struct chat_dec *d, const struct field_at *up, struct json_out *o,
               const struct json_member *place)
{
    static const char *const keys[] = {"type", "approximate"};
    struct field_at at = {up, "user_location", 0}, inner = {&at, keys[1], 0};
    struct json_member m[2], member;
    struct json_iter it;
    tg_rc rc = field_pick(&d->in, &at, place->value, keys, 2, m);

    if (rc != TG_OK || !field_has(&m[1]))
        return rc;
    if (json_object(&it, m[1].value) != TG_OK)
        return field_refuse_type(&d->in, &inner, "an object", m[1].kind);
    json_key(o, at.name);
    json_open(o, '{');
    json_kv_str(o, keys[0], STR("approximate"));
    while (json_next(&it, &member)) {
        if (member.kind == JSON_NULL || memchr(member.key.p, '\\', member.key.n))
            continue;
        json_key_str(o, member.key);
        json_raw(o, member.value);
    }
    json_close(o);
    return TG_OK;
}

tg_rc
chat_read_search(struct chat_dec *d, const struct json_member *options)
{
    static const char *const keys[] = {"search_context_size", "user_location"};
    struct field_at at = {NULL, field_name, 0}, size_at = {&at, keys[0], 0};
    struct ir_tool **tail = &d->req->tools, *t;
    struct str size = {NULL, 0};
    struct json_member m[2];
    struct json_out o;
    struct buf b;
    tg_rc rc;

    if (!field_has(options))
        return TG_OK;
    rc = field_pick(&d->in, &at, options->value, keys, 2, m);
    if (rc == TG_OK)
        rc = field_string(&d->in, &size_at, &m[0], &size);
    if (rc != TG_OK)
        return rc;
    buf_init(&b, options->value.n * 2 + 256);
    json_begin(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, "type", STR("web_search"));
    if (size.n)
        json_kv_str(&o, keys[0], size);
    if (field_has(&m[1]))
        rc = put_flat_place(d, &at, &o, &m[1]);
    json_close(&o);
    if (json_end(&o) != TG_OK && rc == TG_OK)
        rc = field_refuse(&d->in, &at, "invalid_value", "too large");
    if (rc == TG_OK) {
        while (*tail)
            tail = &(*tail)->next;
        t = *tail = arena_new(d->in.a, struct ir_tool);
        t->name = STR("web_search");
        t->hosted_by = "responses";
        t->raw = arena_dup(d->in.a, buf_str(&b));
        t->allowed = true;
    }
    buf_fini(&b);
    return rc;
}

bool
chat_is_search(const struct ir_tool *t)
{
    return t->hosted_by && str_starts(t->name, STR("web_search"));
}

static void
put_place(struct json_out *o, struct str place)
{
    struct json_iter it;
    struct json_member m;

    if (json_object(&it, place) != TG_OK)
        return;
    json_key(o, "user_location");
    json_open(o, '{');
    json_kv_str(o, "type", STR("approximate"));
    json_key(o, "approximate");
    json_open(o, '{');
    while (json_next(&it, &m)) {
        if (json_key_is(m.key, STR("type")) || m.kind == JSON_NULL ||
            memchr(m.key.p, '\\', m.key.n))
            continue;
        json_key_str(o, m.key);
        json_raw(o, m.value);
    }
    json_close(o);
    json_close(o);
}

tg_rc
chat_put_search(struct chat_out *out, const struct ir_tool *t, unsigned i)
{
    static const char *const silent[] = {"type", "name", "cache_control",
                                         "external_web_access"};
    struct json_out *o = &out->o;
    struct json_iter it;
    struct json_member m;
    tg_rc rc = TG_OK;

    if (out->searches)
        return chat_drop(out, arena_printf(out->a, "tools.%u", i));
    out->searches = true;
    json_key(o, field_name);
    json_open(o, '{');
    if (json_object(&it, t->raw) == TG_OK) {
        while (rc == TG_OK && json_next(&it, &m)) {
            bool known = m.kind == JSON_NULL;

            for (size_t k = 0; k < CHAT_COUNT(silent); k++)
                known |= json_key_is(m.key, str_z(silent[k]));
            if (known)
                continue;
            if (json_key_is(m.key, STR("search_context_size")))
                json_kv_raw(o, "search_context_size", m.value);
            else if (json_key_is(m.key, STR("user_location")))
                put_place(o, m.value);
            else
                rc = chat_drop(out, arena_printf(out->a, "tools.%u.%.*s", i, STR_ARG(m.key)));
        }
    }
    json_close(o);
    return rc;
}
