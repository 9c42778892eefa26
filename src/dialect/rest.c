/* rest.c -- members further down in a client's request that nobody knows.
 *
 * They are not carried, so each is kept by its place alone for whoever encodes the request to
 * say that it is dropped.  They go to the front of the list, which has no end at hand; how many
 * are said at last is bounded by the list of drops.
 */
#include "dialect/rest.h"

#include "base/arena.h"

/* As deep as the code that reads nests. */
static struct str
spell(struct arena *a, const struct field_at *at)
{
    struct str up;

    if (!at)
        return (struct str){NULL, 0};
    up = spell(a, at->up);
    if (at->name)
        return arena_printf(a, "%.*s%s%s", STR_ARG(up), up.n ? "." : "", at->name);
    return arena_printf(a, "%.*s%s%u", STR_ARG(up), up.n ? "." : "", at->index);
}

void
rest_add(const struct field_reader *in, struct ir_req *req, const struct field_at *at,
         struct str name, struct str value)
{
    struct ir_ext *x = arena_new(in->a, struct ir_ext);
    struct str up = spell(in->a, at);

    x->name = arena_printf(in->a, "%.*s%s%.*s", STR_ARG(up), up.n ? "." : "", STR_ARG(name));
    x->value = value;
    x->inner = true;
    x->next = req->ext;
    req->ext = x;
}

static bool
says_nothing(const struct json_member *m)
{
    return m->kind <= JSON_FALSE || str_eq(m->value, STR("[]")) ||
           str_eq(m->value, STR("{}")) || str_eq(m->value, STR("\"\""));
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
        struct str key;

        if (is_named(m.key, names, n) || says_nothing(&m))
            continue;
        if (json_string(in->a, str_of(m.key.p - 1, m.key.n + 2), &key) != TG_OK)
            key = m.key;
        rest_add(in, req, at, key, m.value);
    }
}
