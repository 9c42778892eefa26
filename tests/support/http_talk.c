/* http_talk.c -- the scripted peer. */
#include "support/http_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/clock.h"
#include "support/co_test.h"

void (*talk_pair)(int ret_fds[2]);

enum { GOT_MAX = 1 << 22 };

void
talk_log(struct buf *log, struct str s)
{
    static const struct str date = STR("Date: ");

    if (!log)
        return;
    while (s.n) {
        size_t n = str_find(s, '\n');
        struct str line = str_of(s.p, n < s.n ? n + 1 : n);
        char *to;

        s = str_from(s, line.n);
        if (str_starts(line, date))
            continue;
        if (buf_reserve(log, line.n, &to) != TG_OK)
            abort();
        for (size_t i = 0, k = 0; i < line.n; i++)
            if (line.p[i] != '\r') { /* so that cases are easy to write */
                to[k++] = line.p[i];
                buf_commit(log, 1);
            }
    }
}

void
talk_logf(struct buf *log, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    talk_log(log, str_z(text));
}

/* More from the other side into got; TG_EGONE at its end. */
static tg_rc
more(struct talk *t, struct buf *got)
{
    struct str piece;
    tg_rc rc = sock_read(t->sock, &piece);

    if (rc != TG_OK)
        return rc;
    if (piece.n == 0)
        return TG_EGONE;
    rc = buf_append(got, piece);
    sock_consume(t->sock, piece.n);
    return rc;
}

static tg_rc
step_wait(struct talk *t, struct str text, struct buf *got)
{
    for (;;) {
        char *at = got->n ? memmem(got->p + got->off, got->n, text.p, text.n) : NULL;
        tg_rc rc;

        if (at) {
            buf_consume(got, (size_t)(at - (got->p + got->off)) + text.n);
            return TG_OK;
        }
        rc = more(t, got);
        if (rc != TG_OK) {
            talk_logf(t->log, "[peer: no \"%.*s\"]\n", STR_ARG(text));
            return rc;
        }
    }
}

static tg_rc
step_fill(struct talk *t, size_t n)
{
    static char xs[4096];
    tg_rc rc = TG_OK;

    memset(xs, 'x', sizeof xs);
    while (n && rc == TG_OK) {
        size_t k = n < sizeof xs ? n : sizeof xs;

        rc = sock_put(t->sock, str_of(xs, k));
        n -= k;
    }
    return rc;
}

static tg_rc
step_trickle(struct talk *t, struct str text)
{
    tg_rc rc = TG_OK;

    for (size_t i = 0; i < text.n && rc == TG_OK; i++) {
        rc = sock_put(t->sock, str_of(text.p + i, 1));
        if (rc == TG_OK)
            rc = sock_flush(t->sock);
        if (rc == TG_OK)
            rc = co_yield();
    }
    return rc;
}

static tg_rc
step(struct talk *t, const struct talk_step *s, struct buf *got)
{
    tg_rc rc = TG_OK;

    switch (s->what) {
    case TALK_SEND:
        return sock_put(t->sock, s->text);
    case TALK_TRICKLE:
        return step_trickle(t, s->text);
    case TALK_FILL:
        return step_fill(t, s->n);
    case TALK_WAIT:
        return step_wait(t, s->text, got);
    case TALK_EAT:
        while (got->n < s->n && rc == TG_OK)
            rc = more(t, got);
        buf_consume(got, got->n < s->n ? got->n : s->n);
        return rc;
    case TALK_EOF:
        while (rc == TG_OK)
            rc = more(t, got);
        talk_log(t->log, buf_str(got));
        buf_clear(got);
        return rc == TG_EGONE ? TG_OK : rc;
    case TALK_SLEEP:
        return co_sleep_until(co_now() + (co_time)s->n * NS_PER_MS);
    case TALK_SHUT:
        rc = sock_flush(t->sock);
        (void)shutdown(sock_fd(t->sock), SHUT_WR);
        return rc;
    case TALK_END:
        break;
    }
    return TG_OK;
}

tg_rc
talk_run(void *arg)
{
    struct talk *t = arg;
    struct buf got;
    tg_rc rc = TG_OK;

    buf_init(&got, GOT_MAX);
    for (const struct talk_step *s = t->steps; s->what != TALK_END && rc == TG_OK; s++)
        rc = step(t, s, &got);
    rc = sock_flush(t->sock); /* may fail: the other side is free to be gone */
    sock_close(t->sock);
    buf_fini(&got);
    return rc == TG_ECANCELED ? rc : TG_OK;
}

struct run {
    const struct talk_case *c;
    struct buf *log;
};

static tg_rc
body(void *arg)
{
    struct run *r = arg;

    r->c->run(r->c, r->log);
    return TG_OK;
}

void
talk_case_run(const struct talk_case *c, struct buf *log)
{
    struct run r = {c, log};

    assert_int_equal(co_test_run(body, &r), TG_OK);
    assert_int_equal(sock_live(), 0);
    sock_thread_fini();
    arena_thread_fini();
}

void
talk_case_check(const struct talk_case *c)
{
    struct buf log;

    buf_init(&log, 1 << 20);
    talk_case_run(c, &log);
    if (!str_eq(buf_str(&log), str_z(c->expected)))
        fail_msg("%s:\n%.*s\n-- expected:\n%s", c->name, STR_ARG(buf_str(&log)), c->expected);
    buf_fini(&log);
}
