/* answer.h -- events of a model, told in the client's dialect, streamed or whole.
 *
 *     answer_open(&a, x, &req, adapt, eager);
 *     ... events into a.chain.sink, answer_flush whenever many have been put ...
 *     rc = answer_close(&a, rc);
 */
#ifndef API_ANSWER_H
#define API_ANSWER_H

#include "api/exchange.h"
#include "ir/chain.h"

struct answer {
    struct ir_chain chain; /* give its sink the events */
    struct exchange *x;
    const struct ir_req *req;
    struct dialect_enc enc;
    struct ir_sink stream; /* encodes into out */
    struct buf out;        /* records not yet written */
    bool eager;            /* each event is written at once */
};

/* req and x outlive it; adapt: of the request, or NULL.  eager: the sink writes each event and
 * so suspends (for a model inside the daemon); otherwise records gather until answer_flush and
 * the sink never suspends.  Large: in the exchange's arena, not on a stack. */
void answer_open(struct answer *a, struct exchange *x, const struct ir_req *req,
                 struct ir_adapt *adapt, bool eager);
/* Writes what has gathered.  S */
TG_MUST_USE tg_rc answer_flush(struct answer *a);
/* rc: how the events ended.  TG_OK: ends the stream or sends the whole answer.  Otherwise what
 * has gathered is written first, and rc is returned.  S */
TG_MUST_USE tg_rc answer_close(struct answer *a, tg_rc rc);

#endif
