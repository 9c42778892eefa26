/* row.c -- what the types of rows mean, one switch each for setting and for describing.
 *
 * A default passes through row_set like text from a file, so a default that its own limits
 * forbid cannot stand in a table.
 */
#include "conf/row.h"

#include <assert.h>
#include <inttypes.h>

#include "base/num.h"
#include "base/secret.h"
#include "conf/value.h"

static bool
has_control(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return true;
    }
    return false;
}

static tg_rc
set_text(const struct conf_row *row, struct str text, struct str *field, struct arena *a)
{
    bool list = row->type == CONF_STRINGS;
    size_t max = !list && row->max ? (size_t)row->max : CONF_TEXT_MAX;
    size_t min = list ? 1 : (size_t)row->min;

    if (text.n > max || text.n < min || has_control(text))
        return TG_EINVAL;
    *field = arena_dup(a, text);
    return TG_OK;
}

static const struct conf_name *
find_name(const struct conf_row *row, struct str text)
{
    for (const struct conf_name *n = row->names; n && n->name; n++) {
        if (str_eq(str_z(n->name), text))
            return n;
    }
    return NULL;
}

static tg_rc
set_number(const struct conf_row *row, struct str text, void *field)
{
    const struct conf_name *name = find_name(row, text);
    int64_t v = 0;
    tg_rc rc;

    if (name) {
        assert(row->type == CONF_INTEGER && row->width == sizeof(int64_t));
        *(int64_t *)field = name->value;
        return TG_OK;
    }
    if (row->type == CONF_SECONDS)
        rc = value_seconds(text, &v);
    else if (row->type == CONF_BYTES)
        rc = value_bytes(text, &v);
    else
        rc = num_i64(text, &v);
    if (rc != TG_OK || ((row->min || row->max) && (v < row->min || v > row->max)))
        return TG_EINVAL;
    if (row->type == CONF_INTEGER && row->width == sizeof(unsigned)) {
        if (v < 0 || v > UINT32_MAX)
            return TG_EINVAL;
        *(unsigned *)field = (unsigned)v;
    } else {
        *(int64_t *)field = v;
    }
    return TG_OK;
}

static tg_rc
set_secret(struct str text, struct secret *field, struct arena *a, struct tg_err *err)
{
    const char *path;
    struct buf file;
    struct str s;
    tg_rc rc;

    if (!str_starts(text, STR("file:"))) {
        secret_init(field, text);
        return TG_OK;
    }
    text = str_from(text, 5);
    if (text.n == 0 || text.n > CONF_TEXT_MAX || has_control(text))
        return tg_fail(err, TG_ECONFIG, TG_ERR_INTERNAL, "config",
                       "\"file:\" must be followed by the path of a file");
    path = arena_dup(a, text).p;
    buf_init(&file, CONF_VALUE_BYTES_MAX + 8192);
    rc = conf_read_file(path, true, CONF_VALUE_BYTES_MAX, &file, err);
    s = buf_str(&file);
    if (str_ends(s, STR("\n")))
        s.n -= str_ends(s, STR("\r\n")) ? 2 : 1;
    if (rc == TG_OK && s.n == 0)
        rc = tg_fail(err, TG_ECONFIG, TG_ERR_INTERNAL, "config", "%s: is empty", path);
    if (rc == TG_OK)
        secret_init(field, s);
    if (file.p)
        secret_wipe(file.p, file.cap);
    buf_fini(&file);
    return rc;
}

tg_rc
row_set(const struct conf_row *row, struct str text, void *field, struct arena *a,
        struct tg_err *err)
{
    const struct conf_name *name;

    switch (row->type) {
    case CONF_STRING:
    case CONF_STRINGS:
        return set_text(row, text, field, a);
    case CONF_BOOL:
        return value_bool(text, field);
    case CONF_INTEGER:
    case CONF_SECONDS:
    case CONF_BYTES:
        return set_number(row, text, field);
    case CONF_ENUM:
    case CONF_CHOICE:
        name = find_name(row, text);
        if (!name)
            return TG_EINVAL;
        if (row->type == CONF_ENUM)
            *(int *)field = name->value;
        else
            *(struct str *)field = str_z(name->name);
        return TG_OK;
    case CONF_SECRET:
        return set_secret(text, field, a, err);
    case CONF_SECTION:
    case CONF_SECTIONS:
        break;
    }
    assert(!"a section has no text");
    return TG_EINTERNAL;
}

void
row_range(const struct conf_row *row, char out[ROW_WORDS_MAX])
{
    char lo[VALUE_TEXT_MAX], hi[VALUE_TEXT_MAX];

    out[0] = '\0';
    if (!row->min && !row->max)
        return;
    switch (row->type) {
    case CONF_INTEGER:
        snprintf(out, ROW_WORDS_MAX, "%" PRId64 " to %" PRId64, row->min, row->max);
        break;
    case CONF_SECONDS:
        value_put_seconds(row->min, lo);
        value_put_seconds(row->max, hi);
        snprintf(out, ROW_WORDS_MAX, "%s to %s", lo, hi);
        break;
    case CONF_BYTES:
        value_put_bytes(row->min, lo);
        value_put_bytes(row->max, hi);
        snprintf(out, ROW_WORDS_MAX, "%s to %s", lo, hi);
        break;
    default:
        break;
    }
}

/* Returns the length of the text. */
static size_t
join_names(const struct conf_row *row, char *out, size_t n)
{
    size_t used = 0;

    for (const struct conf_name *name = row->names; name->name && used < n; name++)
        used += (size_t)snprintf(out + used, n - used, "%s%s", name == row->names ? "" : ", ",
                                 name->name);
    return used < n ? used : n - 1;
}

void
row_words(const struct conf_row *row, char out[ROW_WORDS_MAX])
{
    char range[ROW_WORDS_MAX];
    size_t n = ROW_WORDS_MAX, used = 0;

    row_range(row, range);
    switch (row->type) {
    case CONF_STRING:
        snprintf(out, n, "text%s without control characters, at most %" PRId64 " bytes",
                 row->min ? " that is not empty," : "", row->max ? row->max : CONF_TEXT_MAX);
        break;
    case CONF_BOOL:
        snprintf(out, n, "true or false");
        break;
    case CONF_INTEGER:
        if (row->names) {
            used = join_names(row, out, n);
            used += (size_t)snprintf(out + used, n - used, " or ");
        }
        if (used < n)
            snprintf(out + used, n - used, "a whole number%s%.100s", range[0] ? " from " : "",
                     range);
        break;
    case CONF_SECONDS:
        snprintf(out, n, "%.100s%sseconds (such as 15, 0.5, 500ms, 15s, 2m)", range,
                 range[0] ? " " : "");
        break;
    case CONF_BYTES:
        snprintf(out, n, "%.100s%sbytes (such as 65536, 64KiB, 64MiB)", range,
                 range[0] ? " " : "");
        break;
    case CONF_ENUM:
    case CONF_CHOICE:
        used = (size_t)snprintf(out, n, "one of ");
        join_names(row, out + used, n - used);
        break;
    case CONF_SECRET:
        snprintf(out, n, "text, ${VARIABLE} or file:/path");
        break;
    case CONF_STRINGS:
        snprintf(out, n, "text or a list of texts, none of them empty");
        break;
    case CONF_SECTION:
        snprintf(out, n, "a section of keys");
        break;
    case CONF_SECTIONS:
        snprintf(out, n, "a list of sections, each beginning with \"- \"");
        break;
    }
}

void
row_guess(const struct conf_row *row, struct conf_guess *g)
{
    static const struct conf_name yes[] = {{"yes", 1},   {"on", 1}, {"True", 1}, {"TRUE", 1},
                                           {"1", 1},     {"no", 0}, {"off", 0},  {"False", 0},
                                           {"FALSE", 0}, {"0", 0},  {NULL, 0}};

    if (row->type == CONF_BOOL) {
        conf_guess_offer(g, STR("true"));
        conf_guess_offer(g, STR("false"));
    }
    for (const struct conf_name *n = row->names; n && n->name; n++)
        conf_guess_offer(g, str_z(n->name));
    /* Also of a set that has more words than these two. */
    for (const struct conf_name *n = yes; n->name; n++) {
        struct str meant = n->value ? STR("true") : STR("false");

        if (str_eq(str_z(n->name), g->got) && (row->type == CONF_BOOL || find_name(row, meant)))
            g->best = meant;
    }
}

const char *
row_value_name(const struct conf_row *row, int64_t value)
{
    for (const struct conf_name *n = row->names; n && n->name; n++) {
        if (n->value == value)
            return n->name;
    }
    return NULL;
}

int64_t
row_integer(const struct conf_row *row, const void *field)
{
    if (row->type == CONF_INTEGER && row->width == sizeof(unsigned))
        return *(const unsigned *)field;
    return *(const int64_t *)field;
}
