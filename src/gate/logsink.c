/* logsink.c -- log lines leave the worker without making it wait.
 *
 * Lines are appended to a bounded buffer; one coroutine writes them through the ring, from a
 * second buffer, because memory that the kernel reads must not move when a line is appended.  A
 * write is a run of whole lines of at most PIPE_BUF bytes (a longer single line goes alone), so
 * that the lines of several workers do not mix in a pipe.
 */
#include "gate/logsink.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"

enum { LOGSINK_BYTES_MAX = 256 * 1024 };

static bool
put(struct log_sink *sink, struct str line)
{
    struct logsink *s = LIST_ITEM(sink, struct logsink, sink);

    if (buf_append(&s->lines, line) != TG_OK)
        return false;
    co_event_signal(&s->more);
    return true;
}

void
logsink_init(struct logsink *s)
{
    memset(s, 0, sizeof(*s));
    s->sink.put = put;
    buf_init(&s->lines, LOGSINK_BYTES_MAX);
    buf_init(&s->writing, LOGSINK_BYTES_MAX);
    log_set_sink(&s->sink);
}

/* Bytes of the first whole lines that fit into one atomic pipe write. */
static size_t
run_of_lines(struct str text)
{
    const char *last;

    if (text.n <= PIPE_BUF)
        return text.n;
    last = memrchr(text.p, '\n', PIPE_BUF);
    if (!last)
        last = memchr(text.p, '\n', text.n);
    return last ? (size_t)(last - text.p) + 1 : text.n;
}

/* Writes what has gathered; lines that come meanwhile gather in the other buffer. */
static tg_rc
write_out(struct logsink *s)
{
    struct buf full = s->lines;
    int sys_errno = 0;
    tg_rc rc = TG_OK;

    s->lines = s->writing;
    s->writing = full;
    while (rc == TG_OK && s->writing.n) {
        size_t n = run_of_lines(buf_str(&s->writing));

        rc = co_write_all(STDERR_FILENO, buf_str(&s->writing).p, n, &sys_errno);
        buf_consume(&s->writing, n);
    }
    buf_clear(&s->writing);
    return rc == TG_EIO ? TG_OK : rc; /* nobody reads the log: go on without */
}

tg_rc
logsink_run(void *arg)
{
    struct logsink *s = arg;
    tg_rc rc = TG_OK;

    while (rc == TG_OK) {
        if (s->lines.n)
            rc = write_out(s);
        else if (s->closing)
            break;
        else
            rc = co_event_wait(&s->more);
    }
    return rc;
}

void
logsink_close(struct logsink *s)
{
    s->closing = true;
    co_event_signal(&s->more);
}

void
logsink_fini(struct logsink *s)
{
    log_set_sink(NULL);
    buf_fini(&s->lines);
    buf_fini(&s->writing);
}
