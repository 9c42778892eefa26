/* rest.c -- members further down in a client's request that nobody knows.
 *
 * They are not carried, so each is kept by its place alone for whoever encodes the request to
 * say that it is dropped.  They go to the front of the list, which has no end at hand; how many
 * are said at last is bounded by the list of drops.
 */
#include "dialect/rest.h"

#include "base/arena.h"

void
rest_add(const struct field_reader *in, struct ir_req *req, const struct field_at *at,
         struct str name, struct str value)
{
    struct ir_ext *x = arena_new(in->a, struct ir_ext);
    struct str up = field_place(in->a, at);

    x->name = arena_printf(in->a, "%.*s%s%.*s", STR_ARG(up), up.n ? "." : "", STR_ARG(name));
    x->value = value;
    x->inner = true;
    x->next = req->ext;
    req->ext = x;
}

bool
rest_is_silent(const struct json_member *m)
{
    return m->kind <= JSON_FALSE || str_eq(m->value, STR("[]")) ||
           str_eq(m->value, STR("{}")) || str_eq(m->value, STR("\"\""));
}

struct str
rest_key(struct arena *a, struct str key)
{
    struct str s = key;

    (void)!json_string(a, str_of(key.p - 1, key.n + 2), &s);
    return s;
}

static bool
is_named(struct str key, const char *const *names, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (json_key_is(key, str_z(names[i])))
            return true;
    return false;
}

void
rest_note(const struct field_reader *in, struct ir_req *req, const struct field_at *at,
          struct str object, const char *const *names, unsigned n)
{
    struct json_iter it;
    struct json_member m;

    if (json_object(&it, object) != TG_OK)
        return;
    while (json_next(&it, &m)) {
        if (is_named(m.key, names, n) || rest_is_silent(&m))
            continue;
        rest_add(in, req, at, rest_key(in->a, m.key), m.value);
    }
}
