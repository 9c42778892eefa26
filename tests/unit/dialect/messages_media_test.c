/* messages_media_test.c -- documents of a Messages request. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "triglot/dialect.h"

/* Memory that a document of n parts takes when it is read. */
static size_t
document_cost(unsigned n)
{
    const struct dialect *messages = dialect_find(STR("messages"));
    struct ir_req req = {0};
    struct tg_err err = {0};
    struct arena a;
    struct buf b;
    size_t used;

    arena_init(&a);
    buf_init(&b, 1 << 20);
    assert_int_equal(
        buf_append(&b, STR("{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\","
                           "\"content\":[{\"type\":\"document\",\"source\":{\"type\":"
                           "\"content\",\"content\":[")),
        TG_OK);
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(
            buf_printf(&b, "%s{\"type\":\"text\",\"text\":\"0123456789\"}", i ? "," : ""),
            TG_OK);
    assert_int_equal(buf_append(&b, STR("]}}]}]}")), TG_OK);
    assert_int_equal(messages->decode_req(&a, buf_str(&b), &req, &err), TG_OK);
    assert_int_equal(req.msgs->blocks->media->text.n, 10 * n);
    used = a.used;
    buf_fini(&b);
    arena_fini(&a);
    return used;
}

static void
parts_are_joined_once(void **state)
{
    size_t one, two;

    (void)state;
    one = document_cost(500);
    two = document_cost(1000);
    assert_true(two < 2 * one + one / 4);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(parts_are_joined_once)};

    return cmocka_run_group_tests_name("messages_media", tests, NULL, NULL);
}
