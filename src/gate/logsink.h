/* logsink.h -- a worker's log lines: gathered in a bounded buffer, written by a coroutine. */
#ifndef GATE_LOGSINK_H
#define GATE_LOGSINK_H

#include "base/buf.h"
#include "base/log.h"
#include "co/co.h"

struct logsink {
    struct log_sink sink;
    struct buf lines;   /* taking new ones    */
    struct buf writing; /* being written      */
    struct co_event more;
    bool closing;
};

/* Makes it the calling thread's sink.  A line that does not fit is dropped and counted. */
void logsink_init(struct logsink *s);
/* Coroutine: writes to standard error until logsink_close, then what is left.  arg: the sink.
 */
tg_rc logsink_run(void *arg);
void logsink_close(struct logsink *s);
/* After the coroutine has ended: the thread's lines go to standard error directly again. */
void logsink_fini(struct logsink *s);

#endif
