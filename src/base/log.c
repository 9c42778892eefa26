/* log.c -- building log lines in a scratch buffer of the thread.
 *
 * A field is written at the end of the scratch and kept only when it fits whole with room for
 * the line's end behind it; otherwise the line is cut there.  So a line is well formed at any
 * length.
 *
 * What a value may hold is decided in one place, put_value: printable text goes as it is,
 * quotes and backslashes get a backslash, control characters (C0, DEL and the C1 range, which
 * terminals obey too) become \u escapes.  A quoted logfmt value is escaped exactly like a JSON
 * string.
 */
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"
#include "base/utf8.h"

static _Atomic int the_format = LOG_JSON;
static _Atomic int the_threshold = LOG_INFO;

static _Thread_local struct {
    char scratch[LOG_LINE_MAX];
    struct log_sink *sink;
    uint64_t dropped;
} self;

/* The longest of the two ways to end a line that was cut. */
static const char cut_json[] = ",\"cut\":true}\n", cut_logfmt[] = " cut=true\n";
enum { ROOM = LOG_LINE_MAX - (sizeof cut_json - 1) };

void
log_setup(enum log_format format, enum log_level threshold)
{
    atomic_store(&the_format, (int)format);
    atomic_store(&the_threshold, (int)threshold);
}

void
log_set_sink(struct log_sink *sink)
{
    self.sink = sink;
}

uint64_t
log_dropped(void)
{
    return self.dropped;
}

/* Appends n bytes, or marks the line as cut. */
static void
put(struct log_line *l, const char *p, size_t n)
{
    if (l->cut || n > ROOM - l->n) {
        l->cut = true;
        return;
    }
    memcpy(l->text + l->n, p, n);
    l->n += n;
}

static void
put_z(struct log_line *l, const char *z)
{
    put(l, z, strlen(z));
}

/* Writes what stands for the character at p into out, returns its length; *ret_took is how many
 * bytes of the value that was. */
static size_t
spell(const char *p, const char *end, char out[8], size_t *ret_took)
{
    unsigned char c = (unsigned char)*p;
    size_t n = utf8_seq(p, end);

    *ret_took = n ? n : 1;
    if (n == 0) {
        memcpy(out, "\xef\xbf\xbd", 3);
        return 3;
    }
    if (c == '"' || c == '\\') {
        out[0] = '\\';
        out[1] = (char)c;
        return 2;
    }
    if (c == '\n' || c == '\t' || c == '\r') {
        out[0] = '\\';
        out[1] = c == '\n' ? 'n' : c == '\t' ? 't' : 'r';
        return 2;
    }
    if (c == 0xc2 && (unsigned char)p[1] < 0xa0)
        c = (unsigned char)p[1];
    else if (c >= 0x20 && c != 0x7f) {
        memcpy(out, p, n);
        return n;
    }
    return (size_t)snprintf(out, 8, "\\u%04x", c);
}

static bool
is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* The value's characters, cut to LOG_VALUE_MAX bytes as written, dots included. */
static void
put_value(struct log_line *l, struct str value)
{
    const char *p = value.p, *end = value.p + value.n;
    size_t room = LOG_VALUE_MAX - 3;

    while (p < end && !l->cut) {
        char out[8];
        size_t took = 0, n;

        while (took < room && p + took < end && is_plain((unsigned char)p[took]))
            took++;
        if (took > 0) { /* as it is, all at once */
            put(l, p, took);
            room -= took;
            p += took;
            continue;
        }
        n = spell(p, end, out, &took);
        if (n > room) {
            put(l, "...", 3);
            return;
        }
        put(l, out, n);
        room -= n;
        p += took;
    }
}

static bool
needs_quotes(struct str v)
{
    for (size_t i = 0; i < v.n; i++) {
        unsigned char c = (unsigned char)v.p[i];

        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7f)
            return true;
    }
    return false;
}

static void
put_key(struct log_line *l, const char *key)
{
    if (l->json) {
        put_z(l, l->n ? ",\"" : "{\"");
        put_z(l, key);
        put_z(l, "\":");
    } else {
        if (l->n)
            put_z(l, " ");
        put_z(l, key);
        put_z(l, "=");
    }
}

/* One field whose value is text (quoted as the format wants) or a number (as it is). */
static void
put_field(struct log_line *l, const char *key, struct str value, bool number)
{
    size_t mark = l->n;
    bool quotes;

    if (l->off || l->cut)
        return;
    quotes = l->json ? !number : needs_quotes(value);
    put_key(l, key);
    put(l, "\"", quotes);
    put_value(l, value);
    put(l, "\"", quotes);
    if (l->cut)
        l->n = mark;
}

void
log_begin(struct log_line *l, enum log_level level, const char *event)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    char now[25];

    *l = (struct log_line){
        .level = level,
        .off = (int)level > atomic_load_explicit(&the_threshold, memory_order_relaxed),
        .json = atomic_load_explicit(&the_format, memory_order_relaxed) == LOG_JSON,
        .text = self.scratch,
    };
    assert((unsigned)level < sizeof names / sizeof *names);
    if (l->off)
        return;
    clock_rfc3339(clock_wall_ns(), now);
    log_str(l, "ts", str_z(now));
    log_str(l, "level", str_z(names[level]));
    log_str(l, "msg", str_z(event));
}

void
log_str(struct log_line *l, const char *key, struct str value)
{
    put_field(l, key, value.n ? value : STR("-"), false);
}

void
log_int(struct log_line *l, const char *key, int64_t value)
{
    char text[24], *end = text + sizeof text, *p;

    if (l->off)
        return;
    p = num_digits(end, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 1);
    if (value < 0)
        *--p = '-';
    put_field(l, key, str_of(p, (size_t)(end - p)), true);
}

void
log_ms(struct log_line *l, const char *key, int64_t ns)
{
    char text[32], *end = text + sizeof text, *p;

    if (l->off)
        return;
    if (ns < 0) {
        log_str(l, key, STR("-"));
        return;
    }
    p = num_digits(end, (uint64_t)(ns % NS_PER_MS / 1000), 3);
    *--p = '.';
    p = num_digits(p, (uint64_t)(ns / NS_PER_MS), 1);
    put_field(l, key, str_of(p, (size_t)(end - p)), true);
}

/* Standard error takes what it takes: there is no one left to tell. */
static bool
write_stderr(struct str line)
{
    while (line.n > 0) {
        ssize_t k = write(STDERR_FILENO, line.p, line.n);

        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return false;
        line = str_from(line, (size_t)k);
    }
    return true;
}

void
log_end(struct log_line *l)
{
    const char *tail = l->json ? "}\n" : "\n";
    size_t n;
    struct str line;

    if (l->off)
        return;
    if (l->cut)
        tail = l->json ? cut_json : cut_logfmt;
    n = strlen(tail);
    /* Room for the longest tail was kept by put. */
    memcpy(l->text + l->n, tail, n);
    line = str_of(l->text, l->n + n);
    if (!(self.sink ? self.sink->put(self.sink, line) : write_stderr(line)))
        self.dropped++;
    l->off = true;
}
