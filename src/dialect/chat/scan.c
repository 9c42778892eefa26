/* scan.c -- routing and relaying a request without decoding it.
 *
 * scan_req walks the top level once and notes where the few fields lie that matter.  A field
 * that matters and stands twice is refused: the upstream might take the other one, and then
 * what was routed, limited and logged is not what was run.  Fields that nobody here reads may
 * stand as often as they like.
 *
 * relay_req makes the upstream's body out of spans of the client's: at most two edits, so at
 * most five pieces, and every other byte is the client's own.  Usage is asked for on every
 * stream, because limits and logs need it; the tap takes the extra record out again when the
 * client did not ask.
 */
#include "dialect/chat/chat_int.h"

/* One of the watched members has come: notes it, or refuses the second one. */
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

static tg_rc
read_options(const struct json_member *options, struct dialect_view *v, struct tg_err *err)
{
    static const char name[] = "stream_options.include_usage";
    struct json_iter it;
    struct json_member m;
    bool seen = false;
    tg_rc rc;

    v->options_span = options->value;
    if (options->kind == JSON_NULL)
        return TG_OK;
    if (json_object(&it, options->value) != TG_OK)
        return tg_refuse(err, "invalid_type", "stream_options",
                         "'stream_options': expected an object");
    while (json_next(&it, &m)) {
        if (!json_key_is(m.key, STR("include_usage")))
            continue;
        rc = note(&seen, name, err);
        if (rc != TG_OK)
            return rc;
        if (m.kind != JSON_TRUE && m.kind != JSON_FALSE && m.kind != JSON_NULL)
            return tg_refuse(err, "invalid_type", name, "'%s': expected a boolean", name);
        v->usage_span = m.value;
        v->wants_usage = m.kind == JSON_TRUE;
    }
    return TG_OK;
}

tg_rc
chat_scan_req(struct arena *a, enum dialect_call call, struct str body,
              struct dialect_view *ret, struct tg_err *err)
{
    struct chat_dec d = {.in = {a, err}};
    struct dialect_view v = {.call = call, .body = body};
    bool model = false, stream = false, options = false;
    struct json_iter it;
    struct json_member m;
    tg_rc rc = field_check(&d.in, body);

    if (rc != TG_OK)
        return rc;
    rc = json_object(&it, body);
    while (rc == TG_OK && json_next(&it, &m)) {
        if (json_key_is(m.key, STR("model"))) {
            rc = note(&model, "model", err);
            if (rc == TG_OK)
                rc = read_model(a, &m, &v, err);
        } else if (call != DIALECT_GENERATE) {
            continue;
        } else if (json_key_is(m.key, STR("stream"))) {
            rc = note(&stream, "stream", err);
            if (rc == TG_OK)
                rc = read_stream(&m, &v, err);
        } else if (json_key_is(m.key, STR("stream_options"))) {
            rc = note(&options, "stream_options", err);
            if (rc == TG_OK)
                rc = read_options(&m, &v, err);
        }
    }
    if (rc != TG_OK)
        return rc;
    if (!model)
        return field_refuse_missing(&d.in, NULL, "model");
    *ret = v;
    return TG_OK;
}

/* `del` bytes at `at` give way to `text`. */
struct edit {
    const char *at;
    size_t del;
    struct str text;
};

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

/* The edit that makes the upstream report usage. */
static struct edit
ask_usage(const struct dialect_view *v)
{
    struct str options = v->options_span;
    struct json_iter it;
    struct json_member m;

    if (options.n == 0)
        return (struct edit){v->model_span.p + v->model_span.n, 0,
                             STR(",\"stream_options\":{\"include_usage\":true}")};
    if (json_kind_of(options) == JSON_NULL)
        return (struct edit){options.p, options.n, STR("{\"include_usage\":true}")};
    if (v->usage_span.n)
        return (struct edit){v->usage_span.p, v->usage_span.n, STR("true")};
    if (json_object(&it, options) == TG_OK && json_next(&it, &m))
        return (struct edit){options.p + 1, 0, STR("\"include_usage\":true,")};
    return (struct edit){options.p + 1, 0, STR("\"include_usage\":true")};
}

void
chat_relay_req(struct arena *a, const struct dialect_view *view, struct str model,
               struct str ret[DIALECT_PIECES_MAX], int *ret_n)
{
    struct edit edits[2], swap;
    const char *p = view->body.p, *end = p + view->body.n;
    int n_edits = 0, n = 0;

    if (!str_eq(model, view->model))
        edits[n_edits++] =
            (struct edit){view->model_span.p, view->model_span.n, quoted(a, model)};
    if (view->call == DIALECT_GENERATE && view->stream && !view->wants_usage)
        edits[n_edits++] = ask_usage(view);
    if (n_edits == 2 && edits[1].at < edits[0].at) {
        swap = edits[0];
        edits[0] = edits[1];
        edits[1] = swap;
    }
    for (int i = 0; i < n_edits; i++) {
        if (edits[i].at > p)
            ret[n++] = str_of(p, (size_t)(edits[i].at - p));
        ret[n++] = edits[i].text;
        p = edits[i].at + edits[i].del;
    }
    if (p < end)
        ret[n++] = str_of(p, (size_t)(end - p));
    *ret_n = n;
}
