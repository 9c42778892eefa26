/* media.c -- images and documents of a Messages request.
 *
 * A source is base64 data, a URL, a file's id, text, or (documents only) content, which is text
 * that may have images in it: there the images follow the document as blocks of their own, and
 * the text of all parts is joined once, behind the last.
 * Data stays the base64 text that it is.
 */
#include "base/join.h"
#include "dialect/messages/messages_int.h"

struct source {
    const char *type;
    bool image, document;
    const char *field;
    size_t to; /* member of struct ir_media that takes the field */
};

static const struct source sources[] = {
    {"base64", true, true, "data", offsetof(struct ir_media, data)},
    {"url", true, true, "url", offsetof(struct ir_media, url)},
    {"file", true, true, "file_id", offsetof(struct ir_media, file_id)},
    {"text", false, true, "data", offsetof(struct ir_media, text)},
    {"content", false, true, "content", offsetof(struct ir_media, text)},
};

enum { S_TYPE, S_MIME, S_DATA, S_URL, S_FILE, S_CONTENT, S_COUNT };

static const char *const source_keys[S_COUNT] = {"type", "media_type", "data",
                                                 "url",  "file_id",    "content"};

static struct ir_media *
add_media(struct messages_dec *d, struct messages_blocks *to, enum ir_media_kind kind)
{
    struct ir_block *b = messages_add_block(d, to, IR_MEDIA);

    b->media = arena_new(d->in.a, struct ir_media);
    b->media->kind = kind;
    return b->media;
}

/* One part of a document made of parts; its text is noted in *texts. */
static tg_rc
read_part(struct messages_dec *d, const struct field_at *at, const struct json_member *part,
          struct join *texts, struct messages_blocks *to)
{
    static const char *const keys[] = {"type", "text", "source"};
    struct field_at text_at = {at, keys[1], 0};
    struct json_member m[3], f[MESSAGES_MEDIA_N] = {{.kind = JSON_NONE}};
    struct str type = {NULL, 0}, text = {NULL, 0};
    tg_rc rc = field_pick(&d->in, at, part->value, keys, 3, m);

    if (rc == TG_OK)
        rc = field_string_needed(&d->in, at, keys[0], &m[0], &type);
    if (rc != TG_OK)
        return rc;
    if (str_eq(type, STR("image"))) {
        f[MESSAGES_SOURCE] = m[2];
        return messages_read_media(d, at, false, f, to);
    }
    if (!str_eq(type, STR("text")))
        return field_refuse(&d->in, at, "invalid_value", "not a type of content block");
    rc = field_string(&d->in, &text_at, &m[1], &text);
    if (rc == TG_OK)
        join_add(d->in.a, texts, text);
    return rc;
}

static tg_rc
read_content(struct messages_dec *d, const struct field_at *up,
             const struct json_member *content, struct ir_media *doc,
             struct messages_blocks *to)
{
    struct field_at at = {up, "content", 0}, elem = {&at, NULL, 0};
    struct json_iter it;
    struct join texts = {.n = 0};
    struct json_member m;
    tg_rc rc = TG_OK;

    doc->mime = STR("text/plain");
    if (content->kind == JSON_STRING)
        return field_string(&d->in, &at, content, &doc->text);
    if (json_array(&it, content->value) != TG_OK)
        return field_refuse_type(&d->in, &at, "a string or an array of blocks", content->kind);
    for (; rc == TG_OK && json_next(&it, &m); elem.index++)
        rc = read_part(d, &elem, &m, &texts, to);
    doc->text = join_text(d->in.a, &texts);
    return rc;
}

static tg_rc
read_source(struct messages_dec *d, const struct field_at *at, const struct json_member *source,
            struct ir_media *media, struct messages_blocks *to)
{
    struct field_at type_at = {at, "type", 0}, mime_at = {at, "media_type", 0};
    const struct source *s = NULL;
    struct json_member m[S_COUNT];
    struct str type = {NULL, 0};
    tg_rc rc = messages_pick(d, at, source->value, source_keys, S_COUNT, m);

    if (rc == TG_OK)
        rc = field_string_needed(&d->in, at, "type", &m[S_TYPE], &type);
    if (rc != TG_OK)
        return rc;
    for (size_t i = 0; i < MESSAGES_COUNT(sources); i++)
        if (str_eq(type, str_z(sources[i].type)) &&
            (media->kind == IR_IMAGE ? sources[i].image : sources[i].document))
            s = &sources[i];
    if (!s)
        return field_refuse(&d->in, &type_at, "invalid_value", "not a type of source");
    for (int i = S_DATA; i < S_COUNT; i++) {
        if (strcmp(source_keys[i], s->field) != 0)
            continue;
        if (i == S_CONTENT && field_has(&m[i]))
            return read_content(d, at, &m[i], media, to);
        rc = field_string_needed(&d->in, at, s->field, &m[i],
                                 (struct str *)(void *)((char *)media + s->to));
    }
    if (rc == TG_OK && str_eq(type, STR("base64")) && !field_has(&m[S_MIME]))
        rc = field_refuse_missing(&d->in, at, "media_type");
    if (rc == TG_OK)
        rc = field_string(&d->in, &mime_at, &m[S_MIME], &media->mime);
    if (rc == TG_OK && str_eq(type, STR("text")) && media->mime.n == 0)
        media->mime = STR("text/plain");
    return rc;
}

tg_rc
messages_read_media(struct messages_dec *d, const struct field_at *at, bool document,
                    const struct json_member f[MESSAGES_MEDIA_N], struct messages_blocks *to)
{
    struct field_at source = {at, "source", 0}, title = {at, "title", 0};
    struct field_at context = {at, "context", 0};
    struct ir_media *media = add_media(d, to, document ? IR_DOCUMENT : IR_IMAGE);
    tg_rc rc;

    if (!field_has(&f[MESSAGES_SOURCE]))
        return field_refuse_missing(&d->in, at, "source");
    rc = read_source(d, &source, &f[MESSAGES_SOURCE], media, to);
    if (rc == TG_OK)
        rc = field_string(&d->in, &title, &f[MESSAGES_TITLE], &media->name);
    if (rc == TG_OK)
        rc = field_string(&d->in, &context, &f[MESSAGES_CONTEXT], &media->context);
    return rc;
}
