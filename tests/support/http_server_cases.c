/* http_server_cases.c -- exchanges between a scripted client and the server side of http.
 *
 * The server here reads requests until the connection cannot be used any more.  The path says
 * what it does with each: /echo answers with the body, /stream with chunks, /skip without
 * having read the body, anything else with the path.  The log has a line a request, then what
 * the client got.
 */
#include "support/http_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "http/reply.h"
#include "http/server.h"

#define LONG_NS  (20 * NS_PER_S)
#define SHORT_NS (30 * NS_PER_MS)

static const struct http_in_conf usual = {1024, 1000, LONG_NS, LONG_NS, LONG_NS};
static const struct http_in_conf idle_short = {1024, 1000, SHORT_NS, LONG_NS, LONG_NS};
static const struct http_in_conf head_short = {1024, 1000, LONG_NS, SHORT_NS, LONG_NS};
static const struct http_in_conf body_short = {1024, 1000, LONG_NS, LONG_NS, SHORT_NS};

static tg_rc
stream(struct reply *r)
{
    struct str parts[20];
    tg_rc rc;

    rc = reply_start(r, 200, NULL, 0);
    for (int i = 0; i < 20; i++)
        parts[i] = STR("p");
    if (rc == TG_OK)
        rc = reply_write(r, (struct str[]){STR("one "), STR(""), STR("two")}, 3);
    if (rc == TG_OK)
        rc = reply_write_now(r, STR(": beat"));
    if (rc == TG_OK)
        rc = reply_write(r, parts, 20);
    if (rc == TG_OK)
        rc = reply_write(r, parts, 0);
    return rc == TG_OK ? reply_end(r) : rc;
}

static tg_rc
answer(struct reply *r, const struct http_head *h, struct str body)
{
    struct http_header headers[] = {
        {STR("X-Good"), STR("y")},
        {STR("X-Bad"), STR("a\r\nInjected: b")},
        {STR("Bad Name"), STR("a")},
        {STR("content-length"), STR("7")},
    };

    if (str_eq(h->path, STR("/stream")))
        return stream(r);
    if (str_eq(h->path, STR("/none")))
        return reply_whole(r, 204, NULL, 0, STR("not to be sent"));
    if (str_eq(h->path, STR("/headers")))
        return reply_whole(r, 200, headers, 4, STR(""));
    return reply_whole(r, 200, NULL, 0, body.n ? body : h->path);
}

/* True while the connection can be used. */
static bool
one_request(struct http_in *in, struct buf *log, struct tg_err *err)
{
    struct http_head *h;
    struct arena arena;
    struct reply r;
    struct buf body;
    bool go_on = false;
    tg_rc rc;

    arena_init(&arena);
    buf_init(&body, in->conf->body_max);
    rc = http_in_head(in, &arena, &h, err);
    if (rc == TG_OK) {
        talk_logf(log, "%.*s %.*s", STR_ARG(h->method), STR_ARG(h->target));
        if (!str_starts(h->path, STR("/skip")))
            rc = http_in_body(in, &body, err);
        if (body.n > 100)
            talk_logf(log, " [%zu bytes]\n", body.n);
        else
            talk_logf(log, " [%.*s]\n", STR_ARG(buf_str(&body)));
    }
    if (rc == TG_OK) {
        reply_init(&r, in->sock, h);
        rc = answer(&r, h, buf_str(&body));
        go_on = http_in_next(in);
        err->rc = rc;
        if (rc == TG_OK && !r.close && !go_on)
            talk_logf(log, "not usable\n");
        go_on = go_on && !r.close && rc == TG_OK;
    } else {
        talk_logf(log, "%s %u %s\n", tg_rc_name(rc), err->http, err->code ? err->code : "-");
        if (err->http) {
            reply_init(&r, in->sock, NULL);
            if (reply_whole(&r, err->http, NULL, 0, STR("no")) != TG_OK)
                talk_logf(log, "no answer\n");
        }
    }
    buf_fini(&body);
    arena_fini(&arena);
    return go_on;
}

static void
serve(const struct talk_case *c, struct buf *log)
{
    struct buf client_log;
    struct co_scope scope;
    struct http_in in;
    struct tg_err err;
    struct talk client;
    int fds[2];

    talk_pair(fds);
    buf_init(&client_log, 1 << 20);
    client = (struct talk){c->steps[0], sock_open(fds[1], NULL), &client_log};
    co_scope_open(&scope, CO_NEVER);
    assert_int_equal(co_spawn(&scope, "client", talk_run, &client), TG_OK);
    http_in_init(&in, sock_open(fds[0], NULL), c->arg);
    while (one_request(&in, log, &err))
        ;
    sock_linger(in.sock, co_now() + LONG_NS);
    sock_close(in.sock);
    assert_int_equal(co_join(&scope), TG_OK);
    co_scope_close(&scope);
    talk_logf(log, "--\n");
    talk_log(log, buf_str(&client_log));
    buf_fini(&client_log);
}

#define H     "Host: a\r\n"
#define CLOSE "Connection: close\r\n"
#define OK(n) "HTTP/1.1 200 OK\nContent-Length: " n "\n"

const struct talk_case talk_server_cases[] = {
    {"one request",
     serve,
     {STEPS(SEND("GET /a HTTP/1.1\r\n" H CLOSE "\r\n"), TO_EOF)},
     &usual,
     "GET /a []\n--\n" OK("2") "Connection: close\n\n/a"},
    {"keep-alive",
     serve,
     {STEPS(SEND("GET /a HTTP/1.1\r\n" H "\r\n"), WAIT("/a"),
            SEND("POST /echo HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc"),
            WAIT("\r\n\r\nabc"), SEND("GET /b HTTP/1.1\r\n" H "\r\n"), WAIT("/b"), SHUT,
            TO_EOF)},
     &usual,
     "GET /a []\nPOST /echo [abc]\nGET /b []\nTG_EGONE 0 client_gone\n--\n"},
    {"byte by byte",
     serve,
     {STEPS(TRICKLE("POST /echo HTTP/1.1\r\n" H CLOSE "Transfer-Encoding: chunked\r\n\r\n"
                    "2\r\nab\r\n1;x=y\r\nc\r\n0\r\nT: v\r\n\r\n"),
            TO_EOF)},
     &usual,
     "POST /echo [abc]\n--\n" OK("3") "Connection: close\n\nabc"},
    {"pipelined, answered in order",
     serve,
     {STEPS(
         SEND("GET /1 HTTP/1.1\r\n" H "\r\nPOST /echo HTTP/1.1\r\n" H
              "Content-Length: 2\r\n\r\nxxPOST /echo HTTP/1.1\r\n" H
              "Transfer-Encoding: chunked\r\n\r\n1\r\ny\r\n0\r\n\r\nGET /4 HTTP/1.1\r\n" H CLOSE
              "\r\nGET /5 HTTP/1.1\r\n" H "\r\n"),
         TO_EOF)},
     &usual,
     "GET /1 []\nPOST /echo [xx]\nPOST /echo [y]\nGET /4 []\n--\n" OK("2") "\n/1" OK(
         "2") "\nxx" OK("1") "\ny" OK("2") "Connection: close\n\n/4"},
    {"HEAD",
     serve,
     {STEPS(SEND("HEAD /abc HTTP/1.1\r\n" H "\r\nHEAD /stream HTTP/1.1\r\n" H CLOSE "\r\n"),
            TO_EOF)},
     &usual,
     "HEAD /abc []\nHEAD /stream []\n--\n" OK(
         "4") "\nHTTP/1.1 200 OK\nTransfer-Encoding: chunked\nConnection: close\n\n"},
    {"204 has no length",
     serve,
     {STEPS(SEND("GET /none HTTP/1.1\r\n" H CLOSE "\r\n"), TO_EOF)},
     &usual,
     "GET /none []\n--\nHTTP/1.1 204 No Content\nConnection: close\n\n"},
    {"stream",
     serve,
     {STEPS(SEND("GET /stream HTTP/1.1\r\n" H CLOSE "\r\n"), TO_EOF)},
     &usual,
     "GET /stream []\n--\nHTTP/1.1 200 OK\nTransfer-Encoding: chunked\nConnection: close\n\n"
     "7\none two\n6\n: beat\n14\npppppppppppppppppppp\n0\n\n"},
    {"unsafe headers",
     serve,
     {STEPS(SEND("GET /headers HTTP/1.1\r\n" H CLOSE "\r\n"), TO_EOF)},
     &usual,
     "GET /headers []\n--\nHTTP/1.1 200 OK\nX-Good: y\nContent-Length: 0\nConnection: "
     "close\n\n"},
    {"HTTP/1.0",
     serve,
     {STEPS(SEND("GET /a HTTP/1.0\r\n\r\n"), TO_EOF)},
     &usual,
     "GET /a []\n--\n" OK("2") "Connection: close\n\n/a"},
    {"HTTP/1.0 kept",
     serve,
     {STEPS(SEND("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /b HTTP/1.0\r\n\r\n"),
            TO_EOF)},
     &usual,
     "GET /a []\nGET /b []\n--\n" OK("2") "Connection: keep-alive\n\n/a" OK(
         "2") "Connection: close\n\n/b"},
    {"HTTP/1.0 stream",
     serve,
     {STEPS(SEND("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), TO_EOF)},
     &usual,
     "GET /stream []\n--\nHTTP/1.1 200 OK\nConnection: close\n\n"
     "one two: beatpppppppppppppppppppp"},
    {"empty connection", serve, {STEPS(SHUT, TO_EOF)}, &usual, "TG_EGONE 0 client_gone\n--\n"},
    {"idle from the start",
     serve,
     {STEPS(TO_EOF)},
     &idle_short,
     "TG_EGONE 0 client_gone\n--\n"},
    {"idle after a request",
     serve,
     {STEPS(SEND("GET /a HTTP/1.1\r\n" H "\r\n\r\n"), WAIT("/a"), TO_EOF)},
     &idle_short,
     "GET /a []\nTG_EGONE 0 client_gone\n--\n"},
    {"head too slow",
     serve,
     {STEPS(SEND("GET /a HTTP/1.1\r\nHost:"), TO_EOF)},
     &head_short,
     "TG_EDEADLINE 408 request_timeout\n--\nHTTP/1.1 408 Request Timeout\n"
     "Content-Length: 2\nConnection: close\n\nno"},
    {"head cut off",
     serve,
     {STEPS(SEND("GET /a HTTP/1.1\r\nHost:"), SHUT, TO_EOF)},
     &usual,
     "TG_EGONE 0 client_gone\n--\n"},
    {"head too large",
     serve,
     {STEPS(SEND("GET /a HTTP/1.1\r\nX: "), FILL(2000), SEND("\r\n\r\n"), TO_EOF)},
     &usual,
     "TG_ELIMIT 431 headers_too_large\n--\nHTTP/1.1 431 Request Header Fields Too Large\n"
     "Content-Length: 2\nConnection: close\n\nno"},
    {"malformed",
     serve,
     {STEPS(SEND("GET /a HTTP/1.1\nHost: a\n\n"), TO_EOF)},
     &usual,
     "TG_EPROTO 400 bad_http\n--\nHTTP/1.1 400 Bad Request\nContent-Length: 2\n"
     "Connection: close\n\nno"},
    {"malformed behind a good one",
     serve,
     {STEPS(SEND("GET /a HTTP/1.1\r\n" H "\r\nGET /a HTTP/1.1\r\n H\r\n\r\n"), TO_EOF)},
     &usual,
     "GET /a []\nTG_EPROTO 400 bad_http\n--\n" OK(
         "2") "\n/aHTTP/1.1 400 Bad Request\n"
              "Content-Length: 2\nConnection: close\n\nno"},
    {"413 before the body is read",
     serve,
     {STEPS(SEND("POST /echo HTTP/1.1\r\n" H "Content-Length: 1001\r\n\r\n"), TO_EOF)},
     &usual,
     "POST /echo []\nTG_ELIMIT 413 request_too_large\n--\nHTTP/1.1 413 Content Too Large\n"
     "Content-Length: 2\nConnection: close\n\nno"},
    {"413 while the client still sends",
     serve,
     {STEPS(SEND("POST /echo HTTP/1.1\r\n" H "Content-Length: 300000\r\n\r\n"), FILL(300000),
            TO_EOF)},
     &usual,
     "POST /echo []\nTG_ELIMIT 413 request_too_large\n--\nHTTP/1.1 413 Content Too Large\n"
     "Content-Length: 2\nConnection: close\n\nno"},
    {"413 instead of 100",
     serve,
     {STEPS(SEND("POST /echo HTTP/1.1\r\n" H
                 "Expect: 100-continue\r\nContent-Length: 1001\r\n\r\n"),
            TO_EOF)},
     &usual,
     "POST /echo []\nTG_ELIMIT 413 request_too_large\n--\nHTTP/1.1 413 Content Too Large\n"
     "Content-Length: 2\nConnection: close\n\nno"},
    {"413 of chunks",
     serve,
     {STEPS(SEND("POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3e8\r\n"),
            FILL(1000), SEND("\r\n1\r\ny\r\n"), TO_EOF)},
     &usual,
     "POST /echo [1000 bytes]\nTG_ELIMIT 413 request_too_large\n--\nHTTP/1.1 413 Content Too "
     "Large\n"
     "Content-Length: 2\nConnection: close\n\nno"},
    {"body of the largest size",
     serve,
     {STEPS(SEND("POST /skip HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n"
                 "POST /size HTTP/1.1\r\n" H CLOSE "Content-Length: 1000\r\n\r\n"),
            FILL(1000), WAIT("/skip"), WAIT("xxx"))},
     &usual,
     "POST /skip []\nPOST /size [1000 bytes]\n--\n"},
    {"body too slow",
     serve,
     {STEPS(SEND("POST /echo HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nab"), TO_EOF)},
     &body_short,
     "POST /echo [ab]\nTG_EDEADLINE 408 request_timeout\n--\nHTTP/1.1 408 Request Timeout\n"
     "Content-Length: 2\nConnection: close\n\nno"},
    {"body cut off",
     serve,
     {STEPS(SEND("POST /echo HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nab"), SHUT, TO_EOF)},
     &usual,
     "POST /echo [ab]\nTG_EGONE 0 client_gone\n--\n"},
    {"chunks cut off",
     serve,
     {STEPS(SEND("POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
            SHUT, TO_EOF)},
     &usual,
     "POST /echo [abc]\nTG_EGONE 0 client_gone\n--\n"},
    {"bad chunk",
     serve,
     {STEPS(SEND("POST /echo HTTP/1.1\r\n" H
                 "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nx\r\n"),
            TO_EOF)},
     &usual,
     "POST /echo [abc]\nTG_EPROTO 400 bad_http\n--\nHTTP/1.1 400 Bad Request\n"
     "Content-Length: 2\nConnection: close\n\nno"},
    {"100 Continue",
     serve,
     {STEPS(
         SEND("POST /echo HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"),
         WAIT("HTTP/1.1 100 Continue\r\n\r\n"), SEND("abcGET /b HTTP/1.1\r\n" H CLOSE "\r\n"),
         TO_EOF)},
     &usual,
     "POST /echo [abc]\nGET /b []\n--\n" OK("3") "\nabc" OK("2") "Connection: close\n\n/b"},
    {"100 Continue that was not waited for",
     serve,
     {STEPS(SEND("POST /echo HTTP/1.1\r\n" H CLOSE
                 "Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc"),
            TO_EOF)},
     &usual,
     "POST /echo [abc]\n--\nHTTP/1.1 100 Continue\n\n" OK("3") "Connection: close\n\nabc"},
    {"100 Continue without a body",
     serve,
     {STEPS(SEND("GET /a HTTP/1.1\r\n" H CLOSE "Expect: 100-continue\r\n\r\n"), TO_EOF)},
     &usual,
     "GET /a []\n--\n" OK("2") "Connection: close\n\n/a"},
    {"another expectation",
     serve,
     {STEPS(SEND("GET /a HTTP/1.1\r\n" H "Expect: 200-ok\r\n\r\n"), TO_EOF)},
     &usual,
     "TG_EPROTO 417 expectation_failed\n--\nHTTP/1.1 417 Expectation Failed\n"
     "Content-Length: 2\nConnection: close\n\nno"},
    {"expectation in 1.0 is ignored",
     serve,
     {STEPS(SEND("GET /a HTTP/1.0\r\nExpect: x\r\n\r\n"), TO_EOF)},
     &usual,
     "GET /a []\n--\n" OK("2") "Connection: close\n\n/a"},
    {"unread body is dropped",
     serve,
     {STEPS(SEND("POST /skip HTTP/1.1\r\n" H "Content-Length: 50000\r\n\r\n"), FILL(50000),
            SEND("POST /skip HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\nc350\r\n"),
            FILL(50000), SEND("\r\n0\r\n\r\nGET /b HTTP/1.1\r\n" H CLOSE "\r\n"), TO_EOF)},
     &usual,
     "POST /skip []\nPOST /skip []\nGET /b []\n--\n" OK("5") "\n/skip" OK("5") "\n/skip" OK(
         "2") "Connection: close\n\n/b"},
    {"unread body that is too large",
     serve,
     {STEPS(SEND("POST /skip HTTP/1.1\r\n" H "Content-Length: 100000\r\n\r\n"), FILL(100000),
            TO_EOF)},
     &usual,
     "POST /skip []\nnot usable\n--\n" OK("5") "\n/skip"},
    {"unread chunks that are too large",
     serve,
     {STEPS(SEND("POST /skip HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n186a0\r\n"),
            FILL(100000), TO_EOF)},
     &usual,
     "POST /skip []\nnot usable\n--\n" OK("5") "\n/skip"},
    {"unread body that was not asked for",
     serve,
     {STEPS(
         SEND("POST /skip HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"),
         WAIT("/skip"), SEND("GET /b HTTP/1.1\r\n" H "\r\n"), TO_EOF)},
     &usual,
     "POST /skip []\nnot usable\n--\n"},
    {"zlib body",
     serve,
     {STEPS(SEND("POST /echo HTTP/1.1\r\n" H CLOSE "Content-Encoding: deflate\r\n"
                 "Content-Length: 11\r\n\r\n"
                 "\x78\x9c\x4b\x4c\x4a\x06\x00\x02\x4d\x01\x27"),
            TO_EOF)},
     &usual,
     "POST /echo [abc]\n--\n" OK("3") "Connection: close\n\nabc"},
    {"zlib body, truncated",
     serve,
     {STEPS(SEND("POST /echo HTTP/1.1\r\n" H "Content-Encoding: deflate\r\n"
                 "Content-Length: 10\r\n\r\n"
                 "\x78\x9c\x4b\x4c\x4a\x06\x00\x02\x4d\x01"),
            TO_EOF)},
     &usual,
     "POST /echo [abc]\nTG_EPROTO 400 invalid_content_encoding\n--\nHTTP/1.1 400 Bad Request\n"
     "Content-Length: 2\nConnection: close\n\nno"},
    {"brotli bomb",
     serve,
     {STEPS(SEND("POST /echo HTTP/1.1\r\n" H
                 "Content-Encoding: br\r\nContent-Length: 14\r\n\r\n"
                 "\x9b\xff\xff\x3f\xf8\x27\x00\xe2\xb1\x40\x20\xf7\xfe\x07"),
            TO_EOF)},
     &usual,
     "POST /echo [1000 bytes]\nTG_ELIMIT 413 request_too_large\n--\nHTTP/1.1 413 Content Too "
     "Large\n"
     "Content-Length: 2\nConnection: close\n\nno"},
    {"unknown coding",
     serve,
     {STEPS(SEND("POST /echo HTTP/1.1\r\n" H "Content-Encoding: foo\r\n"
                 "Content-Length: 3\r\n\r\nabc"),
            TO_EOF)},
     &usual,
     "POST /echo []\nTG_EINVAL 415 unsupported_content_encoding\n--\n"
     "HTTP/1.1 415 Unsupported Media Type\nContent-Length: 2\nConnection: close\n\nno"},
};

const unsigned talk_server_n = sizeof talk_server_cases / sizeof talk_server_cases[0];
