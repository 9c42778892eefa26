/* json_scan.c -- fuzz target: the checker, the iterators and the values must tell one story.
 *
 * A text that json_check takes is walked to its last value: every span lies inside its parent,
 * the iterators end without complaint, scalars can be read, and writing the strings anew gives
 * JSON that reads back the same.  A text that it refuses is walked all the same, for the
 * sanitizers.
 */
#include <stdint.h>
#include <stdlib.h>

#include "json/scan.h"
#include "json/tree.h"
#include "json/write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(cond)                                                                             \
    do {                                                                                       \
        if (!(cond))                                                                           \
            abort();                                                                           \
    } while (0)

struct walk {
    struct arena a;
    struct buf b;
    bool checked;
    bool half_pair; /* a string with a lone surrogate was met: json_tree refuses those */
};

static bool
inside(struct str part, struct str whole)
{
    return part.p >= whole.p && part.p + part.n <= whole.p + whole.n;
}

static void
scalar(struct walk *w, struct str value, enum json_kind kind)
{
    struct str text, again;
    struct json_out o;
    int64_t i;
    double d;
    bool truth;
    tg_rc rc;

    switch (kind) {
    case JSON_STRING:
        rc = json_string(&w->a, value, &text);
        if (rc != TG_OK) {
            w->half_pair = true;
            return;
        }
        buf_clear(&w->b);
        json_begin(&o, &w->b);
        json_str(&o, text);
        MUST(json_end(&o) == TG_OK);
        MUST(json_check(buf_str(&w->b), 0, NULL) == TG_OK);
        MUST(json_string(&w->a, buf_str(&w->b), &again) == TG_OK);
        MUST(!w->checked || str_eq(text, again));
        return;
    case JSON_NUMBER:
        rc = json_double(value, &d);
        MUST(!w->checked || rc == TG_OK || rc == TG_ELIMIT);
        if (json_i64(value, &i) == TG_OK && i > -(INT64_C(1) << 53) && i < INT64_C(1) << 53)
            MUST(rc == TG_OK && d == (double)i);
        return;
    case JSON_TRUE:
    case JSON_FALSE:
        MUST(!w->checked ||
             (json_bool(value, &truth) == TG_OK && truth == (kind == JSON_TRUE)));
        return;
    default:
        MUST(!w->checked || kind == JSON_NULL);
    }
}

/* Recursion: as deep as the text nests, at most JSON_DEPTH_MAX. */
static void
value(struct walk *w, struct str text, unsigned depth)
{
    enum json_kind kind = json_kind_of(text);
    struct json_member m, found;
    struct json_iter it;
    tg_rc rc;

    if (kind != JSON_OBJECT && kind != JSON_ARRAY) {
        scalar(w, text, kind);
        return;
    }
    if (depth == JSON_DEPTH_MAX) {
        MUST(!w->checked);
        return;
    }
    rc = kind == JSON_OBJECT ? json_object(&it, text) : json_array(&it, text);
    MUST(rc == TG_OK);
    while (json_next(&it, &m)) {
        MUST(inside(m.whole, text) && inside(m.value, m.whole));
        MUST(m.kind == json_kind_of(m.value));
        if (kind == JSON_OBJECT) {
            struct str key;

            MUST(inside(m.key, m.whole));
            scalar(w, str_of(m.key.p - 1, m.key.n + 2), JSON_STRING);
            /* The last of this name may be another member, but there is one. */
            if (w->checked && m.key.n < 64 &&
                json_string(&w->a, str_of(m.key.p - 1, m.key.n + 2), &key) == TG_OK)
                MUST(json_get(text, key, &found) && found.whole.p >= m.whole.p);
        }
        value(w, m.value, depth + 1);
    }
    MUST(!w->checked || it.rc == TG_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_of((const char *)data, size);
    struct walk w = {.checked = false};
    struct json_node *root;
    struct tg_err err;
    tg_rc rc;

    /* Looking each key up again is quadratic. */
    if (size > 4096)
        return 0;
    arena_init(&w.a);
    buf_init(&w.b, 8 * size + 16);
    rc = json_check(text, JSON_DEPTH_MAX, &err);
    MUST(rc == TG_OK || (rc == err.rc && err.msg[0] != '\0'));
    w.checked = rc == TG_OK;
    value(&w, text, 0);
    rc = json_tree(&w.a, text, &root, &err);
    MUST(rc != TG_OK || (w.checked && !w.half_pair));
    buf_fini(&w.b);
    arena_fini(&w.a);
    return 0;
}
