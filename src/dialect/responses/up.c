/* up.c -- a request written for a Responses upstream.
 *
 * Nothing is kept at the provider: store is off, and the proof of its reasoning is asked for so
 * that the client can send it back.  What the dialect has no field for, or the model behind the
 * route no sense (route->caps), is named as dropped when it only shades the answer, and refused
 * when the answer would be another one (several choices, an answer to go on with).
 */
#include "dialect/responses/up_int.h"

#include <stdarg.h>
#include <stdio.h>

#include "ir/drops.h"
#include "ir/path.h"
#include "json/scan.h"

bool
responses_came_as(const struct responses_writer *w, const char *dialect)
{
    return w->req->origin && strcmp(w->req->origin, dialect) == 0;
}

const char *
responses_word(const struct responses_writer *w, const char *chat, const char *responses,
               const char *messages)
{
    return responses_is_own(w->req->origin)   ? responses
           : responses_came_as(w, "messages") ? messages
                                              : chat;
}

tg_rc
responses_drop(struct responses_writer *w, const char *fmt, ...)
{
    char name[96];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(name, sizeof name, fmt, ap);
    va_end(ap);
    n = n < 0 ? 0 : n;
    return ir_drop_or_refuse(
        w->route, w->drops, w->err,
        arena_dup(w->a, str_of(name, (size_t)n < sizeof name ? (size_t)n : sizeof name - 1)));
}

struct str
responses_path(const struct responses_writer *w, const struct ir_msg *m,
               const struct ir_block *b)
{
    return ir_path(w->a, w->req, m, b);
}

tg_rc
responses_refuse_at(struct responses_writer *w, const struct ir_msg *m,
                    const struct ir_block *b, const char *why)
{
    struct str path = responses_path(w, m, b);

    return tg_refuse(w->err, "unsupported_content", path.p, "'%s': %s", path.p, why);
}

/* Fields that both dialects of the maker have under the same name go through; the rest stays.
 */
static tg_rc
write_ext(struct responses_writer *w)
{
    static const char *const shared[] = {"moderation", "access_programs",
                                         "prompt_cache_options", "prompt_cache_retention",
                                         "image"};
    bool own = responses_is_own(w->req->origin), chat = responses_came_as(w, "chat");
    tg_rc rc = TG_OK;

    for (const struct ir_ext *x = w->req->ext; x && rc == TG_OK; x = x->next) {
        bool pass = own && !x->inner && !str_starts(x->name, STR("reasoning."));

        for (size_t i = 0; chat && i < RESPONSES_COUNT(shared); i++)
            pass = pass || str_eq(x->name, str_z(shared[i]));
        if (pass) {
            json_key_str(&w->o, x->name);
            json_raw(&w->o, x->value);
        } else if ((!own || x->inner) && !str_eq(x->name, STR("modalities"))) {
            rc = responses_drop(w, "%.*s", STR_ARG(x->name));
        }
    }
    return rc;
}

/* Models that do not think refuse to be asked for a proof of it. */
static void
write_kept(struct responses_writer *w)
{
    const struct {
        const char *what;
        bool wanted;
    } rows[] = {
        {"reasoning.encrypted_content", w->route->caps.thinking != CAPS_THINKING_NONE},
        {"message.output_text.logprobs", w->req->logprobs && w->route->caps.logprobs},
    };

    json_kv_bool(&w->o, "store", false);
    if (!rows[0].wanted && !rows[1].wanted)
        return;
    json_key(&w->o, "include");
    json_open(&w->o, '[');
    for (size_t i = 0; i < RESPONSES_COUNT(rows); i++)
        if (rows[i].wanted)
            json_str(&w->o, str_z(rows[i].what));
    json_close(&w->o);
}

static tg_rc
write_all(struct responses_writer *w)
{
    tg_rc rc;

    json_kv_str(&w->o, "model", w->route->model);
    if (w->req->stream)
        json_kv_bool(&w->o, "stream", true);
    if (w->instructions.n)
        json_kv_str(&w->o, "instructions", w->instructions);
    json_key(&w->o, "input");
    rc = responses_write_input(w);
    if (rc == TG_OK)
        rc = responses_write_tools(w);
    if (rc == TG_OK)
        rc = responses_write_params(w);
    if (rc != TG_OK)
        return rc;
    write_kept(w);
    return write_ext(w);
}

tg_rc
responses_encode_req(struct arena *a, const struct ir_req *req,
                     const struct dialect_route *route, struct buf *b, struct ir_drops *drops,
                     struct tg_err *err)
{
    struct responses_writer w = {
        .a = a, .req = req, .route = route, .drops = drops, .err = err};
    size_t before = b->n;
    tg_rc rc;

    if (req->choices > 1)
        return tg_refuse(err, "unsupported_parameter", "n",
                         "'n': the upstream gives one answer only");
    if (req->media_out)
        return tg_refuse(err, "unsupported_parameter", "modalities",
                         "'modalities': the upstream answers with text only");
    rc = responses_plan_system(&w);
    if (rc != TG_OK)
        return rc;
    json_begin(&w.o, b);
    json_open(&w.o, '{');
    rc = write_all(&w);
    if (rc == TG_OK) {
        json_close(&w.o);
        rc = json_end(&w.o);
        if (rc == TG_ELIMIT)
            (void)tg_fail(err, rc, TG_ERR_TOO_LARGE, NULL,
                          "the request is larger than the upstream may be sent");
    }
    if (rc != TG_OK)
        buf_truncate(b, before);
    return rc;
}
