/* name.c -- names of tools that a model takes, for those that it does not.
 *
 * A name that is too long, or has other characters than letters, digits, _ and -, is replaced:
 * its first bytes, what is not legal as _, then _ and eight digits of a hash of the whole name.
 * The rule needs no memory, so history and tools agree, today and after a restart.  Among the
 * tools of one request two names never become the same: the second takes the hash of another
 * round, until it is alone.
 *
 * A call in the answer gets its name back from the request's own tools; a name that the model
 * made up stays as it is.
 */
#include "ir/adapt_int.h"

#include <stdlib.h>

#include "base/ascii.h"
#include "base/hash.h"

enum { SUFFIX = 9 };

bool
adapt_name_fits(const struct adapt_fit *fit, struct str name)
{
    unsigned max = fit->route->caps.tool_name_max;

    if (max && name.n > max)
        return false;
    return ascii_all(name, ascii_is_word);
}

static struct str
replace(const struct adapt_fit *fit, struct str name, unsigned round)
{
    uint64_t hash = hash_add(HASH_EMPTY + round, name);
    unsigned max = fit->route->caps.tool_name_max;
    size_t keep = max == 0 ? name.n : max > SUFFIX ? max - SUFFIX : 0;
    char *p;

    if (keep > name.n)
        keep = name.n;
    p = arena_alloc(fit->a, keep, 1);
    for (size_t i = 0; i < keep; i++)
        p[i] = ascii_is_word(name.p[i]) ? name.p[i] : '_';
    return arena_printf(fit->a, "%.*s_%08x", (int)keep, p, (unsigned)(hash ^ hash >> 32));
}

static int
compare(const void *left, const void *right)
{
    const struct adapt_name *a = left, *b = right;

    if (a->name.n != b->name.n)
        return a->name.n < b->name.n ? -1 : 1;
    return a->name.n ? memcmp(a->name.p, b->name.p, a->name.n) : 0;
}

static const struct adapt_name *
find_name(const struct adapt_fit *fit, struct str name)
{
    struct adapt_name key = {.name = name};

    if (!fit->adapt || fit->adapt->n_names == 0)
        return NULL;
    return bsearch(&key, fit->adapt->names, fit->adapt->n_names, sizeof key, compare);
}

/* Is shown what the model sees of another tool of the request? */
static bool
is_taken(const struct adapt_fit *fit, struct str shown)
{
    for (const struct ir_tool *t = fit->out->tools; t; t = t->next)
        if (str_eq(t->name, shown))
            return true;
    for (size_t i = 0; i < fit->adapt->n_names; i++)
        if (str_eq(fit->adapt->names[i].shown, shown))
            return true;
    return false;
}

struct str
adapt_shown(const struct adapt_fit *fit, struct str name)
{
    const struct adapt_name *n = find_name(fit, name);

    if (n)
        return n->shown;
    return adapt_name_fits(fit, name) ? name : replace(fit, name, 0);
}

struct str
adapt_restored(const struct ir_adapt *ad, struct str shown)
{
    for (size_t i = 0; i < ad->n_names; i++)
        if (str_eq(ad->names[i].shown, shown))
            return ad->names[i].name;
    return shown;
}

/* A provider's tool goes by its type, which is not ours to change. */
static bool
needs_another(const struct adapt_fit *fit, const struct ir_tool *t)
{
    return !t->hosted_by && !adapt_name_fits(fit, t->name);
}

/* The names that need another one, in the order of the tools: who comes first keeps the plain
 * rule. */
static void
make_names(struct adapt_fit *fit, size_t n)
{
    struct ir_adapt *ad = adapt_undo(fit);

    ad->names = arena_array(fit->a, struct adapt_name, n);
    for (const struct ir_tool *t = fit->out->tools; t; t = t->next) {
        struct adapt_name *new = &ad->names[ad->n_names];
        unsigned round = 0;
        size_t i = 0;

        if (!needs_another(fit, t))
            continue;
        while (i < ad->n_names && !str_eq(ad->names[i].name, t->name))
            i++;
        if (i < ad->n_names)
            continue;
        new->name = t->name;
        do
            new->shown = replace(fit, t->name, round++);
        while (is_taken(fit, new->shown));
        ad->n_names++;
    }
    qsort(ad->names, ad->n_names, sizeof *ad->names, compare);
}

void
adapt_name_tools(struct adapt_fit *fit)
{
    struct ir_tool *head = NULL, **tail = &head;
    size_t n = 0;

    for (const struct ir_tool *t = fit->out->tools; t; t = t->next)
        n += needs_another(fit, t);
    if (n == 0)
        return;
    make_names(fit, n);
    for (const struct ir_tool *t = fit->out->tools; t; t = t->next, tail = &(*tail)->next) {
        *tail = arena_new(fit->a, struct ir_tool);
        **tail = *t;
        (*tail)->next = NULL;
        if (needs_another(fit, t))
            (*tail)->name = adapt_shown(fit, t->name);
    }
    fit->out->tools = head;
    if (fit->out->tool_choice == IR_CHOICE_NAMED)
        fit->out->tool_name = adapt_shown(fit, fit->out->tool_name);
}
