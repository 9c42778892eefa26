/* json.c -- the result as one line of JSON; its fields are described in triglot-bench(1). */
#include <errno.h>
#include <math.h>

#include "base/clock.h"
#include "bench/result.h"
#include "json/write.h"

enum { LINE_MAX_BYTES = 4 << 20 };

#ifndef TRIGLOT_VERSION
#define TRIGLOT_VERSION "dev"
#endif

/* Rounded to thousandths: more digits would be noise. */
static void
kv_number(struct json_out *j, const char *key, double v)
{
    json_key(j, key);
    json_double_put(j, isfinite(v) ? nearbyint(v * 1000) / 1000 : v);
}

static void
kv_count(struct json_out *j, const char *key, uint64_t v)
{
    json_kv_int(j, key, (int64_t)v);
}

static void
kv_text(struct json_out *j, const char *key, const char *text)
{
    if (text && *text)
        json_kv_str(j, key, str_z(text));
    else
        json_kv_null(j, key);
}

/* Nanoseconds in, microseconds out. */
static void
kv_hist(struct json_out *j, const char *key, const struct hist *h)
{
    static const struct {
        const char *name;
        double q;
    } quantiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}};

    if (h->n == 0) {
        json_kv_null(j, key);
        return;
    }
    json_key(j, key);
    json_open(j, '{');
    kv_count(j, "count", h->n);
    kv_number(j, "mean", hist_mean(h) / 1000);
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++)
        kv_number(j, quantiles[i].name, (double)hist_quantile(h, quantiles[i].q) / 1000);
    kv_number(j, "min", (double)h->min / 1000);
    kv_number(j, "max", (double)h->max / 1000);
    json_close(j);
}

static void
put_errors(struct json_out *j, const struct tally *t)
{
    json_key(j, "errors");
    json_open(j, '{');
    for (unsigned i = FAIL_NONE + 1; i < FAIL_N; i++)
        kv_count(j, fail_name(i), t->fails[i]);
    kv_count(j, "warmup", t->warmup_fails);
    json_key(j, "status_codes");
    json_open(j, '{');
    for (unsigned i = 0; i < TALLY_STATUS_N; i++) {
        char name[8];

        if (!t->status[i])
            continue;
        snprintf(name, sizeof name, "%u", i);
        json_key_str(j, str_z(name));
        json_int(j, (int64_t)t->status[i]);
    }
    json_close(j);
    json_close(j);
}

static void
put_tally(struct json_out *j, const struct tally *t, double window_s)
{
    double n = (double)t->open_samples;

    kv_count(j, "calls_open_at_start", t->open_at_start);
    kv_count(j, "calls_started", t->started);
    kv_count(j, "calls_completed", t->completed);
    kv_count(j, "calls_failed", t->failed);
    kv_count(j, "calls_open_at_end", t->open_at_end);
    kv_count(j, "connections_opened", t->connected);
    kv_count(j, "events", t->events);
    kv_count(j, "records", t->records);
    kv_count(j, "heartbeats", t->heartbeats);
    kv_count(j, "bytes", t->bytes);
    kv_number(j, "calls_per_s", window_s > 0 ? (double)t->completed / window_s : NAN);
    kv_number(j, "events_per_s", window_s > 0 ? (double)t->events / window_s : NAN);
    kv_number(j, "bytes_per_s", window_s > 0 ? (double)t->bytes / window_s : NAN);
    kv_count(j, "streams_open_max", t->open_max);
    kv_number(j, "streams_open_mean", n > 0 ? t->open_sum / n : NAN);
    put_errors(j, t);
    kv_text(j, "first_error", t->first_error);
    for (unsigned i = 0; i < HIST_N; i++)
        kv_hist(j, hist_name(i), &t->hist[i]);
}

static void
put_load(struct json_out *j, const struct load *l, double window_s)
{
    const struct load_options *o = l->o;

    json_open(j, '{');
    json_kv_str(j, "url", o->url.text);
    json_kv_str(j, "dialect", str_z(o->dialect->name));
    json_kv_bool(j, "stream", !o->whole);
    if (o->connections || !o->rate_milli)
        kv_count(j, "connections", o->connections ? o->connections : 1);
    else
        json_kv_null(j, "connections");
    kv_number(j, "rate_per_s", o->rate_milli ? (double)o->rate_milli / 1000 : NAN);
    json_kv_bool(j, "fast", o->fast);
    put_tally(j, &l->tally, window_s);
    json_close(j);
}

static void
put_target(struct json_out *j, const struct result *r)
{
    if (!r->run->o->pid) {
        json_kv_null(j, "target");
        return;
    }
    json_key(j, "target");
    json_open(j, '{');
    kv_count(j, "pid", r->run->o->pid);
    kv_number(j, "cpu_s", r->cpu_s);
    kv_number(j, "cpu_user_s", r->cpu_user_s);
    kv_number(j, "cpu_system_s", r->cpu_system_s);
    kv_number(j, "cpu_share", r->window_s > 0 ? r->cpu_s / r->window_s : NAN);
    kv_number(j, "cpu_us_per_event", r->cpu_us_per_event);
    kv_number(j, "cpu_us_per_call", r->cpu_us_per_call);
    kv_number(j, "rss_bytes_start", r->rss_start);
    kv_number(j, "rss_bytes_end", r->rss_end);
    kv_number(j, "rss_bytes_peak", r->rss_peak);
    kv_number(j, "rss_bytes_per_stream", r->rss_per_stream);
    kv_number(j, "rss_slope_bytes_per_hour", r->rss_slope);
    json_kv_bool(j, "exited", r->run->target_exited);
    json_close(j);
}

static void
put_generator(struct json_out *j, const struct result *r)
{
    json_key(j, "generator");
    json_open(j, '{');
    kv_number(j, "cpu_s", r->own_cpu_s);
    kv_number(j, "cpu_share", r->window_s > 0 ? r->own_cpu_s / r->window_s : NAN);
    kv_number(j, "cpu_us_per_event", r->own_us_per_event);
    kv_count(j, "rss_bytes_peak", (uint64_t)r->run->own_rss_peak);
    kv_count(j, "long_turns", r->run->turns_close - r->run->turns_open);
    json_close(j);
}

tg_rc
result_json(const struct result *r, FILE *out, struct tg_err *err)
{
    char started[25];
    struct json_out j;
    struct buf b;
    tg_rc rc;

    clock_rfc3339(r->run->started_wall_ns, started);
    buf_init(&b, LINE_MAX_BYTES);
    json_begin(&j, &b);
    json_open(&j, '{');
    json_kv_str(&j, "tool", STR("triglot-bench"));
    json_kv_str(&j, "version", STR(TRIGLOT_VERSION));
    json_kv_str(&j, "started", str_z(started));
    kv_number(&j, "window_s", r->window_s);
    kv_text(&j, "stopped_early", r->run->stopped);
    json_key(&j, "loads");
    json_open(&j, '[');
    for (unsigned i = 0; i < r->run->n_loads; i++)
        put_load(&j, &r->run->loads[i], r->window_s);
    json_close(&j);
    json_key(&j, "total");
    json_open(&j, '{');
    put_tally(&j, r->total, r->window_s);
    json_close(&j);
    put_target(&j, r);
    put_generator(&j, r);
    json_close(&j);
    rc = json_end(&j);
    if (rc == TG_OK)
        rc = buf_putc(&b, '\n');
    if (rc == TG_OK && fwrite(buf_str(&b).p, 1, b.n, out) != b.n)
        rc = tg_fail_sys(err, errno, "the result cannot be written");
    buf_fini(&b);
    return rc;
}
