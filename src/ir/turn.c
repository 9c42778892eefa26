/* turn.c -- where the user's last turn begins, and how many calls an answer's turn may have.
 *
 * Dialects differ in where results of tools stand: in messages of their own, or in the user's
 * beside what he says.  Both are the same turn of the tools here.
 */
#include "ir/turn.h"

#include <string.h>

static bool
has_result(const struct ir_msg *m)
{
    for (const struct ir_block *b = m->blocks; b; b = b->next)
        if (b->kind == IR_RESULT)
            return true;
    return false;
}

unsigned
ir_last_turn(const struct ir_req *req)
{
    bool results = false;
    unsigned i = 0, last = 0;

    for (const struct ir_msg *m = req->msgs; m; m = m->next, i++) {
        if (m->role == IR_SYSTEM)
            continue;
        results = has_result(m) || (results && m->role == IR_USER);
        if (m->role == IR_USER && !results)
            last = i + 1;
    }
    return last;
}

/* Of Chat's old form the tools are kept as they were written. */
bool
ir_one_call_form(const struct ir_req *req)
{
    return req && req->tools && req->tools->raw.n && !req->tools->hosted_by && req->origin &&
           strcmp(req->origin, "chat") == 0;
}
