/* list_test.c -- the intrusive list. */
#include "base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

struct item {
    int v;
    struct list link;
};

static int
spell(struct list *head)
{
    int n = 0;

    LIST_FOREACH (it, head)
        n = n * 10 + LIST_ITEM(it, struct item, link)->v;
    return n;
}

static void
test_order(void **state)
{
    struct item a = {.v = 1}, b = {.v = 2}, c = {.v = 3};
    struct list head;

    (void)state;
    list_init(&head);
    assert_true(list_empty(&head));
    assert_null(list_first(&head));
    list_add_tail(&head, &b.link);
    list_add_tail(&head, &c.link);
    list_add_head(&head, &a.link);
    assert_int_equal(spell(&head), 123);
    assert_ptr_equal(list_first(&head), &a.link);
    list_del(&b.link);
    assert_int_equal(spell(&head), 13);
    assert_true(list_empty(&b.link));
    list_del(&b.link);
    assert_int_equal(spell(&head), 13);
    list_add_tail(&head, &b.link);
    assert_int_equal(spell(&head), 132);
}

static void
test_delete_while_walking(void **state)
{
    struct item items[9];
    struct list head;

    (void)state;
    list_init(&head);
    for (int i = 0; i < 9; i++) {
        items[i].v = i + 1;
        list_add_tail(&head, &items[i].link);
    }
    LIST_FOREACH_SAFE (it, tmp, &head) {
        if (LIST_ITEM(it, struct item, link)->v % 2 == 0)
            list_del(it);
    }
    assert_int_equal(spell(&head), 13579);
    LIST_FOREACH_SAFE (it, tmp, &head)
        list_del(it);
    assert_true(list_empty(&head));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_delete_while_walking),
    };

    return cmocka_run_group_tests_name("base/list", tests, NULL, NULL);
}
