/* tree_test.c -- documents as trees. */
#include "json/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/json_gen.h"

static struct arena a;

static int
set_up(void **state)
{
    (void)state;
    arena_init(&a);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_fini(&a);
    arena_thread_fini();
    return 0;
}

static void
test_document(void **state)
{
    struct json_node *root;
    const struct json_node *n;
    char text[] =
        " {\"type\":\"object\",\"Type\":1,\"required\":[\"a\",\"b\\u0000c\"],\"n\":-2.5,"
        "\"x\\u0000y\":true,\"x\":false,\"none\":null,\"n\":3} ";

    (void)state;
    assert_int_equal(json_tree(&a, str_z(text), &root, NULL), TG_OK);
    memset(text, '!', sizeof text); /* nothing is borrowed */
    assert_int_equal(root->kind, JSON_OBJECT);
    assert_int_equal(root->n, 8);
    n = json_node_get(root, "type");
    assert_int_equal(n->kind, JSON_STRING);
    assert_true(str_eq(n->text, STR("object")));
    assert_true(str_eq(n->key, STR("type")));
    assert_int_equal(json_node_get(root, "Type")->kind, JSON_NUMBER);
    assert_null(json_node_get(root, "TYPE"));
    n = json_node_get(root, "required");
    assert_int_equal(n->kind, JSON_ARRAY);
    assert_int_equal(n->n, 2);
    assert_true(str_eq(n->child->text, STR("a")));
    assert_true(str_eq(n->child->next->text, STR("b\0c")));
    assert_null(n->child->next->next);
    assert_int_equal(json_node_get(root, "x")->kind, JSON_FALSE);
    assert_int_equal(json_node_get(root, "none")->kind, JSON_NULL);
    assert_true(json_node_get(root, "n")->number == 3); /* the last of its name */
    assert_null(json_node_get(n, "a"));
    assert_null(json_node_get(NULL, "a"));
    assert_null(json_node_get(json_node_get(root, "a"), "b"));
}

static void
test_refused(void **state)
{
    static const struct {
        const char *text;
        tg_rc rc;
    } rows[] = {
        {"", TG_EINVAL},
        {"{", TG_EINVAL},
        {"{} x", TG_EINVAL},
        {"\xef\xbb\xbf{}", TG_EINVAL},
        {"\"\\ud800\"", TG_EINVAL},
        {"{\"\\udc00\":1}", TG_EINVAL},
        {"[\"\n\"]", TG_EINVAL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct json_node kept, *root = &kept;
        struct tg_err err;

        assert_int_equal(json_tree(&a, str_z(rows[i].text), &root, &err), rows[i].rc);
        assert_int_equal(err.rc, rows[i].rc);
        assert_ptr_equal(root, &kept);
    }
}

static void
test_depth(void **state)
{
    char text[131];
    struct json_node *root;

    (void)state;
    for (size_t depth = 1; depth <= 65; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        assert_int_equal(json_tree(&a, str_of(text, 2 * depth), &root, NULL),
                         depth <= 64 ? TG_OK : TG_ELIMIT);
    }
}

/* The tree holds what the iterators show. */
static void
assert_same(const struct json_node *node, struct str text)
{
    struct json_member m;
    struct json_iter it;
    struct str s;
    double d;
    const struct json_node *child = node->child;

    assert_int_equal(node->kind, json_kind_of(text));
    if (node->kind == JSON_STRING) {
        assert_int_equal(json_string(&a, text, &s), TG_OK);
        assert_true(str_eq(s, node->text));
    } else if (node->kind == JSON_NUMBER) {
        assert_int_equal(json_double(text, &d), TG_OK);
        assert_true(d == node->number);
    }
    if (node->kind != JSON_OBJECT && node->kind != JSON_ARRAY)
        return;
    assert_int_equal(node->kind == JSON_OBJECT ? json_object(&it, text) : json_array(&it, text),
                     TG_OK);
    for (unsigned n = 0; json_next(&it, &m); n++) {
        assert_true(n < node->n);
        if (node->kind == JSON_OBJECT)
            assert_true(json_key_is(m.key, child->key));
        assert_same(child, m.value);
        child = child->next;
    }
    assert_null(child);
}

static void
test_generated(void **state)
{
    struct prng r = {19};
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < 2000; i++) {
        struct json_node *root;

        buf_clear(&b);
        json_gen(&r, &b, 5);
        assert_int_equal(json_tree(&a, buf_str(&b), &root, NULL), TG_OK);
        assert_same(root, buf_str(&b));
        arena_reset(&a);
    }
    buf_fini(&b);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_document),
        CASE(test_refused),
        CASE(test_depth),
        CASE(test_generated),
    };

    return cmocka_run_group_tests_name("json/tree", tests, NULL, NULL);
}
