/* pairs.h -- answers and requests sent through the codecs of one dialect and then of another.
 *
 * As in the daemon: the upstream's dialect decodes, the grammar is checked, the sequencer
 * stands before an encoder that wants it, the client's dialect encodes.  What two dialects
 * cannot both say is taken out of an answer before it is compared (pairs_canon).
 */
#ifndef TESTS_SUPPORT_PAIRS_H
#define TESTS_SUPPORT_PAIRS_H

#include "base/arena.h"
#include "base/buf.h"
#include "ir/event.h"
#include "ir/fold.h"
#include "ir/seq.h"
#include "triglot/dialect.h"

/* How much may be held back or folded. */
enum { PAIRS_BYTES_MAX = 64 << 20 };

/* Events in, the dialect's stream out: checker, sequencer if the dialect wants it, encoder. */
struct pairs_enc {
    struct ir_sink encode, *in; /* in: give it the events */
    const struct dialect *dialect;
    struct dialect_enc enc;
    struct ir_check check;
    struct ir_seq seq;
    struct buf out;
    struct tg_err err; /* of the checker and the sequencer */
};
/* The request may be NULL.  The stream is asked for with its usage. */
void pairs_enc_init(struct pairs_enc *e, struct arena *a, const struct dialect *d,
                    unsigned choices, const struct ir_req *req);
void pairs_enc_fini(struct pairs_enc *e);

/* A dialect's stream as events into sink, behind the checker.  The stream must end there. */
tg_rc pairs_decode_stream(struct arena *a, const struct dialect *d, unsigned choices,
                          struct str stream, struct ir_sink *sink, struct tg_err *err);
/* The same of a whole JSON answer. */
tg_rc pairs_decode_whole(struct arena *a, const struct dialect *d, unsigned choices,
                         struct str body, struct ir_sink *sink, struct tg_err *err);
/* An answer as one JSON body, in the arena. */
tg_rc pairs_encode_whole(struct arena *a, const struct dialect *d, const struct ir_req *req,
                         const struct ir_res *res, struct str *ret);

/* What comes before the first dialect: puts an answer's events into the sink. */
struct pairs_source {
    tg_rc (*put)(const struct pairs_source *, struct ir_sink *);
    const struct ir_res *res;
    uint64_t seed;    /* of the random ones */
    unsigned overlap; /* calls open at once; other blocks are alone */
};
/* In pieces of one character; in random pieces with calls overlapping; as ir_unfold has it. */
tg_rc pairs_by_chars(const struct pairs_source *s, struct ir_sink *sink);
tg_rc pairs_at_random(const struct pairs_source *s, struct ir_sink *sink);
tg_rc pairs_in_order(const struct pairs_source *s, struct ir_sink *sink);

/* source, stream of `from`, stream of `to` (which may be NULL), answer; the streams' shapes are
 * checked on the way.
 * NULL and the answer in *ret, or what went wrong, in the arena. */
const char *pairs_stream(struct arena *a, const struct dialect *from, const struct dialect *to,
                         const struct pairs_source *source, struct ir_res *ret);
/* A stream of `from` as it came from an upstream, to a stream of `to`, to an answer. */
const char *pairs_restream(struct arena *a, const struct dialect *from,
                           const struct dialect *to, struct str stream, unsigned choices,
                           struct ir_res *ret);
/* Whole answers in the place of streams; to may be NULL. */
const char *pairs_whole(struct arena *a, const struct dialect *from, const struct dialect *to,
                        const struct ir_res *res, struct ir_res *ret);

/* An answer to the request of a client of d, in its dialect, and read back: whole, or streamed
 * by characters. */
const char *pairs_client(struct arena *a, const struct dialect *d, const struct ir_req *req,
                         const struct ir_res *res, bool whole, struct ir_res *ret);

/* The dump of what is left of an answer when everything that one of the dialects cannot say is
 * taken out or levelled.  Equal answers have equal texts. */
const char *pairs_canon(struct arena *a, const struct ir_res *res, const struct dialect *from,
                        const struct dialect *to);
/* The same of a request: messages, tools, what must arrive. */
const char *pairs_canon_req(struct arena *a, const struct ir_req *req);
/* A name of a parameter that `before` says, `after` does not, and drops does not list; or NULL.
 */
const char *pairs_lost(struct arena *a, const struct ir_req *before, const struct ir_req *after,
                       const struct ir_drops *drops);

#endif
