/* out_media.c -- images and documents for an upstream of this dialect.
 *
 * Four image types and PDF go as base64, plain text as text; other media would lose what they
 * are, so they are refused by their place.  The type that the client declared is often wrong
 * and then refused upstream, so the first bytes have the last word.
 */
#include "dialect/messages/messages_int.h"

#include "base/base64.h"

static const struct {
    const char *prefix; /* of the base64 text: the type's first bytes */
    const char *mime;
} sniffs[] = {
    {"/9j/", "image/jpeg"},    {"iVBORw0KGgo", "image/png"}, {"R0lGODlh", "image/gif"},
    {"R0lGODdh", "image/gif"}, {"UklGR", "image/webp"},      {"JVBERi0", "application/pdf"},
};

static const char *const image_types[] = {"image/jpeg", "image/png", "image/gif", "image/webp"};

static struct str
type_of(const struct ir_media *m)
{
    for (size_t i = 0; i < MESSAGES_COUNT(sniffs); i++)
        if (str_starts(m->data, str_z(sniffs[i].prefix)))
            return str_z(sniffs[i].mime);
    return str_ieq(m->mime, STR("image/jpg")) ? STR("image/jpeg") : m->mime;
}

static bool
is_image(struct str mime)
{
    for (size_t i = 0; i < MESSAGES_COUNT(image_types); i++)
        if (str_ieq(mime, str_z(image_types[i])))
            return true;
    return false;
}

static bool
is_text(struct str mime)
{
    return str_starts(mime, STR("text/")) || str_ieq(mime, STR("application/json")) ||
           str_ieq(mime, STR("application/xml"));
}

static void
refuse(struct messages_out *o, const char *why)
{
    messages_refuse(o, why, "%s", messages_path(o, o->msg, o->block).p);
}

static void
put_source(struct messages_out *o, struct str type, struct str mime, const char *key,
           struct str value)
{
    json_key(&o->j, "source");
    json_open(&o->j, '{');
    json_kv_str(&o->j, "type", type);
    if (mime.n)
        json_kv_str(&o->j, "media_type", mime);
    json_kv_str(&o->j, key, value);
    json_close(&o->j);
}

/* A URL or a file's id; false when it is neither. */
static bool
put_reference(struct messages_out *o, const struct ir_media *m)
{
    const struct str none = {NULL, 0};

    if (m->url.n) {
        put_source(o, STR("url"), none, "url", m->url);
        return true;
    }
    if (m->file_id.n == 0)
        return false;
    put_source(o, STR("file"), none, "file_id", m->file_id);
    if (!messages_own(o->req->origin))
        refuse(o, "the upstream does not know this file");
    return true;
}

static void
put_image(struct messages_out *o, const struct ir_media *m, struct str mime)
{
    json_kv_str(&o->j, "type", STR("image"));
    if (!put_reference(o, m)) {
        put_source(o, STR("base64"), mime, "data", m->data);
        if (!is_image(mime))
            refuse(o, "the upstream takes JPEG, PNG, GIF and WebP images");
    }
    if (m->detail.n && !str_eq(m->detail, STR("auto")))
        messages_drop(o, "%s.detail", messages_path(o, o->msg, o->block).p);
}

static void
put_document(struct messages_out *o, const struct ir_media *m, struct str mime)
{
    const struct str plain = STR("text/plain");
    struct str text = m->text;

    json_kv_str(&o->j, "type", STR("document"));
    if (m->data.n == 0 && m->url.n + m->file_id.n > 0) {
        (void)put_reference(o, m);
    } else if (m->data.n == 0) {
        put_source(o, STR("text"), plain, "data", text);
    } else if (str_ieq(mime, STR("application/pdf"))) {
        put_source(o, STR("base64"), STR("application/pdf"), "data", m->data);
    } else {
        if (!is_text(mime) || !base64_get(o->a, m->data, &text))
            refuse(o, "the upstream takes PDF and plain text documents");
        put_source(o, STR("text"), plain, "data", text);
    }
    if (m->name.n)
        json_kv_str(&o->j, "title", m->name);
    if (m->context.n)
        json_kv_str(&o->j, "context", m->context);
}

void
messages_put_media(struct messages_out *o, const struct ir_block *b)
{
    const struct ir_media *m = b->media;
    struct str mime = type_of(m);

    json_open(&o->j, '{');
    if (m->kind == IR_AUDIO || m->kind == IR_VIDEO)
        refuse(o, "upstreams of the Messages dialect take no audio or video");
    else if (m->kind == IR_IMAGE && !str_eq(mime, STR("application/pdf")))
        put_image(o, m, mime);
    else if (m->kind == IR_DOCUMENT && is_image(mime))
        put_image(o, m, mime);
    else
        put_document(o, m, mime);
    messages_put_cache(o, b->cache_ttl);
    json_close(&o->j);
}
