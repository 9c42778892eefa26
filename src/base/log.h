/* log.h -- log lines: built whole, then handed to a sink that never blocks the caller.
 *
 * A line is an event name and fields.  Format json: one object a line with ts, level, msg
 * first. Format logfmt: key=value, quoted where needed.  Control bytes are escaped in both, so
 * a peer cannot forge a line, and what is not UTF-8 becomes U+FFFD.  Each thread has one sink;
 * without one, lines go to standard error at once (start-up, tests).  A worker's sink is a
 * bounded buffer that a coroutine flushes (gate/worker); when it is full the line is dropped
 * and counted.
 *
 *     struct log_line l;
 *     log_begin(&l, LOG_WARN, "config_reload_failed");
 *     log_str(&l, "file", str_z(path));
 *     log_int(&l, "generation", 3);
 *     log_end(&l);
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "triglot/str.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_JSON, LOG_LOGFMT };

enum {
    LOG_LINE_MAX = 4096, /* with the newline; a longer line loses its tail fields, never its
                            shape, and says so in a last field: cut=true */
    LOG_VALUE_MAX = 1024 /* bytes of a value as written; a longer one is cut in front of a
                            character and ends in "..." */
};

struct log_line {
    enum log_level level;
    bool off;  /* below the threshold: the calls below do nothing */
    bool cut;  /* a field did not fit; those after it are left out too */
    bool json; /* the format when the line began */
    size_t n;
    char *text; /* the thread's scratch: one line at a time, no suspension in between */
};

/* Process-wide, set before threads start or on reload: plain atomic stores.  Before the first
 * call: JSON, info. */
void log_setup(enum log_format format, enum log_level threshold);

void log_begin(struct log_line *l, enum log_level level, const char *event);
/* Keys are literals of [a-z0-9_].  An empty value is "-". */
void log_str(struct log_line *l, const char *key, struct str value);
void log_int(struct log_line *l, const char *key, int64_t value);
/* A duration in milliseconds with three decimals; ns < 0 is "-". */
void log_ms(struct log_line *l, const char *key, int64_t ns);
void log_end(struct log_line *l);

/* The calling thread's sink: takes one whole line with its newline; false = dropped (counted).
 */
struct log_sink {
    bool (*put)(struct log_sink *, struct str line);
};
void log_set_sink(struct log_sink *sink); /* borrowed; NULL = standard error */
uint64_t log_dropped(void);               /* lines lost by this thread's sink */

#endif
