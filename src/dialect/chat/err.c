/* err.c -- errors both ways: the maker's own, and how one is a record of a stream. */
#include "dialect/chat/chat_int.h"
#include "dialect/openai.h"

unsigned
chat_error_status(const struct tg_err *err)
{
    return openai_error_status(err);
}

tg_rc
chat_encode_error(const struct tg_err *err, struct buf *b)
{
    return openai_encode_error(err, b);
}

tg_rc
chat_encode_error_record(const struct tg_err *err, struct buf *b)
{
    size_t before = b->n;
    tg_rc rc = buf_append(b, STR("data: "));

    if (rc == TG_OK)
        rc = chat_encode_error(err, b);
    if (rc == TG_OK)
        rc = buf_append(b, STR("\n\n"));
    if (rc != TG_OK)
        buf_truncate(b, before);
    return rc;
}

bool
chat_error_fits(struct str body)
{
    return openai_error_fits(body);
}

bool
chat_error_is(struct str value)
{
    return openai_error_is(value);
}

void
chat_read_error(struct str value, struct tg_err *err)
{
    openai_read_error(value, err);
}
