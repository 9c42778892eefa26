/* sim_params.c -- what the simulated model is told to do, and the errors it can play.
 *
 * The header is a list of key=value parted by commas.  A key that is unknown or a value out of
 * range is refused: a test that thinks it is simulating something must not be left in that
 * belief.
 */
#include "base/num.h"
#include "upstream/sim_int.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static const struct {
    const char *name;
    size_t offset;
    int64_t min, max;
} keys[] = {
#define FIELD(name, member, min, max)                                                          \
    {                                                                                          \
        name, offsetof(struct sim_params, member), min, max                                    \
    }
    FIELD("first_token_ms", first_token_ms, 0, 600000),
    FIELD("tokens_per_second", tokens_per_second, 0, 1000000),
    FIELD("tokens", tokens, 0, 1000000),
    FIELD("seed", seed, 0, INT64_MAX),
    FIELD("error", error_status, 400, 599),
    FIELD("cut", cut, 0, INT64_MAX),
    FIELD("stamp", stamp, 0, 1),
#undef FIELD
};

static tg_rc
set(struct sim_params *p, struct str key, struct str value, struct tg_err *err)
{
    int64_t v;

    if (str_eq(key, STR("tool"))) {
        if (value.n == 0)
            return tg_refuse(err, "invalid_value", "x-triglot-sim",
                             "x-triglot-sim: tool needs a name");
        p->tool = value;
        return TG_OK;
    }
    for (size_t i = 0; i < COUNT(keys); i++) {
        if (!str_eq(key, str_z(keys[i].name)))
            continue;
        if (num_i64(value, &v) != TG_OK || v < keys[i].min || v > keys[i].max)
            return tg_refuse(err, "invalid_value", "x-triglot-sim",
                             "x-triglot-sim: %s must be a number from %lld to %lld",
                             keys[i].name, (long long)keys[i].min, (long long)keys[i].max);
        memcpy((char *)p + keys[i].offset, &v, sizeof v);
        return TG_OK;
    }
    return tg_refuse(err, "unknown_parameter", "x-triglot-sim",
                     "x-triglot-sim: unknown key \"%.*s\"; known are first_token_ms, "
                     "tokens_per_second, tokens, seed, tool, error, cut, stamp",
                     (int)(key.n < 40 ? key.n : 40), key.n ? key.p : "");
}

tg_rc
sim_params(const struct sim_settings *s, struct str header, struct sim_params *ret,
           struct tg_err *err)
{
    struct sim_params p = {.first_token_ms = s->first_token_ms,
                           .tokens_per_second = s->tokens_per_second,
                           .tokens = s->tokens,
                           .seed = s->seed,
                           .stamp = s->stamp,
                           .cut = -1};
    tg_rc rc = TG_OK;

    while (rc == TG_OK && header.n) {
        struct str value, item = str_trim(str_cut(header, ',', &header));
        struct str key = str_trim(str_cut(item, '=', &value));

        if (item.n)
            rc = set(&p, key, str_trim(value), err);
    }
    if (rc == TG_OK)
        *ret = p;
    return rc;
}

tg_rc
sim_error(int64_t status, struct tg_err *err)
{
    static const struct {
        int64_t status;
        tg_rc rc;
        enum tg_err_kind kind;
        const char *code;
        int64_t retry_after_ms;
    } rows[] = {
        {400, TG_EINVAL, TG_ERR_INVALID_REQUEST, "simulated_error", 0},
        {401, TG_EAUTH, TG_ERR_AUTH, "invalid_api_key", 0},
        {402, TG_EUNAVAIL, TG_ERR_QUOTA, "insufficient_quota", 0},
        {403, TG_EAUTH, TG_ERR_PERMISSION, "permission_denied", 0},
        {404, TG_ENOTFOUND, TG_ERR_NOT_FOUND, "model_not_found", 0},
        {408, TG_EDEADLINE, TG_ERR_TIMEOUT, "timeout", 0},
        {413, TG_EINVAL, TG_ERR_TOO_LARGE, "request_too_large", 0},
        {429, TG_EUNAVAIL, TG_ERR_RATE_LIMIT, "rate_limit_exceeded", 1000},
        {500, TG_EUNAVAIL, TG_ERR_INTERNAL, "server_error", 0},
        {502, TG_EUNAVAIL, TG_ERR_UPSTREAM, "upstream_error", 0},
        {503, TG_EUNAVAIL, TG_ERR_OVERLOADED, "server_is_overloaded", 1000},
        {504, TG_EDEADLINE, TG_ERR_TIMEOUT, "timeout", 0},
        {529, TG_EUNAVAIL, TG_ERR_OVERLOADED, "server_is_overloaded", 1000},
    };
    size_t at = status < 500 ? 0 : 8; /* 400, 500 for what is not listed */
    tg_rc rc;

    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].status == status)
            at = i;
    rc = tg_fail(err, rows[at].rc, rows[at].kind, rows[at].code,
                 "the simulated model answers with status %lld, as it was told to",
                 (long long)status);
    if (err) {
        err->origin = TG_FROM_UPSTREAM;
        err->http = (uint16_t)status;
        err->retry_after_ms = rows[at].retry_after_ms;
    }
    return rc;
}
