/* carry_test.c -- the carry tables against the codecs: tests/golden/DIALECT/carry/features.md
 * holds a request for each feature that a dialect's clients can ask for; each goes to every
 * other dialect, and what happened must be what that dialect's table says.
 *
 * A fence is "DIALECT carry FEATURE", its body the request.  Run in the tree's root.
 */
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"
#include "dialect/request.h"
#include "json/scan.h"

enum { TEXT_MAX = 1 << 20 };

static const char *const names[] = {
#define X(name, text) #name,
    CARRY_FEATURES(X)
#undef X
};

static const char *const marks[] = {"nothing", "kept", "changed", "dropped", "refused"};

static unsigned faults;

static struct str
read_file(struct arena *a, const char *path)
{
    FILE *f = fopen(path, "r");
    char *text = arena_alloc(a, TEXT_MAX, 1);
    size_t n;

    if (!f)
        return (struct str){NULL, 0};
    n = fread(text, 1, TEXT_MAX, f);
    fclose(f);
    return str_of(text, n);
}

/* The body of the fence of that feature, or "". */
static struct str
sample(struct arena *a, struct str text, const char *dialect, size_t feature)
{
    struct str head = arena_printf(a, "```%s carry %s\n", dialect, names[feature]);
    const char *at = text.n ? memmem(text.p, text.n, head.p, head.n) : NULL;
    const char *end;

    if (!at)
        return (struct str){NULL, 0};
    at += head.n;
    end = memmem(at, (size_t)(text.p + text.n - at), "\n```", 4);
    assert_non_null(end);
    return str_of(at, (size_t)(end - at));
}

static bool
agrees(enum carry_mark said, tg_rc rc, unsigned n_drops)
{
    switch (said) {
    case CARRY_KEPT:
        return rc == TG_OK && n_drops == 0;
    case CARRY_CHANGED:
        return rc == TG_OK;
    case CARRY_DROPPED:
        return rc == TG_OK && n_drops > 0;
    case CARRY_REFUSED:
        return rc != TG_OK;
    default:
        return false;
    }
}

static void
compare(const struct dialect *from, const struct dialect *to, size_t feature, struct str body)
{
    struct dialect_route route = {.model = STR("m"), .max_tokens = 4096};
    enum carry_mark said = to->carry[feature].mark;
    struct ir_adapt *adapt = NULL;
    struct ir_drops drops = {0};
    struct tg_err err = {0};
    struct ir_req req = {0};
    struct arena a;
    struct buf out;
    tg_rc rc;

    arena_init(&a);
    buf_init(&out, TEXT_MAX);
    to->caps(CAPS_SERVER_AUTO, route.model, &route.caps);
    rc = from->decode_req(&a, body, &req, &err);
    if (rc == TG_OK)
        rc = dialect_put_request(&a, to, &req, &route, &out, &adapt, &drops, &err);
    if (!agrees(said, rc, drops.n)) {
        print_error("%s from %s to %s: the table says %s; %s %s, %u drops (%.*s)\n",
                    names[feature], from->name, to->name, marks[said], tg_rc_name(rc),
                    rc == TG_OK ? "" : err.msg, drops.n, drops.n ? (int)drops.name[0].n : 0,
                    drops.n ? drops.name[0].p : "");
        faults++;
    }
    if (rc != TG_OK && !err.param[0]) {
        print_error("%s from %s to %s: refused without a field\n", names[feature], from->name,
                    to->name);
        faults++;
    }
    buf_fini(&out);
    arena_fini(&a);
}

static void
tables_say_what_codecs_do(void **state)
{
    (void)state;
    faults = 0;
    for (const struct dialect *const *from = dialect_all(); *from; from++) {
        struct arena a;
        struct str text;

        arena_init(&a);
        text = read_file(
            &a, arena_printf(&a, "tests/golden/%s/carry/features.md", (*from)->name).p);
        for (size_t i = 0; i < CARRY_FEATURE_N; i++) {
            struct str body = sample(&a, text, (*from)->name, i);

            if (text.n && (body.n > 0) != (*from)->carry[i].asks) {
                print_error("%s of %s: %s\n", names[i], (*from)->name,
                            body.n ? "has a request, but the table says nobody can ask"
                                   : "has no request");
                faults++;
            }
            for (const struct dialect *const *to = dialect_all(); *to && body.n; to++)
                if (*to != *from)
                    compare(*from, *to, i, body);
        }
        arena_fini(&a);
    }
    assert_int_equal(faults, 0);
}

static void
no_cell_is_left_out(void **state)
{
    (void)state;
    for (const struct dialect *const *d = dialect_all(); *d; d++)
        for (size_t i = 0; i < CARRY_FEATURE_N; i++)
            if ((*d)->carry[i].mark == CARRY_ABSENT)
                fail_msg("%s says nothing of %s", (*d)->name, names[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_cell_is_left_out),
        cmocka_unit_test(tables_say_what_codecs_do),
    };

    return cmocka_run_group_tests_name("dialect/carry", tests, NULL, NULL);
}
