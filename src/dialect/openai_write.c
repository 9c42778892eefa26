/* openai_write.c -- errors and models, as Chat and Responses write them.
 *
 * One table has a row for each kind of error.  A code of the upstream that is none of our words
 * goes on to clients of these dialects if it looks like one.
 */
#include "dialect/openai.h"

#include "base/ascii.h"
#include "json/scan.h"

enum { CODE_MAX = 64 };

static const struct {
    uint16_t http;
    const char *type, *code;
} rows[TG_ERR_KIND_N] = {
    [TG_ERR_NONE] = {500, "server_error", "internal_error"},
    [TG_ERR_AUTH] = {401, "authentication_error", "invalid_api_key"},
    [TG_ERR_PERMISSION] = {403, "permission_error", "permission_denied"},
    [TG_ERR_NOT_FOUND] = {404, "invalid_request_error", "not_found"},
    [TG_ERR_TOO_LARGE] = {413, "invalid_request_error", "request_too_large"},
    [TG_ERR_RATE_LIMIT] = {429, "rate_limit_error", "rate_limit_exceeded"},
    [TG_ERR_OVERLOADED] = {503, "service_unavailable_error", "server_is_overloaded"},
    [TG_ERR_CONTEXT_LENGTH] = {400, "invalid_request_error", "context_length_exceeded"},
    [TG_ERR_QUOTA] = {429, "insufficient_quota", "insufficient_quota"},
    [TG_ERR_INVALID_REQUEST] = {400, "invalid_request_error", NULL},
    [TG_ERR_TIMEOUT] = {504, "server_error", "timeout"},
    [TG_ERR_UPSTREAM] = {502, "server_error", "upstream_error"},
    [TG_ERR_INTERNAL] = {500, "server_error", "internal_error"},
};

static enum tg_err_kind
row_of(const struct tg_err *err)
{
    return (unsigned)err->kind < TG_ERR_KIND_N ? err->kind : TG_ERR_INTERNAL;
}

const char *
openai_kind_code(enum tg_err_kind kind)
{
    return rows[kind].code;
}

unsigned
openai_error_status(const struct tg_err *err)
{
    return err->http >= 400 && err->http <= 599 ? err->http : rows[row_of(err)].http;
}

/* The upstream's own word, where clients do not look for one of ours. */
static struct str
foreign_code(const struct tg_err *err)
{
    struct json_member m;
    struct str code;

    if (err->kind != TG_ERR_INVALID_REQUEST && err->kind != TG_ERR_NOT_FOUND &&
        err->kind != TG_ERR_PERMISSION && err->kind != TG_ERR_TOO_LARGE &&
        err->kind != TG_ERR_UPSTREAM)
        return STR("");
    if (err->raw.n == 0 || !json_get(err->raw, STR("code"), &m) || m.kind != JSON_STRING ||
        m.value.n < 3 || m.value.n > CODE_MAX + 2)
        return STR("");
    code = str_of(m.value.p + 1, m.value.n - 2);
    return ascii_all(code, ascii_is_dotted) ? code : STR("");
}

struct str
openai_error_code(const struct tg_err *err)
{
    struct str foreign = foreign_code(err);
    const char *own = err->code ? err->code : rows[row_of(err)].code;

    return foreign.n ? foreign : own ? str_z(own) : foreign;
}

void
openai_put_error(struct json_out *o, const struct tg_err *err)
{
    struct str code = openai_error_code(err);

    json_open(o, '{');
    json_kv_str(o, "message", str_z(err->msg[0] ? err->msg : "the request failed"));
    json_kv_str(o, "type", str_z(rows[row_of(err)].type));
    json_key(o, "param");
    if (err->param[0])
        json_str(o, str_z(err->param));
    else
        json_null(o);
    json_key(o, "code");
    if (code.n)
        json_str(o, code);
    else
        json_null(o);
    json_close(o);
}

tg_rc
openai_encode_error(const struct tg_err *err, struct buf *b)
{
    size_t before = b->n;
    struct json_out o;
    tg_rc rc;

    json_begin(&o, b);
    json_open(&o, '{');
    json_key(&o, "error");
    openai_put_error(&o, err);
    json_close(&o);
    rc = json_end(&o);
    if (rc != TG_OK)
        buf_truncate(b, before);
    return rc;
}

static void
put_model(struct json_out *o, const struct ir_model *m)
{
    json_open(o, '{');
    json_kv_str(o, "id", m->id);
    json_kv_str(o, "object", STR("model"));
    json_kv_int(o, "created", m->created);
    json_kv_str(o, "owned_by", m->owner);
    json_close(o);
}

tg_rc
openai_encode_models(const struct ir_model *v, unsigned n, struct buf *b)
{
    struct json_out o;

    json_begin(&o, b);
    json_open(&o, '{');
    json_kv_str(&o, "object", STR("list"));
    json_key(&o, "data");
    json_open(&o, '[');
    for (unsigned i = 0; i < n; i++)
        put_model(&o, &v[i]);
    json_close(&o);
    json_close(&o);
    return json_end(&o);
}

tg_rc
openai_encode_model(const struct ir_model *m, struct buf *b)
{
    struct json_out o;

    json_begin(&o, b);
    put_model(&o, m);
    return json_end(&o);
}
