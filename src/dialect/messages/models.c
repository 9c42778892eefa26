/* models.c -- the list of models, and one of them.
 *
 * Times are RFC 3339 in this dialect, made from Unix seconds by arithmetic alone: days are
 * counted in eras of 400 years that begin on the first of March, so that the leap day is a
 * year's last.
 */
#include "dialect/messages/messages_int.h"

enum { DAY_SECONDS = 86400, ERA_DAYS = 146097, EPOCH_DAYS = 719468 };

/* The years that four digits can say. */
static const int64_t time_max = INT64_C(253402300799);

static struct str
rfc3339(int64_t seconds, struct buf *out)
{
    int64_t t = seconds < 0 ? 0 : seconds > time_max ? time_max : seconds;
    int64_t days = t / DAY_SECONDS + EPOCH_DAYS, rest = t % DAY_SECONDS;
    int64_t era = days / ERA_DAYS, of_era = days % ERA_DAYS;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153; /* 0 is March */
    int64_t day = of_year - (153 * month + 2) / 5 + 1;

    year += era * 400 + (month >= 10);
    month = month < 10 ? month + 3 : month - 9;
    buf_clear(out);
    if (buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02dZ", (int)year, (int)month, (int)day,
                   (int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60)) != TG_OK)
        return STR("1970-01-01T00:00:00Z");
    return buf_str(out);
}

static void
put_model(struct json_out *j, const struct ir_model *m)
{
    struct buf time;

    buf_init(&time, 32);
    json_open(j, '{');
    json_kv_str(j, "type", STR("model"));
    json_kv_str(j, "id", m->id);
    json_kv_str(j, "display_name", m->id);
    json_kv_str(j, "created_at", rfc3339(m->created, &time));
    json_close(j);
    buf_fini(&time);
}

static void
put_id(struct json_out *j, const char *key, const struct ir_model *m)
{
    if (m)
        json_kv_str(j, key, m->id);
    else
        json_kv_null(j, key);
}

tg_rc
messages_encode_models(const struct ir_model *v, unsigned n, struct buf *b)
{
    size_t before = b->n;
    struct json_out j;
    tg_rc rc;

    json_begin(&j, b);
    json_open(&j, '{');
    json_key(&j, "data");
    json_open(&j, '[');
    for (unsigned i = 0; i < n; i++)
        put_model(&j, &v[i]);
    json_close(&j);
    json_kv_bool(&j, "has_more", false);
    put_id(&j, "first_id", n ? &v[0] : NULL);
    put_id(&j, "last_id", n ? &v[n - 1] : NULL);
    json_close(&j);
    rc = json_end(&j);
    if (rc != TG_OK)
        buf_truncate(b, before);
    return rc;
}

tg_rc
messages_encode_model(const struct ir_model *m, struct buf *b)
{
    size_t before = b->n;
    struct json_out j;
    tg_rc rc;

    json_begin(&j, b);
    put_model(&j, m);
    rc = json_end(&j);
    if (rc != TG_OK)
        buf_truncate(b, before);
    return rc;
}
