/* id.c -- call ids and arguments in the form that this dialect takes.
 *
 * Other dialects allow any text as an id; this one letters, digits, '_' and '-' only.  The
 * rewriting depends on the id alone, so a call and its result agree, in this turn and in every
 * later one, on this machine and on another.
 */
#include "dialect/messages/messages_int.h"

#include "base/ascii.h"
#include "base/hash.h"

struct str
messages_id(struct arena *a, struct str id)
{
    char *p;

    if (id.n > 0 && ascii_all(id, ascii_is_word))
        return id;
    p = arena_alloc(a, id.n + 1, 1);
    for (size_t i = 0; i < id.n; i++)
        p[i] = ascii_is_word(id.p[i]) ? id.p[i] : '_';
    return arena_printf(a, "%.*s_%016llx", (int)id.n, p,
                        (unsigned long long)hash_add(HASH_EMPTY, id));
}

/* White space around arguments is common and means nothing. */
static struct str
trim(struct str s)
{
    while (s.n && strchr(" \t\r\n", s.p[0]) && s.p[0])
        s = str_from(s, 1);
    while (s.n && s.p[s.n - 1] && strchr(" \t\r\n", s.p[s.n - 1]))
        s.n--;
    return s;
}

void
messages_put_input(struct json_out *j, const struct ir_block *call)
{
    struct str text = trim(call->text);

    if (!call->freeform && json_kind_of(text) == JSON_OBJECT &&
        json_check(text, JSON_DEPTH_MAX, NULL) == TG_OK) {
        json_raw(j, text);
        return;
    }
    json_open(j, '{');
    if (call->freeform)
        json_kv_str(j, "input", call->text);
    else if (text.n && !str_eq(text, STR("null")) && !str_eq(text, STR("\"\"")))
        json_kv_str(j, "_raw", call->text);
    json_close(j);
}
