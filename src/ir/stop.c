/* stop.c -- stop sequences that the upstream does not take, looked for in the answer.
 *
 * A route takes the first stop_max sequences of a request; the others are searched in each TEXT
 * block, byte by byte, with the automaton of Knuth, Morris and Pratt for every one of them.
 * What ends a text and is the beginning of a sequence is held back.  It need not be stored: it
 * is that beginning.  A sequence is valid UTF-8 and so begins with a character, hence a hold
 * never parts one.
 *
 * The first sequence to be complete wins, the longest when several are at the same byte: this
 * does not depend on how the text was cut into deltas.
 *
 * Log probabilities belong to tokens, whose ends need not be where text is let out.  While
 * nothing is held they pass with their text; else they are taken apart, kept with the place
 * where their token ends, and put with the text that reaches it.
 */
#include "ir/adapt_int.h"
#include "ir/unfold.h"
#include "json/scan.h"

static void
make_borders(struct adapt_stop *s, struct arena *a)
{
    uint32_t n = 0;

    s->back = arena_array(a, uint32_t, s->text.n + 1);
    for (size_t i = 1; i < s->text.n; i++) {
        while (n && s->text.p[i] != s->text.p[n])
            n = s->back[n];
        if (s->text.p[i] == s->text.p[n])
            n++;
        s->back[i + 1] = n;
    }
}

void
adapt_stops(struct adapt_fit *fit)
{
    unsigned max = fit->route->caps.stop_max;
    struct ir_adapt *ad;

    if (fit->req->n_stop <= max)
        return;
    fit->out->n_stop = max;
    for (unsigned i = max; i < fit->req->n_stop; i++) {
        struct adapt_stop *s;

        /* An empty one would stop everything. */
        if (fit->req->stop[i].n == 0)
            continue;
        ad = adapt_undo(fit);
        s = &ad->stops[ad->n_stops++];
        s->text = fit->req->stop[i];
        make_borders(s, fit->a);
    }
}

/* One more byte; the sequence that it completes, or NULL. */
static const struct adapt_stop *
step(const struct ir_adapt *ad, struct adapt_scan *s, char c)
{
    const struct adapt_stop *hit = NULL;

    for (unsigned i = 0; i < ad->n_stops; i++) {
        const struct adapt_stop *stop = &ad->stops[i];
        uint32_t at = s->at[i];

        while (at && stop->text.p[at] != c)
            at = stop->back[at];
        if (stop->text.p[at] == c)
            at++;
        s->at[i] = at;
        if (at == stop->text.n && (!hit || hit->text.n < at))
            hit = stop;
    }
    return hit;
}

/* What is held back: the longest beginning of a sequence that the text ends with. */
static struct str
held_text(const struct ir_adapt *ad, const struct adapt_scan *s)
{
    struct str held = {NULL, 0};

    for (unsigned i = 0; i < ad->n_stops; i++)
        if (s->at[i] > held.n)
            held = str_of(ad->stops[i].text.p, s->at[i]);
    return held;
}

/* How many bytes of the text an element of logprobs is about. */
static size_t
token_bytes(struct str element)
{
    struct arena a;
    struct json_member m, byte;
    struct json_iter it;
    struct str text;
    size_t n = 0;

    if (json_kind_of(element) != JSON_OBJECT)
        return 0;
    if (json_get(element, STR("bytes"), &m) && json_array(&it, m.value) == TG_OK) {
        while (json_next(&it, &byte))
            n++;
        return n;
    }
    if (!json_get(element, STR("token"), &m))
        return 0;
    arena_init(&a);
    if (json_string(&a, m.value, &text) == TG_OK)
        n = text.n;
    arena_fini(&a);
    return n;
}

/* *room has n bytes at least; it doubles, so that it is seldom made anew. */
static void
make_room(struct arena *a, char **room, size_t *n_room, size_t n)
{
    size_t most = *n_room * 2;

    if (n <= *n_room)
        return;
    *n_room = n > most ? n : most;
    *room = arena_alloc(a, *n_room, 1);
}

static struct adapt_token *
take_token(struct ir_adapt *ad, struct str element)
{
    struct adapt_token *t = ad->spare_tokens;

    if (t)
        ad->spare_tokens = t->next;
    else
        t = arena_new(ad->arena, struct adapt_token);
    make_room(ad->arena, &t->room, &t->n_room, element.n);
    memcpy(t->room, element.p, element.n);
    t->element = str_of(t->room, element.n);
    t->next = NULL;
    return t;
}

static void
leave_token(struct ir_adapt *ad, struct adapt_scan *s)
{
    struct adapt_token *t = s->tokens;

    s->tokens = t->next;
    t->next = ad->spare_tokens;
    ad->spare_tokens = t;
}

void
adapt_scan_leave(struct ir_adapt *ad, struct adapt_scan *s)
{
    while (s->tokens)
        leave_token(ad, s);
}

static void
keep_tokens(struct ir_adapt *ad, struct adapt_scan *s, struct str logprobs)
{
    struct json_iter it;
    struct json_member m;

    if (logprobs.n == 0 || json_array(&it, logprobs) != TG_OK)
        return;
    if (s->told < s->seen)
        s->told = s->seen;
    while (json_next(&it, &m)) {
        struct adapt_token *t = take_token(ad, m.value);

        t->end = s->told += token_bytes(m.value);
        if (!s->tokens)
            s->tokens_tail = &s->tokens;
        *s->tokens_tail = t;
        s->tokens_tail = &t->next;
    }
}

/* The array of the kept tokens that end within the first `upto` bytes, or ""; until the next.
 */
static struct str
take_tokens(struct ir_adapt *ad, struct adapt_scan *s, uint64_t upto)
{
    const struct adapt_token *end = s->tokens;
    size_t n = 2;
    char *p, *to;

    for (; end && end->end <= upto; end = end->next)
        n += end->element.n + 1;
    if (end == s->tokens)
        return (struct str){NULL, 0};
    make_room(ad->arena, &ad->probs, &ad->n_probs, n);
    p = to = ad->probs;
    *to++ = '[';
    for (; s->tokens != end; leave_token(ad, s)) {
        if (to > p + 1)
            *to++ = ',';
        memcpy(to, s->tokens->element.p, s->tokens->element.n);
        to += s->tokens->element.n;
    }
    *to++ = ']';
    return str_of(p, (size_t)(to - p));
}

/* Puts what was held and what came, with the log probabilities of both. */
static tg_rc
let_out(struct ir_adapt *ad, struct adapt_scan *s, const struct ir_event *place,
        struct str held, struct str text, struct str logprobs)
{
    struct ir_event ev = {.kind = IR_EV_DELTA, .choice = place->choice, .block = place->block};
    tg_rc rc = TG_OK;

    s->sent += held.n + text.n;
    if (logprobs.n == 0)
        logprobs = take_tokens(ad, s, s->sent);
    if (held.n && (text.n || held.n > IR_PIECE_MAX || logprobs.n == 0)) {
        rc = ir_put_text(ad->next, &ev, held);
        held.n = 0;
    }
    ev.text = text.n ? text : held;
    ev.logprobs = logprobs;
    if (rc != TG_OK || (ev.text.n == 0 && logprobs.n == 0))
        return rc;
    return ad->next->put(ad->next, &ev);
}

tg_rc
adapt_scan(struct ir_adapt *ad, struct adapt_scan *s, const struct ir_event *ev,
           const struct adapt_stop **ret_hit)
{
    struct str before = held_text(ad, s), all = {NULL, 0};
    const struct adapt_stop *hit = NULL;
    size_t i = 0, out;

    while (i < ev->text.n && !hit)
        hit = step(ad, s, ev->text.p[i++]);
    /* Of what was held and the i bytes read, all but the tail goes. */
    out = before.n + i - (hit ? hit->text.n : held_text(ad, s).n);
    if (before.n == 0 && out == ev->text.n && !s->tokens)
        all = ev->logprobs;
    else
        keep_tokens(ad, s, ev->logprobs);
    s->seen += ev->text.n;
    *ret_hit = hit;
    if (out <= before.n)
        return let_out(ad, s, ev, str_of(before.p, out), (struct str){NULL, 0}, all);
    return let_out(ad, s, ev, before, str_of(ev->text.p, out - before.n), all);
}

tg_rc
adapt_scan_end(struct ir_adapt *ad, struct adapt_scan *s, const struct ir_event *place)
{
    struct str held = held_text(ad, s);
    const struct adapt_token *t = s->tokens;

    /* Tokens need not add up to the text. */
    while (t && t->next)
        t = t->next;
    if (t && t->end > s->sent + held.n)
        s->sent = t->end - held.n;
    return let_out(ad, s, place, held, (struct str){NULL, 0}, (struct str){NULL, 0});
}
