/* req.c -- a Responses request decoded.
 *
 * The top level is walked once: a field with a row goes to its reader, what keeps state at the
 * provider is refused by name (it would be ignored elsewhere, and the answer would be another
 * one), everything else is kept raw, so that it can be carried or named as dropped.  Fields are
 * read in the order of the rows, not of the body, because the choice of a tool is checked
 * against the tools.
 */
#include "dialect/responses/in_int.h"

const char *const responses_fields[F_COUNT] = {
    [F_MODEL] = "model",
    [F_STREAM] = "stream",
    [F_INSTRUCTIONS] = "instructions",
    [F_INPUT] = "input",
    [F_TOOLS] = "tools",
    [F_TOOL_CHOICE] = "tool_choice",
    [F_PARALLEL] = "parallel_tool_calls",
    [F_MAX_TOKENS] = "max_output_tokens",
    [F_TEMPERATURE] = "temperature",
    [F_TOP_P] = "top_p",
    [F_PRESENCE] = "presence_penalty",
    [F_FREQUENCY] = "frequency_penalty",
    [F_TOP_LOGPROBS] = "top_logprobs",
    [F_TEXT] = "text",
    [F_REASONING] = "reasoning",
    [F_INCLUDE] = "include",
    [F_METADATA] = "metadata",
    [F_USER] = "user",
    [F_SAFETY] = "safety_identifier",
    [F_SERVICE_TIER] = "service_tier",
    [F_CACHE_KEY] = "prompt_cache_key",
    [F_STORE] = "store",
    [F_STREAM_OPTIONS] = "stream_options",
    [F_TRUNCATION] = "truncation",
    [F_PREVIOUS] = "previous_response_id",
    [F_CONVERSATION] = "conversation",
    [F_PROMPT] = "prompt",
    [F_BACKGROUND] = "background",
};

void
responses_add_ext(struct responses_reader *r, struct str name, struct str value)
{
    struct ir_ext *x = arena_new(r->in.a, struct ir_ext), **to = &r->req->ext;

    x->name = name;
    x->value = value;
    while (*to)
        to = &(*to)->next;
    *to = x;
}

/* One pass: the known fields into f, the others into the bag.  A name that stands twice counts
 * once, the last time. */
static tg_rc
pick(struct responses_reader *r, struct str body, struct json_member f[F_COUNT])
{
    enum { EXT_MAX = 64 };
    unsigned n_ext = 0;
    struct json_iter it;
    struct json_member m;
    struct str name;

    for (int i = 0; i < F_COUNT; i++)
        f[i] = (struct json_member){.kind = JSON_NONE};
    if (json_object(&it, body) != TG_OK)
        return field_refuse_type(&r->in, NULL, "an object", json_kind_of(body));
    while (json_next(&it, &m)) {
        int i = 0;

        while (i < F_COUNT && !json_key_is(m.key, str_z(responses_fields[i])))
            i++;
        if (i < F_COUNT) {
            f[i] = m;
            continue;
        }
        if (m.kind == JSON_NULL)
            continue;
        if (n_ext++ == EXT_MAX)
            return field_refuse(&r->in, NULL, "invalid_value",
                                "more than %d fields that are not known", EXT_MAX);
        if (json_string(r->in.a, str_of(m.key.p - 1, m.key.n + 2), &name) != TG_OK)
            name = m.key;
        responses_add_ext(r, name, m.value);
    }
    return TG_OK;
}

/* What needs something to have been kept. */
static tg_rc
refuse_state(const struct responses_reader *r, const struct json_member *f)
{
    static const enum responses_field kept[] = {F_PREVIOUS, F_CONVERSATION, F_PROMPT,
                                                F_BACKGROUND};

    for (size_t i = 0; i < RESPONSES_COUNT(kept); i++) {
        struct field_at at = {NULL, responses_fields[kept[i]], 0};

        if (field_has(&f[kept[i]]) && f[kept[i]].kind != JSON_FALSE)
            return field_refuse(&r->in, &at, "unsupported_parameter",
                                "needs stored state, which is not kept on this route");
    }
    return TG_OK;
}

static tg_rc
read_instructions(struct responses_reader *r, const struct json_member *m)
{
    struct field_at at = {NULL, responses_fields[F_INSTRUCTIONS], 0};
    struct str text = {NULL, 0};
    struct ir_msg *msg;
    tg_rc rc = field_string(&r->in, &at, m, &text);

    if (rc != TG_OK || text.n == 0)
        return rc;
    msg = responses_add_msg(r, IR_SYSTEM);
    msg->instructions = true;
    msg->blocks = arena_new(r->in.a, struct ir_block);
    msg->blocks->kind = IR_TEXT;
    msg->blocks->text = text;
    return TG_OK;
}

tg_rc
responses_decode_req(struct arena *a, struct str body, struct ir_req *ret, struct tg_err *err)
{
    struct ir_req req = {.parallel_calls = true,
                         .max_tokens = -1,
                         .seed = -1,
                         .choices = 1,
                         .top_logprobs = -1,
                         .think_budget = -1,
                         .stream_usage = true,
                         .fresh_turn = true,
                         .origin = dialect_responses.name};
    struct responses_reader r = {
        .in = {a, err}, .req = &req, .tail = &req.msgs, .tools = &req.tools};
    struct field_at stream_at = {NULL, responses_fields[F_STREAM], 0};
    struct field_at tools_at = {NULL, responses_fields[F_TOOLS], 0};
    struct field_at parallel_at = {NULL, responses_fields[F_PARALLEL], 0};
    struct json_member f[F_COUNT];
    tg_rc rc = field_check(&r.in, body);

    if (rc == TG_OK)
        rc = pick(&r, body, f);
    if (rc == TG_OK)
        rc = field_string_needed(&r.in, NULL, responses_fields[F_MODEL], &f[F_MODEL],
                                 &req.model);
    if (rc == TG_OK)
        rc = refuse_state(&r, f);
    if (rc == TG_OK)
        rc = field_bool(&r.in, &stream_at, &f[F_STREAM], &req.stream);
    if (rc == TG_OK)
        rc = read_instructions(&r, &f[F_INSTRUCTIONS]);
    if (rc == TG_OK)
        rc = responses_read_tools(&r, &tools_at, &f[F_TOOLS]);
    if (rc == TG_OK)
        rc = responses_read_input(&r, &f[F_INPUT]);
    if (rc == TG_OK)
        rc = responses_read_tool_choice(&r, &f[F_TOOL_CHOICE]);
    if (rc == TG_OK)
        rc = field_bool(&r.in, &parallel_at, &f[F_PARALLEL], &req.parallel_calls);
    if (rc == TG_OK)
        rc = responses_read_params(&r, f);
    if (rc == TG_OK)
        *ret = req;
    return rc;
}
