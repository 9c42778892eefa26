/* models.c -- the list of models, and one of them. */
#include "dialect/chat/chat_int.h"

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
chat_encode_models(const struct ir_model *v, unsigned n, struct buf *b)
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
chat_encode_model(const struct ir_model *m, struct buf *b)
{
    struct json_out o;

    json_begin(&o, b);
    put_model(&o, m);
    return json_end(&o);
}
