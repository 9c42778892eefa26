/* scope.c -- scopes: who waits for whom, and how far a cancel reaches.
 *
 * The scopes that cover a coroutine form a chain by `up`: those it has opened, innermost first,
 * then the one it was spawned into, then that one's chain.  A cancel is pushed down at once: it
 * marks the scope and every scope nested in it, in the opener and in all children.  So whether
 * a call may go on is one look at the innermost scope (co_reason), however deep the nesting.
 *
 * Marks are pushed with a list of scopes still to visit, threaded through the scopes, because a
 * recursion as deep as the tree of coroutines might not fit on the stack of whoever cancels.
 *
 * A shield is the innermost scope at the time it was put up.  Marks do not go past it into
 * scopes that were opened under it; when it ends they are pushed on.
 *
 * A coroutine has one timer for the deadlines of all scopes that it has opened and for that of
 * the wait it is in.  It stands at the soonest of them or before, for closing a scope leaves it
 * alone, as does the end of a wait: a stream waits for piece after piece, each with a later
 * deadline than the one before, and touches the heap of timers once in as long as one of them
 * allows.  When the timer fires too early it is set to what is then the soonest.
 */
#include "co/co_int.h"

static void
mark(struct co_scope *s, tg_rc why, struct co_scope **work)
{
    if (s->cancelled != TG_OK)
        return;
    s->cancelled = why;
    s->work = *work;
    *work = s;
}

/* c is covered by s, which has been cancelled: marks the scopes that c has opened inside s, and
 * hurries c when it is suspended and no shield protects it. */
static void
cover(struct co *c, struct co_scope *s, tg_rc why, struct co_scope **work)
{
    struct co_scope *sc, *from = c->scope;
    tg_rc rc;

    for (sc = c->scope; sc != s; sc = sc->up) {
        assert(sc && "a scope covers only those inside it");
        if (sc == c->shield)
            from = sc;
    }
    if (s == c->shield)
        from = s;
    for (sc = from; sc != s; sc = sc->up)
        mark(sc, why, work);
    rc = c->reason = co_reason_of_scopes(c);
    if (rc != TG_OK && c->state == CO_PARKED && c->interrupt)
        c->interrupt(c, rc);
}

static void
push_down(struct co_scope *work)
{
    struct co_scope *s;

    while ((s = work) != NULL) {
        work = s->work;
        LIST_FOREACH (k, &s->kids)
            cover(LIST_ITEM(k, struct co, kid), s, s->cancelled, &work);
    }
}

void
co_cancel(struct co_scope *s, tg_rc why)
{
    struct co_scope *work = NULL;

    assert(why < 0);
    if (s->cancelled != TG_OK)
        return;
    mark(s, why, &work);
    if (s->owner)
        cover(s->owner, s, why, &work);
    push_down(work);
}

/* Tells what deadlines have passed, and is set to the next one. */
static void
deadlines_due(struct co_timer *t)
{
    struct co *c = LIST_ITEM(t, struct co, deadlines);
    co_time next = CO_NEVER;
    struct co_scope *s;

    for (s = c->scope; s != c->home; s = s->up) {
        if (!s->timed || s->cancelled != TG_OK)
            continue;
        if (s->deadline <= co_self->now)
            co_cancel(s, TG_EDEADLINE);
        else if (s->deadline < next)
            next = s->deadline;
    }
    if (c->wait_until > co_self->now)
        next = c->wait_until < next ? c->wait_until : next;
    else if (c->state == CO_PARKED) /* else it has been woken already */
        c->interrupt(c, TG_EDEADLINE);
    co_timer_set(t, next);
}

void
co_deadline_by(struct co *c, co_time at)
{
    if (at < c->deadlines.at)
        co_timer_set(&c->deadlines, at);
}

void
co_scope_root(struct co_scope *s)
{
    *s = (struct co_scope){.deadline = CO_NEVER};
    list_init(&s->kids);
}

/* The deadline that holds for a scope about to be opened by c, its own left aside. */
static co_time
outer_deadline(const struct co *c)
{
    const struct co_scope *up = c->scope;

    if (up != c->shield)
        return up->deadline;
    if (up->cancelled != TG_OK || up->deadline < c->shield_timer.at)
        return c->shield_timer.at;
    return up->deadline;
}

void
co_scope_open(struct co_scope *s, co_time deadline)
{
    struct co *c = co_cur();
    co_time outer = outer_deadline(c);

    co_scope_root(s);
    s->up = c->scope;
    s->owner = c;
    s->cancelled = co_reason(c);
    s->deadline = deadline < outer ? deadline : outer;
    c->scope = s;
    if (s->cancelled != TG_OK)
        return;
    if (s->deadline <= co_self->now) {
        s->cancelled = c->reason = TG_EDEADLINE;
        return;
    }
    s->timed = deadline < outer; /* else the cancel of the outer scope reaches this one */
    if (s->timed)
        co_deadline_by(c, deadline);
}

tg_rc
co_spawn(struct co_scope *s, const char *name, co_fn *fn, void *arg)
{
    assert(co_self);
    return co_spawn_in(co_self, s, name, fn, arg);
}

void
co_leave_scope(struct co *c, tg_rc rc)
{
    struct co_scope *s = c->home;
    struct co *joiner = s->joiner;

    assert(c->scope == c->home && "a coroutine ended with a scope still open");
    co_timer_clear(&c->shield_timer);
    co_timer_clear(&c->deadlines);
    list_del(&c->kid);
    s->n_live--;
    if (rc != TG_OK && s->first == TG_OK && !(s->closing && rc == TG_ECANCELED))
        s->first = rc;
    if (!s->owner)
        co_self->root_rc = rc;
    if (joiner && (s->n_live == 0 || (s->first != TG_OK && !s->closing))) {
        s->joiner = NULL;
        co_wake(joiner, s->first);
    }
}

static void
join_interrupt(struct co *c, tg_rc why)
{
    struct co_scope *s = c->waits_on;

    s->joiner = NULL;
    co_wake(c, why);
}

tg_rc
co_join(struct co_scope *s)
{
    struct co *c = co_cur();
    tg_rc rc;

    assert(s->owner == c && "co_join by another than the opener");
    if (s->first != TG_OK || s->n_live == 0)
        return s->first;
    rc = co_reason(c);
    if (rc != TG_OK)
        return rc;
    s->joiner = c;
    return co_park(c, join_interrupt, s);
}

tg_rc
co_scope_close(struct co_scope *s)
{
    struct co *c = co_cur();
    tg_rc why = s->cancelled;

    assert(s->owner == c && c->scope == s && "scopes close in the reverse order of opening");
    s->timed = false; /* the timer stays where it is */
    s->closing = true;
    if (s->n_live > 0) {
        co_cancel(s, TG_ECANCELED);
        s->joiner = c;
        (void)co_park(c, NULL, NULL);
    }
    if (c->shield == s)
        c->shield = s->up;
    c->scope = s->up;
    c->reason = co_reason_of_scopes(c);
    return why != TG_OK ? why : s->first;
}

tg_rc
co_cancelled(void)
{
    return co_reason(co_cur());
}

static void
shield_end(struct co *c)
{
    struct co_scope *s = c->shield, *work = NULL;

    c->shield = NULL;
    c->reason = co_reason_of_scopes(c);
    if (s && s->cancelled != TG_OK)
        cover(c, s, s->cancelled, &work);
    push_down(work);
}

static void
shield_expired(struct co_timer *t)
{
    shield_end(LIST_ITEM(t, struct co, shield_timer));
}

void
co_timers_open(struct co *c)
{
    c->wait_until = CO_NEVER;
    co_timer_init(&c->deadlines, deadlines_due);
    co_timer_init(&c->shield_timer, shield_expired);
}

void
co_shield(co_time until)
{
    struct co *c = co_cur();

    assert(until != CO_NEVER && "a shield is bounded in time");
    if (!c->shield) {
        c->shield = c->scope;
        c->reason = TG_OK;
    }
    co_timer_set(&c->shield_timer, until);
}

void
co_unshield(void)
{
    struct co *c = co_cur();

    co_timer_clear(&c->shield_timer);
    shield_end(c);
}
