/* param.c -- reading a rule: a verb, a name, and what the verb wants besides.
 *
 * A rule is checked as far as it can be without a request, so that a mistake is told when the
 * configuration is read.  Names are plain words: they are compared with the keys of bodies and
 * written as keys without escapes.  A message never quotes the rule, which may hold what a
 * variable held.
 */
#include "policy/param.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/ascii.h"
#include "conf/conf.h"
#include "policy/param_int.h"
#include "json/scan.h"

struct form {
    const char *verb;
    enum param_what what;
    const char *reads;
};

static const struct form forms[] = {
    {"drop", PARAM_DROP, "drop NAME"},
    {"refuse", PARAM_REFUSE, "refuse NAME"},
    {"rename", PARAM_RENAME, "rename NAME NEW"},
    {"clamp", PARAM_CLAMP, "clamp NAME MIN MAX"},
    {"default", PARAM_DEFAULT, "default NAME JSON"},
};

__attribute__((format(printf, 2, 3))) static tg_rc
bad(struct tg_err *err, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    if (vsnprintf(text, sizeof text, fmt, ap) < 0)
        text[0] = '\0';
    va_end(ap);
    return tg_fail(err, TG_EINVAL, TG_ERR_INVALID_REQUEST, "config", "%s", text);
}

tg_rc
param_number(struct str text, struct param_number *ret)
{
    struct param_number n = {.text = text};
    tg_rc rc = json_double(text, &n.d);

    if (rc == TG_ELIMIT)
        n.d = str_starts(text, STR("-")) ? -HUGE_VAL : HUGE_VAL;
    else if (rc != TG_OK)
        return rc;
    n.whole = json_i64(text, &n.i) == TG_OK;
    *ret = n;
    return TG_OK;
}

bool
param_less(const struct param_number *a, const struct param_number *b)
{
    return a->whole && b->whole ? a->i < b->i : a->d < b->d;
}

static struct str
next_word(struct str *rest)
{
    struct str word = str_cut(*rest, ' ', rest);

    *rest = str_trim(*rest);
    return word;
}

static bool
is_word(struct str s)
{
    return s.n > 0 && ascii_all(s, ascii_is_word);
}

/* "top" or "top.sub"; what is the manual's word for the name. */
static tg_rc
split_name(struct str name, const char *what, struct str *ret_top, struct str *ret_sub,
           struct tg_err *err)
{
    size_t dot = str_find(name, '.');
    struct str top = str_of(name.p, dot), sub = str_from(name, dot + 1);

    if (name.n > PARAM_NAME_MAX || !is_word(top) || (dot < name.n && !is_word(sub)))
        return bad(err,
                   "%s must be letters, digits, \"_\" and \"-\" with at most one dot between "
                   "them, at most %d bytes",
                   what, PARAM_NAME_MAX);
    /* What it says decides how the answer is read. */
    if (str_eq(top, STR("stream")))
        return bad(err, "\"stream\" is the gateway's own and no rule may name it");
    *ret_top = top;
    *ret_sub = sub;
    return TG_OK;
}

static tg_rc
parse_rename(struct str new_name, struct param_rule *r, struct tg_err *err)
{
    struct str top = {NULL, 0}, sub = top;
    tg_rc rc = split_name(new_name, "NEW", &top, &sub, err);

    if (rc != TG_OK)
        return rc;
    if ((r->sub.n > 0) != (sub.n > 0) || (sub.n && !str_eq(top, r->top)))
        return bad(err, "NEW must be a member of the same object as NAME");
    if (str_eq(new_name, r->name))
        return bad(err, "NEW must be another name than NAME");
    r->to = sub.n ? sub : top;
    return TG_OK;
}

static tg_rc
parse_clamp(struct str min, struct str max, struct param_rule *r, struct tg_err *err)
{
    if (param_number(min, &r->min) != TG_OK || param_number(max, &r->max) != TG_OK ||
        !isfinite(r->min.d) || !isfinite(r->max.d))
        return bad(err, "MIN and MAX must be JSON numbers");
    if (param_less(&r->max, &r->min))
        return bad(err, "MIN must not be above MAX");
    return TG_OK;
}

static tg_rc
parse_default(struct arena *a, struct str json, struct param_rule *r, struct tg_err *err)
{
    struct tg_err why;

    if (json_check(json, PARAM_JSON_DEPTH_MAX, &why) != TG_OK)
        return bad(err, "JSON must be one JSON value: %s", why.msg);
    if (json_kind_of(json) == JSON_NULL)
        return bad(err, "JSON must not be null, which says nothing");
    r->value = json;
    if (r->sub.n)
        r->object = arena_printf(a, "{\"%.*s\":%.*s}", STR_ARG(r->sub), STR_ARG(json));
    return TG_OK;
}

static const struct form *
find_form(struct str verb, struct tg_err *err)
{
    struct conf_guess guess;
    char hint[64];

    conf_guess_init(&guess, verb);
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (str_eq(verb, str_z(forms[i].verb)))
            return &forms[i];
        conf_guess_offer(&guess, str_z(forms[i].verb));
    }
    bad(err, "must begin with drop, refuse, rename, clamp or default%s",
        conf_guess_text(&guess, hint, sizeof hint));
    return NULL;
}

tg_rc
param_parse(struct arena *a, struct str text, struct param_rule *ret, struct tg_err *err)
{
    struct str rest = str_trim(arena_dup(a, text)), name, first, second = {NULL, 0};
    const struct form *form = find_form(next_word(&rest), err);
    struct param_rule r = {.what = PARAM_DROP};
    bool fits;
    tg_rc rc;

    if (!form)
        return TG_EINVAL;
    r.what = form->what;
    name = next_word(&rest);
    first = form->what == PARAM_DEFAULT ? rest : next_word(&rest);
    if (form->what == PARAM_CLAMP)
        second = next_word(&rest);
    switch (form->what) {
    case PARAM_RENAME:
        fits = first.n && !rest.n;
        break;
    case PARAM_CLAMP:
        fits = second.n && !rest.n;
        break;
    case PARAM_DEFAULT:
        fits = first.n;
        break;
    default:
        fits = !first.n;
        break;
    }
    if (!name.n || !fits)
        return bad(err, "must read \"%s\"", form->reads);
    r.name = arena_dup(a, name);
    rc = split_name(r.name, "NAME", &r.top, &r.sub, err);
    if (rc == TG_OK && r.what == PARAM_RENAME)
        rc = parse_rename(first, &r, err);
    else if (rc == TG_OK && r.what == PARAM_CLAMP)
        rc = parse_clamp(first, second, &r, err);
    else if (rc == TG_OK && r.what == PARAM_DEFAULT)
        rc = parse_default(a, first, &r, err);
    if (rc == TG_OK)
        *ret = r;
    return rc;
}
