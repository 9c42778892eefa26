/* out.c -- a request as the body for an upstream of this dialect.
 *
 * What the dialect has no word for is noted as dropped under the name that the client's dialect
 * has for it, or refused where leaving it out would change what is asked.  A refusal is kept
 * and the writing goes on, so that brackets stay in pairs; the text is thrown away at the end.
 *
 * Thinking is asked for by a level of effort and left to the model (adaptive); by a budget when
 * the client named one, and for models that know nothing else.  A budget excludes a forced tool
 * choice, other sampling than the model's own, and a history whose calls have lost their
 * thoughts: then thinking is off, and that is noted.
 */
#include "dialect/messages/messages_int.h"

#include <stdarg.h>
#include <stdio.h>

#include "ir/drops.h"

enum { TOKENS_DEFAULT = 8192, BUDGET_MIN = 1024 };

bool
messages_from_responses(const struct messages_out *o)
{
    return o->req->origin && strcmp(o->req->origin, "responses") == 0;
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
messages_model_old(struct str model)
{
    static const char *const old[] = {"*claude-3*",     "*claude-*-4-0*",    "*claude-*-4-1*",
                                      "*claude-*-4-5*", "*claude-*-4-2025*", "*claude-*-4"};

    for (size_t i = 0; i < MESSAGES_COUNT(old); i++)
        if (str_glob(str_z(old[i]), model))
            return true;
    return false;
}

bool
messages_choice_forced(const struct ir_req *req)
{
    return req->tools &&
           (req->tool_choice == IR_CHOICE_REQUIRED || req->tool_choice == IR_CHOICE_NAMED);
}

/* How thinking will be asked for. */
struct thinking {
    enum { LEFT_OUT, DISABLED, ADAPTIVE, BUDGET } form;
    int64_t budget;
    const char *effort; /* of output_config, or NULL */
};

/* Name of the client's field that asked for thinking. */
static const char *
effort_field(const struct messages_out *o)
{
    if (messages_own(o->req->origin))
        return "thinking";
    return messages_from_responses(o) ? "reasoning.effort" : "reasoning_effort";
}

/* Calls of the last answer in the history without the thoughts that led to them. */
static bool
thoughts_lost(const struct ir_req *req)
{
    const struct ir_msg *last = NULL;
    bool after_model = false, call = false, thought = false;

    for (const struct ir_msg *m = req->msgs; m; m = m->next) {
        if (m->role == IR_MODEL && !after_model)
            last = m;
        after_model = m->role == IR_MODEL;
    }
    for (const struct ir_msg *m = last; m && m->role == IR_MODEL; m = m->next)
        for (const struct ir_block *b = m->blocks; b; b = b->next) {
            thought |= b->kind == IR_THINK && messages_own(b->origin) && b->sig.n;
            call |= b->kind == IR_CALL;
        }
    return call && !thought;
}

static int64_t
budget_of(enum ir_effort effort, int64_t max_tokens)
{
    switch (effort) {
    case IR_EFFORT_MEDIUM:
        return 8192;
    case IR_EFFORT_HIGH:
        return 16384;
    case IR_EFFORT_XHIGH:
        return 32768;
    case IR_EFFORT_MAX:
        return max_tokens / 10 * 9;
    default:
        return 2048;
    }
}

static const char *
effort_word(enum ir_effort effort)
{
    static const char *const words[] = {
        [IR_EFFORT_MINIMAL] = "low", [IR_EFFORT_LOW] = "low",     [IR_EFFORT_MEDIUM] = "medium",
        [IR_EFFORT_HIGH] = "high",   [IR_EFFORT_XHIGH] = "xhigh", [IR_EFFORT_MAX] = "max"};

    return (size_t)effort < MESSAGES_COUNT(words) ? words[effort] : NULL;
}

/* The budget form, with a limit that leaves room behind the budget. */
static struct thinking
choose_budget(struct messages_out *o, int64_t budget, int64_t *max_tokens)
{
    struct thinking t = {BUDGET, budget < BUDGET_MIN ? BUDGET_MIN : budget, NULL};

    if (messages_choice_forced(o->req) || thoughts_lost(o->req)) {
        messages_drop(o, "%s", effort_field(o));
        return (struct thinking){DISABLED, 0, NULL};
    }
    if (t.budget < *max_tokens)
        return t;
    if (o->req->max_tokens < 0) {
        *max_tokens += t.budget;
    } else if (*max_tokens > BUDGET_MIN) {
        t.budget = *max_tokens - 1;
    } else {
        messages_drop(o, "%s", effort_field(o));
        t.form = DISABLED;
    }
    return t;
}

static struct thinking
choose_thinking(struct messages_out *o, int64_t *max_tokens)
{
    const struct ir_req *req = o->req;
    struct thinking t = {LEFT_OUT, 0, NULL};

    if (req->effort == IR_EFFORT_NONE || req->think_budget == 0) {
        t.form = DISABLED;
        return t;
    }
    if (req->think_budget > 0)
        return choose_budget(o, req->think_budget, max_tokens);
    if (req->effort == IR_EFFORT_UNSAID && req->think_show != IR_YES)
        return t;
    if (messages_model_old(o->route->model))
        return choose_budget(o, budget_of(req->effort, *max_tokens), max_tokens);
    t.form = ADAPTIVE;
    t.effort = effort_word(req->effort);
    return t;
}

static void
put_thinking(struct messages_out *o, const struct thinking *t)
{
    static const char *const forms[] = {
        [DISABLED] = "disabled", [ADAPTIVE] = "adaptive", [BUDGET] = "enabled"};

    if (t->form == LEFT_OUT)
        return;
    json_key(&o->j, "thinking");
    json_open(&o->j, '{');
    json_kv_str(&o->j, "type", str_z(forms[t->form]));
    if (t->form == BUDGET)
        json_kv_int(&o->j, "budget_tokens", t->budget);
    if (t->form != DISABLED && o->req->think_show != IR_UNSAID)
        json_kv_str(&o->j, "display",
                    o->req->think_show == IR_YES ? STR("summarized") : STR("omitted"));
    json_close(&o->j);
}

static void
put_output(struct messages_out *o, const struct thinking *t)
{
    const struct ir_req *req = o->req;

    if (!t->effort && !req->format_schema.n)
        return;
    json_key(&o->j, "output_config");
    json_open(&o->j, '{');
    if (t->effort)
        json_kv_str(&o->j, "effort", str_z(t->effort));
    if (req->format_schema.n) {
        json_key(&o->j, "format");
        json_open(&o->j, '{');
        json_kv_str(&o->j, "type", STR("json_schema"));
        json_kv_raw(&o->j, "schema", req->format_schema);
        json_close(&o->j);
    }
    json_close(&o->j);
    if (req->format_description.n)
        messages_drop(o, "%s.description",
                      messages_from_responses(o) ? "text.format"
                                                 : "response_format.json_schema");
}

/* The dialect's scale ends at 1; and who thinks, samples as the model wants to. */
static void
put_sampling(struct messages_out *o, const struct thinking *t)
{
    const struct ir_req *req = o->req;
    bool thinks = t->form == ADAPTIVE || t->form == BUDGET;
    double v = 0;

    if (req->temperature.n) {
        bool read = json_double(req->temperature, &v) == TG_OK;

        if (!read || v > 1 || (thinks && v != 1))
            messages_drop(o, "temperature");
        if (!thinks && read)
            json_kv_raw(&o->j, "temperature", v > 1 ? STR("1") : req->temperature);
    }
    if (req->top_p.n) {
        if (thinks && (json_double(req->top_p, &v) != TG_OK || v < 0.95))
            messages_drop(o, "top_p");
        else
            json_kv_raw(&o->j, "top_p", req->top_p);
    }
    if (req->top_k.n) {
        if (thinks)
            messages_drop(o, "top_k");
        else
            json_kv_raw(&o->j, "top_k", req->top_k);
    }
}

/* The name of a person would be personal data, which this field must not hold. */
static void
put_user(struct messages_out *o)
{
    struct str user = o->req->user;

    if (user.n == 0)
        return;
    if (str_find(user, '@') < user.n || user.p[0] == '+')
        user = arena_printf(o->a, "user_%016llx", (unsigned long long)messages_hash(user));
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
    if (req->format_json)
        messages_drop(o, responses ? "text.format" : "response_format");
}

static void
put_ext(struct messages_out *o)
{
    bool own = messages_own(o->req->origin);

    for (const struct ir_ext *e = o->req->ext; e; e = e->next) {
        if (!own) {
            messages_drop(o, "%.*s", STR_ARG(e->name));
        } else if (str_find(e->name, '.') == e->name.n) {
            json_key_str(&o->j, e->name);
            json_raw(&o->j, e->value);
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
    struct thinking t;
    tg_rc rc;

    if (max_tokens < 0)
        max_tokens = route->max_tokens > 0 ? route->max_tokens : TOKENS_DEFAULT;
    t = choose_thinking(&o, &max_tokens);
    json_begin(&o.j, b);
    json_open(&o.j, '{');
    json_kv_str(&o.j, "model", route->model);
    json_kv_int(&o.j, "max_tokens", max_tokens);
    if (req->stream)
        json_kv_bool(&o.j, "stream", true);
    o.marks_skip = messages_surplus_marks(req);
    messages_put_tools(&o);
    messages_put_messages(&o);
    put_thinking(&o, &t);
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
