/* pair.c -- calls and their results, paired as every upstream wants them.
 *
 * A turn is a run of messages of the model and what follows up to the next one.  Its calls want
 * exactly one result each, right behind the run.  Clients that were interrupted, or that cut
 * their history short, send less or more; upstreams of every dialect answer that with an error
 * that the conversation cannot get out of.  By the route's caps it is put right or refused:
 *
 *   a call without result    gets a failed one that says so
 *   two results for a call   the last one stays, the other is noted as dropped
 *   results further behind   go to their call; in the order of the calls
 *
 * A result of which no call is known stays where it is: what it belongs to may have been cut
 * off on purpose, and not every upstream minds.  So do turns in which ids are missing or double
 * (calls of the old form, models that count from zero twice): they pair by place.
 *
 * Most turns are in order, which is seen by walking calls and results side by side.  Only for
 * others a table is made; it is sorted, so that no history takes more than n log n.
 */
#include "ir/adapt_int.h"
#include "ir/drops.h"
#include "ir/path.h"

#include <stdlib.h>

#define MISSING "The tool was not run, or its result is lost."

/* The messages [run, behind) are the model's, [behind, end) are not. */
struct turn {
    const struct ir_msg *run, *behind, *end;
};

/* A call of a turn, and the last result for it. */
struct pair {
    const struct ir_block *call, *result;
    const struct ir_msg *call_msg, *result_msg;
    size_t place;     /* among the calls */
    unsigned n_found; /* results         */
};

struct pairs {
    struct pair *by_id;
    struct pair **in_order;
    size_t n;
};

static const struct ir_block *
next_of(const struct ir_block *b, enum ir_kind kind)
{
    while (b && b->kind != kind)
        b = b->next;
    return b;
}

/* Walks the blocks of one kind in a range of messages. */
struct walk {
    const struct ir_msg *m, *end;
    const struct ir_block *b;
    enum ir_kind kind;
};

static const struct ir_block *
walk_next(struct walk *w)
{
    const struct ir_block *b = w->b ? next_of(w->b->next, w->kind) : NULL;

    if (!b && w->b)
        w->m = w->m->next;
    for (; !b && w->m != w->end; w->m = w->m->next) {
        b = next_of(w->m->blocks, w->kind);
        if (b)
            break;
    }
    w->b = b;
    return b;
}

static struct turn
turn_from(const struct ir_msg *run)
{
    struct turn t = {.run = run};

    for (t.behind = run; t.behind && t.behind->role == IR_MODEL; t.behind = t.behind->next)
        ;
    for (t.end = t.behind; t.end && t.end->role != IR_MODEL;)
        t.end = t.end->next;
    return t;
}

/* Does every call have its result, in order, with nothing between the results? */
static bool
in_order(const struct turn *t)
{
    struct walk calls = {.m = t->run, .end = t->behind, .kind = IR_CALL};
    struct walk results = {.m = t->behind, .end = t->end, .kind = IR_RESULT};
    const struct ir_msg *at = t->behind;
    const struct ir_block *call, *result;

    while ((call = walk_next(&calls))) {
        result = walk_next(&results);
        if (!result || !str_eq(call->id, result->id))
            return false;
        while (at != results.m) {
            if (!next_of(at->blocks, IR_RESULT))
                return false;
            at = at->next;
        }
    }
    return !walk_next(&results);
}

static int
compare(const void *left, const void *right)
{
    struct str a = ((const struct pair *)left)->call->id;
    struct str b = ((const struct pair *)right)->call->id;

    if (a.n != b.n)
        return a.n < b.n ? -1 : 1;
    return a.n ? memcmp(a.p, b.p, a.n) : 0;
}

static struct pair *
find_pair(const struct pairs *p, const struct ir_block *result)
{
    struct pair key = {.call = result};

    return p->n ? bsearch(&key, p->by_id, p->n, sizeof key, compare) : NULL;
}

/* The table of a turn; false when ids are missing or double. */
static bool
make_pairs(struct arena *a, const struct turn *t, struct pairs *p)
{
    struct walk calls = {.m = t->run, .end = t->behind, .kind = IR_CALL};
    struct walk results = {.m = t->behind, .end = t->end, .kind = IR_RESULT};
    const struct ir_block *b;
    size_t n = 0;

    while (walk_next(&calls))
        n++;
    *p = (struct pairs){.by_id = arena_array(a, struct pair, n),
                        .in_order = arena_array(a, struct pair *, n),
                        .n = n};
    calls = (struct walk){.m = t->run, .end = t->behind, .kind = IR_CALL};
    for (n = 0; (b = walk_next(&calls)); n++) {
        if (b->id.n == 0)
            return false;
        p->by_id[n] = (struct pair){.call = b, .place = n, .call_msg = calls.m};
    }
    qsort(p->by_id, n, sizeof *p->by_id, compare);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && compare(&p->by_id[i - 1], &p->by_id[i]) == 0)
            return false;
        p->in_order[p->by_id[i].place] = &p->by_id[i];
    }
    while ((b = walk_next(&results))) {
        struct pair *pair = find_pair(p, b);

        if (b->id.n == 0)
            return false;
        if (pair) {
            pair->result = b;
            pair->result_msg = results.m;
            pair->n_found++;
        }
    }
    return true;
}

static tg_rc
refuse_faults(const struct adapt_fit *fit, const struct turn *t, const struct pairs *p)
{
    struct walk results = {.m = t->behind, .end = t->end, .kind = IR_RESULT};
    const struct ir_block *b;

    for (size_t i = 0; i < p->n; i++)
        if (p->in_order[i]->n_found == 0)
            return adapt_refuse(
                fit, ir_path(fit->a, fit->req, p->in_order[i]->call_msg, p->in_order[i]->call),
                "a tool call of this message has no result");
    while ((b = walk_next(&results))) {
        const struct pair *pair = find_pair(p, b);

        if (pair && pair->n_found > 1)
            return adapt_refuse(fit, ir_path(fit->a, fit->req, results.m, b),
                                "this tool call has more than one result");
    }
    return TG_OK;
}

static tg_rc
note_doubles(struct adapt_fit *fit, const struct turn *t, const struct pairs *p)
{
    struct walk results = {.m = t->behind, .end = t->end, .kind = IR_RESULT};
    const struct ir_block *b;
    tg_rc rc = TG_OK;

    while (rc == TG_OK && (b = walk_next(&results))) {
        const struct pair *pair = find_pair(p, b);

        if (pair && pair->result != b)
            rc = ir_drop_or_refuse(fit->route, fit->drops, fit->err,
                                   ir_path(fit->a, fit->req, results.m, b));
    }
    return rc;
}

/* A list of messages that grows at its end. */
struct list_of {
    struct ir_msg *head, **tail;
    unsigned n;
};

static struct ir_msg *
add_msg(struct arena *a, struct list_of *to, const struct ir_msg *m)
{
    struct ir_msg *copy = arena_new(a, struct ir_msg);

    if (m)
        *copy = *m;
    copy->next = NULL;
    *to->tail = copy;
    to->tail = &copy->next;
    to->n++;
    return copy;
}

static void
add_result(struct arena *a, struct list_of *to, const struct pair *p)
{
    struct ir_msg *m = add_msg(a, to, NULL);

    m->role = IR_TOOL;
    m->place = p->result ? p->result_msg->place : p->call_msg->place;
    m->blocks = adapt_block(a, IR_RESULT, p->result);
    if (p->result)
        return;
    m->blocks->place = p->call->place;
    m->blocks->part = p->call->part;
    m->blocks->id = p->call->id;
    m->blocks->name = p->call->name;
    m->blocks->freeform = p->call->freeform;
    m->blocks->failed = true;
    m->blocks->text = STR(MISSING);
}

/* What else than the results of the table stands in m. */
static void
add_rest(struct arena *a, struct list_of *to, const struct ir_msg *m, const struct pairs *p)
{
    struct ir_block *head = NULL, **tail = &head;
    bool taken = false;

    for (const struct ir_block *b = m->blocks; b; b = b->next) {
        if (b->kind == IR_RESULT && find_pair(p, b)) {
            taken = true;
            continue;
        }
        *tail = adapt_block(a, b->kind, b);
        tail = &(*tail)->next;
    }
    if (head || !taken)
        add_msg(a, to, m)->blocks = head;
}

/* Judges one turn and adds it to the list, put right where it must be. */
static tg_rc
pair_turn(struct adapt_fit *fit, const struct turn *t, struct list_of *to)
{
    struct pairs p;
    tg_rc rc;

    for (const struct ir_msg *m = t->run; m != t->behind; m = m->next)
        (void)add_msg(fit->a, to, m);
    if (in_order(t) || !make_pairs(fit->a, t, &p)) {
        for (const struct ir_msg *m = t->behind; m != t->end; m = m->next)
            (void)add_msg(fit->a, to, m);
        return TG_OK;
    }
    if (fit->route->caps.orphans == CAPS_ORPHANS_REJECT)
        rc = refuse_faults(fit, t, &p);
    else
        rc = note_doubles(fit, t, &p);
    if (rc != TG_OK)
        return rc;
    for (size_t i = 0; i < p.n; i++)
        add_result(fit->a, to, p.in_order[i]);
    for (const struct ir_msg *m = t->behind; m != t->end; m = m->next)
        add_rest(fit->a, to, m, &p);
    return TG_OK;
}

/* Is there anything to be put right? */
static bool
any_fault(const struct ir_msg *msgs)
{
    while (msgs) {
        struct turn t;

        if (msgs->role != IR_MODEL) {
            msgs = msgs->next;
            continue;
        }
        t = turn_from(msgs);
        if (!in_order(&t))
            return true;
        msgs = t.end;
    }
    return false;
}

tg_rc
adapt_pair(struct adapt_fit *fit)
{
    const struct ir_msg *m = fit->out->msgs;
    struct list_of to = {NULL, &to.head, 0};
    tg_rc rc = TG_OK;

    if (!any_fault(m))
        return TG_OK;
    while (m && rc == TG_OK) {
        struct turn t;

        if (m->role != IR_MODEL) {
            (void)add_msg(fit->a, &to, m);
            m = m->next;
            continue;
        }
        t = turn_from(m);
        rc = pair_turn(fit, &t, &to);
        m = t.end;
    }
    if (rc != TG_OK)
        return rc;
    fit->out->msgs = to.head;
    fit->out->n_msgs = to.n;
    return TG_OK;
}
