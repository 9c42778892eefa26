/* chat.c -- the Chat dialect: OpenAI's Chat Completions, Embeddings and Models.
 *
 * The table through which everything else sees the dialect.  A stream is `data: {json}` records
 * without event names, ended by `data: [DONE]`.  A comment is the only sign of life that the
 * dialect has.
 */
#include "dialect/chat/answer_int.h"
#include "dialect/openai.h"

static const char *const through_headers[] = {"openai-beta", NULL};

const struct dialect dialect_chat = {
    .name = "chat",
    .id_prefix = "chatcmpl-",
    .upstream_path =
        {[DIALECT_GENERATE] = "/chat/completions", [DIALECT_EMBED] = "/embeddings"},
    .auth_header = "authorization",
    .auth_prefix = "Bearer ",
    .through_headers = through_headers,
    .heartbeat = {": keep-alive\n\n", 14},
    .stream_end = {"data: [DONE]\n\n", 14},
    .enc_size = sizeof(struct chat_enc),
    .dec_size = sizeof(struct chat_answer),
    .scan_req = chat_scan_req,
    .relay_req = chat_relay_req,
    .tap_record = chat_tap_record,
    .tap_whole = chat_tap_whole,
    .error_fits = openai_error_fits,
    .carry = chat_carry,
    .caps = chat_caps,
    .decode_req = chat_decode_req,
    .encode_ev = chat_encode_ev,
    .encode_res = chat_encode_res,
    .decode_embed = chat_decode_embed,
    .encode_embed = chat_encode_embed,
    .encode_req = chat_encode_req,
    .decode_res = chat_decode_res,
    .decode_record = chat_decode_record,
    .decode_eof = chat_decode_eof,
    .decode_error = openai_decode_error,
    .error_status = openai_error_status,
    .encode_error = openai_encode_error,
    .encode_error_record = chat_encode_error_record,
    .encode_models = openai_encode_models,
    .encode_model = openai_encode_model,
};
