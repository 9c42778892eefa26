/* event.c -- the event grammar.
 *
 * What may come when is one table: a row for each phase of an answer, a column for each kind of
 * event, in it the phase that follows or BREACH.  The phase is the answer's; what belongs to
 * one choice or block (is it open, is its number the next one, has the choice stopped) is
 * looked up by the functions behind the table.
 *
 *   BEFORE --START--> RUNNING --last STOP--> STOPPED --USAGE--> COUNTED --END--> OVER
 *                                               |                                 ^
 *                                               +--------------END----------------+
 *   and from everywhere but OVER: ERROR --> OVER
 *
 * Invariants
 *  (1) Downstream sees a prefix of a well-formed answer, whatever the source does.
 *  (2) After a breach nothing passes any more.
 */
#include "ir/event.h"

#include <assert.h>
#include <string.h>

#include "base/list.h"

enum phase { BEFORE, RUNNING, STOPPED, COUNTED, OVER, PHASE_N, BREACH = 0 };

/* BREACH is 0, so what is not listed is one; no event leads to BEFORE. */
static const uint8_t follows[PHASE_N][IR_EV_KIND_N] = {
    [BEFORE] = {[IR_EV_START] = RUNNING, [IR_EV_ERROR] = OVER},
    [RUNNING] = {[IR_EV_OPEN] = RUNNING,
                 [IR_EV_DELTA] = RUNNING,
                 [IR_EV_NOTE] = RUNNING,
                 [IR_EV_CLOSE] = RUNNING,
                 [IR_EV_STOP] = RUNNING,
                 [IR_EV_ERROR] = OVER},
    [STOPPED] = {[IR_EV_USAGE] = COUNTED, [IR_EV_END] = OVER, [IR_EV_ERROR] = OVER},
    [COUNTED] = {[IR_EV_END] = OVER, [IR_EV_ERROR] = OVER},
};

static const char *const early[IR_EV_KIND_N] = {
    [IR_EV_START] = "it began twice",
    [IR_EV_OPEN] = "a block outside the answer",
    [IR_EV_DELTA] = "text outside the answer",
    [IR_EV_NOTE] = "a citation outside the answer",
    [IR_EV_CLOSE] = "the end of a block outside the answer",
    [IR_EV_STOP] = "a choice ended outside the answer",
    [IR_EV_USAGE] = "usage before every choice had ended, or twice",
    [IR_EV_END] = "its end before every choice had ended",
    [IR_EV_ERROR] = "an error after its end",
};

/* Slot of an open block, or n_open.  From behind: what was opened last gets the most events. */
static uint32_t
find_open(const struct ir_grammar *c, const struct ir_event *ev)
{
    for (uint32_t i = c->n_open; i > 0; i--)
        if (c->open[i - 1].block == ev->block && c->open[i - 1].choice == ev->choice)
            return i - 1;
    return c->n_open;
}

static const char *
on_open(struct ir_grammar *c, const struct ir_event *ev)
{
    if (!ev->head)
        return "a block without a head";
    if (ev->block != c->of[ev->choice].next_block)
        return "block numbers that are not dense";
    if (!arena_more(c->arena, c->open, c->n_open, c->cap_open, IR_OPEN_MAX))
        return "too many blocks open at once";
    c->open[c->n_open++] =
        (struct ir_grammar_open){ev->block, (uint8_t)ev->choice, (uint8_t)ev->head->kind};
    c->of[ev->choice].next_block++;
    return NULL;
}

static const char *
on_delta(struct ir_grammar *c, const struct ir_event *ev)
{
    uint32_t slot = find_open(c, ev);

    if (slot == c->n_open)
        return "text for a block that is not open";
    if (ev->logprobs.n && c->open[slot].kind != IR_TEXT)
        return "log probabilities of a block that is not text";
    if (ev->logprobs.n && (ev->logprobs.p[0] != '[' || !str_ends(ev->logprobs, STR("]"))))
        return "log probabilities that are no list";
    return NULL;
}

static const char *
on_note(struct ir_grammar *c, const struct ir_event *ev)
{
    uint32_t slot = find_open(c, ev);

    if (!ev->note)
        return "a citation without its source";
    if (slot == c->n_open)
        return "a citation in a block that is not open";
    return c->open[slot].kind == IR_TEXT ? NULL : "a citation in a block that is not text";
}

static const char *
on_close(struct ir_grammar *c, const struct ir_event *ev)
{
    uint32_t slot = find_open(c, ev);

    if (slot == c->n_open)
        return "the end of a block that is not open";
    if (ev->head && c->open[slot].kind != IR_THINK)
        return "a proof of reasoning for a block that is not reasoning";
    if (ev->head && ev->head->sig.n && !ev->head->origin)
        return "a proof of reasoning without its maker";
    /* Order is kept, so that the search from behind stays short. */
    c->n_open--;
    for (; slot < c->n_open; slot++)
        c->open[slot] = c->open[slot + 1];
    return NULL;
}

static const char *
on_stop(struct ir_grammar *c, const struct ir_event *ev)
{
    for (uint32_t i = 0; i < c->n_open; i++)
        if (c->open[i].choice == ev->choice)
            return "a choice ended with a block open";
    c->of[ev->choice].stopped = true;
    c->n_stopped++;
    return NULL;
}

static const char *
on_usage(struct ir_grammar *c, const struct ir_event *ev)
{
    (void)c;
    return ev->usage ? NULL : "usage without figures";
}

static const char *
on_error(struct ir_grammar *c, const struct ir_event *ev)
{
    (void)c;
    return ev->err ? NULL : "an error without a description";
}

/* What is wrong with ev, or NULL. */
static const char *
judge(struct ir_grammar *c, const struct ir_event *ev)
{
    static const char *(*const on[IR_EV_KIND_N])(struct ir_grammar *,
                                                 const struct ir_event *) = {
        [IR_EV_OPEN] = on_open,   [IR_EV_DELTA] = on_delta, [IR_EV_NOTE] = on_note,
        [IR_EV_CLOSE] = on_close, [IR_EV_STOP] = on_stop,   [IR_EV_USAGE] = on_usage,
        [IR_EV_ERROR] = on_error,
    };
    bool of_choice = ev->kind >= IR_EV_OPEN && ev->kind <= IR_EV_STOP;
    const char *why;

    if ((unsigned)ev->kind >= IR_EV_KIND_N)
        return "an event of no known kind";
    if (follows[c->phase][ev->kind] == BREACH)
        return c->phase == BEFORE ? "it did not begin with its start" : early[ev->kind];
    if (of_choice && ev->choice >= c->choices)
        return "a choice that was not asked for";
    if (of_choice && c->of[ev->choice].stopped)
        return "more of a choice that had ended";
    why = on[ev->kind] ? on[ev->kind](c, ev) : NULL;
    if (why)
        return why;
    c->phase = follows[c->phase][ev->kind];
    if (c->phase == RUNNING && c->n_stopped == c->choices)
        c->phase = STOPPED;
    return NULL;
}

static tg_rc
put(struct ir_sink *sink, const struct ir_event *ev)
{
    struct ir_grammar *c = LIST_ITEM(sink, struct ir_grammar, sink);
    const char *why = judge(c, ev);

    if (!why)
        return c->next->put(c->next, ev);
    c->phase = OVER;
    return tg_upstream_fail(c->err, TG_EPROTO, "upstream_protocol_error",
                            "the upstream's answer is out of order: %s", why);
}

static void
set_up(struct ir_grammar *c, uint32_t choices, struct ir_sink *next, struct tg_err *err)
{
    assert(choices >= 1 && choices <= IR_CHOICES_MAX);
    c->sink.put = put;
    c->next = next;
    c->err = err;
    c->choices = choices;
}

void
ir_check_init(struct ir_check *c, uint32_t choices, struct ir_sink *next, struct tg_err *err)
{
    set_up(&c->grammar, choices, next, err);
    c->grammar.open = c->open;
    c->grammar.cap_open = IR_OPEN_MAX;
    c->grammar.of = c->of;
}

struct ir_sink *
ir_check_new(struct arena *a, uint32_t choices, struct ir_sink *next, struct tg_err *err)
{
    struct ir_grammar *c = arena_new(a, struct ir_grammar);

    set_up(c, choices, next, err);
    c->of = arena_array(a, struct ir_grammar_choice, choices);
    c->arena = a;
    return &c->sink;
}
