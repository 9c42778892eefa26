/* path.c -- where something stood in the client's request.
 *
 * The hub's messages are not the client's: decoders join items and part turns, and fitting a
 * request to a model moves and adds some.  So decoders leave the place of each message and
 * block with it, and everything that names a place to the client asks here.
 *
 * A message without a place was made inside; its number in the list stands for it.
 */
#include "ir/path.h"

#include "base/arena.h"

#include <string.h>

static bool
came_as(const struct ir_req *req, const char *dialect)
{
    return req->origin && strcmp(req->origin, dialect) == 0;
}

/* System text that the client's dialect keeps apart from its list. */
static const char *
apart(const struct ir_req *req, const struct ir_msg *m)
{
    if (m->role != IR_SYSTEM || m->place)
        return NULL;
    if (m->instructions)
        return "instructions";
    return came_as(req, "messages") ? "system" : NULL;
}

static unsigned
number_of(const struct ir_req *req, const struct ir_msg *m, const struct ir_block *b)
{
    unsigned n = 0;

    if (b && b->place)
        return b->place - 1;
    if (m->place)
        return m->place - 1;
    for (const struct ir_msg *at = req->msgs; at && at != m; at = at->next)
        n += !apart(req, at);
    return n;
}

struct str
ir_path(struct arena *a, const struct ir_req *req, const struct ir_msg *m,
        const struct ir_block *b)
{
    bool items = came_as(req, "responses");
    const char *root = apart(req, m);
    unsigned number;

    if (root)
        return b && b->part ? arena_printf(a, "%s.%u", root, b->part - 1)
                            : arena_printf(a, "%s", root);
    root = items ? "input" : "messages";
    number = number_of(req, m, b);
    if (!b || b->part == 0)
        return arena_printf(a, "%s.%u", root, number);
    return arena_printf(a, "%s.%u.%s.%u", root, number,
                        items && m->role == IR_TOOL ? "output" : "content", b->part - 1);
}
