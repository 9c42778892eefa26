/* dump.c -- the internal form as text.
 *
 * The first failure of the buffer sticks in the writer, so the functions read like the text
 * they make.  The format is read back by the golden cases' runner and by nothing else.
 */
#include "ir/dump.h"

#include <stdarg.h>
#include <stdio.h>

#include "json/write.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

struct out {
    struct buf *b;
    tg_rc rc;
};

static const char *const kind_names[] = {
    [IR_TEXT] = "text",     [IR_THINK] = "think", [IR_CALL] = "call",
    [IR_RESULT] = "result", [IR_MEDIA] = "media", [IR_REFUSAL] = "refusal",
    [IR_OPAQUE] = "opaque",
};
static const char *const stop_names[] = {
    [IR_STOP_NONE] = "none",     [IR_STOP_END] = "end",     [IR_STOP_SEQUENCE] = "sequence",
    [IR_STOP_LENGTH] = "length", [IR_STOP_CALLS] = "calls", [IR_STOP_FILTER] = "filter",
};
static const char *const evkind_names[] = {
    [IR_EV_START] = "start", [IR_EV_OPEN] = "open",   [IR_EV_DELTA] = "delta",
    [IR_EV_CLOSE] = "close", [IR_EV_STOP] = "stop",   [IR_EV_USAGE] = "usage",
    [IR_EV_END] = "end",     [IR_EV_ERROR] = "error",
};
static const char *const err_kind_names[] = {
    [TG_ERR_NONE] = "none",
    [TG_ERR_AUTH] = "auth",
    [TG_ERR_PERMISSION] = "permission",
    [TG_ERR_NOT_FOUND] = "not_found",
    [TG_ERR_TOO_LARGE] = "too_large",
    [TG_ERR_RATE_LIMIT] = "rate_limit",
    [TG_ERR_OVERLOADED] = "overloaded",
    [TG_ERR_CONTEXT_LENGTH] = "context_length",
    [TG_ERR_QUOTA] = "quota",
    [TG_ERR_INVALID_REQUEST] = "invalid_request",
    [TG_ERR_TIMEOUT] = "timeout",
    [TG_ERR_UPSTREAM] = "upstream",
    [TG_ERR_INTERNAL] = "internal",
};
static const char *const role_names[] = {
    [IR_SYSTEM] = "system", [IR_USER] = "user", [IR_MODEL] = "model", [IR_TOOL] = "tool"};
static const char *const choice_names[] = {[IR_CHOICE_AUTO] = "auto",
                                           [IR_CHOICE_NONE] = "none",
                                           [IR_CHOICE_REQUIRED] = "required",
                                           [IR_CHOICE_NAMED] = "named"};

#define NAME(table, i) ((size_t)(i) < COUNT(table) ? (table)[i] : "unknown")

const char *
ir_kind_name(enum ir_kind kind)
{
    return NAME(kind_names, kind);
}

const char *
ir_stop_name(enum ir_stop stop)
{
    return NAME(stop_names, stop);
}

const char *
ir_evkind_name(enum ir_evkind kind)
{
    return NAME(evkind_names, kind);
}

const char *
ir_err_kind_name(enum tg_err_kind kind)
{
    return NAME(err_kind_names, kind);
}

__attribute__((format(printf, 2, 3))) static void
put(struct out *o, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (o->rc == TG_OK && n > 0)
        o->rc = buf_append(o->b,
                           str_of(text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1));
}

static void
put_text(struct out *o, struct str s)
{
    put(o, "\"");
    if (o->rc == TG_OK)
        o->rc = json_escape(o->b, s);
    put(o, "\"");
}

static void
put_raw(struct out *o, struct str s)
{
    if (o->rc == TG_OK)
        o->rc = buf_append(o->b, s);
}

/* ` key="text"`, unless empty */
static void
put_attr(struct out *o, const char *key, struct str s)
{
    if (s.n == 0)
        return;
    put(o, " %s=", key);
    put_text(o, s);
}

static void
put_head(struct out *o, const struct ir_block *b)
{
    put(o, "%s%s", ir_kind_name(b->kind), b->freeform ? " freeform" : "");
    put_attr(o, "id", b->id);
    put_attr(o, "name", b->name);
}

static void
put_blocks(struct out *o, const struct ir_block *b)
{
    for (; b; b = b->next) {
        put(o, "  ");
        put_head(o, b);
        if (b->raw.n) {
            put(o, " raw=");
            put_raw(o, b->raw);
        } else {
            put(o, " ");
            put_text(o, b->text);
        }
        put(o, "\n");
    }
}

static void
put_int(struct out *o, const char *key, int64_t v)
{
    if (v >= 0)
        put(o, "%s %lld\n", key, (long long)v);
}

static void
put_usage(struct out *o, const struct ir_usage *u)
{
    put(o, " input=%lld output=%lld cached=%lld reasoning=%lld", (long long)u->input,
        (long long)u->output, (long long)u->cached, (long long)u->reasoning);
}

static void
put_tools(struct out *o, const struct ir_req *req)
{
    for (const struct ir_tool *t = req->tools; t; t = t->next) {
        put(o, "tool%s", t->freeform ? " freeform" : "");
        put_attr(o, "name", t->name);
        put_attr(o, "description", t->description);
        if (t->schema.n) {
            put(o, " schema=");
            put_raw(o, t->schema);
        }
        put(o, "\n");
    }
    if (req->tools || req->tool_choice != IR_CHOICE_AUTO) {
        put(o, "tool_choice %s", NAME(choice_names, req->tool_choice));
        put_attr(o, "name", req->tool_name);
        put(o, "\n");
    }
}

tg_rc
ir_dump_req(const struct ir_req *req, struct buf *b)
{
    struct out o = {b, TG_OK};

    put(&o, "model ");
    put_text(&o, req->model);
    put(&o, "\n");
    if (req->stream)
        put(&o, "stream%s\n", req->stream_usage ? " usage" : "");
    put_int(&o, "max_tokens", req->max_tokens);
    put_int(&o, "seed", req->seed);
    if (req->choices != 1)
        put(&o, "choices %u\n", req->choices);
    for (unsigned i = 0; i < req->n_stop; i++) {
        put(&o, "stop ");
        put_text(&o, req->stop[i]);
        put(&o, "\n");
    }
    if (req->format_json)
        put(&o, "format json\n");
    if (req->format_schema.n) {
        put(&o, "format schema=");
        put_raw(&o, req->format_schema);
        put(&o, "\n");
    }
    put_tools(&o, req);
    if (!req->parallel_calls)
        put(&o, "parallel_calls no\n");
    for (const struct ir_msg *m = req->msgs; m; m = m->next) {
        put(&o, "%s\n", NAME(role_names, m->role));
        put_blocks(&o, m->blocks);
    }
    return o.rc;
}

tg_rc
ir_dump_embed_req(const struct ir_embed_req *req, struct buf *b)
{
    struct out o = {b, TG_OK};

    put(&o, "model ");
    put_text(&o, req->model);
    put(&o, "\n");
    put_int(&o, "dimensions", req->dimensions);
    if (req->base64)
        put(&o, "base64\n");
    for (unsigned i = 0; i < req->n_inputs; i++) {
        put(&o, "input ");
        put_text(&o, req->inputs[i]);
        put(&o, "\n");
    }
    return o.rc;
}

tg_rc
ir_dump_event(const struct ir_event *ev, struct buf *b)
{
    struct out o = {b, TG_OK};

    put(&o, "%s", ir_evkind_name(ev->kind));
    switch (ev->kind) {
    case IR_EV_OPEN:
        put(&o, " %u.%u ", ev->choice, ev->block);
        put_head(&o, ev->head);
        break;
    case IR_EV_DELTA:
        put(&o, " %u.%u ", ev->choice, ev->block);
        put_text(&o, ev->text);
        break;
    case IR_EV_CLOSE:
        put(&o, " %u.%u", ev->choice, ev->block);
        break;
    case IR_EV_STOP:
        put(&o, " %u %s", ev->choice, ir_stop_name(ev->stop));
        break;
    case IR_EV_USAGE:
        put_usage(&o, ev->usage);
        break;
    case IR_EV_ERROR:
        put(&o, " %s ", ir_err_kind_name(ev->err->kind));
        put_text(&o, str_z(ev->err->msg));
        break;
    default:
        break;
    }
    put(&o, "\n");
    return o.rc;
}

tg_rc
ir_dump_res(const struct ir_res *res, struct buf *b)
{
    struct out o = {b, TG_OK};

    for (unsigned i = 0; i < res->n_answers; i++) {
        put(&o, "answer %u %s\n", i, ir_stop_name(res->answers[i].stop));
        put_blocks(&o, res->answers[i].blocks);
    }
    put(&o, "usage");
    put_usage(&o, &res->usage);
    put(&o, "\n");
    return o.rc;
}
