/* keep.c -- what an answer needs of its request.
 *
 * Encoders of answers look at scalars, tools, fields that only one dialect has, and
 * instructions; at the conversation none does.  What is copied is copied whole, so that an
 * answer cannot tell the copy from the request.
 *
 * Invariant: no pointer of the copy leads to what the request borrows.  The sizes asserted here
 * change with every field that is added, which then needs a line below.
 */
#include "ir/keep.h"

_Static_assert(sizeof(void *) != 8 ||
                   (sizeof(struct ir_req) == 696 && sizeof(struct ir_tool) == 144 &&
                    sizeof(struct ir_ext) == 48),
               "a field was added: does a text of it need copying below?");

static void
keep_str(struct arena *a, struct str *s)
{
    if (s->p)
        *s = arena_dup(a, *s);
}

static struct ir_msg *
keep_instructions(struct arena *a, const struct ir_msg *first)
{
    struct ir_msg *m;

    if (!first || !first->instructions || !first->blocks)
        return NULL;
    m = arena_new(a, struct ir_msg);
    m->role = first->role;
    m->developer = first->developer;
    m->instructions = true;
    m->blocks = arena_new(a, struct ir_block);
    m->blocks->kind = first->blocks->kind;
    m->blocks->text = arena_dup(a, first->blocks->text);
    return m;
}

static struct ir_tool *
keep_tools(struct arena *a, const struct ir_tool *t)
{
    struct ir_tool *first = NULL, **tail = &first;

    for (; t; t = t->next, tail = &(*tail)->next) {
        *tail = arena_new(a, struct ir_tool);
        **tail = *t;
        (*tail)->next = NULL;
        keep_str(a, &(*tail)->name);
        keep_str(a, &(*tail)->description);
        keep_str(a, &(*tail)->schema);
        keep_str(a, &(*tail)->grammar);
        keep_str(a, &(*tail)->cache_ttl);
        keep_str(a, &(*tail)->raw);
        keep_str(a, &(*tail)->space);
    }
    return first;
}

static struct ir_ext *
keep_ext(struct arena *a, const struct ir_ext *x)
{
    struct ir_ext *first = NULL, **tail = &first;

    for (; x; x = x->next, tail = &(*tail)->next) {
        *tail = arena_new(a, struct ir_ext);
        (*tail)->name = arena_dup(a, x->name);
        (*tail)->value = arena_dup(a, x->value);
    }
    return first;
}

void
ir_keep(struct arena *a, const struct ir_req *req, struct ir_req *ret)
{
    struct ir_req r = *req;
    struct str *const texts[] = {
        &r.model,
        &r.tool_name,
        &r.format_schema,
        &r.format_name,
        &r.format_description,
        &r.temperature,
        &r.top_p,
        &r.top_k,
        &r.presence_penalty,
        &r.frequency_penalty,
        &r.logit_bias,
        &r.prediction,
        &r.think_summary,
        &r.verbosity,
        &r.user,
        &r.metadata,
        &r.service_tier,
        &r.cache_key,
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        keep_str(a, texts[i]);
    for (unsigned i = 0; i < r.n_stop; i++)
        keep_str(a, &r.stop[i]);
    r.msgs = keep_instructions(a, req->msgs);
    r.n_msgs = r.msgs != NULL;
    r.tools = keep_tools(a, req->tools);
    r.ext = keep_ext(a, req->ext);
    *ret = r;
}
