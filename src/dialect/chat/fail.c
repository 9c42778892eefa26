/* fail.c -- an upstream's error answer.
 *
 * Servers that call themselves compatible describe errors in several ways:
 *
 *   {"error":{"message":...}}   {"error":"..."}     the dialect's own, and its short form
 *   [{"error":{...}}]                               one of them in a list
 *   {"object":"error","message":...}                older servers of open models
 *   {"detail":...}  {"message":...}                 frameworks and proxies in front
 *
 * What the body does not tell the status does.  A refused key is the gateway's own: a client
 * that was told 401 would ask its user for another one, and the words may show a part of it.
 */
#include "dialect/chat/chat_int.h"

static bool
find_in_object(struct str body, struct str *ret)
{
    struct json_member m, kind;

    if (json_get(body, STR("error"), &m) && chat_error_is(m.value)) {
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
chat_find_error(struct str body, struct str *ret)
{
    struct json_iter it;
    struct json_member m;

    if (json_kind_of(body) == JSON_OBJECT)
        return find_in_object(body, ret);
    return json_array(&it, body) == TG_OK && json_next(&it, &m) && m.kind == JSON_OBJECT &&
           find_in_object(m.value, ret);
}

static const struct row {
    unsigned status;
    tg_rc rc;
    enum tg_err_kind kind;
    const char *code;
} rows[] = {
    {400, TG_EINVAL, TG_ERR_INVALID_REQUEST, NULL},
    {402, TG_EUNAVAIL, TG_ERR_QUOTA, "insufficient_quota"},
    {403, TG_EAUTH, TG_ERR_PERMISSION, "permission_denied"},
    {404, TG_ENOTFOUND, TG_ERR_NOT_FOUND, "not_found"},
    {408, TG_EDEADLINE, TG_ERR_TIMEOUT, "timeout"},
    {413, TG_EINVAL, TG_ERR_TOO_LARGE, "request_too_large"},
    {422, TG_EINVAL, TG_ERR_INVALID_REQUEST, NULL},
    {429, TG_EUNAVAIL, TG_ERR_RATE_LIMIT, "rate_limit_exceeded"},
    {503, TG_EUNAVAIL, TG_ERR_OVERLOADED, "server_is_overloaded"},
    {504, TG_EDEADLINE, TG_ERR_TIMEOUT, "timeout"},
    {529, TG_EUNAVAIL, TG_ERR_OVERLOADED, "server_is_overloaded"},
};

void
chat_decode_error(unsigned status, struct str body, struct tg_err *err)
{
    struct tg_err said = {0};
    struct str error;

    if (json_check(body, JSON_DEPTH_MAX, NULL) == TG_OK && chat_find_error(body, &error))
        chat_read_error(error, &said);
    if (status == 401 || said.kind == TG_ERR_AUTH) {
        (void)tg_fail(err, TG_EUNAVAIL, TG_ERR_UPSTREAM, "upstream_auth",
                      "the upstream refused the gateway's credentials");
    } else if (said.rc != TG_OK && said.kind != TG_ERR_UPSTREAM) {
        *err = said;
    } else {
        tg_rc rc = TG_EUNAVAIL;
        enum tg_err_kind kind = TG_ERR_UPSTREAM;
        const char *code = "upstream_error";

        for (size_t i = 0; i < CHAT_COUNT(rows); i++)
            if (rows[i].status == status) {
                rc = rows[i].rc;
                kind = rows[i].kind;
                code = rows[i].code;
            }
        if (said.rc != TG_OK)
            (void)tg_fail(err, rc, kind, code, "%s", said.msg);
        else
            (void)tg_fail(err, rc, kind, code, "the upstream answered with status %u", status);
    }
    err->origin = TG_FROM_UPSTREAM;
}
