/* sim.c -- the simulated model: its answers as events, at the pace asked for.
 *
 * All choices go forward together, one token each a tick, as a batch in a real server does.
 * Tick k is due first_token_ms after the request plus k token times: due times are counted from
 * the beginning, so delays do not add up.  Without a pace it goes as fast as the sink takes
 * events, and lets others run every YIELD_EVENTS events.
 *
 * A stop sequence may begin in one token and end in a later one.  What may be its beginning is
 * held back until it is clear; what was held when the text ends is said.  A held text is
 * shorter than the longest stop sequence, and parts only where a sequence begins, so never
 * inside a character.
 *
 * Timestamps are put in front of what is said, behind all this: they are no tokens and end no
 * text.  What must be JSON gets none.
 */
#include "base/clock.h"
#include "base/utf8.h"
#include "co/co.h"
#include "upstream/sim_int.h"
#include "upstream/sim_stamp.h"

enum { YIELD_EVENTS = 64 };

struct speaker {
    struct sim_plan plan;
    struct sim_text text;
    struct sim_rng pieces;
    uint32_t block;
    size_t said;       /* bytes of the fixed text of this block */
    int64_t generated; /* tokens of generated text              */
    int64_t tokens;    /* of all                                */
    char *held;        /* see above; NULL without stop sequences */
    char *stamped;     /* a timestamp and room for what may be said at once, or NULL */
    size_t held_n;
    bool open, done;
};

struct sim {
    const struct sim_params *p;
    const struct ir_req *req;
    struct ir_sink *sink;
    struct tg_err *err;
    struct speaker *v;
    int64_t input_tokens;
    int64_t events;
    unsigned since_yield;
    co_time start;
};

static tg_rc
emit(struct sim *s, const struct ir_event *ev)
{
    tg_rc rc = TG_OK;

    if (s->p->cut >= 0 && s->events >= s->p->cut) {
        return tg_upstream_fail(
            s->err, TG_EGONE, "upstream_truncated",
            "the simulated model broke off after %lld events, as it was told to",
            (long long)s->events);
    }
    if (s->events++ == 0)
        rc = s->sink->put(s->sink, &(struct ir_event){.kind = IR_EV_START});
    if (rc == TG_OK)
        rc = s->sink->put(s->sink, ev);
    if (rc == TG_OK && ++s->since_yield >= YIELD_EVENTS) {
        s->since_yield = 0;
        rc = co_yield();
    }
    return rc;
}

static tg_rc
say(struct sim *s, uint32_t choice, struct str text)
{
    struct speaker *v = &s->v[choice];

    if (text.n == 0)
        return TG_OK;
    if (v->stamped) {
        sim_stamp_put(v->stamped, co_now_exact());
        memcpy(v->stamped + SIM_STAMP_BYTES, text.p, text.n);
        text = str_of(v->stamped, SIM_STAMP_BYTES + text.n);
    }
    return emit(s, &(struct ir_event){
                       .kind = IR_EV_DELTA, .choice = choice, .block = v->block, .text = text});
}

static tg_rc
open_block(struct sim *s, uint32_t choice)
{
    struct speaker *v = &s->v[choice];
    struct ir_block head = {.kind = IR_TEXT};

    if (v->plan.n_calls) {
        const struct sim_call *call = &v->plan.calls[v->block];

        head = (struct ir_block){.kind = IR_CALL,
                                 .id = str_z(call->id),
                                 .name = call->tool->name,
                                 .freeform = call->tool->freeform};
    }
    v->open = true;
    v->said = 0;
    return emit(s, &(struct ir_event){
                       .kind = IR_EV_OPEN, .choice = choice, .block = v->block, .head = &head});
}

static tg_rc
close_block(struct sim *s, uint32_t choice)
{
    struct speaker *v = &s->v[choice];
    tg_rc rc = say(s, choice, str_of(v->held, v->held_n));

    v->held_n = 0;
    v->open = false;
    if (rc == TG_OK)
        rc = emit(s,
                  &(struct ir_event){.kind = IR_EV_CLOSE, .choice = choice, .block = v->block});
    v->block++;
    return rc;
}

static tg_rc
stop(struct sim *s, uint32_t choice, enum ir_stop why)
{
    tg_rc rc = close_block(s, choice);

    s->v[choice].done = true;
    if (rc == TG_OK)
        rc = emit(s, &(struct ir_event){.kind = IR_EV_STOP, .choice = choice, .stop = why});
    return rc;
}

/* A few bytes of a text that was made before, in whole characters. */
static struct str
piece(struct speaker *v, struct str text)
{
    struct str rest = str_from(text, v->said);
    size_t n = 2 + (size_t)sim_rng_below(&v->pieces, 6);

    n = n < rest.n ? utf8_floor(rest, n) : rest.n;
    if (n == 0) /* a character longer than that */
        n = utf8_seq(rest.p, rest.p + rest.n);
    if (n == 0)
        n = rest.n; /* cannot be: such texts are well formed */
    v->said += n;
    return str_of(rest.p, n);
}

static struct str
block_text(const struct speaker *v)
{
    return v->plan.n_calls ? v->plan.calls[v->block].text : v->plan.text;
}

static bool
has_more(const struct speaker *v)
{
    return v->said < block_text(v).n || (!v->plan.n_calls && v->generated < v->plan.generated);
}

static struct str
next_token(struct speaker *v, char out[SIM_TOKEN_MAX])
{
    struct str text = block_text(v);

    v->tokens++;
    if (v->said < text.n)
        return piece(v, text);
    v->generated++;
    return sim_text_next(&v->text, v->generated == v->plan.generated, out);
}

/* Where the first stop sequence begins in held, or held_n. */
static size_t
find_stop(const struct ir_req *req, struct str held)
{
    size_t at = held.n;

    for (unsigned i = 0; i < req->n_stop; i++) {
        const char *p = held.n ? memmem(held.p, held.n, req->stop[i].p, req->stop[i].n) : NULL;

        if (p && (size_t)(p - held.p) < at)
            at = (size_t)(p - held.p);
    }
    return at;
}

/* Where the longest tail of held begins that a stop sequence begins with, or held.n. */
static size_t
find_begin(const struct ir_req *req, struct str held)
{
    for (size_t at = 0; at < held.n; at++)
        for (unsigned i = 0; i < req->n_stop; i++)
            if (str_starts(req->stop[i], str_from(held, at)))
                return at;
    return held.n;
}

/* Says what is safe to say of held and token together.  *ret_stopped: a sequence was met. */
static tg_rc
filter(struct sim *s, uint32_t choice, struct str token, bool *ret_stopped)
{
    struct speaker *v = &s->v[choice];
    struct str held;
    size_t at;
    tg_rc rc;

    *ret_stopped = false;
    if (!v->held || v->plan.n_calls)
        return say(s, choice, token);
    memcpy(v->held + v->held_n, token.p, token.n);
    v->held_n += token.n;
    held = str_of(v->held, v->held_n);
    at = find_stop(s->req, held);
    *ret_stopped = at < held.n;
    if (!*ret_stopped)
        at = find_begin(s->req, held);
    rc = say(s, choice, str_of(held.p, at));
    v->held_n = *ret_stopped ? 0 : held.n - at;
    memmove(v->held, v->held + at, v->held_n);
    return rc;
}

/* One token of one choice, and what ends with it. */
static tg_rc
step(struct sim *s, uint32_t choice)
{
    struct speaker *v = &s->v[choice];
    char out[SIM_TOKEN_MAX];
    bool stopped = false;
    tg_rc rc = v->open ? TG_OK : open_block(s, choice);

    if (rc == TG_OK && has_more(v))
        rc = filter(s, choice, next_token(v, out), &stopped);
    if (rc != TG_OK)
        return rc;
    if (stopped)
        return stop(s, choice, IR_STOP_SEQUENCE);
    if (has_more(v))
        return s->req->max_tokens >= 0 && v->tokens >= s->req->max_tokens
                   ? stop(s, choice, IR_STOP_LENGTH)
                   : TG_OK;
    if (v->plan.n_calls == 0)
        return stop(s, choice, IR_STOP_END);
    if (v->block + 1 == v->plan.n_calls)
        return stop(s, choice, IR_STOP_CALLS);
    if (s->req->max_tokens >= 0 && v->tokens >= s->req->max_tokens)
        return stop(s, choice, IR_STOP_LENGTH);
    return close_block(s, choice);
}

static tg_rc
wait_for_tick(struct sim *s, int64_t tick)
{
    co_time at = s->start + s->p->first_token_ms * NS_PER_MS;

    if (s->p->tokens_per_second > 0)
        at += tick * NS_PER_S / s->p->tokens_per_second;
    else if (tick > 0)
        return TG_OK;
    if (at <= co_now())
        return TG_OK;
    s->since_yield = 0;
    return co_sleep_until(at);
}

static tg_rc
prepare(struct sim *s, struct arena *a)
{
    struct sim_prompt prompt;
    size_t stop_bytes = 0;
    tg_rc rc = sim_prompt(s->req, &prompt);

    if (rc != TG_OK)
        return rc;
    for (unsigned i = 0; i < s->req->n_stop; i++) {
        if (s->req->stop[i].n > SIM_STOP_BYTES_MAX)
            return tg_refuse(s->err, "invalid_value", "stop",
                             "the simulated model takes stop sequences of at most %d bytes",
                             SIM_STOP_BYTES_MAX);
        if (s->req->stop[i].n > stop_bytes)
            stop_bytes = s->req->stop[i].n;
    }
    s->input_tokens = prompt.tokens;
    s->v = arena_array(a, struct speaker, s->req->choices);
    for (uint32_t i = 0; i < s->req->choices; i++) {
        struct speaker *v = &s->v[i];

        rc = sim_plan(a, s->p, s->req, &prompt, i, &v->plan, s->err);
        if (rc == TG_OK && i + 1 < s->req->choices)
            rc = co_yield();
        if (rc != TG_OK)
            return rc;
        sim_text_init(&v->text, v->plan.seed);
        v->pieces.state = v->plan.seed;
        if (s->req->n_stop)
            v->held = arena_alloc(a, stop_bytes + SIM_TOKEN_MAX, 1);
        if (s->p->stamp && !v->plan.n_calls && !s->req->format_schema.n && !s->req->format_json)
            v->stamped = arena_alloc(a, SIM_STAMP_BYTES + stop_bytes + SIM_TOKEN_MAX, 1);
    }
    return TG_OK;
}

static tg_rc
finish(struct sim *s)
{
    struct ir_usage usage = {.input = s->input_tokens, .cached = 0, .reasoning = 0};
    tg_rc rc;

    for (uint32_t i = 0; i < s->req->choices; i++)
        usage.output += s->v[i].tokens;
    rc = emit(s, &(struct ir_event){.kind = IR_EV_USAGE, .usage = &usage});
    return rc == TG_OK ? emit(s, &(struct ir_event){.kind = IR_EV_END}) : rc;
}

tg_rc
sim_generate(struct arena *a, const struct sim_params *p, const struct ir_req *req,
             struct ir_sink *sink, struct tg_err *err)
{
    struct sim s = {.p = p, .req = req, .sink = sink, .err = err, .start = co_now_exact()};
    bool active = true;
    tg_rc rc;

    if (p->error_status) {
        rc = wait_for_tick(&s, 0);
        return rc == TG_OK ? sim_error(p->error_status, err) : rc;
    }
    rc = prepare(&s, a);
    for (int64_t tick = 0; rc == TG_OK && active; tick++) {
        rc = wait_for_tick(&s, tick);
        active = false;
        for (uint32_t i = 0; rc == TG_OK && i < req->choices; i++) {
            if (s.v[i].done)
                continue;
            rc = step(&s, i);
            active |= !s.v[i].done;
        }
    }
    return rc == TG_OK ? finish(&s) : rc;
}
