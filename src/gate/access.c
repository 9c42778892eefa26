/* access.c -- one line for each exchange, written when it has ended.
 *
 * Every field is always there, in the same order.  Never bodies, prompts or keys: what comes
 * from the client is the model's name, the method, the route's pattern and the address.
 */
#include "gate/access.h"

#include "base/log.h"

static void
log_count(struct log_line *l, const char *key, int64_t v)
{
    if (v < 0)
        log_str(l, key, STR("-"));
    else
        log_int(l, key, v);
}

void
access_log(struct exchange *x)
{
    const struct str none = {NULL, 0};
    bool failed = x->err.kind != TG_ERR_NONE || x->end != END_NONE;
    struct log_line l;

    log_begin(&l, LOG_INFO, "request");
    if (l.off)
        return;
    log_str(&l, "id", str_z(x->id));
    log_str(&l, "client", sock_peer(x->sock));
    log_str(&l, "key", none);
    log_str(&l, "method", x->req ? x->req->method : none);
    log_str(&l, "route", str_z(x->route));
    log_str(&l, "dialect_in", str_z((x->asked_in ? x->asked_in : x->dialect)->name));
    log_str(&l, "dialect_out", str_z(x->provider_dialect));
    log_str(&l, "provider", x->provider);
    log_str(&l, "model", x->model);
    log_str(&l, "provider_model", x->provider_model);
    log_count(&l, "status", x->reply.status ? (int64_t)x->reply.status : -1);
    log_str(&l, "rc", failed && x->err.code ? str_z(x->err.code) : STR("ok"));
    log_int(&l, "bytes_in", (int64_t)(sock_bytes_in(x->sock) - x->bytes_in_start));
    log_int(&l, "bytes_out", (int64_t)x->reply.body_bytes);
    log_count(&l, "tokens_in", x->usage.input);
    log_count(&l, "tokens_out", x->usage.output);
    log_ms(&l, "t_queue", x->t_routed ? x->t_routed - x->t_start : -1);
    log_ms(&l, "t_first", x->t_first ? x->t_first - x->t_start : -1);
    log_ms(&l, "t_total", co_now_exact() - x->t_start);
    log_int(&l, "attempts", x->attempts);
    log_int(&l, "heartbeats", (int64_t)x->heartbeats);
    log_str(&l, "cancel_by", str_z(exchange_end_name(x->end)));
    log_end(&l);
}
