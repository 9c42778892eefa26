/* decode.h -- a stream or a whole answer read as a client reads it, and checked. */
#ifndef BENCH_DECODE_H
#define BENCH_DECODE_H

#include "bench/tally.h"
#include "http/sse.h"
#include "ir/event.h"
#include "triglot/dialect.h"

struct decode {
    const struct dialect *dialect;
    struct dialect_dec dec;
    struct sse sse;
    struct ir_check check;
    struct ir_sink sink; /* behind the check */
    struct tg_err err;
    struct watch *watch;
    int64_t now_ns; /* of the piece in hand */
    bool over;      /* the dialect's last record was seen */
};

/* State comes from the arena; both it and w stay until decode_fini.  choices: how many the
 * request asks for. */
void decode_init(struct decode *d, const struct dialect *dialect, unsigned choices,
                 struct arena *a, struct watch *w);
void decode_fini(struct decode *d);
/* A piece of a stream that arrived at now_ns; empty: its end.  FAIL_NONE, or what went wrong,
 * in words in d->err. */
enum fail decode_piece(struct decode *d, struct str piece, int64_t now_ns);
/* A whole answer. */
enum fail decode_whole(struct decode *d, struct str body);

#endif
