/* unfold.c -- a whole response as events: the reverse of fold.c.
 *
 * What a stream would tell only at a block's end (a THINK block's sig) comes with its CLOSE
 * here too, so that an encoder sees one order of things whatever the upstream sent.  Citations
 * follow the text they are about.
 */
#include "ir/unfold.h"

#include "base/utf8.h"

/* In pieces; the first one has all the log probabilities. */
static tg_rc
put_pieces(struct ir_sink *sink, const struct ir_event *place, struct str text,
           struct str logprobs)
{
    struct ir_event ev = {.kind = IR_EV_DELTA,
                          .choice = place->choice,
                          .block = place->block,
                          .logprobs = logprobs};
    tg_rc rc = TG_OK;

    while ((text.n || ev.logprobs.n) && rc == TG_OK) {
        size_t n = text.n;

        if (n > IR_PIECE_MAX) {
            n = utf8_floor(text, IR_PIECE_MAX);
            if (n == 0)
                n = IR_PIECE_MAX;
        }
        ev.text = str_of(text.p, n);
        text = str_from(text, n);
        rc = sink->put(sink, &ev);
        ev.logprobs = (struct str){NULL, 0};
    }
    return rc;
}

tg_rc
ir_put_text(struct ir_sink *sink, const struct ir_event *place, struct str text)
{
    return put_pieces(sink, place, text, (struct str){NULL, 0});
}

static bool
has_proof(const struct ir_block *b)
{
    return b->kind == IR_THINK && (b->sig.n || b->sig_id.n);
}

static tg_rc
put_block(struct ir_sink *sink, struct ir_event *ev, const struct ir_block *b)
{
    struct ir_block head = *b, proof = {.kind = IR_THINK,
                                        .sig = b->sig,
                                        .sig_id = b->sig_id,
                                        .origin = b->origin,
                                        .redacted = b->redacted,
                                        .summary = b->summary};
    tg_rc rc;

    head.text = head.logprobs = head.sig = head.sig_id = (struct str){NULL, 0};
    head.notes = NULL;
    head.next = NULL;
    ev->kind = IR_EV_OPEN;
    ev->head = &head;
    rc = sink->put(sink, ev);
    ev->head = NULL;
    if (rc == TG_OK)
        rc = put_pieces(sink, ev, b->text,
                        b->kind == IR_TEXT ? b->logprobs : (struct str){NULL, 0});
    ev->kind = IR_EV_NOTE;
    for (ev->note = b->notes; ev->note && rc == TG_OK; ev->note = ev->note->next)
        rc = sink->put(sink, ev);
    ev->note = NULL;
    if (rc != TG_OK)
        return rc;
    ev->kind = IR_EV_CLOSE;
    ev->head = has_proof(b) ? &proof : NULL;
    rc = sink->put(sink, ev);
    ev->head = NULL;
    return rc;
}

static tg_rc
put_answer(struct ir_sink *sink, const struct ir_answer *answer, uint32_t choice)
{
    struct ir_event ev = {.choice = choice};
    tg_rc rc = TG_OK;

    for (const struct ir_block *b = answer->blocks; b && rc == TG_OK; b = b->next) {
        rc = put_block(sink, &ev, b);
        ev.block++;
    }
    if (rc != TG_OK)
        return rc;
    return sink->put(sink, &(struct ir_event){.kind = IR_EV_STOP,
                                              .choice = choice,
                                              .stop = answer->stop,
                                              .text = answer->stop_text});
}

static bool
any_known(const struct ir_usage *u)
{
    return u->input >= 0 || u->output >= 0 || u->cached >= 0 || u->reasoning >= 0 ||
           u->cache_write >= 0;
}

tg_rc
ir_unfold(const struct ir_res *res, struct ir_sink *sink)
{
    tg_rc rc = sink->put(sink, &(struct ir_event){.kind = IR_EV_START});

    for (unsigned i = 0; i < res->n_answers && rc == TG_OK; i++)
        rc = put_answer(sink, &res->answers[i], i);
    if (rc == TG_OK && any_known(&res->usage))
        rc = sink->put(sink, &(struct ir_event){.kind = IR_EV_USAGE, .usage = &res->usage});
    if (rc == TG_OK)
        rc = sink->put(sink, &(struct ir_event){.kind = IR_EV_END});
    return rc;
}
