/* up.c -- a request written for a Responses upstream.
 *
 * Nothing is kept at the provider: store is off, and the proof of its reasoning is asked for so
 * that the client can send it back.  What the dialect has no field for is named as dropped when
 * it only shades the answer (seed, penalties), and refused when the answer would be another one
 * (several choices, stop sequences).
 */
#include "dialect/responses/responses_int.h"

#include <stdarg.h>
#include <stdio.h>

#include "ir/drops.h"

enum { OUTPUT_MIN = 16, SAFETY_ID_MAX = 64 };

tg_rc
responses_drop(struct responses_writer *w, const char *fmt, ...)
{
    char name[96];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(name, sizeof name, fmt, ap);
    va_end(ap);
    n = n < 0 ? 0 : n;
    return ir_drop_or_refuse(
        w->route, w->drops, w->err,
        arena_dup(w->a, str_of(name, (size_t)n < sizeof name ? (size_t)n : sizeof name - 1)));
}

static tg_rc
refuse(struct responses_writer *w, const char *param, const char *why)
{
    return tg_refuse(w->err, "unsupported_parameter", param, "'%s': %s", param, why);
}

/* What would make another answer of it. */
static tg_rc
refuse_choices(struct responses_writer *w)
{
    const struct ir_req *req = w->req;
    bool messages = req->origin && strcmp(req->origin, "messages") == 0;

    if (req->choices > 1)
        return refuse(w, "n", "the upstream gives one answer only");
    if (req->n_stop)
        return refuse(w, messages ? "stop_sequences" : "stop",
                      "the upstream has no stop sequences");
    return TG_OK;
}

static tg_rc
drop_hints(struct responses_writer *w)
{
    const struct ir_req *req = w->req;
    const struct {
        const char *name;
        bool said;
    } rows[] = {
        {"seed", req->seed >= 0},
        {"logit_bias", req->logit_bias.n > 0},
        {"prediction", req->prediction.n > 0},
        {"presence_penalty", req->presence_penalty.n > 0},
        {"frequency_penalty", req->frequency_penalty.n > 0},
        {"top_k", req->top_k.n > 0},
    };
    tg_rc rc = TG_OK;

    for (size_t i = 0; rc == TG_OK && i < RESPONSES_COUNT(rows); i++)
        if (rows[i].said)
            rc = responses_drop(w, "%s", rows[i].name);
    return rc;
}

/* Fields that both dialects of the maker have under the same name go through; the rest stays.
 */
static tg_rc
write_ext(struct responses_writer *w)
{
    static const char *const shared[] = {"moderation", "access_programs",
                                         "prompt_cache_options", "prompt_cache_retention",
                                         "image"};
    bool own = responses_is_own(w->req->origin);
    bool chat = w->req->origin && strcmp(w->req->origin, "chat") == 0;
    tg_rc rc = TG_OK;

    for (const struct ir_ext *x = w->req->ext; x && rc == TG_OK; x = x->next) {
        bool pass = own && !str_starts(x->name, STR("reasoning."));

        for (size_t i = 0; chat && i < RESPONSES_COUNT(shared); i++)
            pass = pass || str_eq(x->name, str_z(shared[i]));
        if (pass) {
            json_key_str(&w->o, x->name);
            json_raw(&w->o, x->value);
        } else if (!own) {
            rc = responses_drop(w, "%.*s", STR_ARG(x->name));
        }
    }
    return rc;
}

static struct str
effort_of(const struct ir_req *req)
{
    static const char *const words[] = {
        [IR_EFFORT_UNSAID] = "",         [IR_EFFORT_NONE] = "none",
        [IR_EFFORT_MINIMAL] = "minimal", [IR_EFFORT_LOW] = "low",
        [IR_EFFORT_MEDIUM] = "medium",   [IR_EFFORT_HIGH] = "high",
        [IR_EFFORT_XHIGH] = "xhigh",     [IR_EFFORT_MAX] = "max"};
    int64_t budget = req->think_budget;

    if (req->effort != IR_EFFORT_UNSAID || budget < 0)
        return str_z(words[req->effort]);
    return budget <= 2048    ? STR("low")
           : budget <= 8192  ? STR("medium")
           : budget <= 24576 ? STR("high")
           : budget <= 49152 ? STR("xhigh")
                             : STR("max");
}

static void
write_reasoning(struct responses_writer *w)
{
    struct str effort = effort_of(w->req), summary = w->req->think_summary;
    const struct ir_ext *x = responses_is_own(w->req->origin) ? w->req->ext : NULL;

    if (summary.n == 0 && w->req->think_show == IR_YES)
        summary = STR("auto");
    while (x && !str_starts(x->name, STR("reasoning.")))
        x = x->next;
    if (effort.n == 0 && summary.n == 0 && !x)
        return;
    json_key(&w->o, "reasoning");
    json_open(&w->o, '{');
    if (effort.n)
        json_kv_str(&w->o, "effort", effort);
    if (summary.n)
        json_kv_str(&w->o, "summary", summary);
    for (; x; x = x->next)
        if (str_starts(x->name, STR("reasoning."))) {
            json_key_str(&w->o, str_from(x->name, strlen("reasoning.")));
            json_raw(&w->o, x->value);
        }
    json_close(&w->o);
}

/* A schema without a word about strictness is one that must be obeyed where it comes from. */
static bool
is_strict(const struct ir_req *req)
{
    if (req->format_strict != IR_UNSAID)
        return req->format_strict == IR_YES;
    return req->origin && strcmp(req->origin, "messages") == 0;
}

static void
write_text(struct responses_writer *w)
{
    const struct ir_req *req = w->req;

    if (req->format_schema.n == 0 && !req->format_json && req->verbosity.n == 0)
        return;
    json_key(&w->o, "text");
    json_open(&w->o, '{');
    if (req->format_schema.n || req->format_json) {
        json_key(&w->o, "format");
        json_open(&w->o, '{');
        if (req->format_schema.n) {
            json_kv_str(&w->o, "type", STR("json_schema"));
            json_kv_str(&w->o, "name", req->format_name.n ? req->format_name : STR("response"));
            if (req->format_description.n)
                json_kv_str(&w->o, "description", req->format_description);
            json_kv_raw(&w->o, "schema", req->format_schema);
            json_kv_bool(&w->o, "strict", is_strict(req));
        } else {
            json_kv_str(&w->o, "type", STR("json_object"));
        }
        json_close(&w->o);
    }
    if (req->verbosity.n)
        json_kv_str(&w->o, "verbosity", req->verbosity);
    json_close(&w->o);
}

static void
write_numbers(struct responses_writer *w)
{
    const struct ir_req *req = w->req;

    if (req->max_tokens >= 0)
        json_kv_int(&w->o, "max_output_tokens",
                    req->max_tokens < OUTPUT_MIN ? OUTPUT_MIN : req->max_tokens);
    if (req->temperature.n)
        json_kv_raw(&w->o, "temperature", req->temperature);
    if (req->top_p.n)
        json_kv_raw(&w->o, "top_p", req->top_p);
    if (req->top_logprobs >= 0)
        json_kv_int(&w->o, "top_logprobs", req->top_logprobs);
}

static void
write_names(struct responses_writer *w)
{
    const struct ir_req *req = w->req;
    struct str tier = req->service_tier;

    if (req->metadata.n)
        json_kv_raw(&w->o, "metadata", req->metadata);
    /* The newer field is the shorter one. */
    if (req->user.n)
        json_kv_str(&w->o, req->user.n <= SAFETY_ID_MAX ? "safety_identifier" : "user",
                    req->user);
    if (str_eq(tier, STR("standard_only")))
        tier = STR("default");
    if (tier.n)
        json_kv_str(&w->o, "service_tier", tier);
    if (req->cache_key.n)
        json_kv_str(&w->o, "prompt_cache_key", req->cache_key);
}

static void
write_kept(struct responses_writer *w)
{
    json_kv_bool(&w->o, "store", false);
    json_key(&w->o, "include");
    json_open(&w->o, '[');
    json_str(&w->o, STR("reasoning.encrypted_content"));
    if (w->req->logprobs)
        json_str(&w->o, STR("message.output_text.logprobs"));
    json_close(&w->o);
}

/* The first message's text, when it is the only system text at the head and plain. */
static struct str
instructions_of(const struct ir_req *req)
{
    const struct ir_msg *m = req->msgs;

    if (!m || m->role != IR_SYSTEM || (m->next && m->next->role == IR_SYSTEM) || !m->next)
        return (struct str){NULL, 0};
    if (!m->blocks || m->blocks->next || m->blocks->kind != IR_TEXT || m->blocks->cache_ttl.n)
        return (struct str){NULL, 0};
    return m->blocks->text;
}

static tg_rc
write_all(struct responses_writer *w)
{
    struct str instructions = instructions_of(w->req);
    tg_rc rc;

    json_kv_str(&w->o, "model", w->route->model);
    if (w->req->stream)
        json_kv_bool(&w->o, "stream", true);
    if (instructions.n)
        json_kv_str(&w->o, "instructions", instructions);
    json_key(&w->o, "input");
    rc = responses_write_input(w, instructions.n > 0);
    if (rc == TG_OK)
        rc = responses_write_tools(w);
    if (rc != TG_OK)
        return rc;
    write_numbers(w);
    write_text(w);
    write_reasoning(w);
    write_names(w);
    write_kept(w);
    return write_ext(w);
}

tg_rc
responses_encode_req(struct arena *a, const struct ir_req *req,
                     const struct dialect_route *route, struct buf *b, struct ir_drops *drops,
                     struct tg_err *err)
{
    struct responses_writer w = {
        .a = a, .req = req, .route = route, .drops = drops, .err = err};
    size_t before = b->n;
    tg_rc rc = refuse_choices(&w);

    if (rc == TG_OK)
        rc = drop_hints(&w);
    if (rc != TG_OK)
        return rc;
    json_begin(&w.o, b);
    json_open(&w.o, '{');
    rc = write_all(&w);
    if (rc == TG_OK) {
        json_close(&w.o);
        rc = json_end(&w.o);
        if (rc == TG_ELIMIT)
            (void)tg_fail(err, rc, TG_ERR_TOO_LARGE, NULL,
                          "the request is larger than the upstream may be sent");
    }
    if (rc != TG_OK)
        buf_truncate(b, before);
    return rc;
}
