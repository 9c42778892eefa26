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
    [IR_STOP_PAUSE] = "pause",
};
static const char *const evkind_names[] = {
    [IR_EV_START] = "start", [IR_EV_OPEN] = "open",   [IR_EV_DELTA] = "delta",
    [IR_EV_NOTE] = "note",   [IR_EV_CLOSE] = "close", [IR_EV_STOP] = "stop",
    [IR_EV_USAGE] = "usage", [IR_EV_END] = "end",     [IR_EV_ERROR] = "error",
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
static const char *const media_names[] = {[IR_IMAGE] = "image",
                                          [IR_AUDIO] = "audio",
                                          [IR_DOCUMENT] = "document",
                                          [IR_VIDEO] = "video"};
static const char *const tri_names[] = {
    [IR_UNSAID] = "unsaid", [IR_NO] = "no", [IR_YES] = "yes"};
static const char *const effort_names[] = {
    [IR_EFFORT_UNSAID] = "unsaid",   [IR_EFFORT_NONE] = "none",
    [IR_EFFORT_MINIMAL] = "minimal", [IR_EFFORT_LOW] = "low",
    [IR_EFFORT_MEDIUM] = "medium",   [IR_EFFORT_HIGH] = "high",
    [IR_EFFORT_XHIGH] = "xhigh",     [IR_EFFORT_MAX] = "max"};

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
put_attr_raw(struct out *o, const char *key, struct str raw)
{
    if (raw.n == 0)
        return;
    put(o, " %s=", key);
    put_raw(o, raw);
}

static void
put_flag(struct out *o, const char *word, bool on)
{
    if (on)
        put(o, " %s", word);
}

/* What a THINK block's maker said about it. */
static void
put_proof(struct out *o, const struct ir_block *b)
{
    put_flag(o, "redacted", b->redacted);
    put_flag(o, "summary", b->summary);
    put_attr(o, "origin", str_z(b->origin));
    put_attr(o, "sig_id", b->sig_id);
    put_attr(o, "sig", b->sig);
}

static void
put_media(struct out *o, const struct ir_media *m)
{
    put(o, " %s", NAME(media_names, m->kind));
    put_attr(o, "mime", m->mime);
    put_attr(o, "data", m->data);
    put_attr(o, "url", m->url);
    put_attr(o, "file_id", m->file_id);
    put_attr(o, "text", m->text);
    put_attr(o, "file", m->name);
    put_attr(o, "context", m->context);
    put_attr(o, "detail", m->detail);
    put_attr(o, "format", m->format);
}

static void
put_note(struct out *o, const struct ir_note *n)
{
    put_attr(o, "url", n->url);
    put_attr(o, "title", n->title);
    put_attr(o, "cited", n->cited);
    if (n->start >= 0)
        put(o, " start=%lld", (long long)n->start);
    if (n->end >= 0)
        put(o, " end=%lld", (long long)n->end);
}

static void
put_head(struct out *o, const struct ir_block *b)
{
    put(o, "%s%s", ir_kind_name(b->kind), b->freeform ? " freeform" : "");
    put_attr(o, "id", b->id);
    put_attr(o, "name", b->name);
    put_flag(o, "failed", b->failed);
    put_proof(o, b);
    put_attr(o, "cache", b->cache_ttl);
    if (b->media)
        put_media(o, b->media);
}

static void
put_block(struct out *o, const struct ir_block *b, const char *indent)
{
    put(o, "%s", indent);
    put_head(o, b);
    if (b->raw.n) {
        put(o, " raw=");
        put_raw(o, b->raw);
    } else if (!b->media && !b->sub) {
        put(o, " ");
        put_text(o, b->text);
    }
    put_attr_raw(o, "logprobs", b->logprobs);
    put(o, "\n");
    for (const struct ir_note *n = b->notes; n; n = n->next) {
        put(o, "%s  note", indent);
        put_note(o, n);
        put(o, "\n");
    }
}

/* The parts of a result have none themselves. */
static void
put_blocks(struct out *o, const struct ir_block *b)
{
    for (; b; b = b->next) {
        put_block(o, b, "  ");
        for (const struct ir_block *part = b->sub; part; part = part->next)
            put_block(o, part, "    ");
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
    if (u->cache_write >= 0)
        put(o, " cache_write=%lld", (long long)u->cache_write);
}

static void
put_line(struct out *o, const char *key, struct str text)
{
    if (text.n == 0)
        return;
    put(o, "%s ", key);
    put_text(o, text);
    put(o, "\n");
}

/* A line of raw JSON, or of a number as written. */
static void
put_line_raw(struct out *o, const char *key, struct str raw)
{
    if (raw.n == 0)
        return;
    put(o, "%s ", key);
    put_raw(o, raw);
    put(o, "\n");
}

static void
put_line_tri(struct out *o, const char *key, enum ir_tri v)
{
    if (v != IR_UNSAID)
        put(o, "%s %s\n", key, NAME(tri_names, v));
}

/* allowed is the rule, so what is not is told. */
static void
put_tool(struct out *o, const struct ir_tool *t, bool choice_limits)
{
    put(o, "tool%s", t->freeform ? " freeform" : "");
    put_attr(o, "name", t->name);
    put_attr(o, "description", t->description);
    if (t->strict != IR_UNSAID)
        put(o, " strict=%s", NAME(tri_names, t->strict));
    put_attr(o, "hosted_by", str_z(t->hosted_by));
    put_attr(o, "cache", t->cache_ttl);
    put_flag(o, "barred", choice_limits && !t->allowed);
    put_attr_raw(o, "schema", t->schema);
    put_attr_raw(o, "grammar", t->grammar);
    put_attr_raw(o, "raw", t->raw);
    put(o, "\n");
}

static void
put_tools(struct out *o, const struct ir_req *req)
{
    bool limits = false;

    /* Decoders that know no such choice may leave them all unmarked. */
    for (const struct ir_tool *t = req->tools; t; t = t->next)
        limits |= t->allowed;
    for (const struct ir_tool *t = req->tools; t; t = t->next)
        put_tool(o, t, limits);
    if (req->tools || req->tool_choice != IR_CHOICE_AUTO) {
        put(o, "tool_choice %s", NAME(choice_names, req->tool_choice));
        put_attr(o, "name", req->tool_name);
        put(o, "\n");
    }
    if (!req->parallel_calls)
        put(o, "parallel_calls no\n");
}

static void
put_format(struct out *o, const struct ir_req *req)
{
    if (req->format_json)
        put(o, "format json\n");
    if (req->format_schema.n == 0)
        return;
    put(o, "format");
    put_attr(o, "name", req->format_name);
    put_attr(o, "description", req->format_description);
    if (req->format_strict != IR_UNSAID)
        put(o, " strict=%s", NAME(tri_names, req->format_strict));
    put_attr_raw(o, "schema", req->format_schema);
    put(o, "\n");
}

static void
put_sampling(struct out *o, const struct ir_req *req)
{
    put_int(o, "max_tokens", req->max_tokens);
    put_int(o, "seed", req->seed);
    if (req->choices != 1)
        put(o, "choices %u\n", req->choices);
    for (unsigned i = 0; i < req->n_stop; i++) {
        put(o, "stop ");
        put_text(o, req->stop[i]);
        put(o, "\n");
    }
    put_line_raw(o, "temperature", req->temperature);
    put_line_raw(o, "top_p", req->top_p);
    put_line_raw(o, "top_k", req->top_k);
    put_line_raw(o, "presence_penalty", req->presence_penalty);
    put_line_raw(o, "frequency_penalty", req->frequency_penalty);
    put_line_raw(o, "logit_bias", req->logit_bias);
    put_line_raw(o, "prediction", req->prediction);
    if (req->logprobs)
        put(o, "logprobs\n");
    put_int(o, "top_logprobs", req->top_logprobs);
}

static void
put_thinking(struct out *o, const struct ir_req *req)
{
    if (req->effort != IR_EFFORT_UNSAID)
        put(o, "effort %s\n", NAME(effort_names, req->effort));
    put_int(o, "think_budget", req->think_budget);
    put_line_tri(o, "think_show", req->think_show);
    put_line(o, "think_summary", req->think_summary);
    put_line(o, "verbosity", req->verbosity);
}

static void
put_account(struct out *o, const struct ir_req *req)
{
    put_line(o, "user", req->user);
    put_line_raw(o, "metadata", req->metadata);
    put_line(o, "service_tier", req->service_tier);
    put_line(o, "cache_key", req->cache_key);
    put_line_tri(o, "store", req->store);
    for (const struct ir_ext *x = req->ext; x; x = x->next) {
        put(o, "ext");
        put_attr(o, "name", x->name);
        put_attr_raw(o, "value", x->value);
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
    put_sampling(&o, req);
    put_thinking(&o, req);
    put_account(&o, req);
    put_format(&o, req);
    put_tools(&o, req);
    for (const struct ir_msg *m = req->msgs; m; m = m->next) {
        put(&o, "%s", NAME(role_names, m->role));
        put_flag(&o, "developer", m->developer);
        put_attr(&o, "name", m->name);
        put(&o, "\n");
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
        put_attr_raw(&o, "logprobs", ev->logprobs);
        break;
    case IR_EV_NOTE:
        put(&o, " %u.%u", ev->choice, ev->block);
        if (ev->note)
            put_note(&o, ev->note);
        break;
    case IR_EV_CLOSE:
        put(&o, " %u.%u", ev->choice, ev->block);
        if (ev->head)
            put_proof(&o, ev->head);
        break;
    case IR_EV_STOP:
        put(&o, " %u %s", ev->choice, ir_stop_name(ev->stop));
        put_attr(&o, "text", ev->text);
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
        put(&o, "answer %u %s", i, ir_stop_name(res->answers[i].stop));
        put_attr(&o, "text", res->answers[i].stop_text);
        put(&o, "\n");
        put_blocks(&o, res->answers[i].blocks);
    }
    put(&o, "usage");
    put_usage(&o, &res->usage);
    put(&o, "\n");
    return o.rc;
}
