/* call.h -- one caller, its connection, and the call it is making. */
#ifndef BENCH_CALL_H
#define BENCH_CALL_H

#include "bench/decode.h"
#include "bench/load.h"
#include "bench/split.h"
#include "http/parser.h"
#include "net/conn.h"

struct caller {
    struct list node; /* load.idle */
    struct load *load;
    struct conn *conn; /* NULL = none yet */
    bool used;         /* it has carried a call */
    int64_t due_ns;    /* open loop */

    /* of the call in hand */
    struct co_scope scope;
    struct co_timer timer;
    bool expired;
    struct arena arena; /* parser, head, decoder's state */
    struct http_parser *parser;
    struct http_head *head; /* NULL until it has arrived */
    struct watch watch;
    struct split split;
    struct decode *decode; /* NULL = split */
    struct buf body;       /* of a whole answer, or the beginning of an error */
    struct tg_err err;
    enum fail fail;
    int64_t read_from_ns; /* slow reader: when it began */
    uint64_t bytes;       /* of this call               */
    bool over, spoilt;
};

/* The load is borrowed. */
struct caller *caller_new(struct load *l);
void caller_free(struct caller *c);

/* Makes one call that was due at due_ns, and counts all of it but its beginning.  FAIL_NONE
 * also when it was broken off because a scope of the caller was cancelled.  S */
enum fail call_run(struct caller *c, int64_t due_ns);

#endif
