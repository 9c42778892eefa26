/* err.c -- errors both ways.
 *
 * Outwards one table has a row for each kind.  Clients act on the type and on two things more:
 * the words "prompt is too long", which make agents compact, and status 529.  Inwards the type
 * is asked first, because a record in mid-stream has no status; then the HTTP status, which
 * says more than a type that servers give to everything.  A refused key is the gateway's own
 * and is told as a fault of the upstream, in words of ours.
 *
 * Where an upstream of the other maker described its error, what it said stands beside our own
 * words in "openai": always the same four members, each bounded.
 */
#include "base/utf8.h"
#include "dialect/messages/messages_int.h"
#include "dialect/words.h"

enum { RAW_TEXT_MAX = 1024, RAW_VALUE_MAX = 256 };

static const struct {
    uint16_t http;
    const char *type;
} rows[TG_ERR_KIND_N] = {
    [TG_ERR_NONE] = {500, "api_error"},
    [TG_ERR_AUTH] = {401, "authentication_error"},
    [TG_ERR_PERMISSION] = {403, "permission_error"},
    [TG_ERR_NOT_FOUND] = {404, "not_found_error"},
    [TG_ERR_TOO_LARGE] = {413, "request_too_large"},
    [TG_ERR_RATE_LIMIT] = {429, "rate_limit_error"},
    [TG_ERR_OVERLOADED] = {529, "overloaded_error"},
    [TG_ERR_CONTEXT_LENGTH] = {400, "invalid_request_error"},
    [TG_ERR_QUOTA] = {402, "billing_error"},
    [TG_ERR_INVALID_REQUEST] = {400, "invalid_request_error"},
    [TG_ERR_TIMEOUT] = {504, "timeout_error"},
    [TG_ERR_UPSTREAM] = {502, "api_error"},
    [TG_ERR_INTERNAL] = {500, "api_error"},
};

static enum tg_err_kind
row_of(const struct tg_err *err)
{
    return (unsigned)err->kind < TG_ERR_KIND_N ? err->kind : TG_ERR_INTERNAL;
}

unsigned
messages_error_status(const struct tg_err *err)
{
    enum tg_err_kind kind = row_of(err);

    /* A status of its own wins over the row's, but the usual one of the kind is none. */
    if (err->http >= 400 && err->http <= 599 && err->http != tg_err_http(kind))
        return err->http;
    return rows[kind].http;
}

static void
put_message(struct json_out *j, const struct tg_err *err)
{
    struct str msg = str_z(err->msg[0] ? err->msg : "the request failed");

    json_key(j, "message");
    json_str_open(j);
    if (err->kind == TG_ERR_CONTEXT_LENGTH &&
        !memmem(msg.p, msg.n, "prompt is too long", strlen("prompt is too long")))
        json_str_part(j, STR("prompt is too long: "));
    if (err->param[0] && !memmem(msg.p, msg.n, err->param, strlen(err->param))) {
        json_str_part(j, str_z(err->param));
        json_str_part(j, STR(": "));
    }
    json_str_part(j, msg);
    json_str_close(j);
}

static void
put_openai(struct json_out *j, struct str raw)
{
    static const char *const names[] = {"message", "type", "param", "code"};
    struct json_member m;
    struct arena a;

    arena_init(&a);
    json_key(j, "openai");
    json_open(j, '{');
    for (size_t i = 0; i < MESSAGES_COUNT(names); i++) {
        size_t max = i == 0 ? RAW_TEXT_MAX : RAW_VALUE_MAX;
        struct str text;

        json_key(j, names[i]);
        if (!json_get(raw, str_z(names[i]), &m))
            json_null(j);
        else if (json_string(&a, m.value, &text) == TG_OK)
            json_str(j, text.n > max ? str_of(text.p, utf8_floor(text, max)) : text);
        else if (m.value.n <= max && m.kind != JSON_STRING)
            json_raw(j, m.value);
        else
            json_null(j);
    }
    json_close(j);
    arena_fini(&a);
}

tg_rc
messages_encode_error(const struct tg_err *err, struct buf *b)
{
    const char *type = rows[row_of(err)].type;
    size_t before = b->n;
    struct json_out j;
    tg_rc rc;

    if (err->http == 409)
        type = "conflict_error";
    json_begin(&j, b);
    json_open(&j, '{');
    json_kv_str(&j, "type", STR("error"));
    json_key(&j, "error");
    json_open(&j, '{');
    json_kv_str(&j, "type", str_z(type));
    put_message(&j, err);
    if (err->raw.n)
        put_openai(&j, err->raw);
    json_close(&j);
    if (err->request_id)
        json_kv_str(&j, "request_id", str_z(err->request_id));
    else
        json_kv_null(&j, "request_id");
    json_close(&j);
    rc = json_end(&j);
    if (rc != TG_OK)
        buf_truncate(b, before);
    return rc;
}

tg_rc
messages_encode_error_record(const struct tg_err *err, struct buf *b)
{
    size_t before = b->n;
    tg_rc rc = buf_append(b, STR("event: error\ndata: "));

    if (rc == TG_OK)
        rc = messages_encode_error(err, b);
    if (rc == TG_OK)
        rc = buf_append(b, STR("\n\n"));
    if (rc != TG_OK)
        buf_truncate(b, before);
    return rc;
}

bool
messages_error_fits(struct str body)
{
    struct json_member type, m;

    return json_check(body, JSON_DEPTH_MAX, NULL) == TG_OK &&
           json_get(body, STR("type"), &type) && str_eq(type.value, STR("\"error\"")) &&
           json_path(body, "error.type", &m) && m.kind == JSON_STRING &&
           json_path(body, "error.message", &m) && m.kind == JSON_STRING;
}

/* Some gateways leave the outer type out, and a message never has an error. */
bool
messages_error_is(struct str object)
{
    static const struct str names[] = {{"type", 4}, {"error", 5}};
    struct json_member m[2];

    return json_pick(object, names, 2, m) && messages_error_shows(&m[0], &m[1]);
}

bool
messages_error_shows(const struct json_member *type, const struct json_member *error)
{
    if (type->kind != JSON_NONE && str_eq(type->value, STR("\"error\"")))
        return true;
    return error->kind == JSON_OBJECT || (error->kind == JSON_STRING && error->value.n > 2);
}

static const struct {
    const char *word;
    enum tg_err_kind kind;
    bool general; /* servers say it for everything, so that a status says more */
} words[] = {
    {"invalid_request_error", TG_ERR_INVALID_REQUEST, true},
    {"authentication_error", TG_ERR_AUTH, false},
    {"billing_error", TG_ERR_QUOTA, false},
    {"permission_error", TG_ERR_PERMISSION, false},
    {"not_found_error", TG_ERR_NOT_FOUND, false},
    {"conflict_error", TG_ERR_INVALID_REQUEST, true},
    {"request_too_large", TG_ERR_TOO_LARGE, false},
    {"rate_limit_error", TG_ERR_RATE_LIMIT, false},
    {"timeout_error", TG_ERR_TIMEOUT, false},
    {"overloaded_error", TG_ERR_OVERLOADED, false},
    {"api_error", TG_ERR_UPSTREAM, true},
    /* of servers that answer in this dialect with words of another */
    {"insufficient_quota", TG_ERR_QUOTA, false},
    {"rate_limit_exceeded", TG_ERR_RATE_LIMIT, false},
    {"context_length_exceeded", TG_ERR_CONTEXT_LENGTH, false},
    {"exceed_context_size_error", TG_ERR_CONTEXT_LENGTH, false},
    {"model_not_found", TG_ERR_NOT_FOUND, false},
    {"invalid_api_key", TG_ERR_AUTH, false},
    {"server_error", TG_ERR_UPSTREAM, true},
};

static const struct {
    unsigned status;
    enum tg_err_kind kind;
} statuses[] = {
    {401, TG_ERR_AUTH},       {402, TG_ERR_QUOTA},      {403, TG_ERR_PERMISSION},
    {404, TG_ERR_NOT_FOUND},  {408, TG_ERR_TIMEOUT},    {413, TG_ERR_TOO_LARGE},
    {429, TG_ERR_RATE_LIMIT}, {503, TG_ERR_OVERLOADED}, {504, TG_ERR_TIMEOUT},
    {529, TG_ERR_OVERLOADED},
};

/* `code` is static, as err->code must be. */
static const struct {
    tg_rc rc;
    const char *code;
} kinds[TG_ERR_KIND_N] = {
    [TG_ERR_NONE] = {TG_EUNAVAIL, "upstream_error"},
    [TG_ERR_PERMISSION] = {TG_EAUTH, "permission_denied"},
    [TG_ERR_NOT_FOUND] = {TG_ENOTFOUND, "not_found"},
    [TG_ERR_TOO_LARGE] = {TG_EINVAL, "request_too_large"},
    [TG_ERR_RATE_LIMIT] = {TG_EUNAVAIL, "rate_limit_exceeded"},
    [TG_ERR_OVERLOADED] = {TG_EUNAVAIL, "server_is_overloaded"},
    [TG_ERR_CONTEXT_LENGTH] = {TG_EINVAL, "context_length_exceeded"},
    [TG_ERR_QUOTA] = {TG_EUNAVAIL, "insufficient_quota"},
    [TG_ERR_INVALID_REQUEST] = {TG_EINVAL, NULL},
    [TG_ERR_TIMEOUT] = {TG_EDEADLINE, "timeout"},
    [TG_ERR_UPSTREAM] = {TG_EUNAVAIL, "upstream_error"},
    [TG_ERR_INTERNAL] = {TG_EUNAVAIL, "upstream_error"},
};

static enum tg_err_kind
kind_of_status(unsigned status)
{
    for (size_t i = 0; i < MESSAGES_COUNT(statuses); i++)
        if (statuses[i].status == status)
            return statuses[i].kind;
    return status >= 500   ? TG_ERR_UPSTREAM
           : status >= 400 ? TG_ERR_INVALID_REQUEST
                           : TG_ERR_NONE;
}

/* A word that says more than a status, else the status, else a general word. */
static enum tg_err_kind
kind_of(unsigned status, struct str error)
{
    static const char *const asked[] = {"type", "code"};
    enum tg_err_kind kind = kind_of_status(status);
    struct json_member m;

    for (size_t k = 0; k < MESSAGES_COUNT(asked); k++) {
        if (!json_get(error, str_z(asked[k]), &m) || m.kind != JSON_STRING)
            continue;
        for (size_t i = 0; i < MESSAGES_COUNT(words); i++) {
            if (!str_eq(str_of(m.value.p + 1, m.value.n - 2), str_z(words[i].word)))
                continue;
            if (!words[i].general)
                return words[i].kind;
            if (kind == TG_ERR_NONE)
                kind = words[i].kind;
        }
    }
    return kind == TG_ERR_NONE ? TG_ERR_UPSTREAM : kind;
}

static const char *
code_for(enum tg_err_kind kind, unsigned status, struct str text)
{
    if (kind == TG_ERR_NOT_FOUND && memmem(text.p, text.n, "model", strlen("model")))
        return "model_not_found";
    if (kind == TG_ERR_INVALID_REQUEST && status == 409)
        return "conflict";
    return kinds[kind].code;
}

tg_rc
messages_read_error(unsigned status, struct str body, struct tg_err *err)
{
    struct str text = STR("the upstream reported an error without saying which");
    struct str error = body;
    enum tg_err_kind kind;
    struct json_member m;
    struct arena a;
    tg_rc rc;

    arena_init(&a);
    if (json_check(body, JSON_DEPTH_MAX, NULL) != TG_OK)
        error = STR("{}");
    else if (json_get(body, STR("error"), &m))
        error = m.value;
    if (json_kind_of(error) == JSON_STRING)
        (void)!json_string(&a, error, &text);
    else if (json_get(error, STR("message"), &m) && m.kind == JSON_STRING && m.value.n > 2)
        (void)!json_string(&a, m.value, &text);
    kind = words_judge(kind_of(status, error), text);
    /* The key is the gateway's: a client that was told 401 would ask its user for another one,
     * and the words may show a part of it. */
    if (kind == TG_ERR_AUTH)
        rc = tg_fail(err, TG_EUNAVAIL, TG_ERR_UPSTREAM, "upstream_auth",
                     "the upstream refused the gateway's credentials");
    else
        rc = tg_fail(err, kinds[kind].rc, kind, code_for(kind, status, text), "%.*s",
                     (int)(text.n < sizeof err->msg ? text.n : sizeof err->msg), text.p);
    if (err) {
        err->origin = TG_FROM_UPSTREAM;
        if (status == 409 && kind == TG_ERR_INVALID_REQUEST)
            err->http = 409;
    }
    arena_fini(&a);
    return rc;
}

void
messages_decode_error(unsigned status, struct str body, struct tg_err *err)
{
    if (err)
        (void)!messages_read_error(status, body, err);
}
