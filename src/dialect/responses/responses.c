/* responses.c -- the Responses dialect: OpenAI's Responses interface.
 *
 * The table through which everything else sees the dialect.  A stream is records with an event
 * name that is also their "type", numbered, of which the last carries the whole answer; behind
 * it `data: [DONE]` is sent, which some clients wait for and none minds.  A comment is the only
 * sign of life that all clients take; one of them counts records alone, and for it there is a
 * numbered one.
 */
#include "dialect/openai.h"
#include "dialect/responses/dec_int.h"
#include "dialect/responses/enc_int.h"

const char *const responses_efforts[IR_EFFORT_MAX + 1] = {
    [IR_EFFORT_UNSAID] = "",     [IR_EFFORT_NONE] = "none",     [IR_EFFORT_MINIMAL] = "minimal",
    [IR_EFFORT_LOW] = "low",     [IR_EFFORT_MEDIUM] = "medium", [IR_EFFORT_HIGH] = "high",
    [IR_EFFORT_XHIGH] = "xhigh", [IR_EFFORT_MAX] = "max"};

static const char *const through_headers[] = {"openai-beta", NULL};

bool
responses_is_own(const char *origin)
{
    return origin && strcmp(origin, dialect_responses.name) == 0;
}

const struct dialect dialect_responses = {
    .name = "responses",
    .id_prefix = "resp_",
    .upstream_path = {[DIALECT_GENERATE] = "/responses"},
    .auth_header = "authorization",
    .auth_prefix = "Bearer ",
    .through_headers = through_headers,
    .heartbeat = {": keep-alive\n\n", 14},
    .stream_end = {"data: [DONE]\n\n", 14},
    .enc_size = sizeof(struct responses_enc),
    .dec_size = sizeof(struct responses_dec),
    .error_is_end = true,
    .one_choice = true,
    .one_open = true,
    .scan_req = responses_scan_req,
    .relay_req = responses_relay_req,
    .tap_record = responses_tap_record,
    .tap_whole = responses_tap_whole,
    .error_fits = openai_error_fits,
    .carry = responses_carry,
    .caps = responses_caps,
    .decode_req = responses_decode_req,
    .encode_ev = responses_encode_ev,
    .encode_res = responses_encode_res,
    .encode_alive = responses_encode_alive,
    .encode_req = responses_encode_req,
    .decode_res = responses_decode_res,
    .decode_record = responses_decode_record,
    .decode_eof = responses_decode_eof,
    .decode_error = openai_decode_error,
    .error_status = openai_error_status,
    .encode_error = openai_encode_error,
    .encode_error_record = responses_encode_error_record,
    .encode_models = openai_encode_models,
    .encode_model = openai_encode_model,
};
