/* part.c -- content parts of a Responses request.
 *
 * One row a type.  Servers differ about which role may send which part, so the role is not
 * asked: what a part is does not depend on it.  A data URL is taken apart, because the other
 * dialects want type and bytes one by one; the bytes themselves are never decoded.
 */
#include "dialect/responses/in_int.h"
#include "dialect/rest.h"

enum key {
    K_TYPE,
    K_TEXT,
    K_REFUSAL,
    K_IMAGE_URL,
    K_FILE_ID,
    K_DETAIL,
    K_FILE_DATA,
    K_FILE_URL,
    K_FILENAME,
    K_AUDIO,
    K_VIDEO_URL,
    K_BREAKPOINT,
    K_COUNT
};

static const char *const keys[K_COUNT] = {
    [K_TYPE] = "type",           [K_TEXT] = "text",
    [K_REFUSAL] = "refusal",     [K_IMAGE_URL] = "image_url",
    [K_FILE_ID] = "file_id",     [K_DETAIL] = "detail",
    [K_FILE_DATA] = "file_data", [K_FILE_URL] = "file_url",
    [K_FILENAME] = "filename",   [K_AUDIO] = "input_audio",
    [K_VIDEO_URL] = "video_url", [K_BREAKPOINT] = "prompt_cache_breakpoint",
};

/* One part being read. */
struct part {
    struct responses_reader *r;
    const struct field_at *at;
    const struct json_member *m;
    struct ir_block *b;
};

static tg_rc
text_of(const struct part *p, enum key key, struct str *ret)
{
    struct field_at at = {p->at, keys[key], 0};

    return field_string(&p->r->in, &at, &p->m[key], ret);
}

static tg_rc
refuse(const struct part *p, enum key key, const char *why)
{
    struct field_at at = {p->at, keys[key], 0};

    return field_refuse(&p->r->in, &at, "invalid_value", "%s", why);
}

/* data:TYPE;parameters;base64,BYTES (RFC 2397), or an address. */
static tg_rc
read_url(const struct part *p, enum key key, struct str url, struct ir_media *media)
{
    struct str head, bytes, type;

    if (url.n == 0)
        return refuse(p, key, "must not be empty");
    if (!str_ieq(str_of(url.p, url.n < 5 ? url.n : 5), STR("data:"))) {
        if (!str_starts(url, STR("http://")) && !str_starts(url, STR("https://")))
            return refuse(p, key, "must be an http, https or data URL");
        media->url = url;
        return TG_OK;
    }
    head = str_cut(str_from(url, 5), ',', &bytes);
    if (!str_ends(head, STR(";base64")))
        return refuse(p, key, "a data URL must be base64");
    if (bytes.n == 0)
        return refuse(p, key, "the data URL is empty");
    head.n -= strlen(";base64");
    type = str_cut(head, ';', &head);
    media->mime = type;
    media->data = bytes;
    return TG_OK;
}

static tg_rc
read_image(const struct part *p)
{
    struct ir_media *media = p->b->media;
    struct str url = {NULL, 0};
    tg_rc rc = text_of(p, K_IMAGE_URL, &url);

    media->kind = IR_IMAGE;
    if (rc == TG_OK)
        rc = text_of(p, K_FILE_ID, &media->file_id);
    if (rc == TG_OK)
        rc = text_of(p, K_DETAIL, &media->detail);
    if (rc != TG_OK)
        return rc;
    if (str_eq(media->detail, STR("auto")))
        media->detail = (struct str){NULL, 0}; /* saying the default says nothing */
    if (url.n == 0 && media->file_id.n == 0)
        return field_refuse_missing(&p->r->in, p->at, keys[K_IMAGE_URL]);
    if (url.n && media->file_id.n)
        return refuse(p, K_FILE_ID, "not together with 'image_url'");
    return url.n ? read_url(p, K_IMAGE_URL, url, media) : TG_OK;
}

/* Bytes without a type are what the file's name says. */
static struct str
type_of_name(struct str name)
{
    static const struct {
        const char *end, *type;
    } rows[] = {{".pdf", "application/pdf"},   {".txt", "text/plain"},
                {".md", "text/markdown"},      {".csv", "text/csv"},
                {".json", "application/json"}, {".html", "text/html"}};

    for (size_t i = 0; i < RESPONSES_COUNT(rows); i++) {
        size_t n = strlen(rows[i].end);

        if (name.n > n && str_ieq(str_from(name, name.n - n), str_z(rows[i].end)))
            return str_z(rows[i].type);
    }
    return (struct str){NULL, 0};
}

static tg_rc
read_file(const struct part *p)
{
    struct ir_media *media = p->b->media;
    struct str data = {NULL, 0}, url = {NULL, 0};
    tg_rc rc = text_of(p, K_FILE_DATA, &data);

    media->kind = IR_DOCUMENT;
    if (field_has(&p->m[K_DETAIL]) && !str_eq(p->m[K_DETAIL].value, STR("\"auto\"")))
        rest_add(&p->r->in, p->r->req, p->at, str_z(keys[K_DETAIL]), p->m[K_DETAIL].value);
    if (rc == TG_OK)
        rc = text_of(p, K_FILE_URL, &url);
    if (rc == TG_OK)
        rc = text_of(p, K_FILE_ID, &media->file_id);
    if (rc == TG_OK)
        rc = text_of(p, K_FILENAME, &media->name);
    if (rc != TG_OK)
        return rc;
    if ((data.n > 0) + (url.n > 0) + (media->file_id.n > 0) > 1)
        return field_refuse(&p->r->in, p->at, "invalid_value",
                            "only one of 'file_data', 'file_url' and 'file_id'");
    if (media->file_id.n)
        return TG_OK;
    if (url.n) {
        rc = read_url(p, K_FILE_URL, url, media);
    } else if (str_starts(data, STR("data:"))) {
        rc = read_url(p, K_FILE_DATA, data, media);
    } else if (data.n) {
        media->data = data;
        media->mime = type_of_name(media->name);
    } else {
        return field_refuse_missing(&p->r->in, p->at, keys[K_FILE_DATA]);
    }
    if (rc == TG_OK && str_starts(media->mime, STR("image/")))
        media->kind = IR_IMAGE;
    return rc;
}

static tg_rc
read_audio(const struct part *p)
{
    static const char *const inner[] = {"data", "format"};
    struct field_at at = {p->at, keys[K_AUDIO], 0};
    struct ir_media *media = p->b->media;
    struct json_member m[2];
    tg_rc rc;

    media->kind = IR_AUDIO;
    if (!field_has(&p->m[K_AUDIO]))
        return field_refuse_missing(&p->r->in, p->at, keys[K_AUDIO]);
    rc = field_pick(&p->r->in, &at, p->m[K_AUDIO].value, inner, 2, m);
    if (rc == TG_OK)
        rc = field_string_needed(&p->r->in, &at, inner[0], &m[0], &media->data);
    if (rc == TG_OK)
        rc = field_string_needed(&p->r->in, &at, inner[1], &m[1], &media->format);
    return rc;
}

static tg_rc
read_video(const struct part *p)
{
    struct str url = {NULL, 0};
    tg_rc rc =
        field_string_needed(&p->r->in, p->at, keys[K_VIDEO_URL], &p->m[K_VIDEO_URL], &url);

    p->b->media->kind = IR_VIDEO;
    return rc == TG_OK ? read_url(p, K_VIDEO_URL, url, p->b->media) : rc;
}

static tg_rc
read_text(const struct part *p)
{
    enum key key = p->b->kind == IR_REFUSAL ? K_REFUSAL : K_TEXT;

    if (!field_has(&p->m[key]))
        return field_refuse_missing(&p->r->in, p->at, keys[key]);
    return text_of(p, key, &p->b->text);
}

static const struct type {
    const char *type;
    enum ir_kind kind;
    tg_rc (*read)(const struct part *);
} types[] = {
    {"input_text", IR_TEXT, read_text},    {"output_text", IR_TEXT, read_text},
    {"text", IR_TEXT, read_text},          {"refusal", IR_REFUSAL, read_text},
    {"input_image", IR_MEDIA, read_image}, {"input_file", IR_MEDIA, read_file},
    {"input_audio", IR_MEDIA, read_audio}, {"input_video", IR_MEDIA, read_video},
};

static tg_rc
read_breakpoint(const struct part *p)
{
    static const char *const inner[] = {"ttl"};
    struct field_at at = {p->at, keys[K_BREAKPOINT], 0}, ttl_at = {&at, inner[0], 0};
    struct json_member m;
    tg_rc rc;

    if (!field_has(&p->m[K_BREAKPOINT]))
        return TG_OK;
    rc = field_pick(&p->r->in, &at, p->m[K_BREAKPOINT].value, inner, 1, &m);
    p->b->cache_ttl = STR("30m");
    return rc == TG_OK ? field_string(&p->r->in, &ttl_at, &m, &p->b->cache_ttl) : rc;
}

static tg_rc
read_part(struct responses_reader *r, const struct field_at *at, const struct json_member *part,
          struct ir_block **to)
{
    struct field_at type_at = {at, keys[K_TYPE], 0};
    struct json_member m[K_COUNT];
    struct part p = {r, at, m, NULL};
    struct str type;
    tg_rc rc = field_pick(&r->in, at, part->value, keys, K_COUNT, m);

    if (rc == TG_OK)
        rc = field_string_needed(&r->in, at, keys[K_TYPE], &m[K_TYPE], &type);
    if (rc != TG_OK)
        return rc;
    for (size_t i = 0; i < RESPONSES_COUNT(types); i++) {
        if (!str_eq(type, str_z(types[i].type)))
            continue;
        *to = p.b = arena_new(r->in.a, struct ir_block);
        p.b->kind = types[i].kind;
        p.b->place = r->place;
        p.b->part = at->index + 1;
        if (p.b->kind == IR_MEDIA)
            p.b->media = arena_new(r->in.a, struct ir_media);
        rc = types[i].read(&p);
        return rc == TG_OK ? read_breakpoint(&p) : rc;
    }
    return field_refuse(&r->in, &type_at, "invalid_value", "not a type of content part");
}

tg_rc
responses_read_parts(struct responses_reader *r, const struct field_at *at,
                     const struct json_member *content, struct ir_block **to)
{
    struct field_at elem = {at, NULL, 0};
    struct json_iter it;
    struct json_member m;
    tg_rc rc = TG_OK;

    if (content->kind == JSON_STRING) {
        *to = arena_new(r->in.a, struct ir_block);
        (*to)->kind = IR_TEXT;
        (*to)->place = r->place;
        return field_string(&r->in, at, content, &(*to)->text);
    }
    if (json_array(&it, content->value) != TG_OK)
        return field_refuse_type(&r->in, at, "a string or an array", content->kind);
    for (; rc == TG_OK && json_next(&it, &m); elem.index++) {
        rc = read_part(r, &elem, &m, to);
        if (rc == TG_OK)
            to = &(*to)->next;
    }
    return rc;
}
