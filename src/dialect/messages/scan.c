/* scan.c -- routing and relaying a request without decoding it.
 *
 * scan_req walks the top level once.  A routing field that stands twice is refused: the
 * upstream might take the other one, and then what was routed and limited is not what was run.
 * Usage is always in a stream of this dialect, so the model is the only thing that relaying
 * changes.
 */
#include "dialect/messages/messages_int.h"

static tg_rc
read_model(struct field_reader *r, const struct json_member *m, struct dialect_view *v)
{
    tg_rc rc = field_string_needed(r, NULL, "model", m, &v->model);

    if (rc == TG_OK)
        v->model_span = m->value;
    return rc;
}

tg_rc
messages_scan_req(struct arena *a, enum dialect_call call, struct str body,
                  struct dialect_view *ret, struct tg_err *err)
{
    struct field_reader r = {a, err};
    struct dialect_view v = {.call = call, .body = body, .wants_usage = true};
    struct field_at stream_at = {NULL, "stream", 0};
    bool model = false, stream = false;
    struct json_iter it;
    struct json_member m;
    tg_rc rc = field_check(&r, body);

    if (rc == TG_OK)
        rc = json_object(&it, body);
    while (rc == TG_OK && json_next(&it, &m)) {
        bool is_model = json_key_is(m.key, STR("model"));
        bool *seen = is_model ? &model : &stream;

        if (!is_model && !json_key_is(m.key, STR("stream")))
            continue;
        if (*seen)
            return tg_refuse(err, "duplicate_parameter", is_model ? "model" : "stream",
                             "'%s' stands more than once", is_model ? "model" : "stream");
        *seen = true;
        rc = is_model ? read_model(&r, &m, &v) : field_bool(&r, &stream_at, &m, &v.stream);
    }
    if (rc == TG_OK && !model)
        rc = field_refuse_missing(&r, NULL, "model");
    if (rc == TG_OK)
        *ret = v;
    return rc;
}

static struct str
quoted(struct arena *a, struct str s)
{
    struct buf b;
    struct str ret;

    buf_init(&b, s.n * 6 + 2); /* at most six bytes for one, and the quotes */
    if (buf_putc(&b, '"') != TG_OK || json_escape(&b, s) != TG_OK || buf_putc(&b, '"') != TG_OK)
        buf_clear(&b);
    ret = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return ret;
}

void
messages_relay_req(struct arena *a, const struct dialect_view *view, struct str model,
                   struct str ret[DIALECT_PIECES_MAX], int *ret_n)
{
    const char *span = view->model_span.p, *end = view->body.p + view->body.n;

    if (str_eq(model, view->model)) {
        ret[0] = view->body;
        *ret_n = 1;
        return;
    }
    ret[0] = str_of(view->body.p, (size_t)(span - view->body.p));
    ret[1] = quoted(a, model);
    span += view->model_span.n;
    ret[2] = str_of(span, (size_t)(end - span));
    *ret_n = 3;
}
