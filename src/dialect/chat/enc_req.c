/* enc_req.c -- a request in the internal form, written for a Chat upstream.
 *
 * Everything that has a field is written, in the words of the dialect; what has none is said in
 * drops.  What the model behind the route is known to refuse is left out in the same way
 * (route->caps).  Fields that nobody named go on only when they came in this dialect.  Usage is
 * asked for on every stream, because limits and logs need it.
 */
#include "dialect/chat/enc_int.h"

#include "base/hash.h"
#include "ir/drops.h"
#include "ir/path.h"

bool
chat_came_as(const struct chat_out *out, const char *dialect)
{
    return out->req->origin && strcmp(out->req->origin, dialect) == 0;
}

struct str
chat_said(const struct chat_out *out, const char *chat, const char *responses,
          const char *messages)
{
    return str_z(chat_came_as(out, "responses")  ? responses
                 : chat_came_as(out, "messages") ? messages
                                                 : chat);
}

const char *
chat_root(const struct chat_out *out)
{
    return chat_came_as(out, "responses") ? "input" : "messages";
}

struct str
chat_path(struct chat_out *out, const struct ir_msg *m, const struct ir_block *b)
{
    return ir_path(out->a, out->req, m, b);
}

tg_rc
chat_drop(struct chat_out *out, struct str name)
{
    return ir_drop_or_refuse(out->route, out->drops, out->err, name);
}

tg_rc
chat_refuse(struct chat_out *out, struct str path, const char *why)
{
    char param[96];
    size_t n = path.n < sizeof param ? path.n : sizeof param - 1;

    memcpy(param, path.p, n);
    param[n] = '\0';
    return tg_refuse(out->err, "unsupported_parameter", param, "'%s': %s", param, why);
}

static void
kv_text(struct chat_out *out, const char *key, struct str text)
{
    if (text.n)
        json_kv_str(&out->o, key, text);
}

static void
kv_raw(struct chat_out *out, const char *key, struct str raw)
{
    if (raw.n)
        json_kv_raw(&out->o, key, raw);
}

static void
put_stop(struct chat_out *out)
{
    const struct ir_req *req = out->req;

    if (req->n_stop == 0)
        return;
    json_key(&out->o, "stop");
    json_open(&out->o, '[');
    for (unsigned i = 0; i < req->n_stop; i++)
        json_str(&out->o, req->stop[i]);
    json_close(&out->o);
}

/* How the next token is chosen.  What a model that does not let itself be told would do anyway
 * is no loss. */
static tg_rc
put_sampling(struct chat_out *out)
{
    const struct ir_req *req = out->req;
    const struct {
        const char *name;
        struct str value;
        double idle;
        bool known; /* a field of the dialect, not of some servers */
    } rows[] = {
        {"temperature", req->temperature, 1, true},
        {"top_p", req->top_p, 1, true},
        {"top_k", req->top_k, 0, chat_came_as(out, dialect_chat.name)},
        {"presence_penalty", req->presence_penalty, 0, true},
        {"frequency_penalty", req->frequency_penalty, 0, true},
        {"logit_bias", req->logit_bias, 0, true},
    };
    tg_rc rc = TG_OK;

    for (size_t i = 0; i < CHAT_COUNT(rows) && rc == TG_OK; i++) {
        double v;

        if (rows[i].value.n == 0)
            continue;
        if (out->route->caps.sampling && rows[i].known)
            json_kv_raw(&out->o, rows[i].name, rows[i].value);
        else if (json_double(rows[i].value, &v) != TG_OK || v != rows[i].idle)
            rc = chat_drop(out, str_z(rows[i].name));
    }
    return rc;
}

static tg_rc
put_logprobs(struct chat_out *out)
{
    const struct ir_req *req = out->req;
    tg_rc rc;

    if (!req->logprobs)
        return TG_OK;
    if (!out->route->caps.logprobs) {
        rc = chat_drop(out, chat_said(out, "logprobs", "include.message.output_text.logprobs",
                                      "logprobs"));
        return rc == TG_OK && req->top_logprobs > 0 ? chat_drop(out, STR("top_logprobs")) : rc;
    }
    json_kv_bool(&out->o, "logprobs", true);
    if (req->top_logprobs >= 0)
        json_kv_int(&out->o, "top_logprobs", req->top_logprobs);
    return TG_OK;
}

static tg_rc
put_output(struct chat_out *out)
{
    const struct ir_req *req = out->req;
    tg_rc rc;

    if (req->max_tokens >= 0)
        json_kv_int(&out->o,
                    out->route->caps.completion_tokens ? "max_completion_tokens" : "max_tokens",
                    req->max_tokens);
    rc = put_sampling(out);
    kv_raw(out, "prediction", req->prediction);
    if (rc == TG_OK)
        rc = put_logprobs(out);
    if (req->seed >= 0)
        json_kv_int(&out->o, "seed", req->seed);
    if (req->choices > 1)
        json_kv_int(&out->o, "n", req->choices);
    put_stop(out);
    return rc;
}

/* Levels, and budgets that are about as much; the last column is what a level comes to. */
static const struct {
    int64_t up_to;
    enum ir_effort effort;
    int64_t tokens;
} efforts[] = {{2048, IR_EFFORT_LOW, 2048},
               {8192, IR_EFFORT_MEDIUM, 8192},
               {24576, IR_EFFORT_HIGH, 16384},
               {49152, IR_EFFORT_XHIGH, 32768},
               {INT64_MAX, IR_EFFORT_MAX, 65536}};

/* The dialect itself has levels alone; a budget goes in the form that routers have for it. */
static void
put_budget(struct chat_out *out)
{
    const struct ir_req *req = out->req;
    int64_t tokens = req->think_budget;

    for (size_t i = 0; tokens < 0 && i < CHAT_COUNT(efforts); i++)
        if (req->effort <= efforts[i].effort)
            tokens = efforts[i].tokens;
    json_key(&out->o, "reasoning");
    json_open(&out->o, '{');
    if (req->effort == IR_EFFORT_NONE)
        json_kv_str(&out->o, "effort", STR("none"));
    else
        json_kv_int(&out->o, "max_tokens", tokens);
    json_close(&out->o);
}

static tg_rc
put_effort(struct chat_out *out)
{
    const struct ir_req *req = out->req;
    enum ir_effort effort = req->effort;

    if (effort == IR_EFFORT_UNSAID && req->think_budget < 0)
        return TG_OK;
    switch (out->route->caps.thinking) {
    case CAPS_THINKING_NONE:
        /* A model that cannot think has been told not to: as was asked. */
        if (effort == IR_EFFORT_NONE)
            return TG_OK;
        return chat_drop(
            out, chat_said(out, "reasoning_effort", "reasoning.effort",
                           req->think_budget >= 0 ? "thinking" : "output_config.effort"));
    case CAPS_THINKING_BUDGET:
        put_budget(out);
        return TG_OK;
    default:
        break;
    }
    for (size_t i = 0; effort == IR_EFFORT_UNSAID && i < CHAT_COUNT(efforts); i++)
        if (req->think_budget <= efforts[i].up_to)
            effort = efforts[i].effort;
    json_kv_str(&out->o, "reasoning_effort", str_z(chat_efforts[effort]));
    return TG_OK;
}

static void
put_format(struct chat_out *out)
{
    const struct ir_req *req = out->req;
    enum ir_tri strict = req->format_strict;

    kv_text(out, "verbosity", req->verbosity);
    if (req->format_schema.n == 0 && !req->format_json)
        return;
    json_key(&out->o, "response_format");
    json_open(&out->o, '{');
    if (req->format_schema.n) {
        /* Messages has no such switch: there a schema always binds. */
        if (strict == IR_UNSAID && chat_came_as(out, "messages"))
            strict = IR_YES;
        json_kv_str(&out->o, "type", STR("json_schema"));
        json_key(&out->o, "json_schema");
        json_open(&out->o, '{');
        json_kv_str(&out->o, "name", req->format_name.n ? req->format_name : STR("response"));
        kv_text(out, "description", req->format_description);
        json_kv_raw(&out->o, "schema", req->format_schema);
        if (strict != IR_UNSAID)
            json_kv_bool(&out->o, "strict", strict == IR_YES);
        json_close(&out->o);
    } else {
        json_kv_str(&out->o, "type", STR("json_object"));
    }
    json_close(&out->o);
}

static void
put_account(struct chat_out *out)
{
    const struct ir_req *req = out->req;
    struct str tier = req->service_tier;

    if (str_eq(tier, STR("standard_only")))
        tier = STR("default");
    else if (str_eq(tier, STR("ultrafast")))
        tier = STR("priority");
    kv_text(out, "safety_identifier", hash_fit(out->a, req->user, CHAT_ID_MAX));
    kv_raw(out, "metadata", req->metadata);
    kv_text(out, "service_tier", tier);
    kv_text(out, "prompt_cache_key", req->cache_key);
    /* What other dialects call storing is this gateway's own. */
    if (req->store != IR_UNSAID && chat_came_as(out, dialect_chat.name))
        json_kv_bool(&out->o, "store", req->store == IR_YES);
}

static tg_rc
put_ext(struct chat_out *out)
{
    bool ours = chat_came_as(out, dialect_chat.name);
    tg_rc rc = TG_OK;

    for (const struct ir_ext *x = out->req->ext; x && rc == TG_OK; x = x->next) {
        if (ours && !x->inner) {
            struct str key = x->name;

            /* The name is as written, so it may hold escapes. */
            if (memchr(key.p, '\\', key.n) &&
                json_string(out->a, str_of(key.p - 1, key.n + 2), &key) != TG_OK)
                continue;
            json_key_str(&out->o, key);
            json_raw(&out->o, x->value);
        } else {
            rc = chat_drop(out, x->name);
        }
    }
    return rc;
}

tg_rc
chat_encode_req(struct arena *a, const struct ir_req *req, const struct dialect_route *route,
                struct buf *b, struct ir_drops *drops, struct tg_err *err)
{
    struct chat_out out = {.a = a, .req = req, .route = route, .drops = drops, .err = err};
    size_t before = b->n;
    tg_rc rc;

    json_begin(&out.o, b);
    json_open(&out.o, '{');
    json_kv_str(&out.o, "model", route->model);
    rc = chat_put_messages(&out);
    if (rc == TG_OK)
        rc = chat_put_tools(&out);
    if (rc == TG_OK)
        rc = put_output(&out);
    if (rc == TG_OK)
        rc = put_effort(&out);
    if (rc == TG_OK) {
        put_format(&out);
        put_account(&out);
        rc = put_ext(&out);
    }
    if (rc == TG_OK && req->stream) {
        json_kv_bool(&out.o, "stream", true);
        json_key(&out.o, "stream_options");
        json_open(&out.o, '{');
        json_kv_bool(&out.o, "include_usage", true);
        json_close(&out.o);
    }
    if (rc == TG_OK) {
        json_close(&out.o);
        rc = json_end(&out.o);
        if (rc != TG_OK)
            rc = tg_fail(err, rc, TG_ERR_TOO_LARGE, NULL,
                         "the request is too large in the upstream's dialect");
    }
    if (rc != TG_OK)
        buf_truncate(b, before);
    return rc;
}
