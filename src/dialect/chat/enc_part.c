/* enc_part.c -- content parts of a request for a Chat upstream.
 *
 * A medium goes as the part of its kind: images and video as a URL or data URL, documents as
 * file data, audio as base64.  What the dialect can only take in another way is refused with
 * its place: an image by id, a document by URL or by another provider's id, sound by URL.  A
 * document of plain text becomes text, with its title and context in front.
 */
#include "dialect/chat/enc_int.h"

static void
put_data_url(struct json_out *o, const char *key, struct str mime, struct str data)
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
put_url(struct chat_out *out, const char *part, const struct ir_media *m, struct str mime)
{
    json_kv_str(&out->o, "type", str_z(part));
    json_key(&out->o, part);
    json_open(&out->o, '{');
    if (m->url.n)
        json_kv_str(&out->o, "url", m->url);
    else
        put_data_url(&out->o, "url", m->mime.n ? m->mime : mime, m->data);
    if (m->detail.n && m->kind == IR_IMAGE)
        json_kv_str(&out->o, "detail", m->detail);
    json_close(&out->o);
}

static void
put_audio(struct chat_out *out, const struct ir_media *m)
{
    struct str format = m->format;

    if (format.n == 0)
        format = str_eq(m->mime, STR("audio/mpeg")) ? STR("mp3") : STR("wav");
    json_kv_str(&out->o, "type", STR("input_audio"));
    json_key(&out->o, "input_audio");
    json_open(&out->o, '{');
    json_kv_str(&out->o, "data", m->data);
    json_kv_str(&out->o, "format", format);
    json_close(&out->o);
}

static void
put_file(struct chat_out *out, const struct ir_media *m)
{
    struct str mime = m->mime.n ? m->mime : STR("application/pdf");

    json_kv_str(&out->o, "type", STR("file"));
    json_key(&out->o, "file");
    json_open(&out->o, '{');
    if (m->file_id.n) {
        json_kv_str(&out->o, "file_id", m->file_id);
    } else {
        /* Servers ask for a name with the data. */
        json_kv_str(&out->o, "filename",
                    m->name.n                              ? m->name
                    : str_eq(mime, STR("application/pdf")) ? STR("document.pdf")
                                                           : STR("document"));
        put_data_url(&out->o, "file_data", mime, m->data);
    }
    json_close(&out->o);
}

static void
put_text_document(struct chat_out *out, const struct ir_media *m)
{
    const struct str before[] = {m->name, m->context};

    json_kv_str(&out->o, "type", STR("text"));
    json_key(&out->o, "text");
    json_str_open(&out->o);
    for (size_t i = 0; i < CHAT_COUNT(before); i++)
        if (before[i].n) {
            json_str_part(&out->o, before[i]);
            json_str_part(&out->o, STR("\n"));
        }
    json_str_part(&out->o, m->text);
    json_str_close(&out->o);
}

/* Why this medium cannot go, or NULL. */
static const char *
obstacle(const struct chat_out *out, const struct ir_media *m)
{
    switch (m->kind) {
    case IR_IMAGE:
    case IR_VIDEO:
        return m->file_id.n ? "the upstream's dialect has no images or video by file id" : NULL;
    case IR_AUDIO:
        return m->data.n ? NULL : "the upstream's dialect takes audio as base64 data only";
    case IR_DOCUMENT:
        if (m->file_id.n && !chat_came_as(out, dialect_chat.name))
            return "a file's id means nothing to another provider than the one that gave it";
        if (m->url.n)
            return "the upstream's dialect has no files by URL";
        return m->file_id.n + m->data.n + m->text.n ? NULL : "a document without contents";
    }
    return "the upstream's dialect has no such content";
}

tg_rc
chat_put_mark(struct chat_out *out, const struct ir_block *b)
{
    if (b->cache_ttl.n == 0)
        return TG_OK;
    if (out->route->caps.cache_marks && out->n_marks >= out->marks_skipped) {
        json_key(&out->o, "prompt_cache_breakpoint");
        json_open(&out->o, '{');
        json_kv_str(&out->o, "mode", STR("explicit"));
        json_kv_str(&out->o, "ttl",
                    str_eq(b->cache_ttl, STR("12h")) && chat_came_as(out, dialect_chat.name)
                        ? b->cache_ttl
                        : STR("30m"));
        json_close(&out->o);
        out->n_marks++;
        return TG_OK;
    }
    out->n_marks++;
    return chat_drop(out, STR("cache_control"));
}

tg_rc
chat_put_part(struct chat_out *out, const struct ir_block *b, const struct ir_msg *msg)
{
    const struct ir_media *m = b->media;
    const char *why = b->kind == IR_MEDIA && m ? obstacle(out, m) : NULL;
    tg_rc rc;

    if (why || (b->kind != IR_TEXT && (b->kind != IR_MEDIA || !m)))
        return chat_refuse(out, chat_path(out, msg, b),
                           why ? why : "the upstream's dialect has no such content");
    json_open(&out->o, '{');
    if (b->kind == IR_TEXT) {
        json_kv_str(&out->o, "type", STR("text"));
        json_kv_str(&out->o, "text", b->text);
    } else if (m->kind == IR_IMAGE) {
        put_url(out, "image_url", m, STR("image/png"));
    } else if (m->kind == IR_VIDEO) {
        put_url(out, "video_url", m, STR("video/mp4"));
    } else if (m->kind == IR_AUDIO) {
        put_audio(out, m);
    } else if (m->text.n) {
        put_text_document(out, m);
    } else {
        put_file(out, m);
    }
    rc = chat_put_mark(out, b);
    json_close(&out->o);
    return rc;
}
