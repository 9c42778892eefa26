/* req.c -- a Chat request decoded.
 *
 * The top level is picked apart in one pass; messages, tools and plain parameters have files of
 * their own.  Tool schemas and media stay the spans they are.  A field that nobody here knows
 * is kept raw: an upstream of this dialect may know it, and for any other it is named as
 * dropped.
 */
#include "dialect/body.h"
#include "dialect/chat/chat_int.h"

enum field {
    F_MODEL,
    F_STREAM,
    F_STREAM_OPTIONS,
    F_MESSAGES,
    F_TOOLS,
    F_TOOL_CHOICE,
    F_PARALLEL,
    F_MAX_TOKENS,
    F_MAX_COMPLETION,
    F_MAX_RESPONSE,
    F_MAX_OUTPUT,
    F_SEED,
    F_N,
    F_STOP,
    F_FORMAT,
    F_FUNCTIONS,
    F_FUNCTION_CALL,
    F_TEMPERATURE,
    F_TOP_P,
    F_TOP_K,
    F_FREQUENCY,
    F_PRESENCE,
    F_LOGIT_BIAS,
    F_PREDICTION,
    F_LOGPROBS,
    F_TOP_LOGPROBS,
    F_EFFORT,
    F_REASONING,
    F_VERBOSITY,
    F_USER,
    F_SAFETY,
    F_METADATA,
    F_TIER,
    F_CACHE_KEY,
    F_STORE,
    F_SEARCH,
    F_COUNT
};

static const char *const names[F_COUNT] = {
    [F_MODEL] = "model",
    [F_STREAM] = "stream",
    [F_STREAM_OPTIONS] = "stream_options",
    [F_MESSAGES] = "messages",
    [F_TOOLS] = "tools",
    [F_TOOL_CHOICE] = "tool_choice",
    [F_PARALLEL] = "parallel_tool_calls",
    [F_MAX_TOKENS] = "max_tokens",
    [F_MAX_COMPLETION] = "max_completion_tokens",
    [F_MAX_RESPONSE] = "max_response_tokens",
    [F_MAX_OUTPUT] = "max_output_tokens",
    [F_SEED] = "seed",
    [F_N] = "n",
    [F_STOP] = "stop",
    [F_FORMAT] = "response_format",
    [F_FUNCTIONS] = "functions",
    [F_FUNCTION_CALL] = "function_call",
    [F_TEMPERATURE] = "temperature",
    [F_TOP_P] = "top_p",
    [F_TOP_K] = "top_k",
    [F_FREQUENCY] = "frequency_penalty",
    [F_PRESENCE] = "presence_penalty",
    [F_LOGIT_BIAS] = "logit_bias",
    [F_PREDICTION] = "prediction",
    [F_LOGPROBS] = "logprobs",
    [F_TOP_LOGPROBS] = "top_logprobs",
    [F_EFFORT] = "reasoning_effort",
    [F_REASONING] = "reasoning",
    [F_VERBOSITY] = "verbosity",
    [F_USER] = "user",
    [F_SAFETY] = "safety_identifier",
    [F_METADATA] = "metadata",
    [F_TIER] = "service_tier",
    [F_CACHE_KEY] = "prompt_cache_key",
    [F_STORE] = "store",
    [F_SEARCH] = "web_search_options",
};

static tg_rc
read_stream(struct chat_dec *d, const struct json_member *f)
{
    static const char *const option_names[] = {"include_usage"};
    struct field_at stream = {NULL, names[F_STREAM], 0};
    struct field_at options = {NULL, names[F_STREAM_OPTIONS], 0};
    struct field_at usage = {&options, option_names[0], 0};
    struct json_member m;
    tg_rc rc = field_bool(&d->in, &stream, &f[F_STREAM], &d->req->stream);

    if (rc != TG_OK || !field_has(&f[F_STREAM_OPTIONS]))
        return rc;
    rc = field_pick(&d->in, &options, f[F_STREAM_OPTIONS].value, option_names, 1, &m);
    return rc == TG_OK ? field_bool(&d->in, &usage, &m, &d->req->stream_usage) : rc;
}

static tg_rc
add_stop(struct chat_dec *d, const struct field_at *at, const struct json_member *m)
{
    struct str s = {NULL, 0};
    tg_rc rc;

    if (m->kind != JSON_STRING)
        return field_refuse_type(&d->in, at, "a string", m->kind);
    rc = field_string(&d->in, at, m, &s);
    if (rc == TG_OK && s.n == 0)
        rc = field_refuse(&d->in, at, "invalid_value", "a stop sequence must not be empty");
    if (rc == TG_OK)
        d->req->stop[d->req->n_stop++] = s;
    return rc;
}

static tg_rc
read_stop(struct chat_dec *d, const struct json_member *stop)
{
    struct field_at at = {NULL, names[F_STOP], 0}, elem = {&at, NULL, 0};
    struct json_iter it;
    struct json_member m;
    tg_rc rc = TG_OK;

    if (!field_has(stop))
        return TG_OK;
    if (stop->kind == JSON_STRING)
        return add_stop(d, &at, stop);
    if (json_array(&it, stop->value) != TG_OK)
        return field_refuse_type(&d->in, &at, "a string or an array of strings", stop->kind);
    for (; rc == TG_OK && json_next(&it, &m); elem.index++) {
        if (elem.index == IR_STOP_MAX)
            return field_refuse(&d->in, &at, "invalid_value", "at most %d stop sequences",
                                IR_STOP_MAX);
        rc = add_stop(d, &elem, &m);
    }
    return rc;
}

/* Each of the names of one limit that clients have come to use, the one that says most first:
 * the first that is said binds. */
static tg_rc
read_limit(struct chat_dec *d, const struct json_member *f)
{
    static const enum field limits[] = {F_MAX_OUTPUT, F_MAX_COMPLETION, F_MAX_RESPONSE,
                                        F_MAX_TOKENS};
    tg_rc rc = TG_OK;

    for (size_t i = 0; i < CHAT_COUNT(limits) && rc == TG_OK; i++) {
        struct field_at at = {NULL, names[limits[i]], 0};
        int64_t v = -1;

        rc = field_int(&d->in, &at, &f[limits[i]], 1, INT32_MAX, &v);
        if (d->req->max_tokens < 0)
            d->req->max_tokens = v;
    }
    return rc;
}

static tg_rc
read_numbers(struct chat_dec *d, const struct json_member *f)
{
    struct field_at n_at = {NULL, names[F_N], 0}, seed_at = {NULL, names[F_SEED], 0};
    int64_t n = 1, seed = 0;
    tg_rc rc = read_limit(d, f);

    if (rc == TG_OK)
        rc = field_int(&d->in, &n_at, &f[F_N], 1, IR_CHOICES_MAX, &n);
    if (rc == TG_OK)
        rc = field_int(&d->in, &seed_at, &f[F_SEED], INT64_MIN, INT64_MAX, &seed);
    if (rc != TG_OK)
        return rc;
    d->req->choices = (unsigned)n;
    if (field_has(&f[F_SEED]))
        d->req->seed = seed & INT64_MAX; /* below zero means "not said" inside */
    return TG_OK;
}

static tg_rc
read_params(struct chat_dec *d, const struct json_member *f)
{
    const struct chat_params p = {
        .frequency = f[F_FREQUENCY],
        .presence = f[F_PRESENCE],
        .temperature = f[F_TEMPERATURE],
        .top_p = f[F_TOP_P],
        .top_k = f[F_TOP_K],
        .logit_bias = f[F_LOGIT_BIAS],
        .prediction = f[F_PREDICTION],
        .logprobs = f[F_LOGPROBS],
        .top_logprobs = f[F_TOP_LOGPROBS],
        .effort = f[F_EFFORT],
        .reasoning = f[F_REASONING],
        .verbosity = f[F_VERBOSITY],
        .user = f[F_USER],
        .safety = f[F_SAFETY],
        .metadata = f[F_METADATA],
        .tier = f[F_TIER],
        .cache_key = f[F_CACHE_KEY],
        .store = f[F_STORE],
    };

    return chat_read_params(d, &p);
}

/* Does a list of modalities name anything but text? */
static bool
is_more_than_text(struct str modalities)
{
    struct json_iter it;
    struct json_member m;

    if (json_array(&it, modalities) != TG_OK)
        return false;
    while (json_next(&it, &m))
        if (!str_eq(m.value, STR("\"text\"")))
            return true;
    return false;
}

/* Finds what has a name here, the last one where it stands twice, and keeps the rest. */
static tg_rc
pick(struct chat_dec *d, struct str body, struct json_member f[F_COUNT])
{
    struct ir_ext **tail = &d->req->ext;
    struct json_iter it;
    struct json_member m;
    tg_rc rc = json_object(&it, body);

    for (int i = 0; i < F_COUNT; i++)
        f[i] = (struct json_member){.kind = JSON_NONE};
    while (rc == TG_OK && json_next(&it, &m)) {
        int i = 0;

        while (i < F_COUNT && !json_key_is(m.key, str_z(names[i])))
            i++;
        if (i < F_COUNT) {
            f[i] = m;
        } else if (m.kind != JSON_NULL) {
            *tail = arena_new(d->in.a, struct ir_ext);
            (*tail)->name = m.key;
            (*tail)->value = m.value;
            tail = &(*tail)->next;
            if (json_key_is(m.key, STR("modalities")))
                d->req->media_out = is_more_than_text(m.value);
        }
    }
    return rc;
}

tg_rc
chat_decode_req(struct arena *a, struct str body, struct ir_req *ret, struct tg_err *err)
{
    struct ir_req req = body_request(dialect_chat.name);
    struct chat_dec d = {.in = {a, err}, .req = &req};
    struct field_at parallel = {NULL, names[F_PARALLEL], 0};
    struct json_member *f = arena_array(a, struct json_member, F_COUNT);
    tg_rc rc = field_check(&d.in, body);

    if (rc == TG_OK)
        rc = pick(&d, body, f);
    if (rc == TG_OK)
        rc = field_string_needed(&d.in, NULL, names[F_MODEL], &f[F_MODEL], &req.model);
    if (rc == TG_OK)
        rc = read_stream(&d, f);
    if (rc == TG_OK)
        rc = read_numbers(&d, f);
    if (rc == TG_OK)
        rc = read_params(&d, f);
    if (rc == TG_OK)
        rc = read_stop(&d, &f[F_STOP]);
    if (rc == TG_OK)
        rc = chat_read_format(&d, &f[F_FORMAT]);
    if (rc == TG_OK)
        rc = chat_read_messages(&d, &f[F_MESSAGES]);
    if (rc == TG_OK)
        rc = chat_read_tools(&d, &f[F_TOOLS]);
    if (rc == TG_OK)
        rc = chat_read_tool_choice(&d, &f[F_TOOL_CHOICE]);
    if (rc == TG_OK)
        rc = field_bool(&d.in, &parallel, &f[F_PARALLEL], &req.parallel_calls);
    if (rc == TG_OK)
        rc = chat_read_functions(&d, &f[F_FUNCTIONS], &f[F_FUNCTION_CALL]);
    if (rc == TG_OK)
        rc = chat_read_search(&d, &f[F_SEARCH]);
    if (rc == TG_OK)
        *ret = req;
    return rc;
}
