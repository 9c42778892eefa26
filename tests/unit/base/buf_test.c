/* buf_test.c -- the bounded buffer against a plain queue of bytes. */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "support/prng.h"

static void
test_bound_keeps_contents(void **state)
{
    struct buf b;
    char *room;

    (void)state;
    buf_init(&b, 10);
    assert_null(b.p);
    assert_int_equal(buf_append(&b, STR("")), TG_OK);
    assert_null(b.p);
    assert_int_equal(buf_append(&b, STR("0123456789")), TG_OK);
    assert_int_equal(buf_append(&b, STR("a")), TG_ELIMIT);
    assert_int_equal(buf_putc(&b, 'a'), TG_ELIMIT);
    assert_int_equal(buf_printf(&b, "%d", 1), TG_ELIMIT);
    assert_int_equal(buf_printf(&b, "%s", ""), TG_OK);
    assert_int_equal(buf_reserve(&b, 1, &room), TG_ELIMIT);
    assert_int_equal(buf_reserve(&b, SIZE_MAX, &room), TG_ELIMIT);
    assert_true(str_eq(buf_str(&b), STR("0123456789")));
    buf_consume(&b, 4);
    assert_int_equal(buf_printf(&b, "%d-%s", 42, "x"), TG_OK);
    assert_true(str_eq(buf_str(&b), STR("45678942-x")));
    buf_truncate(&b, 3);
    assert_true(str_eq(buf_str(&b), STR("456")));
    buf_fini(&b);
    assert_int_equal(b.max, 10);
    assert_int_equal(buf_str(&b).n, 0);
}

static void
test_nothing_allowed(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 0);
    assert_int_equal(buf_putc(&b, 'a'), TG_ELIMIT);
    assert_int_equal(buf_printf(&b, "%s", "a"), TG_ELIMIT);
    assert_int_equal(buf_append(&b, STR("")), TG_OK);
    assert_int_equal(buf_str(&b).n, 0);
    buf_fini(&b);
}

static void
test_reserve_commit(void **state)
{
    struct buf b;
    char *room;

    (void)state;
    buf_init(&b, 1000);
    assert_int_equal(buf_reserve(&b, 600, &room), TG_OK);
    memset(room, 'x', 600);
    buf_commit(&b, 500);
    assert_int_equal(b.n, 500);
    assert_int_equal(buf_reserve(&b, 500, &room), TG_OK);
    assert_ptr_equal(room, b.p + b.off + 500);
    buf_commit(&b, 0);
    assert_int_equal(buf_reserve(&b, 501, &room), TG_ELIMIT);
    buf_fini(&b);
}

static void
test_keeps_and_returns_memory(void **state)
{
    struct buf b;
    const char *p;

    (void)state;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(buf_append(&b, STR("sixteen bytes.. ")), TG_OK);
    p = b.p;
    buf_clear(&b);
    assert_int_equal(buf_append(&b, STR("a")), TG_OK);
    assert_ptr_equal(b.p, p);
    buf_shrink(&b, 100);
    assert_ptr_equal(b.p, p); /* not empty */
    buf_consume(&b, 1);
    buf_shrink(&b, 1 << 20);
    assert_ptr_equal(b.p, p); /* not larger */
    buf_shrink(&b, 100);
    assert_null(b.p);
    assert_int_equal(buf_append(&b, STR("a")), TG_OK);
    buf_fini(&b);
}

/* One allocation goes from buffer to buffer; who comes second gets one of its own. */
static void
test_borrows_the_spare(void **state)
{
    struct buf a, b, small;
    const char *p;
    uint64_t asked;

    (void)state;
    buf_init(&a, 1 << 20);
    buf_init(&b, 1 << 20);
    buf_init(&small, 16);
    buf_borrow(&a); /* there is none yet */
    assert_null(a.p);
    for (int i = 0; i < 100; i++)
        assert_int_equal(buf_append(&a, STR("sixteen bytes.. ")), TG_OK);
    p = a.p;
    buf_return(&a);
    assert_null(a.p);
    assert_int_equal(a.n, 0);
    asked = mem_asked();
    for (int i = 0; i < 10; i++) {
        struct buf *one = i % 2 ? &a : &b;

        buf_borrow(one);
        assert_int_equal(buf_append(one, STR("x")), TG_OK);
        assert_ptr_equal(one->p, p);
        assert_true(str_eq(buf_str(one), STR("x")));
        buf_return(one);
    }
    assert_int_equal(mem_asked(), asked);
    buf_borrow(&small); /* would be more than it may ever hold */
    assert_null(small.p);
    buf_borrow(&a);
    buf_borrow(&b);
    assert_int_equal(buf_append(&b, STR("y")), TG_OK);
    assert_ptr_equal(a.p, p);
    assert_ptr_not_equal(b.p, p);
    buf_borrow(&b); /* has its own */
    assert_true(str_eq(buf_str(&b), STR("y")));
    buf_return(&a);
    buf_return(&b); /* there is a spare one already */
    buf_borrow(&b);
    assert_ptr_equal(b.p, p);
    buf_return(&b);
    buf_thread_fini();
    buf_borrow(&b);
    assert_null(b.p);
}

/* Random appends of every kind and consumes; the contents are a counter, so each byte is known.
 */
static void
test_against_counter(void **state)
{
    struct prng r = {4711};
    struct buf b;
    unsigned char in = 0, out = 0;

    (void)state;
    buf_init(&b, 3000);
    for (int step = 0; step < 30000; step++) {
        size_t k = prng_below(&r, 200), before = b.n;
        char bytes[200], *room;
        tg_rc rc = TG_OK;

        for (size_t i = 0; i < k; i++)
            bytes[i] = (char)(unsigned char)(in + i);
        switch (prng_below(&r, 5)) {
        case 0:
            rc = buf_append(&b, str_of(bytes, k));
            break;
        case 1:
            k = 1;
            rc = buf_putc(&b, (char)in);
            break;
        case 2:
            rc = buf_reserve(&b, k, &room);
            if (rc == TG_OK) {
                memcpy(room, bytes, k);
                buf_commit(&b, k);
            }
            break;
        case 3:
            k = in == 0 ? 0 : 1; /* %c of NUL is fine, but let it be printable text */
            if (k)
                rc = buf_printf(&b, "%c", in);
            break;
        default:
            k = prng_below(&r, b.n + 1);
            for (size_t i = 0; i < k; i++)
                assert_int_equal((unsigned char)buf_str(&b).p[i], (unsigned char)(out + i));
            buf_consume(&b, k);
            out = (unsigned char)(out + k);
            assert_int_equal(b.n, before - k);
            continue;
        }
        if (rc == TG_OK) {
            in = (unsigned char)(in + k);
            assert_int_equal(b.n, before + k);
        } else {
            assert_int_equal(rc, TG_ELIMIT);
            assert_true(before + k > b.max);
            assert_int_equal(b.n, before);
        }
        assert_true(b.off + b.n <= b.cap);
        assert_true(b.cap <= b.max + b.max / 4 + 128);
    }
    buf_fini(&b);
}

/* A buffer that hovers just below its bound must not move all of its bytes for each new one. */
static void
test_hovering_is_cheap(void **state)
{
    enum { MAX = 64 * 1024 };
    struct buf b;
    size_t moves = 0;

    (void)state;
    buf_init(&b, MAX);
    while (b.n < MAX)
        assert_int_equal(buf_putc(&b, 'x'), TG_OK);
    for (int i = 0; i < MAX; i++) {
        size_t off;

        buf_consume(&b, 1);
        off = b.off;
        assert_int_equal(buf_putc(&b, 'y'), TG_OK);
        moves += b.off < off;
    }
    assert_true(moves <= 8);
    buf_fini(&b);
}

static void
test_printf_long(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 5000);
    assert_int_equal(buf_printf(&b, "%05000d", 7), TG_OK);
    assert_int_equal(b.n, 5000);
    assert_int_equal(b.p[4999], '7');
    buf_clear(&b);
    assert_int_equal(buf_printf(&b, "%05001d", 7), TG_ELIMIT);
    assert_int_equal(b.n, 0);
    buf_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bound_keeps_contents),
        cmocka_unit_test(test_nothing_allowed),
        cmocka_unit_test(test_reserve_commit),
        cmocka_unit_test(test_keeps_and_returns_memory),
        cmocka_unit_test(test_borrows_the_spare),
        cmocka_unit_test(test_against_counter),
        cmocka_unit_test(test_hovering_is_cheap),
        cmocka_unit_test(test_printf_long),
    };

    return cmocka_run_group_tests_name("base/buf", tests, NULL, NULL);
}
