/* scan.c -- routing and relaying a request without decoding it.
 *
 * Besides what all dialects have at the top level, it matters here whether the client asked for
 * usage in the stream.  An upstream is asked for it on every stream, because limits and logs
 * need it; the tap takes the extra record out again when the client did not ask.  So a relayed
 * body differs from the client's in two places at most.
 */
#include "dialect/body.h"
#include "dialect/chat/chat_int.h"

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
        rc = body_once(&seen, name, err);
        if (rc != TG_OK)
            return rc;
        if (m.kind != JSON_TRUE && m.kind != JSON_FALSE && m.kind != JSON_NULL)
            return tg_refuse(err, "invalid_type", name, "'%s': expected a boolean", name);
        v->usage_span = m.value;
        v->wants_usage = m.kind == JSON_TRUE;
    }
    return TG_OK;
}

static tg_rc
look(void *seen, const struct json_member *m, struct dialect_view *v, struct tg_err *err)
{
    tg_rc rc;

    if (!json_key_is(m->key, STR("stream_options")))
        return TG_OK;
    rc = body_once(seen, "stream_options", err);
    return rc == TG_OK ? read_options(m, v, err) : rc;
}

tg_rc
chat_scan_req(struct arena *a, enum dialect_call call, struct str body,
              struct dialect_view *ret, struct tg_err *err)
{
    struct dialect_view v = {.call = call};
    bool options = false;
    tg_rc rc = body_scan(a, body, call == DIALECT_GENERATE ? look : NULL, &options, &v, err);

    if (rc == TG_OK)
        *ret = v;
    return rc;
}

/* The edit that makes the upstream report usage. */
static struct body_edit
ask_usage(const struct dialect_view *v)
{
    struct str options = v->options_span;
    struct json_iter it;
    struct json_member m;

    if (options.n == 0)
        return (struct body_edit){v->model_span.p + v->model_span.n, 0,
                                  STR(",\"stream_options\":{\"include_usage\":true}")};
    if (json_kind_of(options) == JSON_NULL)
        return (struct body_edit){options.p, options.n, STR("{\"include_usage\":true}")};
    if (v->usage_span.n)
        return (struct body_edit){v->usage_span.p, v->usage_span.n, STR("true")};
    if (json_object(&it, options) == TG_OK && json_next(&it, &m))
        return (struct body_edit){options.p + 1, 0, STR("\"include_usage\":true,")};
    return (struct body_edit){options.p + 1, 0, STR("\"include_usage\":true")};
}

void
chat_relay_req(struct arena *a, const struct dialect_view *view, struct str model,
               struct str ret[DIALECT_PIECES_MAX], int *ret_n)
{
    struct body_edit edits[2], swap;
    int n = 0;

    if (body_edit_model(a, view, model, &edits[0]))
        n++;
    if (view->call == DIALECT_GENERATE && view->stream && !view->wants_usage)
        edits[n++] = ask_usage(view);
    if (n == 2 && edits[1].at < edits[0].at) {
        swap = edits[0];
        edits[0] = edits[1];
        edits[1] = swap;
    }
    body_pieces(view->body, edits, n, ret, ret_n);
}
