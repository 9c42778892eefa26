/* models.c -- the list of models, and one of them. */
#include "dialect/chat/chat_int.h"
#include "dialect/openai.h"

tg_rc
chat_encode_models(const struct ir_model *v, unsigned n, struct buf *b)
{
    return openai_encode_models(v, n, b);
}

tg_rc
chat_encode_model(const struct ir_model *m, struct buf *b)
{
    return openai_encode_model(m, b);
}
