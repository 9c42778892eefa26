/* param.c -- the parameters of a request that are one value each.
 *
 * Numbers are checked for type and range and kept as written, so that 0.70 stays 0.70; what has
 * an inside that nobody here reads (logit_bias, prediction, metadata) stays raw.
 */
#include "dialect/chat/chat_int.h"

const char *const chat_efforts[IR_EFFORT_MAX + 1] = {
    [IR_EFFORT_NONE] = "none",     [IR_EFFORT_MINIMAL] = "minimal", [IR_EFFORT_LOW] = "low",
    [IR_EFFORT_MEDIUM] = "medium", [IR_EFFORT_HIGH] = "high",       [IR_EFFORT_XHIGH] = "xhigh",
    [IR_EFFORT_MAX] = "max",
};

static tg_rc
read_numbers(struct chat_dec *d, const struct chat_params *p)
{
    const struct {
        const char *name;
        const struct json_member *m;
        int min, max; /* both 0: whatever the server allows */
        struct str *to;
    } rows[] = {
        {"temperature", &p->temperature, 0, 2, &d->req->temperature},
        {"top_p", &p->top_p, 0, 1, &d->req->top_p},
        {"top_k", &p->top_k, 0, 0, &d->req->top_k},
        {"frequency_penalty", &p->frequency, -2, 2, &d->req->frequency_penalty},
        {"presence_penalty", &p->presence, -2, 2, &d->req->presence_penalty},
    };

    for (size_t i = 0; i < CHAT_COUNT(rows); i++) {
        struct field_at at = {NULL, rows[i].name, 0};
        double v = 0;

        if (!field_has(rows[i].m))
            continue;
        if (rows[i].m->kind != JSON_NUMBER)
            return field_refuse_type(&d->in, &at, "a number", rows[i].m->kind);
        if (rows[i].max &&
            (json_double(rows[i].m->value, &v) != TG_OK || v < rows[i].min || v > rows[i].max))
            return field_refuse(&d->in, &at, "invalid_value", "must be from %d to %d",
                                rows[i].min, rows[i].max);
        *rows[i].to = rows[i].m->value;
    }
    return TG_OK;
}

static tg_rc
read_objects(struct chat_dec *d, const struct chat_params *p)
{
    const struct {
        const char *name;
        const struct json_member *m;
        struct str *to;
    } rows[] = {
        {"logit_bias", &p->logit_bias, &d->req->logit_bias},
        {"prediction", &p->prediction, &d->req->prediction},
        {"metadata", &p->metadata, &d->req->metadata},
    };

    for (size_t i = 0; i < CHAT_COUNT(rows); i++) {
        struct field_at at = {NULL, rows[i].name, 0};

        if (!field_has(rows[i].m))
            continue;
        if (rows[i].m->kind != JSON_OBJECT)
            return field_refuse_type(&d->in, &at, "an object", rows[i].m->kind);
        *rows[i].to = rows[i].m->value;
    }
    return TG_OK;
}

static tg_rc
read_words(struct chat_dec *d, const struct chat_params *p)
{
    /* The last of two for one place wins. */
    const struct {
        const char *name;
        const struct json_member *m;
        struct str *to;
    } rows[] = {
        {"verbosity", &p->verbosity, &d->req->verbosity},
        {"user", &p->user, &d->req->user},
        {"safety_identifier", &p->safety, &d->req->user},
        {"service_tier", &p->tier, &d->req->service_tier},
        {"prompt_cache_key", &p->cache_key, &d->req->cache_key},
    };
    tg_rc rc = TG_OK;

    for (size_t i = 0; i < CHAT_COUNT(rows) && rc == TG_OK; i++) {
        struct field_at at = {NULL, rows[i].name, 0};

        rc = field_string(&d->in, &at, rows[i].m, rows[i].to);
    }
    return rc;
}

static tg_rc
read_effort(struct chat_dec *d, const struct field_at *at, const struct json_member *m,
            enum ir_effort *ret)
{
    struct str word = {NULL, 0};
    tg_rc rc = field_string(&d->in, at, m, &word);

    if (rc != TG_OK || !field_has(m))
        return rc;
    for (int i = IR_EFFORT_NONE; i <= IR_EFFORT_MAX; i++)
        if (str_eq(word, str_z(chat_efforts[i]))) {
            *ret = (enum ir_effort)i;
            return TG_OK;
        }
    return field_refuse(&d->in, at, "invalid_value",
                        "must be one of none, minimal, low, medium, high, xhigh, max");
}

/* The form of Responses, which routers have taken over and added to: a budget in tokens,
 * thoughts that are not to be shown, a switch. */
static tg_rc
read_reasoning(struct chat_dec *d, const struct json_member *m)
{
    enum { EFFORT, SUMMARY, BUDGET, EXCLUDE, ENABLED, N };
    static const char *const keys[N] = {"effort", "summary", "max_tokens", "exclude",
                                        "enabled"};
    struct field_at at = {NULL, "reasoning", 0};
    struct field_at in[N];
    struct json_member f[N];
    enum ir_effort effort = IR_EFFORT_UNSAID;
    bool exclude = false, enabled = true;
    tg_rc rc;

    if (!field_has(m))
        return TG_OK;
    for (int i = 0; i < N; i++)
        in[i] = (struct field_at){&at, keys[i], 0};
    rc = field_pick(&d->in, &at, m->value, keys, N, f);
    if (rc == TG_OK)
        rc = read_effort(d, &in[EFFORT], &f[EFFORT], &effort);
    if (rc == TG_OK)
        rc = field_string(&d->in, &in[SUMMARY], &f[SUMMARY], &d->req->think_summary);
    if (rc == TG_OK)
        rc = field_int(&d->in, &in[BUDGET], &f[BUDGET], 0, INT32_MAX, &d->req->think_budget);
    if (rc == TG_OK)
        rc = field_bool(&d->in, &in[EXCLUDE], &f[EXCLUDE], &exclude);
    if (rc == TG_OK)
        rc = field_bool(&d->in, &in[ENABLED], &f[ENABLED], &enabled);
    if (rc != TG_OK)
        return rc;
    if (effort == IR_EFFORT_UNSAID && !enabled)
        effort = IR_EFFORT_NONE;
    if (effort != IR_EFFORT_UNSAID && d->req->effort != IR_EFFORT_UNSAID &&
        effort != d->req->effort)
        return field_refuse(&d->in, field_has(&f[EFFORT]) ? &in[EFFORT] : &in[ENABLED],
                            "invalid_value", "'reasoning_effort' says another one");
    if (effort != IR_EFFORT_UNSAID)
        d->req->effort = effort;
    if (exclude || d->req->think_summary.n)
        d->req->think_show = exclude ? IR_NO : IR_YES;
    return TG_OK;
}

tg_rc
chat_read_params(struct chat_dec *d, const struct chat_params *p)
{
    struct field_at logprobs = {NULL, "logprobs", 0}, top = {NULL, "top_logprobs", 0};
    struct field_at store_at = {NULL, "store", 0}, effort = {NULL, "reasoning_effort", 0};
    bool store = false;
    tg_rc rc = read_numbers(d, p);

    if (rc == TG_OK)
        rc = read_objects(d, p);
    if (rc == TG_OK)
        rc = read_words(d, p);
    if (rc == TG_OK)
        rc = read_effort(d, &effort, &p->effort, &d->req->effort);
    if (rc == TG_OK)
        rc = read_reasoning(d, &p->reasoning);
    if (rc == TG_OK)
        rc = field_bool(&d->in, &logprobs, &p->logprobs, &d->req->logprobs);
    if (rc == TG_OK)
        rc = field_int(&d->in, &top, &p->top_logprobs, 0, 20, &d->req->top_logprobs);
    if (rc == TG_OK)
        rc = field_bool(&d->in, &store_at, &p->store, &store);
    if (rc == TG_OK && field_has(&p->store))
        d->req->store = store ? IR_YES : IR_NO;
    return rc;
}

struct str
chat_cache_ttl(struct str value)
{
    struct json_member m;

    if (json_kind_of(value) != JSON_OBJECT)
        return (struct str){NULL, 0};
    if (json_get(value, STR("ttl"), &m) && str_eq(m.value, STR("\"12h\"")))
        return STR("12h");
    return STR("30m");
}
