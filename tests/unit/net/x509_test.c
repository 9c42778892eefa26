/* x509_test.c -- certificates read for people: fields, names, and input that is not one. */
#include "net/x509.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <bearssl.h>

#include "support/net_tls.h"

enum { DER_MAX = 8192 };

struct der {
    unsigned char p[DER_MAX];
    size_t n;
};

static void
take(void *arg, const void *p, size_t n)
{
    struct der *d = arg;

    assert_true(d->n + n <= sizeof d->p);
    memcpy(d->p + d->n, p, n);
    d->n += n;
}

/* The first certificate of a test server. */
static struct str
cert(const char *name)
{
    static struct der d;
    br_pem_decoder_context dec;
    char text[DER_MAX];
    FILE *f = fopen(net_tls_file(name, "crt"), "re");
    size_t n, at = 0;

    assert_non_null(f);
    n = fread(text, 1, sizeof text, f);
    (void)fclose(f);
    d.n = 0;
    br_pem_decoder_init(&dec);
    while (at < n) {
        at += br_pem_decoder_push(&dec, text + at, n - at);
        switch (br_pem_decoder_event(&dec)) {
        case BR_PEM_BEGIN_OBJ:
            br_pem_decoder_setdest(&dec, take, &d);
            break;
        case BR_PEM_END_OBJ:
            return str_of((char *)d.p, d.n);
        default:
            break;
        }
    }
    assert_true(false);
    return str_of(NULL, 0);
}

static void
test_fields(void **state)
{
    struct x509 c;
    char text[64];

    (void)state;
    assert_int_equal(x509_read(cert("valid"), &c), TG_OK);
    x509_dn_text(c.subject, text, sizeof text);
    assert_string_equal(text, "O=Triglot test, CN=localhost");
    x509_dn_text(c.issuer, text, sizeof text);
    assert_string_equal(text, "O=Triglot test, CN=Test root");
    x509_dn_text(c.issuer, text, 10);
    assert_string_equal(text, "O=Triglot");
    assert_int_equal(c.not_before, 1704067200); /* 2024-01-01 */
    assert_int_equal(c.not_after, 2461449600);  /* 2048-01-01 */
    assert_int_equal(c.key, X509_RSA);
    assert_int_equal(c.key_bits, 2048);
    assert_string_equal(c.hash, "SHA-256");
    assert_false(c.weak_hash || c.ca);
    assert_true(c.has_san && c.has_eku && c.eku_server);
    x509_names_text(&c, text, sizeof text);
    assert_string_equal(text, "localhost, api.test, *.wild.test");
    x509_names_text(&c, text, 24);
    assert_string_equal(text, "localhost, ...");

    assert_int_equal(x509_read(cert("valid-ec"), &c), TG_OK);
    x509_key_text(&c, text, sizeof text);
    assert_string_equal(text, "EC P-256");
    assert_int_equal(x509_read(cert("valid-ec384"), &c), TG_OK);
    x509_key_text(&c, text, sizeof text);
    assert_string_equal(text, "EC P-384");
    assert_int_equal(x509_read(cert("sha1"), &c), TG_OK);
    assert_true(c.weak_hash);
    assert_string_equal(c.hash, "SHA-1");
    assert_int_equal(x509_read(cert("client-only"), &c), TG_OK);
    assert_true(c.has_eku);
    assert_false(c.eku_server);
    assert_int_equal(x509_read(cert("cn-only"), &c), TG_OK);
    assert_false(c.has_san);
    x509_names_text(&c, text, sizeof text);
    assert_string_equal(text, "none");
    assert_int_equal(x509_read(cert("inter"), &c), TG_OK);
    assert_true(c.ca);
    assert_int_equal(x509_read(cert("ed"), &c), TG_OK);
    assert_int_equal(c.key, X509_OTHER);
    assert_null(c.hash);
}

static bool
covers(const char *server, struct str host)
{
    struct x509 c;

    assert_int_equal(x509_read(cert(server), &c), TG_OK);
    return x509_covers(&c, host);
}

static void
test_names(void **state)
{
    (void)state;
    assert_true(covers("valid", STR("localhost")));
    assert_true(covers("valid", STR("LOCALHOST")));
    assert_true(covers("valid", STR("localhost.")));
    assert_true(covers("valid", STR("api.test")));
    assert_true(covers("valid", STR("x.wild.test")));
    assert_true(covers("valid", STR("X.Wild.Test.")));
    assert_false(covers("valid", STR("wild.test")));
    assert_false(covers("valid", STR(".wild.test")));
    assert_false(covers("valid", STR("y.x.wild.test")));
    assert_false(covers("valid", STR("xwild.test")));
    assert_false(covers("valid", STR("")));
    assert_false(covers("valid", STR(".")));
    assert_false(covers("valid", STR("other.test")));
    assert_false(covers("cn-only", STR("localhost")));
    assert_false(covers("nul-name", STR("localhost")));
}

static void
test_wildcards(void **state)
{
    /* GeneralNames as an extension holds them. */
    static const char names[] = "\x82\x06*.test"
                                "\x82\x01*"
                                "\x82\x08*.*.test"
                                "\x82\x09"
                                "f*.a.test"
                                "\x82\x00"
                                "\x87\x04\x7f\x00\x00\x01";
    struct x509 c = {.san = str_of(names, sizeof names - 1), .has_san = true};
    char text[64];

    (void)state;
    assert_false(x509_covers(&c, STR("a.test")));
    assert_false(x509_covers(&c, STR("test")));
    assert_false(x509_covers(&c, STR("a.b.test")));
    assert_false(x509_covers(&c, STR("foo.a.test")));
    assert_false(x509_covers(&c, STR("127.0.0.1")));
    assert_true(x509_covers(&c, STR("f*.a.test"))); /* itself, which no one can be called */
    x509_names_text(&c, text, sizeof text);
    assert_non_null(strstr(text, "*.test"));
}

/* Nothing that is cut short or changed is read past its end (the copy is exact, for ASan). */
static void
test_broken(void **state)
{
    static const char *const servers[] = {"valid", "valid-ec", "nul-name", "inter"};
    char text[64];

    (void)state;
    for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++) {
        struct str whole = cert(servers[i]);

        for (size_t n = 0; n < whole.n; n++) {
            char *copy = malloc(n ? n : 1);
            struct x509 c;

            assert_non_null(copy);
            memcpy(copy, whole.p, n);
            assert_int_equal(x509_read(str_of(copy, n), &c), TG_EPROTO);
            free(copy);
        }
        for (size_t k = 0; k < 6 * whole.n; k++) {
            char *copy = malloc(whole.n);
            struct x509 c;

            assert_non_null(copy);
            memcpy(copy, whole.p, whole.n);
            copy[k / 6] = (char)(copy[k / 6] ^ (1 << k % 6));
            if (x509_read(str_of(copy, whole.n), &c) == TG_OK) {
                (void)x509_covers(&c, STR("a.wild.test"));
                x509_names_text(&c, text, sizeof text);
                x509_dn_text(c.subject, text, sizeof text);
                x509_key_text(&c, text, sizeof text);
            }
            free(copy);
        }
    }
}

static int
set_up(void **state)
{
    (void)state;
    (void)net_tls_certs();
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_wildcards),
        cmocka_unit_test(test_broken),
    };

    return cmocka_run_group_tests_name("net/x509", tests, set_up, NULL);
}
