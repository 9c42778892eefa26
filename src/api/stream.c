/* stream.c -- the client's side of an event stream.
 *
 * One timer an exchange, the pulse, does what must happen without the exchange's coroutine,
 * which may be anywhere: connecting, waiting for a head, blocked by back-pressure.  It is set
 * lazily: writing only notes the time, and a pulse that comes too early sets itself again.  So
 * a stream costs no timer work per event.
 *
 * A heartbeat goes out between records only, because records are queued whole; it is skipped
 * while bytes wait to be sent, for a client that does not read needs no sign of life and must
 * not make us hold more.  It commits the stream when nothing has done so yet: from then on an
 * error can only be a record.
 *
 * Most clients count any byte as a sign of life, so a heartbeat is a comment (or the dialect's
 * own ping).  Some count typed records only; for those the dialect's typed one goes out when no
 * other record has for its longer interval, and never before the first record of the answer.
 *
 * The pulse also gives back the stack that the request's way to the upstream took: a stream may
 * last for minutes, and what it does for an event takes much less.
 *
 * The write timeout measures how long bytes have waited without a single one having been taken.
 */
#include "api/stream.h"

#include "base/clock.h"

enum { ALIVE_MAX = 1024 };

/* What a stream still needs of its stack so long after its first record it needs for good. */
#define SETTLE_NS (3 * NS_PER_S / 2)

static co_time
sooner(co_time a, co_time b)
{
    return a < b ? a : b;
}

static bool
beats(const struct exchange *x)
{
    return x->streaming && (x->beats_comment || x->beats_typed) &&
           x->settings->heartbeat_ms > 0 && !x->reply.ended && !x->broken;
}

/* Before a dialect's first record its clients take nothing but a comment. */
static const struct str comment = STR(": keep-alive\n\n");

static void
choose_beats(struct exchange *x)
{
    struct str agent = http_header_get(x->req, STR("user-agent"));
    enum heartbeat_mode mode = x->settings->heartbeat_mode;

    if (mode == HEARTBEAT_AUTO)
        mode = str_starts(agent, STR("codex")) ? HEARTBEAT_BOTH : HEARTBEAT_COMMENT;
    x->beats_typed = mode == HEARTBEAT_EVENT || mode == HEARTBEAT_BOTH;
    x->beats_comment = mode == HEARTBEAT_COMMENT || mode == HEARTBEAT_BOTH;
}

/* The bytes of a heartbeat; a failure of the client's end is told by the gone hook. */
static void
send_beat(struct exchange *x, struct str bytes)
{
    if (stream_commit(x, NULL, 0) == TG_OK && reply_write_now(&x->reply, bytes) == TG_OK)
        x->heartbeats++;
}

static void
beat(struct exchange *x, bool typed)
{
    struct buf b;

    if (sock_unsent(x->sock) > 0)
        return;
    if (!typed) {
        send_beat(x, x->t_first ? x->dialect->heartbeat : comment);
        return;
    }
    buf_init(&b, ALIVE_MAX);
    if (x->dialect->encode_alive(x->enc, &b) == TG_OK)
        send_beat(x, buf_str(&b));
    buf_fini(&b);
}

/* Sends what is due; returns when the next beat is. */
static co_time
beats_due(struct exchange *x, co_time now)
{
    co_time heart_ns = x->settings->heartbeat_ms * NS_PER_MS;
    co_time typed_ns = x->settings->heartbeat_event_ms * NS_PER_MS;
    bool typed = x->beats_typed && x->dialect->encode_alive && x->t_first;
    bool plain = x->beats_comment || !typed;

    if (typed && now - x->last_record >= typed_ns) {
        beat(x, true);
        x->last_record = x->last_out = now;
    } else if (plain && now - x->last_out >= heart_ns) {
        beat(x, false);
        x->last_out = now;
    }
    return sooner(plain ? x->last_out + heart_ns : CO_NEVER,
                  typed ? x->last_record + typed_ns : CO_NEVER);
}

static void
pulse(struct co_timer *t)
{
    struct exchange *x = LIST_ITEM(t, struct exchange, pulse);
    co_time now = co_now();
    co_time write_ns = x->settings->write_timeout_ms * NS_PER_MS;
    co_time stalled = sock_stalled_since(x->sock);
    co_time next = now + write_ns / 4;

    if (stalled != CO_NEVER && now - stalled >= write_ns) {
        exchange_stop(x, END_WRITE_TIMEOUT, TG_EDEADLINE);
        return;
    }
    if (!x->settled && x->working) {
        co_stack_trim(&x->work);
        x->settled = true;
    }
    if (stalled != CO_NEVER)
        next = sooner(next, stalled + write_ns);
    if (beats(x))
        next = sooner(next, beats_due(x, now));
    co_timer_set(t, next);
}

void
stream_pulse_start(struct exchange *x)
{
    co_time write_ns = x->settings->write_timeout_ms * NS_PER_MS;
    co_time heart_ns = x->settings->heartbeat_ms * NS_PER_MS;
    co_time first = x->t_start + write_ns / 4;

    x->last_out = x->last_record = x->t_start;
    choose_beats(x);
    if (heart_ns > 0)
        first = sooner(first, x->t_start + heart_ns);
    co_timer_init(&x->pulse, pulse);
    co_timer_set(&x->pulse, first);
}

void
stream_pulse_stop(struct exchange *x)
{
    co_timer_clear(&x->pulse);
}

tg_rc
stream_commit(struct exchange *x, const struct http_header *h, unsigned n)
{
    struct exchange_headers all;

    if (x->committed)
        return TG_OK;
    exchange_headers(x, &all);
    exchange_header(&all, STR("content-type"), STR("text/event-stream; charset=utf-8"));
    exchange_header(&all, STR("cache-control"), STR("no-cache, no-transform"));
    exchange_header(&all, STR("x-accel-buffering"), STR("no"));
    for (unsigned i = 0; i < n; i++)
        exchange_header(&all, h[i].name, h[i].value);
    x->reply.close = x->reply.close || x->draining;
    x->committed = true;
    return reply_start(&x->reply, 200, all.v, all.n);
}

/* The first record is on its way: what was trimmed while waiting for it has been used again. */
static void
settle_soon(struct exchange *x)
{
    x->settled = false;
    if (x->pulse.at > x->t_first + SETTLE_NS)
        co_timer_set(&x->pulse, x->t_first + SETTLE_NS);
}

tg_rc
stream_queue(struct exchange *x, struct str records)
{
    tg_rc rc = stream_commit(x, NULL, 0);

    if (rc != TG_OK)
        return rc;
    x->last_out = x->last_record = co_now();
    if (x->t_first == 0) {
        x->t_first = x->last_out;
        settle_soon(x);
    }
    return reply_write_now(&x->reply, records);
}

tg_rc
stream_wait(struct exchange *x)
{
    return reply_wait(&x->reply);
}

tg_rc
stream_write(struct exchange *x, struct str records)
{
    tg_rc rc = stream_queue(x, records);

    return rc == TG_OK ? stream_wait(x) : rc;
}

tg_rc
stream_end(struct exchange *x)
{
    tg_rc rc = stream_commit(x, NULL, 0);

    return rc == TG_OK ? reply_end(&x->reply) : rc;
}
