/* openai_read.c -- the errors of upstreams that speak Chat or Responses.
 *
 * A table knows the words that upstreams put into "code" and "type"; the code says more than
 * the type, so it is asked first, then the type, then a number that is an HTTP status.  Some
 * types are given to everything that fails; the status of the answer says more than these.  A
 * context that is too long is told by a plain 400 in many servers and only their words show it;
 * agents must know, because they can compact and go on.
 *
 * Servers that call themselves compatible describe errors in several ways:
 *
 *   {"error":{"message":...}}   {"error":"..."}     the maker's own, and its short form
 *   [{"error":{...}}]                               one of them in a list
 *   {"object":"error","message":...}                older servers of open models
 *   {"detail":...}  {"message":...}                 frameworks and proxies in front
 *
 * What the body does not tell the status does.  A refused key is the gateway's own, wherever
 * the error stands: a client that was told 401 would ask its user for another one, and the
 * words may show a part of it.
 */
#include "base/arena.h"
#include "dialect/openai.h"
#include "dialect/words.h"
#include "json/scan.h"

enum { RAW_MAX = 16384 };

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

bool
openai_error_fits(struct str body)
{
    struct json_member error, message;

    return json_check(body, JSON_DEPTH_MAX, NULL) == TG_OK &&
           json_get(body, STR("error"), &error) && error.kind == JSON_OBJECT &&
           json_get(error.value, STR("message"), &message) && message.kind == JSON_STRING;
}

bool
openai_error_is(struct str value)
{
    double number;

    switch (json_kind_of(value)) {
    case JSON_OBJECT:
    case JSON_ARRAY:
    case JSON_TRUE:
        return true;
    case JSON_STRING:
        return !str_eq(value, STR("\"\""));
    case JSON_NUMBER:
        return json_double(value, &number) != TG_OK || number != 0;
    default:
        return false;
    }
}

static const struct word {
    const char *word;
    enum tg_err_kind kind;
    bool code;    /* worth keeping as our code; a type is too general for that */
    bool general; /* servers say it for everything, so that a status says more */
} words[] = {
    {"rate_limit_exceeded", TG_ERR_RATE_LIMIT, true, false},
    {"rate_limit_error", TG_ERR_RATE_LIMIT, false, false},
    {"too_many_requests", TG_ERR_RATE_LIMIT, false, false},
    {"requests", TG_ERR_RATE_LIMIT, false, false},
    {"tokens", TG_ERR_RATE_LIMIT, false, false},
    {"slow_down", TG_ERR_RATE_LIMIT, true, false},
    {"insufficient_quota", TG_ERR_QUOTA, true, false},
    {"credit_balance_exhausted", TG_ERR_QUOTA, true, false},
    {"billing_hard_limit_reached", TG_ERR_QUOTA, true, false},
    {"context_length_exceeded", TG_ERR_CONTEXT_LENGTH, true, false},
    {"exceed_context_size_error", TG_ERR_CONTEXT_LENGTH, false, false},
    {"server_is_overloaded", TG_ERR_OVERLOADED, true, false},
    {"overloaded_error", TG_ERR_OVERLOADED, false, false},
    {"overloaded", TG_ERR_OVERLOADED, false, false},
    {"engine_overloaded", TG_ERR_OVERLOADED, true, false},
    {"service_unavailable_error", TG_ERR_OVERLOADED, false, false},
    {"service_unavailable", TG_ERR_OVERLOADED, false, false},
    {"model_not_found", TG_ERR_NOT_FOUND, true, false},
    {"not_found_error", TG_ERR_NOT_FOUND, false, false},
    {"not_found", TG_ERR_NOT_FOUND, false, false},
    {"invalid_api_key", TG_ERR_AUTH, true, false},
    {"authentication_error", TG_ERR_AUTH, false, false},
    {"unauthorized", TG_ERR_AUTH, false, false},
    {"permission_error", TG_ERR_PERMISSION, false, false},
    {"permission_denied", TG_ERR_PERMISSION, false, false},
    {"request_too_large", TG_ERR_TOO_LARGE, true, false},
    {"timeout_error", TG_ERR_TIMEOUT, false, false},
    {"timeout", TG_ERR_TIMEOUT, false, false},
    {"content_policy_violation", TG_ERR_INVALID_REQUEST, true, false},
    {"invalid_prompt", TG_ERR_INVALID_REQUEST, false, false},
    {"invalid_value", TG_ERR_INVALID_REQUEST, true, false},
    {"unsupported_parameter", TG_ERR_INVALID_REQUEST, true, false},
    {"unsupported_value", TG_ERR_INVALID_REQUEST, true, false},
    {"invalid_request_error", TG_ERR_INVALID_REQUEST, false, true},
    {"invalid_request", TG_ERR_INVALID_REQUEST, false, true},
    {"bad_request", TG_ERR_INVALID_REQUEST, false, true},
    {"BadRequestError", TG_ERR_INVALID_REQUEST, false, true},
    {"server_error", TG_ERR_UPSTREAM, true, true},
    {"internal_server_error", TG_ERR_UPSTREAM, false, true},
    {"internal_error", TG_ERR_UPSTREAM, false, true},
    {"api_error", TG_ERR_UPSTREAM, false, true},
};

static const struct {
    int64_t status;
    enum tg_err_kind kind;
} statuses[] = {
    {400, TG_ERR_INVALID_REQUEST}, {401, TG_ERR_AUTH},       {402, TG_ERR_QUOTA},
    {403, TG_ERR_PERMISSION},      {404, TG_ERR_NOT_FOUND},  {408, TG_ERR_TIMEOUT},
    {409, TG_ERR_INVALID_REQUEST}, {413, TG_ERR_TOO_LARGE},  {422, TG_ERR_INVALID_REQUEST},
    {429, TG_ERR_RATE_LIMIT},      {503, TG_ERR_OVERLOADED}, {504, TG_ERR_TIMEOUT},
    {529, TG_ERR_OVERLOADED},
};

static const struct word *
find_word(struct str value)
{
    for (size_t i = 0; i < COUNT(words); i++)
        if (value.n == strlen(words[i].word) + 2 &&
            memcmp(value.p + 1, words[i].word, value.n - 2) == 0)
            return &words[i];
    return NULL;
}

static enum tg_err_kind
kind_of_status(int64_t status)
{
    for (size_t i = 0; i < COUNT(statuses); i++)
        if (statuses[i].status == status)
            return statuses[i].kind;
    return status >= 500 && status <= 599 ? TG_ERR_UPSTREAM : TG_ERR_NONE;
}

/* What the error's fields name: the kind of the first that is not general, else of the first
 * that is; TG_ERR_NONE when they say nothing known. */
static enum tg_err_kind
kind_of(struct str value, const char **ret_code, bool *ret_general)
{
    static const char *const asked[] = {"code", "type", "code", "status", "status_code"};
    enum tg_err_kind found = TG_ERR_NONE;
    struct json_member m;
    int64_t v;

    for (size_t i = 0; i < COUNT(asked); i++) {
        struct word say = {NULL, TG_ERR_NONE, false, true};

        if (!json_get(value, str_z(asked[i]), &m))
            continue;
        if (m.kind == JSON_STRING) {
            const struct word *w = find_word(m.value);

            if (w)
                say = *w;
        } else if (m.kind == JSON_NUMBER && i >= 2 && json_i64(m.value, &v) == TG_OK) {
            say.kind = kind_of_status(v);
            say.general = say.kind == TG_ERR_INVALID_REQUEST || say.kind == TG_ERR_UPSTREAM;
        }
        if (say.kind == TG_ERR_NONE || (found != TG_ERR_NONE && say.general))
            continue;
        found = say.kind;
        *ret_code = say.code ? say.word : NULL;
        *ret_general = say.general;
        if (!say.general)
            break;
    }
    return found;
}

static tg_rc
rc_of(enum tg_err_kind kind)
{
    switch (kind) {
    case TG_ERR_AUTH:
    case TG_ERR_PERMISSION:
        return TG_EAUTH;
    case TG_ERR_NOT_FOUND:
        return TG_ENOTFOUND;
    case TG_ERR_TOO_LARGE:
    case TG_ERR_CONTEXT_LENGTH:
    case TG_ERR_INVALID_REQUEST:
        return TG_EINVAL;
    case TG_ERR_TIMEOUT:
        return TG_EDEADLINE;
    default:
        return TG_EUNAVAIL;
    }
}

/* Our code for a kind where the upstream's words did not name one. */
static const char *
code_for(enum tg_err_kind kind, unsigned status, struct str text)
{
    if (kind == TG_ERR_NOT_FOUND &&
        (memmem(text.p, text.n, "model", 5) || memmem(text.p, text.n, "Model", 5)))
        return "model_not_found";
    if (kind == TG_ERR_INVALID_REQUEST && status == 409)
        return "conflict";
    return openai_kind_code(kind);
}

/* value is the upstream's error, "" = it gave none; status is 0 where the error came under one
 * that says nothing.  False: it is about credentials, and nothing of it may be shown. */
static bool
read_error(unsigned status, struct str value, struct tg_err *err)
{
    enum tg_err_kind said, kind, by_status = kind_of_status(status);
    struct str text = {NULL, 0};
    const char *code = NULL;
    struct json_member m;
    bool general = true;
    struct arena a;

    arena_init(&a);
    if (value.n && json_kind_of(value) == JSON_STRING)
        (void)!json_string(&a, value, &text);
    else if (value.n && json_get(value, STR("message"), &m))
        (void)!json_string(&a, m.value, &text);
    if (text.n == 0)
        text = value.n ? STR("the upstream reported an error without saying which")
                       : arena_printf(&a, "the upstream answered with status %u", status);
    said = value.n ? kind_of(value, &code, &general) : TG_ERR_NONE;
    kind = general && by_status != TG_ERR_NONE ? by_status : said;
    if (by_status == TG_ERR_AUTH)
        kind = by_status;
    kind = words_judge(kind == TG_ERR_NONE ? TG_ERR_UPSTREAM : kind, text);
    if (kind != said || (general && status))
        code = NULL;
    if (kind == TG_ERR_AUTH)
        (void)tg_fail(err, TG_EUNAVAIL, TG_ERR_UPSTREAM, "upstream_auth",
                      "the upstream refused the gateway's credentials");
    else
        (void)tg_fail(err, rc_of(kind), kind, code ? code : code_for(kind, status, text),
                      "%.*s", (int)(text.n < sizeof err->msg ? text.n : sizeof err->msg),
                      text.p);
    if (kind == TG_ERR_INVALID_REQUEST && status == 409)
        err->http = 409;
    err->origin = TG_FROM_UPSTREAM;
    arena_fini(&a);
    return kind != TG_ERR_AUTH;
}

void
openai_read_error(struct str value, struct tg_err *err)
{
    if (err)
        (void)read_error(0, value, err);
}

/* Is it an object that clients may see as it is? */
static bool
may_show(struct str value)
{
    return json_kind_of(value) == JSON_OBJECT && value.n > 2 && value.n <= RAW_MAX;
}

tg_rc
openai_take_error(struct dialect_dec *d, struct str value)
{
    struct tg_err err = {0};

    if (read_error(0, value, &err) && may_show(value))
        err.raw = arena_dup(d->arena, value);
    if (d->err)
        *d->err = err;
    return err.rc;
}

static bool
find_in_object(struct str body, struct str *ret)
{
    struct json_member m, kind;

    if (json_get(body, STR("error"), &m) && openai_error_is(m.value)) {
        *ret = m.value;
        return true;
    }
    if (json_get(body, STR("message"), &m) && m.kind == JSON_STRING &&
        (!json_get(body, STR("object"), &kind) || str_eq(kind.value, STR("\"error\"")))) {
        *ret = body;
        return true;
    }
    if (json_get(body, STR("detail"), &m) && m.kind == JSON_STRING) {
        *ret = m.value;
        return true;
    }
    return false;
}

bool
openai_find_error(struct str body, struct str *ret)
{
    struct json_iter it;
    struct json_member m;

    if (json_kind_of(body) == JSON_OBJECT)
        return find_in_object(body, ret);
    return json_array(&it, body) == TG_OK && json_next(&it, &m) && m.kind == JSON_OBJECT &&
           find_in_object(m.value, ret);
}

void
openai_decode_error(unsigned status, struct str body, struct tg_err *err)
{
    struct str error = {NULL, 0};

    if (!err)
        return;
    if (json_check(body, JSON_DEPTH_MAX, NULL) != TG_OK || !openai_find_error(body, &error))
        error.n = 0;
    if (read_error(status, error, err) && may_show(error))
        err->raw = error;
}
