/* usage.c -- usage both ways.
 *
 * The wire's input_tokens leaves out what was read from and written to the cache; the internal
 * form's input is all of it (spec/mapping, section 10).
 */
#include "dialect/figures.h"
#include "dialect/messages/messages_int.h"

static int64_t
known(int64_t v)
{
    return v < 0 ? 0 : v;
}

void
messages_read_usage(struct str usage, struct messages_usage *u)
{
    const struct figure rows[] = {
        {STR("input_tokens"), STR(""), &u->input},
        {STR("output_tokens"), STR(""), &u->output},
        {STR("cache_read_input_tokens"), STR(""), &u->read},
        {STR("cache_creation_input_tokens"), STR(""), &u->written},
        {STR("output_tokens_details"), STR("thinking_tokens"), &u->thinking},
    };

    figures_read(usage, rows, MESSAGES_COUNT(rows));
}

struct ir_usage
messages_usage_in(const struct messages_usage *u)
{
    return (struct ir_usage){
        .input = u->input < 0 ? -1 : u->input + known(u->read) + known(u->written),
        .output = u->output,
        .cached = u->read,
        .cache_write = u->written,
        .reasoning = u->thinking,
    };
}

/* In a message_delta null leaves a figure as it was, so what is not known is not said there. */
static void
put_count(struct json_out *j, const char *key, bool sure, int64_t v)
{
    if (sure)
        json_kv_int(j, key, v);
    else
        json_kv_null(j, key);
}

void
messages_put_usage(struct json_out *j, const struct ir_usage *u, bool whole)
{
    int64_t fresh = known(u->input) - known(u->cached) - known(u->cache_write);
    bool sure = whole || u->input >= 0;

    json_open(j, '{');
    put_count(j, "input_tokens", sure, known(fresh));
    put_count(j, "cache_creation_input_tokens", sure, known(u->cache_write));
    put_count(j, "cache_read_input_tokens", sure, known(u->cached));
    if (whole)
        json_kv_null(j, "cache_creation");
    json_kv_int(j, "output_tokens", known(u->output));
    json_key(j, "output_tokens_details");
    if (u->reasoning >= 0) {
        json_open(j, '{');
        json_kv_int(j, "thinking_tokens", u->reasoning);
        json_close(j);
    } else {
        json_null(j);
    }
    json_kv_null(j, "server_tool_use");
    if (whole) {
        json_kv_null(j, "service_tier");
        json_kv_null(j, "speed");
        json_kv_null(j, "inference_geo");
    }
    json_close(j);
}
