/* split.h -- a stream cut into records without decoding them: for --fast. */
#ifndef BENCH_SPLIT_H
#define BENCH_SPLIT_H

#include "base/buf.h"
#include "bench/tally.h"
#include "triglot/dialect.h"

enum split_end { SPLIT_GOES_ON, SPLIT_OVER, SPLIT_ERROR, SPLIT_TOO_LARGE };

struct split {
    const struct split_words *words; /* of the dialect */
    struct buf hold;                 /* a record that began in an earlier piece */
    size_t stamp_at;                 /* where the last record had its timestamp */
    bool in_line;                    /* the last byte seen was not a line feed  */
};

void split_init(struct split *s, const struct dialect *d);
void split_fini(struct split *s);
/* Takes a piece that arrived at now_ns.  The dialect's last record: SPLIT_OVER; an error
 * record: SPLIT_ERROR; a record above 64 MiB: SPLIT_TOO_LARGE.  What lies behind either is not
 * read. */
enum split_end split_feed(struct split *s, struct str piece, int64_t now_ns, struct watch *w);

#endif
