/* media.c -- images, audio, files and video of a request's content parts.
 *
 * A data URL (RFC 2397) is taken apart into type and base64 text; the text stays the span it is
 * unless it holds white space.  Only base64 is accepted, because that is what every dialect can
 * carry on.  A type that the first bytes contradict is put right: clients often say image/png
 * for everything, and some providers refuse what does not fit its label.
 */
#include "dialect/chat/chat_int.h"

static bool
is_space(char c)
{
    return c == '\n' || c == '\r' || c == ' ' || c == '\t';
}

static struct str
without_space(struct arena *a, struct str s)
{
    char *p, *to;
    bool any = false;

    for (const char *c = "\n\r \t"; *c && !any; c++)
        any = s.n && memchr(s.p, *c, s.n);
    if (!any)
        return s;
    p = to = arena_alloc(a, s.n, 1);
    for (size_t i = 0; i < s.n; i++)
        if (!is_space(s.p[i]))
            *to++ = s.p[i];
    return str_of(p, (size_t)(to - p));
}

/* What the first bytes of base64 text are, or an empty text. */
static struct str
sniff(struct str data)
{
    static const struct {
        struct str first, mime;
    } rows[] = {
        {{"iVBORw0KGgo", 11}, {"image/png", 9}},  {{"/9j/", 4}, {"image/jpeg", 10}},
        {{"R0lGOD", 6}, {"image/gif", 9}},        {{"UklGR", 5}, {"image/webp", 10}},
        {{"JVBERi", 6}, {"application/pdf", 15}},
    };

    for (size_t i = 0; i < CHAT_COUNT(rows); i++)
        if (str_starts(data, rows[i].first))
            return rows[i].mime;
    return (struct str){NULL, 0};
}

static bool
split_data_url(struct arena *a, struct str url, struct ir_media *m)
{
    struct str rest = str_from(url, 5), head, params;
    size_t comma = str_find(rest, ',');

    if (comma == rest.n)
        return false;
    head = str_of(rest.p, comma);
    m->mime = str_trim(str_cut(head, ';', &params));
    m->data = without_space(a, str_from(rest, comma + 1));
    if (params.n < 6 || !str_ieq(str_from(params, params.n - 6), STR("base64")) ||
        (params.n > 6 && params.p[params.n - 7] != ';'))
        return false;
    return m->data.n > 0 && !memchr(m->data.p, '%', m->data.n);
}

static bool
is_web(struct str url)
{
    return (url.n > 7 && str_ieq(str_of(url.p, 7), STR("http://"))) ||
           (url.n > 8 && str_ieq(str_of(url.p, 8), STR("https://")));
}

/* A field that is a URL of any kind. */
static tg_rc
read_url(struct chat_dec *d, const struct field_at *up, const struct json_member *f,
         struct ir_media *m)
{
    struct field_at at = {up, "url", 0};
    struct str url;
    tg_rc rc = field_string_needed(&d->in, up, "url", f, &url);

    if (rc != TG_OK)
        return rc;
    if (url.n >= 5 && str_ieq(str_of(url.p, 5), STR("data:"))) {
        if (!split_data_url(d->in.a, url, m))
            return field_refuse(&d->in, &at, "invalid_value",
                                "not a data URL with a base64 body");
        return TG_OK;
    }
    if (!is_web(url))
        return field_refuse(&d->in, &at, "invalid_value", "must be an http, https or data URL");
    m->url = url;
    return TG_OK;
}

static tg_rc
read_image(struct chat_dec *d, const struct field_at *at, struct str object, struct ir_media *m)
{
    static const char *const keys[] = {"url", "detail"};
    struct field_at detail = {at, keys[1], 0};
    struct json_member f[2];
    struct str found;
    tg_rc rc = field_pick(&d->in, at, object, keys, 2, f);

    if (rc == TG_OK)
        rc = read_url(d, at, &f[0], m);
    if (rc == TG_OK)
        rc = field_string(&d->in, &detail, &f[1], &m->detail);
    if (rc != TG_OK || m->data.n == 0)
        return rc;
    found = sniff(m->data);
    if (found.n)
        m->mime = found;
    if (str_eq(m->mime, STR("application/pdf")))
        m->kind = IR_DOCUMENT;
    return TG_OK;
}

static tg_rc
read_audio(struct chat_dec *d, const struct field_at *at, struct str object, struct ir_media *m)
{
    static const char *const keys[] = {"data", "format"};
    struct json_member f[2];
    tg_rc rc = field_pick(&d->in, at, object, keys, 2, f);

    if (rc == TG_OK)
        rc = field_string_needed(&d->in, at, keys[0], &f[0], &m->data);
    if (rc == TG_OK)
        rc = field_string_needed(&d->in, at, keys[1], &f[1], &m->format);
    if (rc != TG_OK)
        return rc;
    m->data = without_space(d->in.a, m->data);
    if (str_eq(m->format, STR("mp3")))
        m->mime = STR("audio/mpeg");
    else
        m->mime = arena_printf(d->in.a, "audio/%.*s", STR_ARG(m->format));
    return TG_OK;
}

/* file_data is a data URL or, against the letter, bare base64. */
static tg_rc
read_file(struct chat_dec *d, const struct field_at *at, struct str object, struct ir_media *m)
{
    static const char *const keys[] = {"file_data", "file_id", "filename"};
    struct field_at data_at = {at, keys[0], 0}, id = {at, keys[1], 0}, name = {at, keys[2], 0};
    struct json_member f[3];
    struct str data = {NULL, 0};
    tg_rc rc = field_pick(&d->in, at, object, keys, 3, f);

    if (rc == TG_OK)
        rc = field_string(&d->in, &data_at, &f[0], &data);
    if (rc == TG_OK)
        rc = field_string(&d->in, &id, &f[1], &m->file_id);
    if (rc == TG_OK)
        rc = field_string(&d->in, &name, &f[2], &m->name);
    if (rc != TG_OK)
        return rc;
    if (data.n == 0)
        return m->file_id.n ? TG_OK : field_refuse_missing(&d->in, at, keys[0]);
    if (m->file_id.n)
        return field_refuse(&d->in, &id, "invalid_value",
                            "file_id and file_data may not stand together");
    if (data.n >= 5 && str_ieq(str_of(data.p, 5), STR("data:"))) {
        if (!split_data_url(d->in.a, data, m))
            return field_refuse(&d->in, &data_at, "invalid_value",
                                "not a data URL with a base64 body");
    } else {
        m->data = without_space(d->in.a, data);
    }
    if (m->mime.n == 0)
        m->mime = sniff(m->data);
    if (str_starts(m->mime, STR("image/")))
        m->kind = IR_IMAGE;
    return TG_OK;
}

static tg_rc
read_video(struct chat_dec *d, const struct field_at *at, struct str object, struct ir_media *m)
{
    static const char *const keys[] = {"url"};
    struct json_member f;
    tg_rc rc = field_pick(&d->in, at, object, keys, 1, &f);

    return rc == TG_OK ? read_url(d, at, &f, m) : rc;
}

tg_rc
chat_read_media(struct chat_dec *d, const struct field_at *at, struct str type,
                const struct json_member *body, struct ir_block *b)
{
    static const struct {
        const char *type;
        enum ir_media_kind kind;
        tg_rc (*read)(struct chat_dec *, const struct field_at *, struct str,
                      struct ir_media *);
    } rows[] = {
        {"image_url", IR_IMAGE, read_image},
        {"input_audio", IR_AUDIO, read_audio},
        {"file", IR_DOCUMENT, read_file},
        {"video_url", IR_VIDEO, read_video},
    };

    b->media = arena_new(d->in.a, struct ir_media);
    if (body->kind != JSON_OBJECT)
        return field_refuse_type(&d->in, at, "an object", body->kind);
    for (size_t i = 0; i < CHAT_COUNT(rows); i++)
        if (str_eq(type, str_z(rows[i].type))) {
            b->media->kind = rows[i].kind;
            return rows[i].read(d, at, body->value, b->media);
        }
    return TG_EINTERNAL; /* msg.c has no such type in its table */
}
