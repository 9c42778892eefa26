/* adapt.c -- the steps that fit a request to a model, in order, and the sink that undoes them.
 *
 * The steps stand in files of their own.  Each changes copies of what it must change and shares
 * the rest, so a request that fits as it is costs a look at it.  The order matters: names are
 * shortened when all tools are there, calls and results are paired as the upstream will see
 * them.
 *
 * The way back is one sink.  It follows the blocks that something is to be done with: calls of
 * a free-form tool, and, while stop sequences are looked for, all of them, because a sequence
 * that is found ends whatever is open then.
 *
 * Invariants
 *  (1) What keeps the event grammar in front keeps it behind.
 *  (2) Without stop sequences nothing is held back but what may still be a wrapping.
 *  (3) Of a choice that was cut nothing passes any more.
 */
#include "ir/adapt_int.h"

#include "base/list.h"

struct ir_adapt *
adapt_undo(struct adapt_fit *fit)
{
    if (!fit->adapt) {
        fit->adapt = arena_new(fit->a, struct ir_adapt);
        fit->adapt->req = fit->req;
        fit->adapt->arena = fit->a;
    }
    return fit->adapt;
}

struct str
adapt_said(const struct adapt_fit *fit, const char *chat, const char *responses,
           const char *messages)
{
    const char *origin = fit->req->origin ? fit->req->origin : "";

    return str_z(strcmp(origin, "responses") == 0  ? responses
                 : strcmp(origin, "messages") == 0 ? messages
                                                   : chat);
}

tg_rc
adapt_refuse(const struct adapt_fit *fit, struct str path, const char *why)
{
    char param[sizeof fit->err->param];
    size_t n = path.n < sizeof param ? path.n : sizeof param - 1;

    memcpy(param, path.p, n);
    param[n] = '\0';
    return tg_refuse(fit->err, "invalid_value", param, "'%s': %s", param, why);
}

struct str
adapt_join(struct arena *a, const struct str *parts, unsigned n)
{
    size_t bytes = 0;
    char *p, *to;

    for (unsigned i = 0; i < n; i++)
        bytes += parts[i].n;
    p = to = arena_alloc(a, bytes, 1);
    for (unsigned i = 0; i < n; i++) {
        if (parts[i].n)
            memcpy(to, parts[i].p, parts[i].n);
        to += parts[i].n;
    }
    return str_of(p, bytes);
}

struct ir_block *
adapt_block(struct arena *a, enum ir_kind kind, const struct ir_block *b)
{
    struct ir_block *copy = arena_new(a, struct ir_block);

    if (b)
        *copy = *b;
    copy->kind = kind;
    copy->next = NULL;
    return copy;
}

static bool
changes(const struct adapt_fit *fit, const struct ir_block *b)
{
    if (b->kind != IR_CALL && b->kind != IR_RESULT)
        return false;
    return adapt_lowers(fit, b) || !adapt_name_fits(fit, b->name);
}

static bool
msg_changes(const struct adapt_fit *fit, const struct ir_msg *m)
{
    for (const struct ir_block *b = m->blocks; b; b = b->next)
        if (changes(fit, b))
            return true;
    return false;
}

static struct ir_block *
changed_blocks(const struct adapt_fit *fit, const struct ir_block *b)
{
    struct ir_block *head = NULL, **tail = &head;

    for (; b; b = b->next, tail = &(*tail)->next) {
        *tail = adapt_block(fit->a, b->kind, b);
        if (!changes(fit, b))
            continue;
        adapt_lower_block(fit, *tail);
        (*tail)->name = adapt_shown(fit, b->name);
    }
    return head;
}

/* Calls and results of the history, as the model sees its tools. */
static void
fit_history(struct adapt_fit *fit)
{
    struct ir_msg *head = NULL, **tail = &head;
    const struct ir_msg *m = fit->out->msgs;

    while (m && !msg_changes(fit, m))
        m = m->next;
    if (!m)
        return;
    for (m = fit->out->msgs; m; m = m->next, tail = &(*tail)->next) {
        *tail = arena_new(fit->a, struct ir_msg);
        **tail = *m;
        if (msg_changes(fit, m))
            (*tail)->blocks = changed_blocks(fit, m->blocks);
    }
    fit->out->msgs = head;
}

tg_rc
ir_adapt_req(struct arena *a, const struct ir_req *req, const char *to,
             const struct dialect_route *route, struct ir_req *ret, struct ir_adapt **ret_adapt,
             struct ir_drops *drops, struct tg_err *err)
{
    struct ir_req out = *req;
    struct adapt_fit fit = {
        .a = a, .req = req, .to = to, .route = route, .out = &out, .drops = drops, .err = err};
    tg_rc rc = adapt_lower_tools(&fit);

    if (rc != TG_OK)
        return rc;
    adapt_name_tools(&fit);
    fit_history(&fit);
    adapt_stops(&fit);
    rc = adapt_pair(&fit);
    if (rc == TG_OK)
        rc = adapt_format(&fit);
    if (rc != TG_OK)
        return rc;
    *ret = out;
    *ret_adapt = fit.adapt;
    return TG_OK;
}

static struct adapt_open **
find_open(struct ir_adapt *ad, const struct ir_event *ev)
{
    struct adapt_open **at = &ad->open;

    while (*at && ((*at)->block != ev->block || (*at)->choice != ev->choice))
        at = &(*at)->next;
    return at;
}

static bool
is_freeform(const struct ir_req *req, struct str name)
{
    for (const struct ir_tool *t = req->tools; t; t = t->next)
        if (t->freeform && str_eq(t->name, name))
            return true;
    return false;
}

static struct adapt_open *
take_open(struct ir_adapt *ad)
{
    struct adapt_open *o = ad->spare_open;

    if (!o)
        return arena_new(ad->arena, struct adapt_open);
    ad->spare_open = o->next;
    return o;
}

/* Takes the block at *at out of the open ones.  What is in it stays until the next one opens.
 */
static void
leave_open(struct ir_adapt *ad, struct adapt_open **at)
{
    struct adapt_open *o = *at;

    *at = o->next;
    if (o->scan)
        adapt_scan_leave(ad, o->scan);
    o->unwrap = NULL;
    o->scan = NULL;
    o->next = ad->spare_open;
    ad->spare_open = o;
}

static void
begin_unwrap(struct ir_adapt *ad, struct adapt_open *o)
{
    if (!o->unwrap_room)
        o->unwrap_room = arena_new(ad->arena, struct adapt_unwrap);
    o->unwrap = o->unwrap_room;
    memset(o->unwrap, 0, sizeof *o->unwrap);
}

static void
begin_scan(struct ir_adapt *ad, struct adapt_open *o)
{
    if (!o->scan_room)
        o->scan_room = arena_new(ad->arena, struct adapt_scan);
    o->scan = o->scan_room;
    memset(o->scan, 0, sizeof *o->scan);
}

static tg_rc
on_open(struct ir_adapt *ad, const struct ir_event *ev)
{
    struct ir_event out = *ev;
    struct adapt_open *o = NULL;
    struct ir_block head;
    bool call;

    if (!ev->head)
        return ad->next->put(ad->next, ev);
    call = ev->head->kind == IR_CALL;
    head = *ev->head;
    out.head = &head;
    if (call) {
        head.name = adapt_restored(ad, head.name);
        call = ad->lowered && !head.freeform && is_freeform(ad->req, head.name);
        head.freeform |= call;
    }
    if (call || ad->n_stops) {
        o = take_open(ad);
        o->choice = ev->choice;
        o->block = ev->block;
        if (call)
            begin_unwrap(ad, o);
        else if (head.kind == IR_TEXT)
            begin_scan(ad, o);
        o->next = ad->open;
        ad->open = o;
    }
    return ad->next->put(ad->next, &out);
}

/* A choice ends where a sequence was found; when it was the last one, so does the answer,
 * unless its usage is at hand.  An upstream that is left in the middle does not tell its usage,
 * and a client that asked for it is told that it is not known. */
static tg_rc
cut(struct ir_adapt *ad, uint32_t choice, const struct adapt_stop *hit)
{
    static const struct ir_usage unknown = {-1, -1, -1, -1, -1};
    struct ir_event ev = {.kind = IR_EV_CLOSE, .choice = choice};
    struct adapt_open **at = &ad->open;
    tg_rc rc = TG_OK;

    ad->cut[choice] = ad->ended[choice] = true;
    ad->n_ended++;
    while (*at && rc == TG_OK) {
        if ((*at)->choice != choice) {
            at = &(*at)->next;
            continue;
        }
        ev.block = (*at)->block;
        leave_open(ad, at);
        rc = ad->next->put(ad->next, &ev);
    }
    ev = (struct ir_event){
        .kind = IR_EV_STOP, .choice = choice, .stop = IR_STOP_SEQUENCE, .text = hit->text};
    if (rc == TG_OK)
        rc = ad->next->put(ad->next, &ev);
    if (rc != TG_OK || ad->whole || ad->n_ended < ad->req->choices)
        return rc;
    ad->over = true;
    if (ad->req->stream_usage)
        rc =
            ad->next->put(ad->next, &(struct ir_event){.kind = IR_EV_USAGE, .usage = &unknown});
    if (rc != TG_OK)
        return rc;
    return ad->next->put(ad->next, &(struct ir_event){.kind = IR_EV_END});
}

static tg_rc
on_delta(struct ir_adapt *ad, const struct ir_event *ev)
{
    const struct adapt_open *o = *find_open(ad, ev);
    const struct adapt_stop *hit = NULL;
    tg_rc rc;

    if (o && o->unwrap)
        return adapt_unwrap(o->unwrap, ev, ev->text, ad->next);
    if (!o || !o->scan)
        return ad->next->put(ad->next, ev);
    rc = adapt_scan(ad, o->scan, ev, &hit);
    return rc == TG_OK && hit ? cut(ad, ev->choice, hit) : rc;
}

static tg_rc
on_close(struct ir_adapt *ad, const struct ir_event *ev)
{
    struct adapt_open **at = find_open(ad, ev), *o = *at;
    tg_rc rc = TG_OK;

    if (o) {
        if (o->unwrap)
            rc = adapt_unwrap_end(o->unwrap, ev, ad->next);
        else if (o->scan)
            rc = adapt_scan_end(ad, o->scan, ev);
        leave_open(ad, at);
    }
    return rc == TG_OK ? ad->next->put(ad->next, ev) : rc;
}

static tg_rc
put(struct ir_sink *sink, const struct ir_event *ev)
{
    struct ir_adapt *ad = LIST_ITEM(sink, struct ir_adapt, sink);
    bool of_choice = ev->kind >= IR_EV_OPEN && ev->kind <= IR_EV_STOP;

    if (ad->over)
        return TG_OK;
    if (of_choice && ad->n_stops) {
        if (ev->choice >= ad->req->choices)
            return ad->next->put(ad->next, ev);
        if (ad->cut[ev->choice])
            return TG_OK;
    }
    switch (ev->kind) {
    case IR_EV_OPEN:
        return on_open(ad, ev);
    case IR_EV_DELTA:
        return on_delta(ad, ev);
    case IR_EV_CLOSE:
        return on_close(ad, ev);
    case IR_EV_STOP:
        if (ad->n_stops && !ad->ended[ev->choice]) {
            ad->ended[ev->choice] = true;
            ad->n_ended++;
        }
        break;
    default:
        break;
    }
    return ad->next->put(ad->next, ev);
}

struct ir_sink *
ir_adapt_sink(struct ir_adapt *adapt, bool whole, struct ir_sink *next)
{
    if (!adapt)
        return next;
    adapt->sink.put = put;
    adapt->next = next;
    adapt->whole = whole;
    adapt->over = false;
    adapt->open = NULL;
    adapt->n_ended = 0;
    if (adapt->n_stops) {
        adapt->ended = arena_array(adapt->arena, bool, adapt->req->choices);
        adapt->cut = arena_array(adapt->arena, bool, adapt->req->choices);
    }
    return &adapt->sink;
}

bool
ir_adapt_over(const struct ir_adapt *adapt)
{
    return adapt && adapt->over;
}
