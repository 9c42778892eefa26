/* value.c -- durations, sizes, and the environment in text.
 *
 * A duration is kept in milliseconds and a size in bytes; both print as the shortest text that
 * reads back as the same number.  Expansion looks at its text once: what a variable holds is
 * never looked at for further variables.
 */
#include "conf/value.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/ascii.h"
#include "base/num.h"

tg_rc
value_bool(struct str s, bool *ret)
{
    bool yes = str_eq(s, STR("true"));

    if (!yes && !str_eq(s, STR("false")))
        return TG_EINVAL;
    *ret = yes;
    return TG_OK;
}

struct unit {
    const char *name;
    int64_t factor;
};

/* Seconds without a unit.  "ms" stands before "s": the longer end is tried first. */
static const struct unit time_units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {NULL, 0}};
static const struct unit size_units[] = {
    {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"B", 1}, {NULL, 0}};

/* Cuts the unit off *s and returns its factor, or `plain` when there is none. */
static int64_t
cut_unit(struct str *s, const struct unit *units, int64_t plain)
{
    for (; units->name; units++) {
        struct str name = str_z(units->name);

        if (str_ends(*s, name)) {
            *s = str_trim(str_of(s->p, s->n - name.n));
            return units->factor;
        }
    }
    return plain;
}

tg_rc
value_seconds(struct str s, int64_t *ret_ms)
{
    int64_t factor = cut_unit(&s, time_units, 1000), product;
    struct str part;
    uint64_t milli;
    tg_rc rc = num_milli(s, INT64_MAX, &milli);

    if (rc != TG_OK)
        return rc;
    if (__builtin_mul_overflow((int64_t)milli, factor, &product))
        return TG_ELIMIT;
    /* num_milli cuts what lies behind the third digit; a time that is no whole number of
     * milliseconds is refused rather than shortened in silence. */
    (void)str_cut(s, '.', &part);
    for (size_t i = 3; i < part.n; i++) {
        if (part.p[i] != '0')
            return TG_EINVAL;
    }
    if (product % 1000)
        return TG_EINVAL;
    *ret_ms = product / 1000;
    return TG_OK;
}

tg_rc
value_bytes(struct str s, int64_t *ret)
{
    int64_t factor = cut_unit(&s, size_units, 1), product;
    uint64_t n;
    tg_rc rc = num_u64(s, INT64_MAX, &n);

    if (rc != TG_OK)
        return rc;
    if (__builtin_mul_overflow((int64_t)n, factor, &product))
        return TG_ELIMIT;
    *ret = product;
    return TG_OK;
}

void
value_put_seconds(int64_t ms, char out[VALUE_TEXT_MAX])
{
    int n = snprintf(out, VALUE_TEXT_MAX, "%" PRId64 ".%03d", ms / 1000, (int)(ms % 1000));

    while (out[n - 1] == '0')
        out[--n] = '\0';
    if (out[n - 1] == '.')
        out[n - 1] = '\0';
}

void
value_put_bytes(int64_t n, char out[VALUE_TEXT_MAX])
{
    const char *unit = "";

    for (int i = 2; i >= 0; i--) {
        if (n > 0 && n % size_units[i].factor == 0) {
            n /= size_units[i].factor;
            unit = size_units[i].name;
            break;
        }
    }
    snprintf(out, VALUE_TEXT_MAX, "%" PRId64 "%s", n, unit);
}

static bool
is_name(struct str s)
{
    for (size_t i = 0; s.p && i < s.n; i++) {
        char c = s.p[i];
        bool letter = ascii_is_letter(c) || c == '_';

        if (!letter && !(i > 0 && ascii_is_digit(c)))
            return false;
    }
    return s.n > 0;
}

static tg_rc
fail(struct tg_err *err, const char *what, struct str text)
{
    return tg_fail(err, TG_ECONFIG, TG_ERR_INTERNAL, "config", "%s ${%.*s}", what,
                   (int)(text.n < 80 ? text.n : 80), text.p ? text.p : "");
}

static void
add_name(char *names, size_t n, struct str name)
{
    size_t used = strlen(names);

    snprintf(names + used, n - used, "%s%.*s", used ? ", " : "", STR_ARG(name));
}

/* inside: what stands between the braces. */
static tg_rc
put_variable(struct str inside, struct buf *out, char *names, size_t names_n,
             struct tg_err *err)
{
    size_t colon = str_find(inside, ':');
    struct str name = str_of(inside.p, colon), fallback = str_from(inside, colon);
    const char *value;
    char z[128];

    if (!is_name(name) || name.n >= sizeof z ||
        (fallback.n && !str_starts(fallback, STR(":-"))))
        return fail(err, "expected ${NAME} or ${NAME:-default}, got", inside);
    if (memmem(inside.p, inside.n, "${", 2))
        return fail(err, "a variable inside the default of another is not supported:", inside);
    memcpy(z, name.p, name.n);
    z[name.n] = '\0';
    add_name(names, names_n, name);
    value = getenv(z);
    if (fallback.n && (!value || !*value))
        return buf_append(out, str_from(fallback, 2));
    if (!value)
        return tg_fail(err, TG_ECONFIG, TG_ERR_INTERNAL, "config",
                       "environment variable %s is not set; set it, or write ${%s:-} if it may "
                       "be missing",
                       z, z);
    return buf_append(out, str_z(value));
}

tg_rc
value_expand(struct str text, struct buf *out, char *ret_names, size_t names_n,
             struct tg_err *err)
{
    tg_rc rc = TG_OK;

    ret_names[0] = '\0';
    while (rc == TG_OK && text.n) {
        size_t at = str_find(text, '$'), end;
        char next = at + 1 < text.n ? text.p[at + 1] : '\0';

        rc = buf_append(out, str_of(text.p, at));
        if (rc != TG_OK || at == text.n)
            break;
        text = str_from(text, at);
        if (next != '{') {
            /* $$ is one dollar; a dollar before anything else is itself. */
            rc = buf_putc(out, '$');
            text = str_from(text, next == '$' ? 2 : 1);
            continue;
        }
        end = str_find(text, '}');
        if (end == text.n)
            return tg_fail(err, TG_ECONFIG, TG_ERR_INTERNAL, "config",
                           "\"${\" has no closing brace; a dollar sign before a brace is "
                           "written $${");
        rc = put_variable(str_of(text.p + 2, end - 2), out, ret_names, names_n, err);
        text = str_from(text, end + 1);
    }
    if (rc == TG_ELIMIT)
        return tg_fail(err, TG_ELIMIT, TG_ERR_INTERNAL, "config", "the value is too long");
    return rc;
}
