/* dump.c -- the rows and what they hold, for people: as YAML with origins, and as mdoc.
 *
 * What is printed as YAML reads back as the same configuration, save for secrets: text is
 * quoted, and a dollar sign is doubled so that it is not taken for a variable.
 */
#include "conf/conf.h"

#include <inttypes.h>

#include "base/secret.h"
#include "base/utf8.h"
#include "conf/row.h"
#include "conf/value.h"

enum { MDOC_COLUMNS = 78 };

static void
put_quoted(struct str s, FILE *out)
{
    putc('"', out);
    for (size_t i = 0; i < s.n;) {
        size_t n = utf8_seq(s.p + i, s.p + s.n);
        unsigned char c = (unsigned char)s.p[i];

        if (n == 0 || c < 0x20 || c == 0x7f) {
            fprintf(out, "\\x%02x", c);
            n = 1;
        } else {
            if (c == '"' || c == '\\' || c == '$')
                putc(c == '$' ? '$' : '\\', out);
            fwrite(s.p + i, 1, n, out);
        }
        i += n;
    }
    putc('"', out);
}

static void
put_value(const struct conf_row *row, const void *field, FILE *out)
{
    char text[VALUE_TEXT_MAX];
    const char *name;

    switch (row->type) {
    case CONF_STRING:
    case CONF_CHOICE:
    case CONF_STRINGS:
        put_quoted(*(const struct str *)field, out);
        break;
    case CONF_BOOL:
        fputs(*(const bool *)field ? "true" : "false", out);
        break;
    case CONF_INTEGER:
        name = row_value_name(row, row_integer(row, field));
        if (name)
            fputs(name, out);
        else
            fprintf(out, "%" PRId64, row_integer(row, field));
        break;
    case CONF_SECONDS:
        value_put_seconds(*(const int64_t *)field, text);
        fputs(text, out);
        break;
    case CONF_BYTES:
        value_put_bytes(*(const int64_t *)field, text);
        fputs(text, out);
        break;
    case CONF_ENUM:
        name = row_value_name(row, *(const int *)field);
        fputs(name ? name : "?", out);
        break;
    case CONF_SECRET:
        fputs(secret_reveal(field).n ? "\"***\"" : "\"\"", out);
        break;
    case CONF_SECTION:
    case CONF_SECTIONS:
        break;
    }
}

struct dumper {
    const struct conf_origins *origins;
    const char *file;
    FILE *out;
};

static void
put_origin(const struct dumper *d, const void *field)
{
    struct conf_origin o = conf_origin_of(d->origins, field);

    fputs("  # ", d->out);
    switch (o.source) {
    case CONF_DEFAULT:
        fputs("default", d->out);
        break;
    case CONF_BUILTIN:
        fputs("built in", d->out);
        break;
    case CONF_ENV:
        fprintf(d->out, "environment %.*s", STR_ARG(o.env));
        break;
    case CONF_FILE:
    case CONF_BAD:
        fprintf(d->out, "%s:%u%s%.*s", d->file, o.at.line, o.env.n ? ", environment " : "",
                STR_ARG(o.env));
        break;
    }
    putc('\n', d->out);
}

static bool
is_default(const struct dumper *d, const void *field)
{
    return conf_origin_of(d->origins, field).source == CONF_DEFAULT;
}

static bool
all_default(const struct dumper *d, const struct conf_table *t, const void *base)
{
    for (size_t i = 0; i < t->n; i++) {
        if (!is_default(d, row_field_const(&t->rows[i], base)))
            return false;
    }
    return true;
}

static void dump_table(const struct dumper *d, const struct conf_table *t, const void *base,
                       int indent, unsigned how);

enum {
    DUMP_ITEM = 1, /* the first line's indent is already there, as "- " */
    DUMP_SET = 2,  /* only what somebody set                            */
};

static void
dump_row(const struct dumper *d, const struct conf_row *row, const void *base, int indent)
{
    const void *field = row_field_const(row, base);
    bool list = row->type == CONF_STRINGS || row->type == CONF_SECTIONS;
    unsigned n = list ? row_count_const(row, base) : 0;

    fprintf(d->out, "%s:", row->key);
    if (row->type == CONF_SECTION) {
        bool brief = row->flags & CONF_BRIEF;

        if (brief && all_default(d, row->table, field)) {
            fputs(" {}  # default\n", d->out);
            return;
        }
        putc('\n', d->out);
        dump_table(d, row->table, field, indent + 2, brief ? DUMP_SET : 0);
        return;
    }
    if (!list) {
        putc(' ', d->out);
        put_value(row, field, d->out);
    } else if (n == 0) {
        fputs(" []", d->out);
    }
    put_origin(d, field);
    for (unsigned i = 0; i < n; i++) {
        const char *v = *(const char *const *)field;

        fprintf(d->out, "%*s- ", indent + 2, "");
        if (row->type == CONF_SECTIONS) {
            dump_table(d, row->table, v + i * row->table->size, indent + 4, DUMP_ITEM);
        } else {
            put_value(row, v + i * sizeof(struct str), d->out);
            putc('\n', d->out);
        }
    }
}

static void
dump_table(const struct dumper *d, const struct conf_table *t, const void *base, int indent,
           unsigned how)
{
    bool item = how & DUMP_ITEM;

    for (size_t i = 0; i < t->n; i++) {
        const struct conf_row *row = &t->rows[i];

        if (row->applies && !row->applies(base))
            continue;
        if ((how & DUMP_SET) && is_default(d, row_field_const(row, base)))
            continue;
        if (!item)
            fprintf(d->out, "%*s", indent, "");
        item = false;
        dump_row(d, row, base, indent);
    }
}

void
conf_dump(const struct conf_table *t, const void *base, const struct conf_origins *o,
          const char *file, FILE *out)
{
    struct dumper d = {.origins = o, .file = file, .out = out};

    dump_table(&d, t, base, 0, 0);
}

static void
mdoc_names(const struct conf_row *row, FILE *out)
{
    for (const struct conf_name *n = row->names; n && n->name; n++)
        fprintf(out, "%s %s", n == row->names ? "" : n[1].name ? "," : " or", n->name);
}

static void
mdoc_type(const struct conf_row *row, FILE *out)
{
    char range[ROW_WORDS_MAX];

    if (row->type_note) {
        fputs(row->type_note, out);
        return;
    }
    row_range(row, range);
    switch (row->type) {
    case CONF_STRING:
        fputs("Text", out);
        break;
    case CONF_BOOL:
        fputs("True or false", out);
        break;
    case CONF_INTEGER:
        fprintf(out, "A whole number%s%s%s", range[0] ? ", " : "", range,
                row->names ? ", or" : "");
        mdoc_names(row, out);
        break;
    case CONF_SECONDS:
        fprintf(out, "Seconds%s%s", range[0] ? ", " : "", range);
        break;
    case CONF_BYTES:
        fprintf(out, "Bytes%s%s", range[0] ? ", " : "", range);
        break;
    case CONF_ENUM:
    case CONF_CHOICE:
        fputs("One of", out);
        mdoc_names(row, out);
        break;
    case CONF_SECRET:
        fputs("A secret", out);
        break;
    case CONF_STRINGS:
        fputs("Text or a list of texts", out);
        break;
    case CONF_SECTION:
        fputs("A section", out);
        break;
    case CONF_SECTIONS:
        fprintf(out, "A list of at most %zu sections", row_list_max(row));
        break;
    }
}

/* Lines as they are, save that text longer than a page's source may have is broken at blanks.
 */
static void
put_wrapped(struct str text, FILE *out)
{
    while (text.n) {
        struct str line = str_cut(text, '\n', &text);
        size_t column = 0;

        if (str_starts(line, STR("."))) {
            fprintf(out, "%.*s\n", STR_ARG(line));
            continue;
        }
        while (line.n) {
            struct str word = str_cut(line, ' ', &line);

            if (column && column + 1 + word.n > MDOC_COLUMNS) {
                putc('\n', out);
                column = 0;
            }
            column += (size_t)fprintf(out, "%s%.*s", column ? " " : "", STR_ARG(word));
        }
        putc('\n', out);
    }
}

static void
mdoc_row(const struct conf_row *row, const char *prefix, FILE *out)
{
    char text[1024] = "";
    FILE *f = fmemopen(text, sizeof text, "w");

    if (!f)
        return;
    mdoc_type(row, f);
    if (row->flags & CONF_REQUIRED)
        fputs(", required", f);
    else if (row->default_note)
        fprintf(f, "; default: %s", row->default_note);
    else if (row->text && row->text[0])
        fprintf(f, "; default: %s", row->text);
    if (row->applies)
        fprintf(f, "; only for %s", row->only_for);
    fputs(".\n", f);
    if (row->flags & CONF_RESTART)
        fputs("A change needs a restart.\n", f);
    fclose(f);
    fprintf(out, ".It Ic %s%s\n", prefix, row->key);
    put_wrapped(str_z(row->help), out);
    put_wrapped(str_z(text), out);
}

static void
mdoc_table(const struct conf_table *t, const char *prefix, FILE *out)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct conf_row *row = &t->rows[i];
        char inner[128];

        mdoc_row(row, prefix, out);
        snprintf(inner, sizeof inner, "%s%s%s.", prefix, row->key,
                 row->type == CONF_SECTIONS ? "[]" : "");
        if (row->table && !(row->flags & CONF_TOLD))
            mdoc_table(row->table, inner, out);
    }
}

void
conf_mdoc(const struct conf_table *t, FILE *out)
{
    mdoc_table(t, "", out);
}

static bool
same(const struct conf_row *row, const void *a, const void *b)
{
    const void *x = row_field_const(row, a), *y = row_field_const(row, b);
    unsigned n;

    switch (row->type) {
    case CONF_BOOL:
        return *(const bool *)x == *(const bool *)y;
    case CONF_ENUM:
        return *(const int *)x == *(const int *)y;
    case CONF_STRING:
    case CONF_CHOICE:
        return str_eq(*(const struct str *)x, *(const struct str *)y);
    case CONF_INTEGER:
    case CONF_SECONDS:
    case CONF_BYTES:
        return row_integer(row, x) == row_integer(row, y);
    case CONF_STRINGS:
        n = row_count_const(row, a);
        if (n != row_count_const(row, b))
            return false;
        for (unsigned i = 0; i < n; i++) {
            if (!str_eq((*(struct str *const *)x)[i], (*(struct str *const *)y)[i]))
                return false;
        }
        return true;
    case CONF_SECRET:
    case CONF_SECTION:
    case CONF_SECTIONS:
        break;
    }
    return true;
}

bool
conf_restart_differs(const struct conf_table *t, const void *a, const void *b, char *ret,
                     size_t n)
{
    bool differs = false;
    size_t used = 0;

    ret[0] = '\0';
    for (size_t i = 0; i < t->n; i++) {
        const struct conf_row *row = &t->rows[i];

        if (!(row->flags & CONF_RESTART) || same(row, a, b))
            continue;
        if (used < n)
            used +=
                (size_t)snprintf(ret + used, n - used, "%s%s", differs ? ", " : "", row->key);
        differs = true;
    }
    return differs;
}
