/* log_test.c -- log lines: shape, escaping, cutting, dropping. */
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "support/prng.h"

struct catch
{
    struct log_sink sink;
    char line[LOG_LINE_MAX + 1];
    size_t n;
    unsigned lines;
    bool full;
};

static bool
take(struct log_sink *sink, struct str line)
{
    struct catch *c = (struct catch *)(void *)sink;

    if (c->full)
        return false;
    assert_true(line.n <= LOG_LINE_MAX);
    memcpy(c->line, line.p, line.n);
    c->line[line.n] = '\0';
    c->n = line.n;
    c->lines++;
    return true;
}

static struct catch caught;

static int
set_up(void **state)
{
    (void)state;
    caught = (struct catch){.sink = {take}};
    log_set_sink(&caught.sink);
    log_setup(LOG_JSON, LOG_INFO);
    return 0;
}

/* The line behind its time stamp, which must have the right form. */
static const char *
behind_ts(const char *open, const char *close)
{
    size_t n = strlen(open);

    assert_memory_equal(caught.line, open, n);
    for (int i = 0; i < 24; i++) {
        char want = "dddd-dd-ddTdd:dd:dd.dddZ"[i], got = caught.line[n + (size_t)i];

        assert_true(want == 'd' ? got >= '0' && got <= '9' : got == want);
    }
    assert_memory_equal(caught.line + n + 24, close, strlen(close));
    return caught.line + n + 24 + strlen(close);
}

static void
log_one(struct str value)
{
    struct log_line l;

    log_begin(&l, LOG_WARN, "event_name");
    log_str(&l, "v", value);
    log_end(&l);
}

static void
test_json(void **state)
{
    struct log_line l;

    (void)state;
    log_begin(&l, LOG_ERROR, "config_reload_failed");
    log_str(&l, "file", STR("a \"b\"\n"));
    log_int(&l, "generation", -3);
    log_ms(&l, "took", 12345678);
    log_ms(&l, "first", -1);
    log_str(&l, "none", STR(""));
    log_int(&l, "least", INT64_MIN);
    log_ms(&l, "zero", 999);
    log_end(&l);
    assert_string_equal(behind_ts("{\"ts\":\"", "\","),
                        "\"level\":\"error\",\"msg\":\"config_reload_failed\","
                        "\"file\":\"a \\\"b\\\"\\n\",\"generation\":-3,\"took\":12.345,"
                        "\"first\":\"-\",\"none\":\"-\",\"least\":-9223372036854775808,"
                        "\"zero\":0.000}\n");
}

static void
test_logfmt(void **state)
{
    struct log_line l;

    (void)state;
    log_setup(LOG_LOGFMT, LOG_INFO);
    log_begin(&l, LOG_INFO, "started");
    log_str(&l, "plain", STR("gpt-5.1/x:y"));
    log_str(&l, "space", STR("a b"));
    log_str(&l, "equals", STR("a=b"));
    log_str(&l, "quote", STR("a\"b"));
    log_str(&l, "back", STR("a\\b"));
    log_str(&l, "nul", STR("a\0b"));
    log_str(&l, "none", str_z(NULL));
    log_int(&l, "n", 7);
    log_ms(&l, "t", 1500000);
    log_end(&l);
    assert_string_equal(
        behind_ts("ts=", " "),
        "level=info msg=started plain=gpt-5.1/x:y space=\"a b\" equals=\"a=b\" "
        "quote=\"a\\\"b\" back=\"a\\\\b\" nul=\"a\\u0000b\" none=- n=7 t=1.500\n");
}

static void
test_escapes(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"\x01\x1f\x7f", "\\u0001\\u001f\\u007f"},
        {"\r\n\t", "\\r\\n\\t"},
        {"\x1b[31m", "\\u001b[31m"},
        {"\xc2\x9b"
         "31m",
         "\\u009b31m"}, /* CSI as a C1 control */
        {"\xc2\xa0", "\xc2\xa0"},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"a\xff"
         "b",
         "a\xef\xbf\xbd"
         "b"},
        {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    };

    (void)state;
    for (int format = LOG_JSON; format <= LOG_LOGFMT; format++) {
        log_setup((enum log_format)format, LOG_INFO);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            char want[100];

            snprintf(want, sizeof want, format == LOG_JSON ? ",\"v\":\"%s\"}\n" : " v=\"%s\"\n",
                     rows[i].out);
            log_one(str_z(rows[i].in));
            assert_true(str_ends(str_of(caught.line, caught.n), str_z(want)));
        }
    }
}

/* Whatever a peer sends: one line, valid UTF-8, no control byte but the last. */
static void
test_no_forged_line(void **state)
{
    struct prng r = {17};

    (void)state;
    for (int i = 0; i < 3000; i++) {
        char bytes[300];
        size_t n = prng_below(&r, sizeof bytes);

        for (size_t k = 0; k < n; k++)
            bytes[k] = (char)prng_next(&r);
        log_setup(i % 2 ? LOG_JSON : LOG_LOGFMT, LOG_INFO);
        log_one(str_of(bytes, n));
        assert_true(utf8_valid(str_of(caught.line, caught.n)));
        for (size_t k = 0; k + 1 < caught.n; k++)
            assert_true((unsigned char)caught.line[k] >= 0x20);
        assert_int_equal(caught.line[caught.n - 1], '\n');
    }
}

static void
test_long_value(void **state)
{
    static const char *const chars[] = {"a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
                                        "\n"};
    static char text[LOG_LINE_MAX * 2];

    (void)state;
    for (size_t k = 0; k < 5; k++) {
        size_t n;
        const char *v;

        for (n = 0; n + 4 < sizeof text; n += strlen(chars[k]))
            memcpy(text + n, chars[k], strlen(chars[k]));
        log_one(str_of(text, n));
        assert_true(utf8_valid(str_of(caught.line, caught.n)));
        assert_true(str_ends(str_of(caught.line, caught.n), STR("...\"}\n")));
        v = strstr(caught.line, "\"v\":\"") + 5;
        assert_in_range(caught.line + caught.n - 3 - v, LOG_VALUE_MAX - 6, LOG_VALUE_MAX);
    }
}

static void
test_long_line(void **state)
{
    static char text[1000];

    (void)state;
    memset(text, 'x', sizeof text);
    for (int format = LOG_JSON; format <= LOG_LOGFMT; format++) {
        for (size_t n = 1; n < sizeof text; n += 7) {
            struct log_line l;
            struct str line;

            log_setup((enum log_format)format, LOG_INFO);
            log_begin(&l, LOG_INFO, "long");
            for (int i = 0; i < 5000; i++)
                log_str(&l, "field", str_of(text, n));
            log_int(&l, "last", 1);
            log_end(&l);
            line = str_of(caught.line, caught.n);
            assert_true(line.n <= LOG_LINE_MAX && line.n + n + 40 > LOG_LINE_MAX);
            assert_true(str_ends(line, format == LOG_JSON ? STR("x\",\"cut\":true}\n")
                                                          : STR("x cut=true\n")));
        }
    }
}

static void
test_threshold(void **state)
{
    struct log_line l;

    (void)state;
    log_begin(&l, LOG_DEBUG, "quiet");
    assert_true(l.off);
    log_str(&l, "a", STR("b"));
    log_int(&l, "a", 1);
    log_ms(&l, "a", 1);
    log_end(&l);
    assert_int_equal(caught.lines, 0);
    log_setup(LOG_JSON, LOG_DEBUG);
    log_begin(&l, LOG_DEBUG, "heard");
    log_end(&l);
    assert_int_equal(caught.lines, 1);
    log_end(&l);
    assert_int_equal(caught.lines, 1);
}

static void
test_dropped(void **state)
{
    uint64_t before = log_dropped();

    (void)state;
    log_one(STR("a"));
    assert_int_equal(log_dropped(), before);
    caught.full = true;
    log_one(STR("b"));
    log_one(STR("c"));
    assert_int_equal(log_dropped(), before + 2);
}

static void
test_standard_error(void **state)
{
    int fd[2], kept = dup(STDERR_FILENO);
    char got[300] = "";

    (void)state;
    log_set_sink(NULL);
    assert_int_equal(pipe(fd), 0);
    dup2(fd[1], STDERR_FILENO);
    log_one(STR("to stderr"));
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(fd[1]);
    assert_true(read(fd[0], got, sizeof got - 1) > 0);
    close(fd[0]);
    assert_non_null(strstr(got, "\"v\":\"to stderr\"}\n"));
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup(f, set_up)
    const struct CMUnitTest tests[] = {
        CASE(test_json),           CASE(test_logfmt),     CASE(test_escapes),
        CASE(test_no_forged_line), CASE(test_long_value), CASE(test_long_line),
        CASE(test_threshold),      CASE(test_dropped),    CASE(test_standard_error),
    };

    return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
