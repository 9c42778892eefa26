/* body.c -- one walk over the top level, and a body as pieces of another.
 *
 * Fields that nobody here reads may stand as often as they like.
 */
#include "dialect/body.h"

#include <assert.h>

#include "base/buf.h"
#include "json/field.h"
#include "json/write.h"

tg_rc
body_once(bool *seen, const char *name, struct tg_err *err)
{
    if (*seen)
        return tg_refuse(err, "duplicate_parameter", name, "'%s' stands more than once", name);
    *seen = true;
    return TG_OK;
}

tg_rc
body_scan(struct arena *a, struct str body, body_member_fn *look, void *arg,
          struct dialect_view *view, struct tg_err *err)
{
    const struct field_reader in = {a, err};
    const struct field_at stream_at = {NULL, "stream", 0};
    bool model = false, stream = false;
    struct json_iter it;
    struct json_member m;
    tg_rc rc = field_check(&in, body);

    view->body = body;
    if (rc == TG_OK)
        rc = json_object(&it, body);
    while (rc == TG_OK && json_next(&it, &m)) {
        if (json_key_is(m.key, STR("model"))) {
            rc = body_once(&model, "model", err);
            if (rc == TG_OK)
                rc = field_string_needed(&in, NULL, "model", &m, &view->model);
            view->model_span = m.value;
        } else if (view->call == DIALECT_GENERATE && json_key_is(m.key, STR("stream"))) {
            rc = body_once(&stream, "stream", err);
            if (rc == TG_OK)
                rc = field_bool(&in, &stream_at, &m, &view->stream);
        } else if (look) {
            rc = look(arg, &m, view, err);
        }
    }
    if (rc == TG_OK && !model)
        rc = field_refuse_missing(&in, NULL, "model");
    return rc;
}

bool
body_edit_model(struct arena *a, const struct dialect_view *view, struct str model,
                struct body_edit *ret)
{
    struct buf b;

    if (str_eq(model, view->model))
        return false;
    buf_init(&b, model.n * 6 + 2); /* at most six bytes for one, and the quotes */
    if (buf_putc(&b, '"') != TG_OK || json_escape(&b, model) != TG_OK ||
        buf_putc(&b, '"') != TG_OK)
        buf_clear(&b);
    *ret =
        (struct body_edit){view->model_span.p, view->model_span.n, arena_dup(a, buf_str(&b))};
    buf_fini(&b);
    return true;
}

void
body_pieces(struct str body, const struct body_edit *edits, int n,
            struct str ret[DIALECT_PIECES_MAX], int *ret_n)
{
    const char *p = body.p, *end = p + body.n;
    int made = 0;

    assert(2 * n + 1 <= DIALECT_PIECES_MAX);
    for (int i = 0; i < n; i++) {
        if (edits[i].at > p)
            ret[made++] = str_of(p, (size_t)(edits[i].at - p));
        ret[made++] = edits[i].text;
        p = edits[i].at + edits[i].del;
    }
    if (p < end)
        ret[made++] = str_of(p, (size_t)(end - p));
    *ret_n = made;
}

struct ir_req
body_request(const char *origin)
{
    return (struct ir_req){.parallel_calls = true,
                           .max_tokens = -1,
                           .seed = -1,
                           .choices = 1,
                           .top_logprobs = -1,
                           .think_budget = -1,
                           .origin = origin};
}
