/* object.c -- the response object: what was asked for, and what came of it.
 *
 * It stands in the first two records of a stream, in the last one, and is the whole answer
 * where nothing is streamed.  Strict clients want every key, so all are always there, with the
 * dialect's default where the request said nothing.
 */
#include "dialect/responses/enc_int.h"

#include <stdio.h>

#include "dialect/openai.h"

static int64_t
known(int64_t v)
{
    return v < 0 ? 0 : v;
}

/* Figures that are not known are zeroes: clients require each one as a number. */
static void
put_usage(struct json_out *o, const struct ir_usage *u)
{
    json_key(o, "usage");
    json_open(o, '{');
    json_kv_int(o, "input_tokens", known(u->input));
    json_key(o, "input_tokens_details");
    json_open(o, '{');
    json_kv_int(o, "cached_tokens", known(u->cached));
    json_kv_int(o, "cache_write_tokens", known(u->cache_write));
    json_close(o);
    json_kv_int(o, "output_tokens", known(u->output));
    json_key(o, "output_tokens_details");
    json_open(o, '{');
    json_kv_int(o, "reasoning_tokens", known(u->reasoning));
    json_close(o);
    json_kv_int(o, "total_tokens", known(u->input) + known(u->output));
    json_close(o);
}

/* The words that clients act on; for what only we or the upstream can mend there is one. */
static struct str
error_code(const struct tg_err *err)
{
    struct str code;

    switch (err->kind) {
    case TG_ERR_NONE:
    case TG_ERR_TIMEOUT:
    case TG_ERR_UPSTREAM:
    case TG_ERR_INTERNAL:
        return STR("server_error");
    default:
        code = openai_error_code(err);
        return code.n ? code : STR("invalid_prompt");
    }
}

static void
put_failure(struct json_out *o, const struct tg_err *err)
{
    char wait[64];

    json_key(o, "error");
    json_open(o, '{');
    json_kv_str(o, "code", error_code(err));
    json_key(o, "message");
    json_str_open(o);
    json_str_part(o, str_z(err->msg[0] ? err->msg : "the answer broke"));
    if (err->retry_after_ms > 0) {
        /* One client reads the delay out of these words and out of nothing else. */
        int n = snprintf(wait, sizeof wait, " Please try again in %lldms.",
                         (long long)err->retry_after_ms);

        json_str_part(o, str_of(wait, n > 0 ? (size_t)n : 0));
    }
    json_str_close(o);
    json_close(o);
}

static void
put_output(struct json_out *o, const struct responses_enc *st)
{
    const struct responses_item *it = st->items;

    json_key(o, "output");
    json_open(o, '[');
    for (unsigned i = 0; i < st->n_items; i++, it = it->next)
        responses_put_item(o, it, false);
    json_close(o);
}

/* Why the answer stops short. */
static void
put_details(struct json_out *o, const struct responses_enc *st, enum responses_status status)
{
    json_key(o, "incomplete_details");
    if (status != RESPONSES_INCOMPLETE) {
        json_null(o);
        return;
    }
    json_open(o, '{');
    json_kv_str(o, "reason",
                st->stop == IR_STOP_FILTER ? STR("content_filter") : STR("max_output_tokens"));
    json_close(o);
}

/* A provider that rests in the middle of its own tools' work has no word here: what it said so
 * far is an answer. */
enum responses_status
responses_status_of(enum ir_stop stop)
{
    return stop == IR_STOP_LENGTH || stop == IR_STOP_FILTER ? RESPONSES_INCOMPLETE
                                                            : RESPONSES_COMPLETED;
}

void
responses_put_object(struct json_out *o, const struct dialect_enc *e,
                     const struct responses_enc *st, enum responses_status status,
                     const struct tg_err *err)
{
    static const char *const words[] = {
        [RESPONSES_IN_PROGRESS] = "in_progress",
        [RESPONSES_COMPLETED] = "completed",
        [RESPONSES_INCOMPLETE] = "incomplete",
        [RESPONSES_FAILED] = "failed",
    };

    json_open(o, '{');
    json_kv_str(o, "id", e->id);
    json_kv_str(o, "object", STR("response"));
    json_kv_int(o, "created_at", e->created);
    json_kv_str(o, "status", str_z(words[status]));
    json_kv_bool(o, "background", false);
    if (status == RESPONSES_COMPLETED)
        json_kv_int(o, "completed_at", e->now > e->created ? e->now : e->created);
    else
        json_kv_null(o, "completed_at");
    if (status == RESPONSES_FAILED)
        put_failure(o, err);
    else
        json_kv_null(o, "error");
    put_details(o, st, status);
    json_kv_str(o, "model", e->model);
    put_output(o, st);
    responses_put_echo(o, e->req);
    if (status == RESPONSES_IN_PROGRESS || status == RESPONSES_FAILED)
        json_kv_null(o, "usage");
    else
        put_usage(o, &e->usage);
    json_close(o);
}
