/* up_system.c -- what becomes of system text for a Responses upstream.
 *
 * The plain system texts at the head are "instructions", so that the upstream sees the request
 * as a client of the dialect would have written it; what was "instructions" stays alone in
 * there. Later ones keep their roles and places as items.  Where a model takes system text at
 * the head only (caps.system), all of it goes there, or what comes behind the first turn is
 * said to be a reminder in the user's words.
 */
#include "dialect/responses/up_int.h"

/* The text of a message that is one plain text. */
static bool
is_plain(const struct responses_writer *w, const struct ir_msg *m)
{
    const struct ir_block *b = m->blocks;

    return b && !b->next && b->kind == IR_TEXT &&
           !(b->cache_ttl.n && w->route->caps.cache_marks);
}

/* What cannot be in the one text: a name, parts that are no text, and marks on them. */
static tg_rc
drop_parts(struct responses_writer *w, const struct ir_msg *m)
{
    tg_rc rc = TG_OK;

    if (m->name.n)
        rc = responses_drop(w, "%s.name", responses_path(w, m, NULL).p);
    for (const struct ir_block *b = m->blocks; b && rc == TG_OK; b = b->next) {
        if (b->kind != IR_TEXT)
            rc = responses_drop(w, "%s", responses_path(w, m, b).p);
        if (rc == TG_OK && b->cache_ttl.n)
            rc = responses_drop_mark(w);
    }
    return rc;
}

/* The text behind b (NULL: the first) of the system messages behind *m, which follows along. */
static const struct ir_block *
next_text(const struct ir_msg **m, const struct ir_block *b)
{
    for (b = b ? b->next : NULL;; b = b->next) {
        while (!b) {
            do
                *m = (*m)->next;
            while (*m && (*m)->role != IR_SYSTEM);
            if (!*m)
                return NULL;
            b = (*m)->blocks;
        }
        if (b->kind == IR_TEXT && b->text.n)
            return b;
    }
}

static const struct str between = {"\n\n", 2};

static void
append(char *p, size_t *used, struct str text)
{
    if (*used && text.n) {
        memcpy(p + *used, between.p, between.n);
        *used += between.n;
    }
    if (text.n)
        memcpy(p + *used, text.p, text.n);
    *used += text.n;
}

/* All of them are one. */
static tg_rc
merge(struct responses_writer *w)
{
    struct ir_msg before = {.next = w->req->msgs};
    const struct ir_msg *m = &before;
    size_t n = 0, used = 0;
    char *p;
    tg_rc rc = TG_OK;

    for (const struct ir_block *b = NULL; (b = next_text(&m, b));)
        n += b->text.n + between.n;
    p = arena_alloc(w->a, n + 1, 1);
    m = &before;
    for (const struct ir_block *b = NULL; (b = next_text(&m, b));)
        append(p, &used, b->text);
    w->instructions = str_of(p, used);
    w->merged = true;
    for (m = w->req->msgs; m && rc == TG_OK; m = m->next)
        if (m->role == IR_SYSTEM)
            rc = drop_parts(w, m);
    return rc;
}

/* Messages at the head that are system text and nothing else, up to the first other one: none
 * when one of them is more than a plain text. */
static unsigned
plain_head(const struct responses_writer *w)
{
    const struct ir_msg *m = w->req->msgs;
    unsigned n = 0;

    if (m->instructions)
        return is_plain(w, m);
    for (; m && m->role == IR_SYSTEM; m = m->next, n++)
        if (!is_plain(w, m))
            return 0;
    return n;
}

/* The first n messages are one text. */
static tg_rc
join_head(struct responses_writer *w, unsigned n)
{
    const struct ir_msg *m = w->req->msgs;
    size_t size = 0, used = 0;
    char *p;
    tg_rc rc = TG_OK;

    for (unsigned i = 0; i < n && m; i++, m = m->next)
        size += m->blocks->text.n + between.n;
    p = arena_alloc(w->a, size + 1, 1);
    m = w->req->msgs;
    for (unsigned i = 0; i < n && m; i++, m = m->next)
        append(p, &used, m->blocks->text);
    w->instructions = str_of(p, used);
    w->n_skip = used ? n : 0;
    m = w->req->msgs;
    for (unsigned i = 0; i < w->n_skip && m && rc == TG_OK; i++, m = m->next)
        rc = drop_parts(w, m);
    return rc;
}

tg_rc
responses_plan_system(struct responses_writer *w)
{
    const struct ir_msg *first = w->req->msgs;
    unsigned n = 0, others = 0;

    for (const struct ir_msg *m = first; m; m = m->next) {
        n += m->role == IR_SYSTEM;
        others += m->role != IR_SYSTEM;
    }
    /* The input may not be empty. */
    if (n == 0 || others == 0)
        return TG_OK;
    if (w->route->caps.system == CAPS_SYSTEM_MERGE && (n > 1 || first->role != IR_SYSTEM))
        return merge(w);
    if (first->role == IR_SYSTEM)
        return join_head(w, plain_head(w));
    return TG_OK;
}

tg_rc
responses_write_reminder(struct responses_writer *w, const struct ir_msg *m)
{
    struct json_out *o = &w->o;

    json_open(o, '{');
    json_kv_str(o, "type", STR("message"));
    json_kv_str(o, "role", STR("user"));
    json_key(o, "content");
    json_str_open(o);
    json_str_part(o, STR("<system-reminder>"));
    for (const struct ir_block *b = m->blocks; b; b = b->next)
        if (b->kind == IR_TEXT) {
            json_str_part(o, STR("\n"));
            json_str_part(o, b->text);
        }
    json_str_part(o, STR("\n</system-reminder>"));
    json_str_close(o);
    json_close(o);
    return drop_parts(w, m);
}
