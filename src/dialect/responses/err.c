/* err.c -- an error as a record of a stream.
 *
 * Clients disagree about where an error record's words stand, at the top or inside "error", so
 * they stand in both places.  The record has no number of its own that fits: it is made without
 * the stream's state.  An encoder that has the state ends a stream with response.failed
 * instead.
 */
#include "dialect/openai.h"
#include "dialect/responses/responses_int.h"

tg_rc
responses_encode_error_record(const struct tg_err *err, struct buf *b)
{
    struct str code = openai_error_code(err);
    size_t before = b->n;
    struct json_out o;
    tg_rc rc = buf_append(b, STR("event: error\ndata: "));

    json_begin(&o, b);
    json_open(&o, '{');
    json_kv_str(&o, "type", STR("error"));
    json_kv_int(&o, "sequence_number", 0);
    json_key(&o, "code");
    if (code.n)
        json_str(&o, code);
    else
        json_null(&o);
    json_kv_str(&o, "message", str_z(err->msg[0] ? err->msg : "the request failed"));
    json_key(&o, "param");
    if (err->param[0])
        json_str(&o, str_z(err->param));
    else
        json_null(&o);
    json_key(&o, "error");
    openai_put_error(&o, err);
    json_close(&o);
    if (rc == TG_OK)
        rc = json_end(&o);
    if (rc == TG_OK)
        rc = buf_append(b, STR("\n\n"));
    if (rc != TG_OK)
        buf_truncate(b, before);
    return rc;
}
