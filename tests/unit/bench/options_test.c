/* options_test.c -- the command line: what is taken where, and that refusals name the option.
 */
#include "bench/options.h"

#include <cmocka.h>

enum { ARGS_MAX = 40 };

/* Words parted by blanks; '_' stands for a blank within one. */
static bool
parse(const char *line, struct options *o, char why[OPTIONS_WHY])
{
    static char text[1024];
    char *argv[ARGS_MAX], *p = text;
    int argc = 0;

    snprintf(text, sizeof text, "%s", line);
    while (*p) {
        assert_true(argc < ARGS_MAX);
        argv[argc++] = p;
        for (; *p && *p != ' '; p++)
            if (*p == '_')
                *p = ' ';
        if (*p)
            *p++ = '\0';
    }
    why[0] = '\0';
    return options_parse(argc, argv, o, why);
}

static void
ok(const char *line, struct options *o)
{
    char why[OPTIONS_WHY];

    if (!parse(line, o, why))
        fail_msg("%s: %s", line, why);
}

static void
test_defaults(void **state)
{
    static struct options o;

    (void)state;
    ok("http://127.0.0.1:8080", &o);
    assert_int_equal(o.n_loads, 1);
    assert_string_equal(o.loads[0].dialect->name, "chat");
    assert_string_equal(o.loads[0].model, "sim");
    assert_int_equal(o.loads[0].duration_ms, 10000);
    assert_int_equal(o.loads[0].requests, 0);
    assert_int_equal(o.loads[0].timeout_ms, 60000);
    assert_int_equal(o.loads[0].connections, 0);
    assert_false(o.loads[0].whole);
    assert_int_equal(o.loads[0].url.port, 8080);
    assert_null(o.serve);
    assert_int_equal(o.events, 50);
    assert_int_equal(o.bytes, 32);
    assert_int_equal(o.interval_us, 0);
}

static void
test_all(void **state)
{
    static struct options o;
    const struct load_options *l = &o.loads[0];

    (void)state;
    ok("--dialect messages --whole --model m-1 --connections 500 --rate=12.5 --requests 77 "
       "--warmup 1.5 --ramp 0 --body b.json --header x-a:_1,_2 --header x-b: --source "
       "127.0.0.2 "
       "--source ::1 --no-keep-alive --read-rate 100 --fast --timeout 0.25 http://h/base",
       &o);
    assert_string_equal(l->dialect->name, "messages");
    assert_true(l->whole && l->fast && l->no_keep_alive);
    assert_string_equal(l->model, "m-1");
    assert_int_equal(l->connections, 500);
    assert_int_equal(l->rate_milli, 12500);
    assert_int_equal(l->requests, 77);
    assert_int_equal(l->duration_ms, 0);
    assert_int_equal(l->warmup_ms, 1500);
    assert_int_equal(l->timeout_ms, 250);
    assert_int_equal(l->read_rate, 100);
    assert_string_equal(l->body_file, "b.json");
    assert_int_equal(l->n_headers, 2);
    assert_true(str_eq(l->headers[0].name, STR("x-a")));
    assert_true(str_eq(l->headers[0].value, STR("1, 2")));
    assert_int_equal(l->headers[1].value.n, 0);
    assert_int_equal(l->n_sources, 2);
    assert_true(str_eq(l->url.path, STR("/base")));
}

static void
test_run_options_anywhere(void **state)
{
    static struct options o;

    (void)state;
    ok("--pid 12 http://h --json - --quiet --report r.html --max-errors 3", &o);
    assert_int_equal(o.pid, 12);
    assert_string_equal(o.json, "-");
    assert_string_equal(o.report, "r.html");
    assert_int_equal(o.max_errors, 3);
    assert_true(o.quiet);
}

static void
test_several_loads(void **state)
{
    static struct options o;

    (void)state;
    ok("--connections 9 --duration 3 --whole http://a + --rate 5 http://b + --requests 4 "
       "http://c + "
       "http://d",
       &o);
    assert_int_equal(o.n_loads, 4);
    assert_int_equal(o.loads[0].connections, 9);
    /* A new set begins with the defaults, save for the duration. */
    assert_int_equal(o.loads[1].connections, 0);
    assert_false(o.loads[1].whole);
    assert_int_equal(o.loads[1].duration_ms, 3000);
    assert_int_equal(o.loads[1].rate_milli, 5000);
    assert_int_equal(o.loads[2].duration_ms, 0);
    assert_int_equal(o.loads[2].requests, 4);
    assert_int_equal(o.loads[3].duration_ms, 10000);
}

static void
test_serve(void **state)
{
    static struct options o;

    (void)state;
    ok("--serve 127.0.0.1:0 --events 1000 --interval 20000 --bytes 64", &o);
    assert_string_equal(o.serve, "127.0.0.1:0");
    assert_int_equal(o.events, 1000);
    assert_int_equal(o.interval_us, 20000);
    assert_int_equal(o.bytes, 64);
    ok("--help", &o);
    assert_true(o.help);
    ok("--version", &o);
    assert_true(o.version);
}

static void
test_relay(void **state)
{
    static struct options o;

    (void)state;
    ok("--relay 127.0.0.1:0 [::1]:9000", &o);
    assert_string_equal(o.relay, "127.0.0.1:0");
    assert_string_equal(o.relay_to, "[::1]:9000");
    assert_int_equal(o.n_loads, 0);
    assert_null(o.serve);
    ok("--relay=*:80 host:1", &o);
    assert_string_equal(o.relay, "*:80");
    assert_string_equal(o.relay_to, "host:1");
    ok("http://h", &o);
    assert_null(o.relay);
    assert_null(o.relay_to);
}

struct refused {
    const char *line, *says;
};

static void
refused(const struct refused *rows, size_t n)
{
    static struct options o;
    char why[OPTIONS_WHY];

    for (size_t i = 0; i < n; i++) {
        if (parse(rows[i].line, &o, why))
            fail_msg("%s: accepted", rows[i].line);
        if (!strstr(why, rows[i].says))
            fail_msg("%s: \"%s\" does not name %s", rows[i].line, why, rows[i].says);
        assert_null(strchr(why, '\n'));
    }
}

static void
test_refused(void **state)
{
    static const struct refused rows[] = {
        {"", "URL"},
        {"--connections 0 http://h", "--connections"},
        {"--connections 65001 http://h", "--connections"},
        {"--connections x http://h", "--connections"},
        {"--connections -1 http://h", "--connections"},
        {"--connections= http://h", "--connections"},
        {"--rate 0 http://h", "--rate"},
        {"--rate 1e3 http://h", "--rate"},
        {"--duration 0 http://h", "--duration"},
        {"--duration 1s http://h", "--duration"},
        {"--requests 1.5 http://h", "--requests"},
        {"--warmup -1 http://h", "--warmup"},
        {"--ramp x http://h", "--ramp"},
        {"--dialect gemini http://h", "--dialect"},
        {"--header nocolon http://h", "--header"},
        {"--header :value http://h", "--header"},
        {"--header a_b:c http://h", "--header"},
        {"--header Host:h http://h", "host"},
        {"--header content-length:5 http://h", "content-length"},
        {"--source localhost http://h", "--source"},
        {"--read-rate 0 http://h", "--read-rate"},
        {"--timeout 0 http://h", "--timeout"},
        {"--pid 0 http://h", "--pid"},
        {"--pid abc http://h", "--pid"},
        {"--max-errors 0 http://h", "--max-errors"},
        {"--model= http://h", "--model"},
        {"--whole=yes http://h", "--whole"},
        {"--connections", "--connections"},
        {"--nonsense http://h", "--nonsense"},
        {"-c 5 http://h", "-c"},
        {"http://h --connections 5", "--connections"},
        {"http://h http://i", "+"},
        {"http://h +", "URL"},
        {"+ http://h", "+"},
        {"ftp://h", "ftp://h"},
        {"127.0.0.1:80", "127.0.0.1:80"},
        {"--duration 5 --requests 5 http://h", "--requests"},
        {"--ca-file f http://h", "--ca-file"},
        {"--events 5 http://h", "--events"},
    };

    (void)state;
    refused(rows, sizeof rows / sizeof rows[0]);
}

static void
test_serving_refused(void **state)
{
    static const struct refused rows[] = {
        {"--serve a:1 --events 0", "--events"},
        {"--serve a:1 --bytes 20", "--bytes"},
        {"--serve a:1 --interval x", "--interval"},
        {"--serve a:1 http://h", "--serve"},
        {"--serve a:1 --connections 5", "--connections is for loads"},
        {"--relay", "--relay needs"},
        {"--relay 127.0.0.1:1", "address to relay to"},
        {"--relay 127.0.0.1 b:2", "--relay \"127.0.0.1\""},
        {"--relay a:70000 b:2", "--relay \"a:70000\""},
        {"--relay a:1 b", "--relay to \"b\""},
        {"--relay a:1 http://b:2", "--relay to \"http://b:2\""},
        {"--relay a:1 b:", "--relay to \"b:\""},
        {"--relay a:1 b:0", "must have a host and a port"},
        {"--relay a:1 *:2", "must have a host and a port"},
        {"--relay a:1 b:2 c:3", "one address"},
        {"--relay a:1 b:2 +", "+"},
        {"http://h --relay a:1", "--relay takes no URL"},
        {"--relay a:1 --connections 5 b:2", "--connections is for loads"},
        {"--whole --relay a:1 b:2", "--whole is for loads"},
        {"--relay a:1 b:2 --events 5", "--serve"},
        {"--relay a:1 b:2 --serve a:3", "exclude"},
    };

    (void)state;
    refused(rows, sizeof rows / sizeof rows[0]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_run_options_anywhere),
        cmocka_unit_test(test_several_loads),
        cmocka_unit_test(test_serve),
        cmocka_unit_test(test_relay),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_serving_refused),
    };

    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
