/* load.c -- a tree into a struct, by the rows of a table.
 *
 * Each section is filled with its defaults and then walked in the file's order.  A value in
 * error is reported, leaves the default and gets the origin CONF_BAD, so that checks between
 * fields can tell a value from a gap and do not complain about what was already complained
 * about.  Loading goes on until the errors stop being shown.
 *
 * Recursion follows the tables' nesting, which the program fixes.
 */
#include "conf/conf.h"

#include <assert.h>

#include "base/secret.h"
#include "conf/node.h"
#include "conf/row.h"
#include "conf/value.h"

enum { WHERE_MAX = 256, NAMES_MAX = 128, QUOTE_MAX = 64 };

struct loader {
    struct conf_diag *diag;
    struct arena *arena;
    struct conf_origins *origins;
    struct buf text;       /* the scalar at hand, expanded */
    size_t expanded;       /* bytes so far                 */
    char names[NAMES_MAX]; /* variables in it              */
    char path[WHERE_MAX];  /* "upstreams[0].url"           */
};

/* Returns what path_pop wants back. */
__attribute__((format(printf, 2, 3))) static size_t
path_push(struct loader *l, const char *fmt, ...)
{
    size_t n = strlen(l->path);
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(l->path + n, sizeof l->path - n, fmt, ap);
    va_end(ap);
    return n;
}

static void
path_pop(struct loader *l, size_t n)
{
    l->path[n] = '\0';
}

static bool
is_null(const struct node *node)
{
    return node->kind == NODE_SCALAR && node->plain &&
           (node->text.n == 0 || str_eq(node->text, STR("~")) ||
            str_ieq(node->text, STR("null")));
}

static void
note(struct loader *l, const void *field, enum conf_source source, const struct node *node)
{
    struct conf_origin o = {.field = field, .source = source, .at = node->at};

    if (source == CONF_FILE && l->names[0])
        o.env = arena_dup(l->arena, str_z(l->names));
    conf_origins_add(l->origins, o);
}

/* Says what the row wants and what stood there: as written, never what a variable held, and
 * nothing at all of a secret. */
static void
wrong(struct loader *l, const struct conf_row *row, const struct node *node)
{
    char words[ROW_WORDS_MAX], hint[128] = "";
    const char *what = l->path[0] ? l->path : "the file";
    struct conf_guess guess;

    row_words(row, words);
    if (node->kind != NODE_SCALAR) {
        if (node->kind != NODE_BAD)
            conf_error(l->diag, node->at, "%s must be %s; got a %s", what, words,
                       node->kind == NODE_MAP ? "section of keys" : "list");
        return;
    }
    if (row->type == CONF_SECRET) {
        conf_error(l->diag, node->at, "%s must be %s", what, words);
        return;
    }
    conf_guess_init(&guess, node->text);
    row_guess(row, &guess);
    conf_error(l->diag, node->at, "%s must be %s; got \"%.*s%s\"%s%s", what, words,
               (int)(node->text.n < QUOTE_MAX ? node->text.n : QUOTE_MAX), node->text.p,
               node->text.n > QUOTE_MAX ? "..." : "",
               l->names[0] ? " with its variables replaced" : "",
               conf_guess_text(&guess, hint, sizeof hint));
}

/* Expands a scalar into l->text. */
static bool
expand(struct loader *l, const struct node *node)
{
    struct tg_err err;

    if (l->text.p)
        secret_wipe(l->text.p, l->text.cap);
    buf_clear(&l->text);
    if (value_expand(node->text, &l->text, l->names, sizeof l->names, &err) != TG_OK) {
        conf_error(l->diag, node->at, "%s: %s", l->path, err.msg);
        return false;
    }
    l->expanded += buf_str(&l->text).n;
    if (l->expanded > CONF_EXPANDED_BYTES_MAX) {
        conf_error(l->diag, node->at, "the file is larger than %d bytes after expansion",
                   CONF_EXPANDED_BYTES_MAX);
        return false;
    }
    return true;
}

static bool
load_scalar(struct loader *l, const struct conf_row *row, const struct node *node, void *field)
{
    struct tg_err err;
    tg_rc rc;

    l->names[0] = '\0';
    if (node->kind != NODE_SCALAR) {
        wrong(l, row, node);
        return false;
    }
    if (!expand(l, node))
        return false;
    rc = row_set(row, buf_str(&l->text), field, l->arena, &err);
    if (rc == TG_EINVAL)
        wrong(l, row, node);
    else if (rc != TG_OK)
        conf_error(l->diag, node->at, "%s: %s", l->path, err.msg);
    return rc == TG_OK;
}

static bool
count_fits(struct loader *l, const struct conf_row *row, const struct node *node, size_t n)
{
    if (n > row_list_max(row)) {
        conf_error(l->diag, node->at, "%s may have at most %zu elements; got %zu", l->path,
                   row_list_max(row), n);
        return false;
    }
    if (row->min > 0 && n < (size_t)row->min) {
        conf_error(l->diag, node->at, "%s must not be empty", l->path);
        return false;
    }
    return true;
}

static bool
load_strings(struct loader *l, const struct conf_row *row, const struct node *node, void *base)
{
    bool list = node->kind == NODE_LIST, ok = true;
    size_t n = list ? node->n : 1, i = 0;
    struct str *v;

    if (!list && node->kind != NODE_SCALAR) {
        wrong(l, row, node);
        return false;
    }
    if (!count_fits(l, row, node, n))
        return false;
    v = arena_array(l->arena, struct str, n);
    for (const struct node *item = list ? node->first : node; i < n; item = item->next, i++) {
        size_t at = list ? path_push(l, "[%zu]", i) : strlen(l->path);

        if (load_scalar(l, row, item, &v[i]))
            note(l, &v[i], CONF_FILE, item);
        else
            ok = false;
        path_pop(l, at);
    }
    if (!ok)
        return false;
    *(struct str **)row_field(row, base) = v;
    *row_count(row, base) = (unsigned)n;
    return true;
}

static void load_section(struct loader *l, const struct conf_table *t, const struct node *node,
                         void *base);

static bool
load_sections(struct loader *l, const struct conf_row *row, const struct node *node, void *base)
{
    size_t size = row->table->size, i = 0;
    char *v;

    if (node->kind != NODE_LIST) {
        wrong(l, row, node);
        return false;
    }
    if (!count_fits(l, row, node, node->n))
        return false;
    v = arena_alloc_array(l->arena, node->n + row->spare, size, _Alignof(max_align_t));
    *(char **)row_field(row, base) = v;
    *row_count(row, base) = node->n;
    for (const struct node *item = node->first; item; item = item->next, i++) {
        size_t at = path_push(l, "[%zu]", i);

        conf_defaults(row->table, v + i * size, l->arena);
        load_section(l, row->table, item, v + i * size);
        path_pop(l, at);
    }
    return true;
}

static void
load_row(struct loader *l, const struct conf_row *row, const struct node *node, void *base)
{
    void *field = row_field(row, base);
    bool ok;

    switch (row->type) {
    case CONF_SECTION:
        load_section(l, row->table, node, field);
        return;
    case CONF_SECTIONS:
        ok = load_sections(l, row, node, base);
        l->names[0] = '\0';
        break;
    case CONF_STRINGS:
        ok = load_strings(l, row, node, base);
        l->names[0] = '\0';
        break;
    default:
        ok = load_scalar(l, row, node, field);
        break;
    }
    note(l, field, ok ? CONF_FILE : CONF_BAD, node);
}

static const struct conf_row *
find_row(const struct conf_table *t, struct str key)
{
    for (size_t i = 0; i < t->n; i++) {
        if (str_eq(str_z(t->rows[i].key), key))
            return &t->rows[i];
    }
    return NULL;
}

static void
unknown_key(struct loader *l, const struct conf_table *t, const struct node *key)
{
    char hint[128] = "", known[512];
    struct conf_guess guess;
    size_t used = 0;

    conf_guess_init(&guess, key->text);
    known[0] = '\0';
    for (size_t i = 0; i < t->n; i++) {
        conf_guess_offer(&guess, str_z(t->rows[i].key));
        if (used < sizeof known)
            used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "",
                                     t->rows[i].key);
    }
    if (guess.best.n)
        conf_guess_text(&guess, hint, sizeof hint);
    conf_error(l->diag, key->at, "unknown key \"%.*s%s\"%s%s%s%s%s",
               (int)(key->text.n < QUOTE_MAX ? key->text.n : QUOTE_MAX), key->text.p,
               key->text.n > QUOTE_MAX ? "..." : "", l->path[0] ? " in " : "", l->path, hint,
               hint[0] ? "" : "; known here: ", hint[0] ? "" : known);
}

/* The struct is filled: options that make no sense in it may not have been set. */
static void
check_applies(struct loader *l, const struct conf_table *t, const struct node *node,
              const void *base)
{
    for (const struct node *key = node->first; key; key = key->next) {
        const struct conf_row *row = find_row(t, key->text);

        if (!row || !row->applies || is_null(key->value) || row->applies(base))
            continue;
        if (row->type == CONF_STRING &&
            ((const struct str *)row_field_const(row, base))->n == 0)
            continue;
        conf_error(l->diag, key->at, "%s%s%s is only for %s", l->path, l->path[0] ? "." : "",
                   row->key, row->only_for);
    }
}

static void
check_required(struct loader *l, const struct conf_table *t, const struct node *node,
               void *base, uint64_t seen, bool silent)
{
    for (size_t i = 0; i < t->n; i++) {
        if (!(t->rows[i].flags & CONF_REQUIRED) || (seen >> i & 1))
            continue;
        if (!silent)
            conf_error(l->diag, node->at, "%s%s%s is missing", l->path, l->path[0] ? "." : "",
                       t->rows[i].key);
        note(l, row_field(&t->rows[i], base), CONF_BAD, node);
    }
}

static void
load_section(struct loader *l, const struct conf_table *t, const struct node *node, void *base)
{
    static const struct conf_row a_section = {.type = CONF_SECTION};
    uint64_t named = 0, seen = 0;
    unsigned errors = l->diag->errors;

    if (t->pos_at)
        *(struct conf_pos *)(void *)((char *)base + t->pos_at - 1) = node->at;
    if (is_null(node)) {
        check_required(l, t, node, base, 0, false);
        return;
    }
    if (node->kind != NODE_MAP) {
        wrong(l, &a_section, node);
        check_required(l, t, node, base, 0, true);
        return;
    }
    for (const struct node *key = node->first; key; key = key->next) {
        const struct conf_row *row = find_row(t, key->text);
        uint64_t bit = row ? UINT64_C(1) << (row - t->rows) : 0;
        size_t at;

        if (l->diag->errors > CONF_ERRORS_MAX)
            return;
        if (!row) {
            unknown_key(l, t, key);
            continue;
        }
        if (named & bit) {
            conf_error(l->diag, key->at, "%s%s%s is set twice", l->path, l->path[0] ? "." : "",
                       row->key);
            continue;
        }
        named |= bit;
        if (is_null(key->value))
            continue;
        seen |= bit;
        at = path_push(l, "%s%s", l->path[0] ? "." : "", row->key);
        load_row(l, row, key->value, base);
        path_pop(l, at);
    }
    check_required(l, t, node, base, seen, false);
    if (l->diag->errors == errors)
        check_applies(l, t, node, base);
}

static void
default_strings(const struct conf_row *row, void *base, struct arena *a)
{
    struct str *v = arena_array(a, struct str, 1);
    tg_rc rc = row_set(row, str_z(row->text), v, a, NULL);

    assert(rc == TG_OK);
    (void)rc;
    *(struct str **)row_field(row, base) = v;
    *row_count(row, base) = 1;
}

void
conf_defaults(const struct conf_table *t, void *base, struct arena *a)
{
    assert(t->n <= 64);
    for (size_t i = 0; i < t->n; i++) {
        const struct conf_row *row = &t->rows[i];
        void *field = row_field(row, base);

        if (row->type == CONF_SECTION) {
            conf_defaults(row->table, field, a);
        } else if (row->type == CONF_SECTIONS) {
            *(char **)field =
                arena_alloc_array(a, row->spare, row->table->size, _Alignof(max_align_t));
            *row_count(row, base) = 0;
        } else if (row->text && row->type == CONF_STRINGS) {
            default_strings(row, base, a);
        } else if (row->text) {
            tg_rc rc = row_set(row, str_z(row->text), field, a, NULL);

            assert(rc == TG_OK);
            (void)rc;
        }
    }
}

tg_rc
conf_load(struct str text, const struct conf_table *t, void *base, struct arena *a,
          struct conf_origins *o, struct conf_diag *d)
{
    struct loader l = {.diag = d, .arena = a, .origins = o};
    unsigned errors = d->errors;
    struct node *root = NULL;
    struct arena tree;
    tg_rc rc;

    arena_init(&tree);
    buf_init(&l.text, CONF_VALUE_BYTES_MAX);
    conf_defaults(t, base, a);
    rc = node_parse(text, &tree, d, &root);
    if (rc == TG_OK && root)
        load_section(&l, t, root, base);
    conf_origins_sort(o);
    node_wipe(root);
    if (l.text.p)
        secret_wipe(l.text.p, l.text.cap);
    buf_fini(&l.text);
    arena_fini(&tree);
    return rc == TG_OK && d->errors == errors ? TG_OK : TG_ECONFIG;
}
