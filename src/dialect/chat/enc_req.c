/* enc_req.c -- a request in the internal form, written for a Chat upstream.
 *
 * Everything that has a field is written, in the words of the dialect; what has none is said in
 * drops.  Fields that nobody named go on only when they came in this dialect.  Usage is asked
 * for on every stream, because limits and logs need it.
 */
#include "dialect/chat/enc_int.h"
#include "ir/drops.h"

enum { STOP_MAX = 4, SHORT_MAX = 64 };

static bool
came_as(const struct chat_out *out, const char *dialect)
{
    return out->req->origin && strcmp(out->req->origin, dialect) == 0;
}

const char *
chat_root(const struct chat_out *out)
{
    return came_as(out, "responses") ? "input" : "messages";
}

struct str
chat_path(struct chat_out *out, unsigned msg, const char *behind)
{
    return arena_printf(out->a, "%s.%u%s", chat_root(out), msg, behind);
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

struct str
chat_short(struct arena *a, struct str s)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

    if (s.n <= SHORT_MAX)
        return s;
    for (size_t i = 0; i < s.n; i++)
        hash = (hash ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
    return arena_printf(a, "%.*s_%016llx", SHORT_MAX - 17, s.p, (unsigned long long)hash);
}

/* Behind the last slash: routers put a maker's name in front. */
static struct str
bare_model(struct str model)
{
    for (size_t i = model.n; i > 0; i--)
        if (model.p[i - 1] == '/')
            return str_from(model, i);
    return model;
}

static bool
is_openai(struct str model)
{
    static const char *const rows[] = {"gpt-", "chatgpt-", "o1", "o3", "o4", "codex-"};

    if (str_starts(model, STR("gpt-oss")))
        return false;
    for (size_t i = 0; i < CHAT_COUNT(rows); i++)
        if (str_starts(model, str_z(rows[i])))
            return true;
    return false;
}

/* gpt-5.6 and later know explicit cache marks; what came before refuses them. */
static bool
knows_marks(struct str model)
{
    unsigned v[2] = {0, 0}, i = 0;

    if (!str_starts(model, STR("gpt-")))
        return false;
    for (model = str_from(model, 4); model.n; model = str_from(model, 1)) {
        char c = model.p[0];

        if (c == '.' && i == 0)
            i = 1;
        else if (c >= '0' && c <= '9' && v[i] < 1000)
            v[i] = v[i] * 10 + (unsigned)(c - '0');
        else
            break;
    }
    return v[0] > 5 || (v[0] == 5 && v[1] >= 6);
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

static tg_rc
put_stop(struct chat_out *out)
{
    const struct ir_req *req = out->req;

    if (req->n_stop == 0)
        return TG_OK;
    json_key(&out->o, "stop");
    json_open(&out->o, '[');
    for (unsigned i = 0; i < req->n_stop && i < STOP_MAX; i++)
        json_str(&out->o, req->stop[i]);
    json_close(&out->o);
    if (req->n_stop <= STOP_MAX)
        return TG_OK;
    return chat_drop(out, came_as(out, "messages") ? STR("stop_sequences") : STR("stop"));
}

static tg_rc
put_sampling(struct chat_out *out)
{
    const struct ir_req *req = out->req;
    tg_rc rc = TG_OK;

    if (req->max_tokens >= 0)
        json_kv_int(&out->o, "max_completion_tokens", req->max_tokens);
    kv_raw(out, "temperature", req->temperature);
    kv_raw(out, "top_p", req->top_p);
    if (req->top_k.n && came_as(out, dialect_chat.name))
        kv_raw(out, "top_k", req->top_k);
    else if (req->top_k.n)
        rc = chat_drop(out, STR("top_k"));
    kv_raw(out, "presence_penalty", req->presence_penalty);
    kv_raw(out, "frequency_penalty", req->frequency_penalty);
    kv_raw(out, "logit_bias", req->logit_bias);
    kv_raw(out, "prediction", req->prediction);
    if (req->logprobs)
        json_kv_bool(&out->o, "logprobs", true);
    if (req->logprobs && req->top_logprobs >= 0)
        json_kv_int(&out->o, "top_logprobs", req->top_logprobs);
    if (req->seed >= 0)
        json_kv_int(&out->o, "seed", req->seed);
    if (req->choices > 1)
        json_kv_int(&out->o, "n", req->choices);
    return rc == TG_OK ? put_stop(out) : rc;
}

static void
put_effort(struct chat_out *out)
{
    static const struct {
        int64_t tokens;
        enum ir_effort effort;
    } rows[] = {{2048, IR_EFFORT_LOW},
                {8192, IR_EFFORT_MEDIUM},
                {24576, IR_EFFORT_HIGH},
                {49152, IR_EFFORT_XHIGH},
                {INT64_MAX, IR_EFFORT_MAX}};
    enum ir_effort effort = out->req->effort;

    for (size_t i = 0; effort == IR_EFFORT_UNSAID && out->req->think_budget >= 0; i++)
        if (out->req->think_budget <= rows[i].tokens)
            effort = rows[i].effort;
    if (effort > IR_EFFORT_UNSAID && effort <= IR_EFFORT_MAX)
        json_kv_str(&out->o, "reasoning_effort", str_z(chat_efforts[effort]));
    kv_text(out, "verbosity", out->req->verbosity);
}

static void
put_format(struct chat_out *out)
{
    const struct ir_req *req = out->req;
    enum ir_tri strict = req->format_strict;

    if (req->format_schema.n == 0 && !req->format_json)
        return;
    json_key(&out->o, "response_format");
    json_open(&out->o, '{');
    if (req->format_schema.n) {
        /* Messages has no such switch: there a schema always binds. */
        if (strict == IR_UNSAID && came_as(out, "messages"))
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
    kv_text(out, "safety_identifier", chat_short(out->a, req->user));
    kv_raw(out, "metadata", req->metadata);
    kv_text(out, "service_tier", tier);
    kv_text(out, "prompt_cache_key", req->cache_key);
    /* What other dialects call storing is this gateway's own. */
    if (req->store != IR_UNSAID && came_as(out, dialect_chat.name))
        json_kv_bool(&out->o, "store", req->store == IR_YES);
}

static tg_rc
put_ext(struct chat_out *out)
{
    bool ours = came_as(out, dialect_chat.name);
    tg_rc rc = TG_OK;

    for (const struct ir_ext *x = out->req->ext; x && rc == TG_OK; x = x->next) {
        if (ours) {
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
    struct str model = bare_model(route->model);
    struct chat_out out = {.a = a,
                           .req = req,
                           .route = route,
                           .drops = drops,
                           .err = err,
                           .of_openai = is_openai(model),
                           .takes_marks = knows_marks(model)};
    size_t before = b->n;
    tg_rc rc;

    json_begin(&out.o, b);
    json_open(&out.o, '{');
    json_kv_str(&out.o, "model", route->model);
    rc = chat_put_messages(&out);
    if (rc == TG_OK)
        rc = chat_put_tools(&out);
    if (rc == TG_OK)
        rc = put_sampling(&out);
    if (rc == TG_OK) {
        put_effort(&out);
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
