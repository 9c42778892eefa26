/* up_part.c -- texts and media as the content parts of a request for a Responses upstream.
 *
 * What a document says besides its bytes (title, context) has no field and becomes text in
 * front of it.
 */
#include "dialect/responses/up_int.h"

tg_rc
responses_drop_mark(struct responses_writer *w)
{
    return responses_drop(w, "%s",
                          responses_word(w, "prompt_cache_breakpoint",
                                         "prompt_cache_breakpoint", "cache_control"));
}

static void
write_breakpoint(struct responses_writer *w, const struct ir_block *b)
{
    struct json_out *o = &w->o;

    if (b->cache_ttl.n == 0 || !w->route->caps.cache_marks)
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
write_text(struct responses_writer *w, const struct ir_block *b, bool model)
{
    struct json_out *o = &w->o;

    json_open(o, '{');
    if (b->kind == IR_REFUSAL) {
        json_kv_str(o, "type", STR("refusal"));
        json_kv_str(o, "refusal", b->text);
    } else {
        json_kv_str(o, "type", model ? STR("output_text") : STR("input_text"));
        json_kv_str(o, "text", b->text);
        if (model) {
            json_key(o, "annotations");
            json_open(o, '[');
            json_close(o);
        } else {
            write_breakpoint(w, b);
        }
    }
    json_close(o);
}

void
responses_write_plain(struct json_out *o, struct str text)
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
write_image(struct responses_writer *w, const struct ir_block *b)
{
    struct json_out *o = &w->o;
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
    write_breakpoint(w, b);
    json_close(o);
}

static void
write_document(struct responses_writer *w, const struct ir_block *b)
{
    struct json_out *o = &w->o;
    const struct ir_media *m = b->media;
    bool pdf = m->mime.n == 0 || str_eq(m->mime, STR("application/pdf"));

    if (m->context.n)
        responses_write_plain(o, m->context);
    if (m->text.n && m->name.n)
        responses_write_plain(o, m->name);
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
    write_breakpoint(w, b);
    json_close(o);
}

/* Why this medium cannot go, or NULL. */
static const char *
obstacle(const struct responses_writer *w, const struct ir_media *m)
{
    if (!m)
        return "a part without contents";
    if (m->kind != IR_IMAGE && m->kind != IR_DOCUMENT)
        return "the upstream's dialect has no audio or video input";
    if (m->file_id.n && !responses_is_own(w->req->origin))
        return "a file's id means nothing to another provider than the one that gave it";
    if (m->kind == IR_DOCUMENT && m->file_id.n + m->data.n + m->text.n + m->url.n == 0)
        return "a document without contents";
    return NULL;
}

static tg_rc
write_media(struct responses_writer *w, const struct ir_block *b, const struct ir_msg *m)
{
    const char *why = obstacle(w, b->media);

    if (why)
        return responses_refuse_at(w, m, b, why);
    if (b->media->kind == IR_IMAGE)
        write_image(w, b);
    else
        write_document(w, b);
    return TG_OK;
}

bool
responses_is_part(const struct ir_block *b)
{
    return b->kind == IR_TEXT || b->kind == IR_REFUSAL || b->kind == IR_MEDIA;
}

tg_rc
responses_write_part(struct responses_writer *w, const struct ir_block *b, bool model,
                     const struct ir_msg *m)
{
    /* What the model said has no place for a mark. */
    bool lost = b->cache_ttl.n && (model || !w->route->caps.cache_marks);
    tg_rc rc = lost ? responses_drop_mark(w) : TG_OK;

    if (rc != TG_OK)
        return rc;
    if (b->kind == IR_MEDIA)
        return write_media(w, b, m);
    write_text(w, b, model);
    return TG_OK;
}
