/* messages.c -- the Messages dialect: Anthropic's Messages and Models.
 *
 * The table through which everything else sees the dialect.  A stream is named records
 * (`event: TYPE`, `data: {"type":TYPE,...}`); its last one is message_stop, whose absence
 * clients take for a broken answer.  Blocks follow one another, numbered densely, so the
 * sequencer stands in front of the encoder.
 */
#include "dialect/messages/messages_int.h"

/* The older of the two versions that live takes every body that is written here: the newer one
 * differs only in what it refuses (sampling of any kind, and two forms that are never written).
 * A model's own refusal of sampling is in its caps; an operator may still add a field to the
 * body after translation.  A client of this dialect says its own version. */
static const char *const upstream_headers[] = {"anthropic-version", "2023-06-01", NULL};

#define PING "event: ping\ndata: {\"type\":\"ping\"}\n\n"
#define STOP "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"

static const char *const through_headers[] = {"anthropic-beta", NULL};

const struct dialect dialect_messages = {
    .name = MESSAGES_NAME,
    .id_prefix = "msg_",
    .upstream_path = {[DIALECT_GENERATE] = "/messages"},
    .stream_path = "/messages/stream",
    .auth_header = "x-api-key",
    .auth_prefix = "",
    .mark_header = "anthropic-version",
    .id_header = "request-id",
    .through_headers = through_headers,
    .heartbeat = {PING, sizeof PING - 1},
    .stream_end = {STOP, sizeof STOP - 1},
    .enc_size = sizeof(struct messages_enc),
    .dec_size = sizeof(struct messages_dec_state),
    .one_open = true,
    .one_choice = true,
    .scan_req = messages_scan_req,
    .relay_req = messages_relay_req,
    .tap_record = messages_tap_record,
    .tap_whole = messages_tap_whole,
    .error_fits = messages_error_fits,
    .carry = messages_carry,
    .caps = messages_caps,
    .decode_req = messages_decode_req,
    .encode_ev = messages_encode_ev,
    .encode_res = messages_encode_res,
    .encode_req = messages_encode_req,
    .decode_res = messages_decode_res,
    .decode_record = messages_decode_record,
    .decode_eof = messages_decode_eof,
    .decode_error = messages_decode_error,
    .upstream_headers = upstream_headers,
    .error_status = messages_error_status,
    .encode_error = messages_encode_error,
    .encode_error_record = messages_encode_error_record,
    .encode_models = messages_encode_models,
    .encode_model = messages_encode_model,
};
