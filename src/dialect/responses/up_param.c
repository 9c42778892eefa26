/* up_param.c -- the parameters of a request for a Responses upstream: what shapes the answer,
 * and what it is filed under.
 */
#include "dialect/responses/up_int.h"
#include "json/scan.h"

enum { OUTPUT_MIN = 16, SAFETY_ID_MAX = 64 };

/* What the dialect has no field for. */
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

/* What a model that does not let itself be told would do anyway is no loss. */
static tg_rc
write_sampling(struct responses_writer *w, const char *name, struct str value)
{
    double v;

    if (value.n == 0)
        return TG_OK;
    if (w->route->caps.sampling) {
        json_kv_raw(&w->o, name, value);
        return TG_OK;
    }
    return json_double(value, &v) == TG_OK && v == 1 ? TG_OK : responses_drop(w, "%s", name);
}

/* The rest of it is asked for by "include". */
static tg_rc
write_logprobs(struct responses_writer *w)
{
    const struct ir_req *req = w->req;
    tg_rc rc = TG_OK;

    if (w->route->caps.logprobs) {
        if (req->top_logprobs >= 0)
            json_kv_int(&w->o, "top_logprobs", req->top_logprobs);
        return TG_OK;
    }
    if (req->logprobs)
        rc = responses_drop(
            w, "%s",
            responses_word(w, "logprobs", "include.message.output_text.logprobs", "logprobs"));
    return rc == TG_OK && req->top_logprobs > 0 ? responses_drop(w, "top_logprobs") : rc;
}

static tg_rc
write_numbers(struct responses_writer *w)
{
    const struct ir_req *req = w->req;
    tg_rc rc;

    if (req->max_tokens >= 0)
        json_kv_int(&w->o, "max_output_tokens",
                    req->max_tokens < OUTPUT_MIN ? OUTPUT_MIN : req->max_tokens);
    rc = write_sampling(w, "temperature", req->temperature);
    if (rc == TG_OK)
        rc = write_sampling(w, "top_p", req->top_p);
    return rc == TG_OK ? write_logprobs(w) : rc;
}

/* A schema without a word about strictness is one that must be obeyed where it comes from. */
static bool
is_strict(const struct responses_writer *w)
{
    if (w->req->format_strict != IR_UNSAID)
        return w->req->format_strict == IR_YES;
    return responses_came_as(w, "messages");
}

static void
write_format(struct responses_writer *w)
{
    const struct ir_req *req = w->req;

    json_key(&w->o, "format");
    json_open(&w->o, '{');
    if (req->format_schema.n) {
        json_kv_str(&w->o, "type", STR("json_schema"));
        json_kv_str(&w->o, "name", req->format_name.n ? req->format_name : STR("response"));
        if (req->format_description.n)
            json_kv_str(&w->o, "description", req->format_description);
        json_kv_raw(&w->o, "schema", req->format_schema);
        json_kv_bool(&w->o, "strict", is_strict(w));
    } else {
        json_kv_str(&w->o, "type", STR("json_object"));
    }
    json_close(&w->o);
}

static void
write_text(struct responses_writer *w)
{
    const struct ir_req *req = w->req;
    bool format = req->format_schema.n || req->format_json;

    if (!format && req->verbosity.n == 0)
        return;
    json_key(&w->o, "text");
    json_open(&w->o, '{');
    if (format)
        write_format(w);
    if (req->verbosity.n)
        json_kv_str(&w->o, "verbosity", req->verbosity);
    json_close(&w->o);
}

/* The level, or the one that a budget comes nearest to. */
static struct str
effort_of(const struct ir_req *req)
{
    int64_t budget = req->think_budget;

    if (req->effort != IR_EFFORT_UNSAID || budget < 0)
        return str_z(responses_efforts[req->effort]);
    return budget <= 2048    ? STR("low")
           : budget <= 8192  ? STR("medium")
           : budget <= 24576 ? STR("high")
           : budget <= 49152 ? STR("xhigh")
                             : STR("max");
}

/* For a model that does not think.  One that is told not to does as it was told. */
static tg_rc
drop_reasoning(struct responses_writer *w, struct str effort, struct str summary)
{
    bool budget = w->req->think_budget >= 0;
    tg_rc rc = TG_OK;

    if (effort.n && w->req->effort != IR_EFFORT_NONE)
        rc = responses_drop(w, "%s",
                            budget ? responses_word(w, "reasoning", "reasoning", "thinking")
                                   : responses_word(w, "reasoning_effort", "reasoning.effort",
                                                    "output_config.effort"));
    if (rc == TG_OK && summary.n)
        rc = responses_drop(
            w, "%s", responses_word(w, "reasoning.summary", "reasoning.summary", "thinking"));
    return rc;
}

static tg_rc
write_reasoning(struct responses_writer *w)
{
    struct str effort = effort_of(w->req), summary = w->req->think_summary;
    const struct ir_ext *x = responses_is_own(w->req->origin) ? w->req->ext : NULL;

    if (summary.n == 0 && w->req->think_show == IR_YES)
        summary = STR("auto");
    if (w->route->caps.thinking == CAPS_THINKING_NONE)
        return drop_reasoning(w, effort, summary);
    while (x && !str_starts(x->name, STR("reasoning.")))
        x = x->next;
    if (effort.n == 0 && summary.n == 0 && !x)
        return TG_OK;
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
    return TG_OK;
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

tg_rc
responses_write_params(struct responses_writer *w)
{
    tg_rc rc = drop_hints(w);

    if (rc == TG_OK)
        rc = write_numbers(w);
    if (rc != TG_OK)
        return rc;
    write_text(w);
    rc = write_reasoning(w);
    if (rc == TG_OK)
        write_names(w);
    return rc;
}
