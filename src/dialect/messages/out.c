/* out.c -- a request as the body for an upstream of this dialect.
 *
 * What the dialect has no word for is noted as dropped under the name that the client's dialect
 * has for it, or refused where leaving it out would change what is asked.  A refusal is kept
 * and the writing goes on, so that brackets stay in pairs; the text is thrown away at the end.
 *
 * Who thinks samples as its model wants to, and a model may take no sampling at all.
 */
#include "dialect/messages/messages_int.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/hash.h"
#include "ir/drops.h"
#include "ir/path.h"

enum { TOKENS_DEFAULT = 8192 };

bool
messages_from_responses(const struct messages_out *o)
{
    return o->req->origin && strcmp(o->req->origin, "responses") == 0;
}

struct str
messages_path(const struct messages_out *o, const struct ir_msg *m, const struct ir_block *b)
{
    return ir_path(o->a, o->req, m, b);
}

void
messages_drop(struct messages_out *o, const char *fmt, ...)
{
    char text[128];
    va_list ap;

    if (o->rc != TG_OK)
        return;
    va_start(ap, fmt);
    if (vsnprintf(text, sizeof text, fmt, ap) < 0)
        text[0] = '\0';
    va_end(ap);
    o->rc = ir_drop_or_refuse(o->route, o->drops, o->err, arena_dup(o->a, str_z(text)));
}

void
messages_refuse(struct messages_out *o, const char *why, const char *fmt, ...)
{
    char text[128];
    va_list ap;

    if (o->rc != TG_OK)
        return;
    va_start(ap, fmt);
    if (vsnprintf(text, sizeof text, fmt, ap) < 0)
        text[0] = '\0';
    va_end(ap);
    o->rc = tg_refuse(o->err, "unsupported_value", text, "'%s': %s", text, why);
}

bool
messages_choice_forced(const struct ir_req *req)
{
    return req->tools &&
           (req->tool_choice == IR_CHOICE_REQUIRED || req->tool_choice == IR_CHOICE_NAMED);
}

/* The client's name for the form that its answer is to have. */
static const char *
format_field(const struct messages_out *o)
{
    if (messages_own(o->req->origin))
        return "output_config.format";
    return messages_from_responses(o) ? "text.format" : "response_format";
}

static void
put_format(struct messages_out *o)
{
    const struct ir_req *req = o->req;

    json_key(&o->j, "format");
    json_open(&o->j, '{');
    json_kv_str(&o->j, "type", STR("json_schema"));
    json_kv_raw(&o->j, "schema", req->format_schema);
    json_close(&o->j);
    if (req->format_description.n)
        messages_drop(o, "%s.description",
                      messages_from_responses(o) ? "text.format"
                                                 : "response_format.json_schema");
}

static void
put_output(struct messages_out *o, const struct messages_thinking *t)
{
    enum caps_format takes = o->route->caps.format;
    bool schema = o->req->format_schema.n > 0;

    if (o->req->format_json ||
        (schema && takes != CAPS_FORMAT_SCHEMA && takes != CAPS_FORMAT_ONLY_SCHEMA)) {
        messages_drop(o, "%s", format_field(o));
        schema = false;
    }
    if (!t->effort && !schema)
        return;
    json_key(&o->j, "output_config");
    json_open(&o->j, '{');
    if (t->effort)
        json_kv_str(&o->j, "effort", str_z(t->effort));
    if (schema)
        put_format(o);
    json_close(&o->j);
}

/* A number that was said, and is below least. */
static bool
below(struct str number, double least)
{
    double v = 0;

    return number.n && (json_double(number, &v) != TG_OK || v < least);
}

static void
put_temperature(struct messages_out *o, bool thinks)
{
    struct str said = o->req->temperature;
    double v = 0;

    if (said.n == 0)
        return;
    if (json_double(said, &v) != TG_OK || v > 1 || (thinks && v != 1))
        messages_drop(o, "temperature");
    if (!thinks && json_double(said, &v) == TG_OK)
        json_kv_raw(&o->j, "temperature", v > 1 ? STR("1") : said);
}

/* The dialect's scale ends at 1; and who thinks, samples as the model wants to.  Models that do
 * not take these fields refuse them even where they say nothing new. */
static void
put_sampling(struct messages_out *o, const struct messages_thinking *t)
{
    const struct ir_req *req = o->req;
    bool thinks = t->form == MESSAGES_THINK_ADAPTIVE || t->form == MESSAGES_THINK_BUDGET;
    bool takes = o->route->caps.sampling;
    double v = 0;
    int64_t k = 0;

    if (takes)
        put_temperature(o, thinks);
    else if (req->temperature.n && (json_double(req->temperature, &v) != TG_OK || v != 1))
        messages_drop(o, "temperature");
    if (below(req->top_p, !takes ? 0.99 : thinks ? 0.95 : 0))
        messages_drop(o, "top_p");
    else if (takes && req->top_p.n)
        json_kv_raw(&o->j, "top_p", req->top_p);
    if (req->top_k.n && (thinks || !takes || json_i64(req->top_k, &k) != TG_OK || k < 0))
        messages_drop(o, "top_k");
    else if (req->top_k.n)
        json_kv_raw(&o->j, "top_k", req->top_k);
}

/* The name of a person would be personal data, which this field must not hold. */
static void
put_user(struct messages_out *o)
{
    struct str user = o->req->user;

    if (user.n == 0)
        return;
    if (str_find(user, '@') < user.n || user.p[0] == '+')
        user =
            arena_printf(o->a, "user_%016llx", (unsigned long long)hash_add(HASH_EMPTY, user));
    json_key(&o->j, "metadata");
    json_open(&o->j, '{');
    json_kv_str(&o->j, "user_id", user);
    json_close(&o->j);
}

static void
put_tier(struct messages_out *o)
{
    struct str tier = o->req->service_tier;

    if (tier.n == 0)
        return;
    if (str_eq(tier, STR("default")) || str_eq(tier, STR("flex")))
        json_kv_str(&o->j, "service_tier", STR("standard_only"));
    else
        json_kv_str(&o->j, "service_tier", STR("auto"));
    if (!str_eq(tier, STR("default")) && !str_eq(tier, STR("auto")))
        messages_drop(o, "service_tier");
}

static bool
says_nothing(struct str number)
{
    double v;

    return number.n == 0 || (json_double(number, &v) == TG_OK && v == 0);
}

/* Fields that no upstream of this dialect takes. */
static void
note_drops(struct messages_out *o)
{
    const struct ir_req *req = o->req;
    bool responses = messages_from_responses(o);

    if (req->choices > 1)
        messages_refuse(o, "upstreams of the Messages dialect give one answer", "n");
    if (req->seed >= 0)
        messages_drop(o, "seed");
    if (!says_nothing(req->presence_penalty))
        messages_drop(o, "presence_penalty");
    if (!says_nothing(req->frequency_penalty))
        messages_drop(o, "frequency_penalty");
    if (req->logit_bias.n && !str_eq(req->logit_bias, STR("{}")))
        messages_drop(o, "logit_bias");
    if (req->prediction.n)
        messages_drop(o, "prediction");
    if (req->logprobs)
        messages_drop(o, responses ? "include.message.output_text.logprobs" : "logprobs");
    if (req->top_logprobs > 0)
        messages_drop(o, "top_logprobs");
    if (req->verbosity.n)
        messages_drop(o, responses ? "text.verbosity" : "verbosity");
    /* These two are the gateway's to keep, so they are no reason to refuse. */
    if (req->metadata.n && !str_eq(req->metadata, STR("{}")))
        ir_drop(o->drops, STR("metadata"));
    if (req->store == IR_YES)
        ir_drop(o->drops, STR("store"));
    if (req->cache_key.n)
        messages_drop(o, "prompt_cache_key");
    if (req->media_out)
        messages_refuse(o, "upstreams of the Messages dialect answer with text", "modalities");
}

static void
put_ext(struct messages_out *o)
{
    bool own = messages_own(o->req->origin);

    for (const struct ir_ext *e = o->req->ext; e; e = e->next) {
        bool nested = str_find(e->name, '.') < e->name.n;

        if (own && !nested) {
            json_key_str(&o->j, e->name);
            json_raw(&o->j, e->value);
        } else if (!own && !str_eq(e->name, STR("modalities"))) {
            messages_drop(o, "%.*s", STR_ARG(e->name));
        }
    }
}

tg_rc
messages_encode_req(struct arena *a, const struct ir_req *req,
                    const struct dialect_route *route, struct buf *b, struct ir_drops *drops,
                    struct tg_err *err)
{
    struct messages_out o = {.a = a, .req = req, .route = route, .drops = drops, .err = err};
    int64_t max_tokens = req->max_tokens;
    size_t before = b->n;
    struct messages_thinking t;
    tg_rc rc;

    if (max_tokens < 0)
        max_tokens = route->max_tokens > 0 ? route->max_tokens : TOKENS_DEFAULT;
    t = messages_choose_thinking(&o, &max_tokens);
    json_begin(&o.j, b);
    json_open(&o.j, '{');
    json_kv_str(&o.j, "model", route->model);
    json_kv_int(&o.j, "max_tokens", max_tokens);
    if (req->stream)
        json_kv_bool(&o.j, "stream", true);
    o.marks_skip = messages_surplus_marks(req);
    messages_put_tools(&o);
    messages_put_messages(&o);
    messages_put_thinking(&o, &t);
    put_output(&o, &t);
    if (req->n_stop) {
        json_key(&o.j, "stop_sequences");
        json_open(&o.j, '[');
        for (unsigned i = 0; i < req->n_stop; i++)
            json_str(&o.j, req->stop[i]);
        json_close(&o.j);
    }
    put_sampling(&o, &t);
    put_user(&o);
    put_tier(&o);
    put_ext(&o);
    note_drops(&o);
    json_close(&o.j);
    rc = json_end(&o.j);
    if (rc != TG_OK && o.rc == TG_OK)
        rc = tg_fail(err, rc, TG_ERR_TOO_LARGE, "request_too_large",
                     "the request is too large in the form that the upstream takes");
    if (o.rc != TG_OK)
        rc = o.rc;
    if (rc != TG_OK)
        buf_truncate(b, before);
    return rc;
}
