/* url_test.c -- base URLs and listen addresses. */
#include "policy/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void
test_good(void **state)
{
    static const struct {
        const char *text, *whole, *host, *path;
        uint16_t port;
        bool tls, ip;
    } cases[] = {
        {"http://h", "http://h", "h", "", 80, false, false},
        {"https://api.example.com/v1", "https://api.example.com/v1", "api.example.com", "/v1",
         443, true, false},
        {"HTTPS://h:8443/", "HTTPS://h:8443", "h", "", 8443, true, false},
        {"http://127.0.0.1:9200/v1//", "http://127.0.0.1:9200/v1", "127.0.0.1", "/v1", 9200,
         false, true},
        {"http://[::1]:80/a/b", "http://[::1]:80/a/b", "::1", "/a/b", 80, false, true},
        {"https://[2001:db8::1]", "https://[2001:db8::1]", "2001:db8::1", "", 443, true, true},
        {"http://a_b-c.d.:1", "http://a_b-c.d.:1", "a_b-c.d.", "", 1, false, false},
        {"http://h/a@b:c", "http://h/a@b:c", "h", "/a@b:c", 80, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tg_err err = {.rc = TG_OK};
        struct url u;

        if (url_parse(str_z(cases[i].text), &u, &err) != TG_OK)
            fail_msg("%s: %s", cases[i].text, err.msg);
        assert_true(str_eq(u.text, str_z(cases[i].whole)));
        assert_true(str_eq(u.host, str_z(cases[i].host)));
        assert_true(str_eq(u.path, str_z(cases[i].path)));
        assert_int_equal(u.port, cases[i].port);
        assert_int_equal(u.tls, cases[i].tls);
        assert_int_equal(u.host_is_ip, cases[i].ip);
    }
}

static void
test_bad(void **state)
{
    static const char *const cases[][2] = {
        {"", "must begin with http://"},
        {"ftp://h", "must begin with http://"},
        {"http:/h", "must begin with http://"},
        {"h:80", "must begin with http://"},
        {"http://", "has no host"},
        {"http:///v1", "has no host"},
        {"http://:80", "has no host"},
        {"http://user@h", "must not hold a user name"},
        {"http://user:canary@h/v1", "must not hold a user name"},
        {"http://h?a=b", "must not have a query"},
        {"http://h/v1?", "must not have a query"},
        {"http://h/#x", "must not have a fragment"},
        {"http://h:0", "has no valid port"},
        {"http://h:", "has no valid port"},
        {"http://h:65536", "has no valid port"},
        {"http://h:000080", "has no valid port"},
        {"http://h:8o", "has no valid port"},
        {"http://::1/", "more than one colon"},
        {"http://[::1", "without its \"]\""},
        {"http://[]", "no valid IPv6"},
        {"http://[1.2.3.4]", "no valid IPv6"},
        {"http://[fe80::1%eth0]", "no valid IPv6"},
        {"http://[::1]x", "between \"]\" and the port"},
        {"http://127.1", "no valid IPv4"},
        {"http://256.0.0.1", "no valid IPv4"},
        {"http://a..b", "empty label"},
        {"http://.a", "no valid name"},
        {"http://-a", "no valid name"},
        {"http://a%41", "no host name has"},
        {"http://\xc3\xa9", "beyond ASCII"},
        {"http://h/a b", "holds a blank"},
        {"http://h\r\nx", "holds a blank"},
        {"http://h/\x7f", "holds a blank"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct url u = {.port = 4711};
        struct tg_err err;

        assert_int_equal(url_parse(str_z(cases[i][0]), &u, &err), TG_EINVAL);
        if (!strstr(err.msg, cases[i][1]))
            fail_msg("%s: %s", cases[i][0], err.msg);
        assert_null(strstr(err.msg, "canary"));
        assert_int_equal(u.port, 4711);
    }
}

static void
test_listen(void **state)
{
    static const struct {
        const char *text, *host, *message;
        uint16_t port;
    } cases[] = {
        {"127.0.0.1:8080", "127.0.0.1", NULL, 8080},
        {"[::1]:0", "::1", NULL, 0},
        {"*:80", "*", NULL, 80},
        {"localhost:65535", "localhost", NULL, 65535},
        {"8080", NULL, "must be host:port, such as", 0},
        {":8080", NULL, "all addresses are written *:8080", 0},
        {"http://h:80", NULL, "without a scheme", 0},
        {"::1:80", NULL, "stands in brackets", 0},
        {"h:", NULL, "no valid port", 0},
        {"h:99999", NULL, "no valid port", 0},
        {"**:1", NULL, "no host name has", 0},
        {"1.2.3:1", NULL, "no valid IPv4", 0},
        {"", NULL, "must be host:port", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tg_err err = {.rc = TG_OK};
        struct str host = STR("untouched");
        uint16_t port = 1;
        tg_rc rc = url_parse_listen(str_z(cases[i].text), &host, &port, &err);

        if (cases[i].host) {
            assert_int_equal(rc, TG_OK);
            assert_true(str_eq(host, str_z(cases[i].host)));
            assert_int_equal(port, cases[i].port);
        } else {
            assert_int_equal(rc, TG_EINVAL);
            assert_true(str_eq(host, STR("untouched")));
            if (!strstr(err.msg, cases[i].message))
                fail_msg("%s: %s", cases[i].text, err.msg);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_listen),
    };

    return cmocka_run_group_tests_name("policy/url", tests, NULL, NULL);
}
