/* coding_test.c -- content codings: all of them, stacked, cut, truncated, corrupted, bombs. */
#include "http/coding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

enum { ROOM = 1 << 22 };

/* "line %d of the text\n" for 0 to 19, and 4 MiB of zeros, by the brotli encoder at level 11:
 * there is no encoder among the libraries that tests are linked with. */
static const struct str br_text = STR(
    "\x1b\x85\x01\x20\x8c\x94\x6e\xe6\x22\x1d\x1c\x7a\x42\x03\x6c\xf5\xd5\x83\xa2\x8c\x98\x71"
    "\xce\xdd\xab\x25\x3e\xa0\x11\x06\x13\xb9\x79\x5c\x74\x79\xe3\x41\xf1\x4c\x7f\x7f\x62\x41"
    "\x18\x1c\x81\x44\xa1\x31\xd8\xc9\x05\x8b\xc8\xe4\x0a\xa5\x4a\xad\xc9\x05");
static const struct str br_zeros =
    STR("\x9b\xff\xff\x3f\xf8\x27\x00\xe2\xb1\x40\x20\xf7\xfe\x07");
enum { BR_ZEROS = 4 << 20 };

static struct buf text;

static int
set_up(void **state)
{
    (void)state;
    buf_init(&text, ROOM);
    for (int i = 0; i < 20; i++)
        if (buf_printf(&text, "line %d of the text\n", i) != TG_OK)
            return 1;
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    buf_fini(&text);
    return 0;
}

static void
deflate_to(struct buf *out, struct str in, int window_bits)
{
    z_stream z = {0};
    char *to;

    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(buf_reserve(out, in.n + 100, &to), TG_OK);
    z.next_in = (unsigned char *)(uintptr_t)in.p;
    z.avail_in = (unsigned)in.n;
    z.next_out = (unsigned char *)to;
    z.avail_out = (unsigned)in.n + 100;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    buf_commit(out, z.total_out);
    deflateEnd(&z);
}

static void
zstd_to(struct buf *out, struct str in, int window_log)
{
    ZSTD_CCtx *z = ZSTD_createCCtx();
    char *to;
    size_t n;

    assert_int_equal(buf_reserve(out, ZSTD_compressBound(in.n), &to), TG_OK);
    ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
    if (window_log) { /* streamed, so that the frame does not say its size */
        ZSTD_inBuffer zin = {in.p, in.n, 0};
        ZSTD_outBuffer zout = {to, ZSTD_compressBound(in.n), 0};

        ZSTD_CCtx_setParameter(z, ZSTD_c_windowLog, window_log);
        assert_false(ZSTD_isError(ZSTD_compressStream2(z, &zout, &zin, ZSTD_e_continue)));
        zin.size = zin.pos;
        assert_int_equal(ZSTD_compressStream2(z, &zout, &zin, ZSTD_e_end), 0);
        n = zout.pos;
    } else {
        n = ZSTD_compress2(z, to, ZSTD_compressBound(in.n), in.p, in.n);
    }
    assert_false(ZSTD_isError(n));
    buf_commit(out, n);
    ZSTD_freeCCtx(z);
}

static void
encode(struct buf *out, const char *coding, struct str in)
{
    if (strcmp(coding, "gzip") == 0)
        deflate_to(out, in, 16 + 15);
    else if (strcmp(coding, "deflate") == 0)
        deflate_to(out, in, 15);
    else if (strcmp(coding, "raw") == 0)
        deflate_to(out, in, -15);
    else if (strcmp(coding, "zstd") == 0)
        zstd_to(out, in, 0);
    else
        assert_int_equal(buf_append(out, br_text), TG_OK);
}

/* Decodes in pieces of `step` bytes, each in an allocation of its own. */
static tg_rc
decode(const char *value, struct str in, size_t step, struct buf *out, struct tg_err *err)
{
    struct coding *c = NULL;
    tg_rc rc = coding_new(str_z(value), &c, err);

    assert_int_equal(rc, TG_OK);
    assert_non_null(c);
    while (in.n && rc == TG_OK) {
        size_t n = in.n < step ? in.n : step;
        char *piece = malloc(n);

        memcpy(piece, in.p, n);
        rc = coding_feed(c, str_of(piece, n), out, err);
        free(piece);
        in = str_from(in, n);
    }
    if (rc == TG_OK)
        rc = coding_end(c, err);
    else /* a failure is for good, and says the same again */
        assert_int_equal(coding_feed(c, STR("x"), out, NULL), rc);
    coding_free(c);
    return rc;
}

static const char *const codings[] = {"gzip", "deflate", "raw", "zstd", "br"};

static const char *
value_of(const char *coding)
{
    return strcmp(coding, "raw") == 0 ? "deflate" : coding;
}

static void
test_each(void **state)
{
    static const size_t steps[] = {1, 2, 3, 7, 64, ROOM};

    (void)state;
    for (size_t i = 0; i < sizeof codings / sizeof codings[0]; i++)
        for (size_t j = 0; j < sizeof steps / sizeof steps[0]; j++) {
            struct buf in, out;
            struct tg_err err;

            buf_init(&in, ROOM);
            buf_init(&out, text.n); /* not a byte more than needed */
            encode(&in, codings[i], buf_str(&text));
            assert_int_equal(decode(value_of(codings[i]), buf_str(&in), steps[j], &out, &err),
                             TG_OK);
            assert_true(str_eq(buf_str(&out), buf_str(&text)));
            buf_fini(&in);
            buf_fini(&out);
        }
}

/* Every truncation is an error, and what came out before is a prefix of the text. */
static void
test_truncated(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof codings / sizeof codings[0]; i++) {
        struct buf in;

        buf_init(&in, ROOM);
        encode(&in, codings[i], buf_str(&text));
        for (size_t n = 1; n < in.n; n++)
            for (size_t step = 1; step < 1000; step += 998) {
                struct buf out;
                struct tg_err err;

                buf_init(&out, ROOM);
                assert_int_equal(
                    decode(value_of(codings[i]), str_of(in.p, n), step, &out, &err), TG_EPROTO);
                assert_int_equal(err.http, 400);
                assert_string_equal(err.code, "invalid_content_encoding");
                assert_true(str_starts(buf_str(&text), buf_str(&out)));
                buf_fini(&out);
            }
        buf_fini(&in);
    }
}

/* One bit turned over: an error, or (deflate without a checksum, brotli) another text; never
 * more than the bound. */
static void
test_corrupt(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof codings / sizeof codings[0]; i++) {
        bool checked = strcmp(codings[i], "raw") != 0 && strcmp(codings[i], "br") != 0;
        unsigned refused = 0;
        struct buf in;

        buf_init(&in, ROOM);
        encode(&in, codings[i], buf_str(&text));
        for (size_t bit = 0; bit < in.n * 8; bit++) {
            struct buf out;
            tg_rc rc;

            in.p[bit / 8] ^= (char)(1 << bit % 8);
            buf_init(&out, 1000);
            rc = decode(value_of(codings[i]), buf_str(&in), 50, &out, NULL);
            assert_true(rc == TG_OK || rc == TG_EPROTO || rc == TG_ELIMIT);
            assert_true(out.n <= 1000);
            /* Header bits without a meaning (time, OS) may change. */
            if (rc == TG_OK && checked)
                assert_true(str_eq(buf_str(&out), buf_str(&text)));
            refused += rc != TG_OK;
            buf_fini(&out);
            in.p[bit / 8] ^= (char)(1 << bit % 8);
        }
        assert_true(refused > in.n * 2);
        buf_fini(&in);
    }
}

static void
test_members(void **state)
{
    static const char *const multi[] = {"gzip", "zstd"};
    struct buf in, out, twice;
    struct tg_err err;

    (void)state;
    buf_init(&in, ROOM);
    buf_init(&out, ROOM);
    buf_init(&twice, ROOM);
    assert_int_equal(buf_append(&twice, buf_str(&text)), TG_OK);
    assert_int_equal(buf_append(&twice, buf_str(&text)), TG_OK);
    for (size_t i = 0; i < sizeof codings / sizeof codings[0]; i++) {
        bool many = i == 0 || i == 3;

        buf_clear(&in);
        encode(&in, codings[i], buf_str(&text));
        encode(&in, codings[i], STR(""));
        if (strcmp(codings[i], "br") != 0)
            encode(&in, codings[i], buf_str(&text));
        for (size_t step = 1; step < 200; step += 37) {
            buf_clear(&out);
            assert_int_equal(decode(value_of(codings[i]), buf_str(&in), step, &out, &err),
                             many ? TG_OK : TG_EPROTO);
            if (many)
                assert_true(str_eq(buf_str(&out), buf_str(&twice)));
        }
    }
    for (size_t i = 0; i < 2; i++) { /* something else behind the end */
        buf_clear(&in);
        buf_clear(&out);
        encode(&in, multi[i], buf_str(&text));
        assert_int_equal(buf_append(&in, STR("GET / HTTP")), TG_OK);
        assert_int_equal(decode(multi[i], buf_str(&in), 10, &out, &err), TG_EPROTO);
    }
    buf_fini(&in);
    buf_fini(&out);
    buf_fini(&twice);
}

static void
test_stacked(void **state)
{
    static const struct {
        const char *value, *first, *second, *third;
    } cases[] = {
        {"gzip, zstd", "gzip", "zstd", NULL},
        {"zstd,gzip", "zstd", "gzip", NULL},
        {"br , gzip", "br", "gzip", NULL},
        {"GZIP, Deflate,,ZSTD", "gzip", "raw", "zstd"},
        {"x-gzip, identity, x-gzip, identity, X-gzip", "gzip", "gzip", "gzip"},
    };
    struct tg_err err;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t step = 1; step < 300; step += 33) {
            struct buf a, b, out;

            buf_init(&a, ROOM);
            buf_init(&b, ROOM);
            buf_init(&out, text.n);
            encode(&a, cases[i].first, buf_str(&text));
            encode(&b, cases[i].second, buf_str(&a));
            if (cases[i].third) {
                buf_clear(&a);
                encode(&a, cases[i].third, buf_str(&b));
                buf_clear(&b);
                assert_int_equal(buf_append(&b, buf_str(&a)), TG_OK);
            }
            assert_int_equal(decode(cases[i].value, buf_str(&b), step, &out, &err), TG_OK);
            assert_true(str_eq(buf_str(&out), buf_str(&text)));
            buf_clear(&out);
            assert_int_equal(decode(cases[i].value, str_of(b.p, b.n - 1), step, &out, &err),
                             TG_EPROTO);
            buf_fini(&a);
            buf_fini(&b);
            buf_fini(&out);
        }
}

static void
test_names(void **state)
{
    static const char *const nothing[] = {"", "identity", " , identity ,Identity,"};
    static const char *const unknown[] = {"compress",    "gzip, foo",           "gzip;q=1",
                                          "aws-chunked", "gzip,gzip,gzip,gzip", "gzip gzip"};
    struct http_header headers[] = {
        {STR("content-encoding"), STR("gzip")},
        {STR("X"), STR("y")},
        {STR("Content-Encoding"), STR("zstd, identity")},
    };
    struct http_head head = {.headers = headers, .n_headers = 3};
    struct buf a, b, out;
    struct coding *c;
    struct tg_err err;

    (void)state;
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++) {
        c = (struct coding *)&err;
        assert_int_equal(coding_new(str_z(nothing[i]), &c, &err), TG_OK);
        assert_null(c);
    }
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        assert_int_equal(coding_new(str_z(unknown[i]), &c, &err), TG_EINVAL);
        assert_int_equal(err.http, 415);
        assert_string_equal(err.code, "unsupported_content_encoding");
    }
    assert_int_equal(coding_of(&head, &c, &err), TG_OK);
    buf_init(&a, ROOM);
    buf_init(&b, ROOM);
    buf_init(&out, ROOM);
    encode(&a, "gzip", buf_str(&text));
    encode(&b, "zstd", buf_str(&a));
    assert_int_equal(coding_feed(c, buf_str(&b), &out, &err), TG_OK);
    assert_int_equal(coding_end(c, &err), TG_OK);
    assert_true(str_eq(buf_str(&out), buf_str(&text)));
    coding_free(c);
    buf_fini(&a);
    buf_fini(&b);
    buf_fini(&out);
    /* No input at all is an empty body. */
    assert_int_equal(coding_new(STR("br"), &c, &err), TG_OK);
    assert_int_equal(coding_end(c, &err), TG_OK);
    coding_free(c);
    coding_free(NULL);
}

/* A bomb stops at the bound, with memory for the bound. */
static void
expect_bomb(const char *value, struct str bomb)
{
    for (size_t step = 5; step <= 4096; step += 4091) {
        struct tg_err err;
        struct buf out;

        buf_init(&out, 100 * 1000);
        assert_int_equal(decode(value, bomb, step, &out, &err), TG_ELIMIT);
        assert_int_equal(err.http, 413);
        assert_string_equal(err.code, "request_too_large");
        assert_true(out.n <= 100 * 1000 && out.cap <= 130 * 1000);
        buf_fini(&out);
    }
}

static void
test_bombs(void **state)
{
    enum { ZEROS = 4 << 20 };
    char *zeros = calloc(1, ZEROS);
    struct buf in, outer, out;

    (void)state;
    buf_init(&in, ROOM * 2);
    buf_init(&outer, ROOM);
    for (size_t i = 0; i < 4; i++) {
        buf_clear(&in);
        encode(&in, codings[i], str_of(zeros, ZEROS));
        assert_true(in.n < ZEROS / 900);
        expect_bomb(value_of(codings[i]), buf_str(&in));
        /* With room enough it is an honest body. */
        buf_init(&out, ZEROS);
        assert_int_equal(decode(value_of(codings[i]), buf_str(&in), 1000, &out, NULL), TG_OK);
        assert_int_equal(out.n, ZEROS);
        buf_fini(&out);
    }
    expect_bomb("br", br_zeros);
    buf_init(&out, BR_ZEROS);
    assert_int_equal(decode("br", br_zeros, 3, &out, NULL), TG_OK);
    assert_int_equal(out.n, BR_ZEROS);
    buf_fini(&out);
    /* A bomb that the next stage would make nothing of: many empty gzip members, gzipped. */
    buf_clear(&in);
    buf_init(&out, 1000);
    deflate_to(&out, STR(""), 16 + 15);
    while (in.n < ZEROS / 8)
        assert_int_equal(buf_append(&in, buf_str(&out)), TG_OK);
    buf_fini(&out);
    encode(&outer, "gzip", buf_str(&in));
    buf_init(&out, 100);
    assert_int_equal(decode("gzip, gzip", buf_str(&outer), ROOM, &out, NULL), TG_ELIMIT);
    buf_fini(&out);
    buf_fini(&in);
    buf_fini(&outer);
    free(zeros);
}

static void
test_zstd_window(void **state)
{
    enum { N = 1 << 20 };
    char *zeros = calloc(1, N);
    struct buf in, out;

    (void)state;
    buf_init(&in, ROOM);
    buf_init(&out, N);
    zstd_to(&in, str_of(zeros, N), 23);
    assert_int_equal(decode("zstd", buf_str(&in), 100, &out, NULL), TG_OK);
    buf_clear(&in);
    buf_clear(&out);
    zstd_to(&in, str_of(zeros, N), 24);
    assert_int_equal(decode("zstd", buf_str(&in), 100, &out, NULL), TG_EPROTO);
    buf_fini(&in);
    buf_fini(&out);
    free(zeros);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each),    cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_corrupt), cmocka_unit_test(test_members),
        cmocka_unit_test(test_stacked), cmocka_unit_test(test_names),
        cmocka_unit_test(test_bombs),   cmocka_unit_test(test_zstd_window),
    };

    return cmocka_run_group_tests_name("http/coding", tests, set_up, tear_down);
}
