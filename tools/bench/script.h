/* script.h -- answers made beforehand: what --serve sends. */
#ifndef BENCH_SCRIPT_H
#define BENCH_SCRIPT_H

#include "base/buf.h"
#include "triglot/dialect.h"

/* One dialect's stream and whole answer.  Record k ends at end[k] of the stream; the first
 * begins with what comes before any text, and what is behind the last one ends the stream. */
struct script {
    struct buf stream, whole;
    size_t *end, *stamp; /* of each event: where its record ends, where its timestamp stands */
    size_t n, most;      /* events; the longest record */
};

/* events texts of `bytes` bytes, timestamps included.  usage: the stream has a record of it.
 * TG_ELIMIT when it comes to more than a GiB. */
TG_MUST_USE tg_rc script_make(struct script *s, const struct dialect *d, bool usage,
                              size_t events, size_t bytes);
void script_free(struct script *s);

#endif
