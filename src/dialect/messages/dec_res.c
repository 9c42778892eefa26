/* dec_res.c -- an upstream's whole answer as events: a stream that arrived at once. */
#include "dialect/messages/messages_int.h"

static tg_rc
take_notes(struct dialect_dec *d, struct messages_in *in, struct str block)
{
    struct json_member citations, m;
    struct json_iter it;
    tg_rc rc = TG_OK;

    if (!json_get(block, STR("citations"), &citations) ||
        json_array(&it, citations.value) != TG_OK)
        return TG_OK;
    while (rc == TG_OK && json_next(&it, &m))
        rc = messages_in_note(d, in, m.value);
    return rc;
}

static tg_rc
take_block(struct dialect_dec *d, int64_t index, struct str block)
{
    struct messages_in *in = NULL;
    struct json_member m;
    tg_rc rc = messages_in_open(d, index, block, &in);

    if (rc != TG_OK)
        return rc;
    if (!in->skip && in->kind != IR_CALL &&
        json_get(block, in->kind == IR_TEXT ? STR("text") : STR("thinking"), &m)) {
        struct str text = {NULL, 0};

        if (json_string(d->arena, m.value, &text) != TG_OK)
            return messages_in_broken(d, "a block whose text is none");
        rc = messages_in_text(d, in, text);
    } else if (in->kind == IR_CALL && json_get(block, STR("input"), &m) &&
               m.kind == JSON_OBJECT) {
        rc = messages_in_text(d, in, m.value);
    }
    if (rc == TG_OK)
        rc = take_notes(d, in, block);
    return rc == TG_OK ? messages_in_close(d, in) : rc;
}

tg_rc
messages_decode_res(struct dialect_dec *d, struct str body)
{
    struct messages_dec_state *st = d->state;
    struct json_member content, m;
    struct json_iter it;
    int64_t index = 0;
    tg_rc rc;

    if (json_check(body, JSON_DEPTH_MAX, NULL) != TG_OK || json_kind_of(body) != JSON_OBJECT)
        return messages_in_broken(d, "it is not a JSON object");
    if (messages_error_is(body))
        return messages_read_error(0, body, d->err);
    if (!json_get(body, STR("content"), &content) || json_array(&it, content.value) != TG_OK)
        return messages_in_broken(d, "it has no content");
    st->scratch = d->arena;
    rc = messages_in_start(d);
    if (rc == TG_OK && json_get(body, STR("usage"), &m))
        messages_read_usage(m.value, &st->usage);
    while (rc == TG_OK && json_next(&it, &m))
        rc = m.kind == JSON_OBJECT ? take_block(d, index++, m.value)
                                   : messages_in_broken(d, "a block that is none");
    if (rc == TG_OK)
        rc = messages_in_stop(d, body);
    return rc == TG_OK ? messages_in_end(d) : rc;
}
