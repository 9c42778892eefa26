/* up_item.c -- messages written as the input items of a Responses upstream.
 *
 * A message becomes one message item for its texts and media, and an item of its own for each
 * call, result and piece of reasoning between them, in the order of the blocks.  Ids of calls
 * are kept; one that is too long for the upstream is shortened by a rule that needs no memory,
 * so that the call and its result still match, after a restart too.
 *
 * Reasoning of other makers is left out whole: their proofs would be refused, and without one
 * the item is not accepted.
 */
#include "dialect/responses/responses_int.h"

#include <inttypes.h>
#include <stdio.h>

#include "ir/drops.h"

enum { CALL_ID_MAX = 64, CALL_ID_KEPT = 47, CUSTOM_MAX = 256 };

struct items {
    struct responses_writer *w;
    unsigned msg;                  /* number of the message  */
    unsigned legacy;               /* calls without an id    */
    unsigned unanswered;           /* results without one    */
    struct str custom[CUSTOM_MAX]; /* ids of the last calls of free-form tools, as a ring */
    unsigned n_custom;
};

/* Where the client wrote it: a Messages client's system text is no message. */
static unsigned
place_of(const struct items *i)
{
    const struct ir_req *req = i->w->req;
    bool apart = req->origin && strcmp(req->origin, "messages") == 0 && req->msgs &&
                 req->msgs->role == IR_SYSTEM;

    return apart && i->msg > 0 ? i->msg - 1 : i->msg;
}

static tg_rc
refuse(struct items *i, unsigned part, const char *why)
{
    char param[64];

    snprintf(param, sizeof param, "messages.%u.content.%u", place_of(i), part);
    return tg_refuse(i->w->err, "unsupported_content", param, "'%s': %s", param, why);
}

static struct str
fit_id(struct arena *a, struct str id)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    if (id.n <= CALL_ID_MAX)
        return id;
    for (size_t k = 0; k < id.n; k++)
        hash = (hash ^ (unsigned char)id.p[k]) * UINT64_C(1099511628211);
    /* Never in the middle of a character. */
    id.n = CALL_ID_KEPT;
    while (id.n && ((unsigned char)id.p[id.n] & 0xc0) == 0x80)
        id.n--;
    return arena_printf(a, "%.*s_%016" PRIx64, STR_ARG(id), hash);
}

static void
write_breakpoint(struct json_out *o, const struct ir_block *b)
{
    if (b->cache_ttl.n == 0)
        return;
    json_key(o, "prompt_cache_breakpoint");
    json_open(o, '{');
    json_kv_str(o, "mode", STR("explicit"));
    json_kv_str(o, "ttl",
                str_eq(b->cache_ttl, STR("1h")) || str_eq(b->cache_ttl, STR("12h"))
                    ? STR("12h")
                    : STR("30m"));
    json_close(o);
}

static void
write_text_part(struct json_out *o, const struct ir_block *b, bool model)
{
    json_open(o, '{');
    if (b->kind == IR_REFUSAL) {
        json_kv_str(o, "type", STR("refusal"));
        json_kv_str(o, "refusal", b->text);
    } else {
        json_kv_str(o, "type", model ? STR("output_text") : STR("input_text"));
        json_kv_str(o, "text", b->text);
        if (!model)
            write_breakpoint(o, b);
    }
    json_close(o);
}

static void
write_plain_part(struct json_out *o, struct str text)
{
    json_open(o, '{');
    json_kv_str(o, "type", STR("input_text"));
    json_kv_str(o, "text", text);
    json_close(o);
}

/* "data:TYPE;base64,BYTES" without joining it first. */
static void
write_data(struct json_out *o, const char *key, struct str mime, struct str data)
{
    json_key(o, key);
    json_str_open(o);
    json_str_part(o, STR("data:"));
    json_str_part(o, mime);
    json_str_part(o, STR(";base64,"));
    json_str_part(o, data);
    json_str_close(o);
}

static void
write_image(struct json_out *o, const struct ir_block *b)
{
    const struct ir_media *m = b->media;

    json_open(o, '{');
    json_kv_str(o, "type", STR("input_image"));
    json_kv_str(o, "detail", m->detail.n ? m->detail : STR("auto"));
    if (m->file_id.n)
        json_kv_str(o, "file_id", m->file_id);
    else if (m->data.n)
        write_data(o, "image_url", m->mime.n ? m->mime : STR("image/png"), m->data);
    else
        json_kv_str(o, "image_url", m->url);
    write_breakpoint(o, b);
    json_close(o);
}

static void
write_document(struct json_out *o, const struct ir_block *b)
{
    const struct ir_media *m = b->media;
    bool pdf = m->mime.n == 0 || str_eq(m->mime, STR("application/pdf"));

    if (m->context.n)
        write_plain_part(o, m->context);
    if (m->text.n && m->name.n)
        write_plain_part(o, m->name);
    json_open(o, '{');
    if (m->text.n) {
        json_kv_str(o, "type", STR("input_text"));
        json_kv_str(o, "text", m->text);
    } else {
        json_kv_str(o, "type", STR("input_file"));
        if (m->data.n) {
            /* Bytes need a name there. */
            json_kv_str(o, "filename",
                        m->name.n ? m->name
                        : pdf     ? STR("document.pdf")
                                  : STR("document.txt"));
            write_data(o, "file_data", m->mime.n ? m->mime : STR("application/pdf"), m->data);
        } else if (m->file_id.n) {
            json_kv_str(o, "file_id", m->file_id);
        } else {
            json_kv_str(o, "file_url", m->url);
        }
    }
    write_breakpoint(o, b);
    json_close(o);
}

static tg_rc
write_media(struct items *i, const struct ir_block *b, unsigned part)
{
    if (!b->media)
        return refuse(i, part, "a part without contents");
    if (b->media->kind == IR_IMAGE)
        write_image(&i->w->o, b);
    else if (b->media->kind == IR_DOCUMENT)
        write_document(&i->w->o, b);
    else
        return refuse(i, part, "the upstream's dialect has no audio or video input");
    return TG_OK;
}

static tg_rc
write_part(struct items *i, const struct ir_block *b, bool model, unsigned part)
{
    if (b->kind == IR_MEDIA)
        return write_media(i, b, part);
    write_text_part(&i->w->o, b, model);
    return TG_OK;
}

/* Is this block a part of a message, or an item of its own? */
static bool
is_part(const struct ir_block *b)
{
    return b->kind == IR_TEXT || b->kind == IR_REFUSAL || b->kind == IR_MEDIA;
}

/* The parts from b on, up to a block that is none, as one message.  *b goes behind them. */
static tg_rc
write_message(struct items *i, const struct ir_msg *m, const struct ir_block **b,
              unsigned *part)
{
    struct json_out *o = &i->w->o;
    bool model = m->role == IR_MODEL;
    const struct ir_block *first = *b;
    bool one = first->kind == IR_TEXT && !first->cache_ttl.n &&
               (!first->next || !is_part(first->next));
    tg_rc rc = TG_OK;

    json_open(o, '{');
    json_kv_str(o, "type", STR("message"));
    json_kv_str(o, "role",
                model                  ? STR("assistant")
                : m->role != IR_SYSTEM ? STR("user")
                : m->developer         ? STR("developer")
                                       : STR("system"));
    json_key(o, "content");
    if (one) {
        json_str(o, first->text);
        *b = first->next;
        ++*part;
    } else {
        json_open(o, '[');
        for (; rc == TG_OK && *b && is_part(*b); *b = (*b)->next, ++*part)
            rc = write_part(i, *b, model, *part);
        if (rc != TG_OK)
            return rc;
        json_close(o);
    }
    json_close(o);
    return rc;
}

static void
write_call(struct items *i, const struct ir_block *b)
{
    struct json_out *o = &i->w->o;
    struct str id = b->id.n ? b->id : arena_printf(i->w->a, "call_legacy_%u", i->legacy++);

    json_open(o, '{');
    json_kv_str(o, "type", b->freeform ? STR("custom_tool_call") : STR("function_call"));
    json_kv_str(o, "call_id", fit_id(i->w->a, id));
    json_kv_str(o, "name", b->name);
    if (b->freeform)
        json_kv_str(o, "input", b->text);
    else
        json_kv_str(o, "arguments", b->text.n ? b->text : STR("{}"));
    json_close(o);
    if (b->freeform)
        i->custom[i->n_custom++ % CUSTOM_MAX] = id;
}

/* Some dialects do not say with a result what kind of tool it is of. */
static bool
is_custom(const struct items *i, const struct ir_block *b)
{
    unsigned n = i->n_custom < CUSTOM_MAX ? i->n_custom : CUSTOM_MAX;

    if (b->freeform)
        return true;
    for (unsigned k = 0; k < n; k++)
        if (str_eq(i->custom[k], b->id))
            return true;
    return false;
}

static tg_rc
write_result(struct items *i, const struct ir_block *b, unsigned part)
{
    struct json_out *o = &i->w->o;
    struct str id = b->id.n ? b->id : arena_printf(i->w->a, "call_legacy_%u", i->unanswered++);
    tg_rc rc = TG_OK;

    json_open(o, '{');
    json_kv_str(o, "type",
                is_custom(i, b) ? STR("custom_tool_call_output") : STR("function_call_output"));
    json_kv_str(o, "call_id", fit_id(i->w->a, id));
    json_key(o, "output");
    if (!b->sub) {
        json_str_open(o);
        if (b->failed)
            json_str_part(o, STR("Error: "));
        json_str_part(o, b->text);
        json_str_close(o);
    } else {
        json_open(o, '[');
        if (b->failed)
            write_plain_part(o, STR("Error:"));
        for (const struct ir_block *s = b->sub; s && rc == TG_OK; s = s->next)
            if (is_part(s))
                rc = write_part(i, s, false, part);
            else
                rc = responses_drop(i->w, "messages.%u.content.%u", place_of(i), part);
        if (rc != TG_OK)
            return rc;
        json_close(o);
    }
    json_close(o);
    return TG_OK;
}

static void
write_reasoning(struct items *i, const struct ir_block *b)
{
    struct json_out *o = &i->w->o;

    if (b->sig.n == 0 || !responses_is_own(b->origin)) {
        ir_drop(i->w->drops, STR("reasoning"));
        return;
    }
    json_open(o, '{');
    json_kv_str(o, "type", STR("reasoning"));
    if (b->sig_id.n)
        json_kv_str(o, "id", b->sig_id);
    json_key(o, "summary");
    json_open(o, '[');
    if (b->text.n && b->summary) {
        json_open(o, '{');
        json_kv_str(o, "type", STR("summary_text"));
        json_kv_str(o, "text", b->text);
        json_close(o);
    }
    json_close(o);
    if (b->text.n && !b->summary) {
        json_key(o, "content");
        json_open(o, '[');
        json_open(o, '{');
        json_kv_str(o, "type", STR("reasoning_text"));
        json_kv_str(o, "text", b->text);
        json_close(o);
        json_close(o);
    }
    json_kv_str(o, "encrypted_content", b->sig);
    json_close(o);
}

static tg_rc
write_opaque(struct items *i, const struct ir_block *b, unsigned part)
{
    if (!responses_is_own(b->origin))
        return responses_drop(i->w, "messages.%u.content.%u", place_of(i), part);
    json_raw(&i->w->o, b->raw);
    return TG_OK;
}

static tg_rc
write_msg(struct items *i, const struct ir_msg *m)
{
    const struct ir_block *b = m->blocks;
    unsigned part = 0;
    tg_rc rc = TG_OK;

    if (m->name.n)
        rc = responses_drop(i->w, "messages.%u.name", place_of(i));
    while (b && rc == TG_OK) {
        if (is_part(b)) {
            rc = write_message(i, m, &b, &part);
            continue;
        }
        if (b->kind == IR_CALL)
            write_call(i, b);
        else if (b->kind == IR_RESULT)
            rc = write_result(i, b, part);
        else if (b->kind == IR_THINK)
            write_reasoning(i, b);
        else
            rc = write_opaque(i, b, part);
        b = b->next;
        part++;
    }
    return rc;
}

tg_rc
responses_write_input(struct responses_writer *w, unsigned skip)
{
    struct items *i = arena_new(w->a, struct items);
    tg_rc rc = TG_OK;

    i->w = w;
    json_open(&w->o, '[');
    for (const struct ir_msg *m = w->req->msgs; m && rc == TG_OK; m = m->next, i->msg++)
        if (i->msg >= skip)
            rc = write_msg(i, m);
    if (rc == TG_OK)
        json_close(&w->o);
    return rc;
}
