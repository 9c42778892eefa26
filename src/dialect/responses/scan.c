/* scan.c -- routing and relaying a request without decoding it.
 *
 * One walk over the top level finds model and stream.  Either of them standing twice is
 * refused: the upstream might take the other one, and then what was routed, limited and logged
 * is not what was run.  Relaying replaces the model and touches nothing else: usage comes in
 * any case.
 */
#include "dialect/responses/responses_int.h"
#include "json/field.h"
#include "json/write.h"

static tg_rc
note(bool *seen, const char *name, struct tg_err *err)
{
    if (*seen)
        return tg_refuse(err, "duplicate_parameter", name, "'%s' stands more than once", name);
    *seen = true;
    return TG_OK;
}

static tg_rc
read_model(struct arena *a, const struct json_member *m, struct dialect_view *v,
           struct tg_err *err)
{
    if (m->kind != JSON_STRING)
        return tg_refuse(err, "invalid_type", "model", "'model': expected a string");
    if (json_string(a, m->value, &v->model) != TG_OK)
        return tg_refuse(err, "invalid_value", "model",
                         "'model': the string holds half of a surrogate pair");
    if (v->model.n == 0)
        return tg_refuse(err, "invalid_value", "model", "'model': must not be empty");
    v->model_span = m->value;
    return TG_OK;
}

static tg_rc
read_stream(const struct json_member *m, struct dialect_view *v, struct tg_err *err)
{
    if (m->kind != JSON_TRUE && m->kind != JSON_FALSE && m->kind != JSON_NULL)
        return tg_refuse(err, "invalid_type", "stream", "'stream': expected a boolean");
    v->stream = m->kind == JSON_TRUE;
    return TG_OK;
}

tg_rc
responses_scan_req(struct arena *a, enum dialect_call call, struct str body,
                   struct dialect_view *ret, struct tg_err *err)
{
    struct field_reader in = {a, err};
    struct dialect_view v = {.call = call, .body = body, .wants_usage = true};
    bool model = false, stream = false;
    struct json_iter it;
    struct json_member m;
    tg_rc rc;

    if (call != DIALECT_GENERATE)
        return tg_refuse(err, "unsupported_endpoint", NULL,
                         "the Responses dialect has no embeddings");
    rc = field_check(&in, body);
    if (rc == TG_OK)
        rc = json_object(&it, body);
    while (rc == TG_OK && json_next(&it, &m)) {
        if (json_key_is(m.key, STR("model"))) {
            rc = note(&model, "model", err);
            if (rc == TG_OK)
                rc = read_model(a, &m, &v, err);
        } else if (json_key_is(m.key, STR("stream"))) {
            rc = note(&stream, "stream", err);
            if (rc == TG_OK)
                rc = read_stream(&m, &v, err);
        }
    }
    if (rc != TG_OK)
        return rc;
    if (!model)
        return field_refuse_missing(&in, NULL, "model");
    *ret = v;
    return TG_OK;
}

static struct str
quoted(struct arena *a, struct str s)
{
    struct buf b;
    struct str ret;

    /* At most six bytes for one, and the quotes. */
    buf_init(&b, s.n * 6 + 2);
    if (buf_putc(&b, '"') != TG_OK || json_escape(&b, s) != TG_OK || buf_putc(&b, '"') != TG_OK)
        buf_clear(&b);
    ret = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return ret;
}

void
responses_relay_req(struct arena *a, const struct dialect_view *view, struct str model,
                    struct str ret[DIALECT_PIECES_MAX], int *ret_n)
{
    const char *p = view->body.p, *end = p + view->body.n;
    struct str span = view->model_span;
    int n = 0;

    if (!str_eq(model, view->model)) {
        ret[n++] = str_of(p, (size_t)(span.p - p));
        ret[n++] = quoted(a, model);
        p = span.p + span.n;
    }
    ret[n++] = str_of(p, (size_t)(end - p));
    *ret_n = n;
}
