/* http_client_cases.c -- exchanges between the client side of http and scripted upstreams.
 *
 * A case is a list of requests made one after the other through one pool, and a script for each
 * connection that the pool dials.  The log has a line a request, the pool's tallies, and what
 * upstreams received where their scripts say so.
 */
#include "support/http_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "http/client.h"

struct ask {
    const char *method, *path, *body;
    size_t fill; /* bytes of body, instead of it */
    co_time first_ns, idle_ns;
    size_t sleep_ms; /* before */
    const char *header;
};

static struct {
    const struct talk_case *c;
    struct co_scope *scope;
    struct talk upstreams[4];
    struct buf *log;
    unsigned n;
} now;

tg_rc
talk_dial(int *ret_fd, struct tg_err *err)
{
    struct talk *t;
    int fds[2];

    if (now.n >= 4 || !now.c->steps[now.n])
        return tg_fail(err, TG_EUNAVAIL, TG_ERR_UPSTREAM, "connect", "nobody listens");
    t = &now.upstreams[now.n];
    talk_pair(fds);
    *t = (struct talk){now.c->steps[now.n++], sock_open(fds[1], NULL), now.log};
    assert_int_equal(co_spawn(now.scope, "upstream", talk_run, t), TG_OK);
    *ret_fd = fds[0];
    return TG_OK;
}

static void
log_call(struct buf *log, const struct ask *a, struct http_call *call, tg_rc rc,
         const struct tg_err *err, struct str body)
{
    talk_logf(log, "%s %s:", a->method, a->path);
    if (call->head) {
        talk_logf(log, " %u", call->head->status);
        if (http_header_count(call->head, STR("content-encoding")))
            talk_logf(log, " coded");
    }
    if (call->head && body.n > 100 && rc != TG_OK)
        talk_logf(log, " [many bytes]");
    else if (call->head && body.n > 100)
        talk_logf(log, " [%zu bytes]", body.n);
    else if (call->head)
        talk_logf(log, " [%.*s]", STR_ARG(body));
    if (rc != TG_OK)
        talk_logf(log, " %s %s %u%s", tg_rc_name(rc), err->code, err->http,
                  err->origin == TG_FROM_UPSTREAM ? "" : " (ours)");
    talk_logf(log, "%s%s\n", call->reused ? " reused" : "", call->retried ? " retried" : "");
}

static void
one_call(struct pool *pool, const struct ask *a, struct buf *log)
{
    struct http_call_conf conf = {1024, 10000, a->first_ns ? a->first_ns : 20 * NS_PER_S,
                                  a->idle_ns ? a->idle_ns : 20 * NS_PER_S};
    struct http_header header = {STR("X-A"), str_z(a->header ? a->header : "b")};
    char *fill = a->fill ? calloc(1, a->fill) : NULL;
    struct str pieces[2] = {str_z(a->body), str_of(fill, a->fill)};
    struct http_request_out req = {str_z(a->method), str_z(a->path), STR("up"), &header, 1,
                                   pieces,           a->body ? 2 : 0};
    struct tg_err err = {.rc = TG_OK};
    struct http_call call;
    struct buf body;
    tg_rc rc;

    buf_init(&body, 100000);
    http_call_init(&call, pool, &conf);
    rc = http_call_send(&call, &req, &err);
    if (rc == TG_OK)
        rc = http_call_read_all(&call, &body, &err);
    log_call(log, a, &call, rc, &err, buf_str(&body));
    http_call_fini(&call);
    buf_fini(&body);
    free(fill);
}

static void
ask(const struct talk_case *c, struct buf *log)
{
    struct pool_conf conf = {.host = STR("up"), .port = 80, .idle_ns = 100 * NS_PER_S};
    struct pool *pool = pool_new(&conf);
    const struct pool_stats *st = pool_stats(pool);
    struct buf wire;
    struct co_scope scope;

    buf_init(&wire, 1 << 20);
    co_scope_open(&scope, CO_NEVER);
    now.c = c;
    now.scope = &scope;
    now.log = &wire;
    now.n = 0;
    for (const struct ask *a = c->arg; a->method; a++) {
        if (a->sleep_ms)
            assert_int_equal(co_sleep_until(co_now() + (co_time)a->sleep_ms * NS_PER_MS),
                             TG_OK);
        one_call(pool, a, log);
    }
    assert_int_equal(st->out, 0);
    talk_logf(log, "dialled %d, idle %u\n", (int)st->dialled, st->idle);
    pool_close(pool);
    assert_int_equal(co_join(&scope), TG_OK);
    co_scope_close(&scope);
    talk_log(log, buf_str(&wire));
    buf_fini(&wire);
}

/* clang-format off */
#define ASKS(...)  (const struct ask[]){__VA_ARGS__, {.method = NULL}}
#define GET(p)     {.method = "GET", .path = p}
#define POST(p, b) {.method = "POST", .path = p, .body = b}
/* clang-format on */

#define R     WAIT("\r\n\r\n") /* a request without a body */
#define OK(n) "HTTP/1.1 200 OK\r\nContent-Length: " n "\r\n"
#define CHNK  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
#define MS    NS_PER_MS

const struct talk_case talk_client_cases[] = {
    {"sized, kept, used again",
     ask,
     {STEPS(R, SEND(OK("3") "\r\nabc"), R, SEND(OK("0") "\r\n"), R, SEND(OK("1") "\r\nd"))},
     ASKS(GET("/1"), GET("/2"), GET("/3")),
     "GET /1: 200 [abc]\nGET /2: 200 [] reused\nGET /3: 200 [d] reused\ndialled 1, idle 1\n"},
    {"what is sent",
     ask,
     {STEPS(WAIT("POST /v1/x?y HTTP/1.1\r\nHost: up\r\nX-A: b\r\nAccept-Encoding: identity\r\n"
                 "Content-Length: 3\r\n\r\nabc"),
            SEND(OK("0") "\r\n"),
            WAIT("GET / HTTP/1.1\r\nHost: up\r\nX-A: b\r\nAccept-Encoding: identity\r\n\r\n"),
            SEND(OK("0") "\r\n"),
            WAIT("POST /e HTTP/1.1\r\nHost: up\r\nX-A: b\r\nAccept-Encoding: identity\r\n"
                 "Content-Length: 0\r\n\r\n"),
            SEND(OK("0") "\r\n"), TO_EOF)},
     ASKS(POST("/v1/x?y", "abc"), GET("/"), {.method = "POST", .path = "/e"}),
     "POST /v1/x?y: 200 []\nGET /: 200 [] reused\nPOST /e: 200 [] reused\n"
     "dialled 1, idle 1\n"},
    {"chunked",
     ask,
     {STEPS(R, SEND(CHNK "\r\n3\r\nabc\r\n1;x=y\r\nd\r\n0\r\nT: v\r\n\r\n"), R,
            TRICKLE(CHNK "\r\n2\r\nxy\r\n0\r\n\r\n"))},
     ASKS(GET("/1"), GET("/2")),
     "GET /1: 200 [abcd]\nGET /2: 200 [xy] reused\ndialled 1, idle 1\n"},
    {"until close",
     ask,
     {STEPS(R, SEND("HTTP/1.1 200 OK\r\n\r\nabc")),
      STEPS(R, SEND("HTTP/1.0 200 OK\r\n\r\nd"), SEND("ef"))},
     ASKS(GET("/1"), GET("/2")),
     "GET /1: 200 [abc]\nGET /2: 200 [def]\ndialled 2, idle 0\n"},
    {"HTTP/1.0 and close are not used again",
     ask,
     {STEPS(R, SEND("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na"), TO_EOF),
      STEPS(R, SEND(OK("1") "Connection: close\r\n\r\nb"), TO_EOF),
      STEPS(R, SEND("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nc"),
            R, SEND(OK("1") "\r\nd"))},
     ASKS(GET("/1"), GET("/2"), GET("/3"), GET("/4")),
     "GET /1: 200 [a]\nGET /2: 200 [b]\nGET /3: 200 [c]\nGET /4: 200 [d] reused\n"
     "dialled 3, idle 1\n"},
    {"no body",
     ask,
     {STEPS(R, SEND("HTTP/1.1 204 No Content\r\n\r\n"), R,
            SEND("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"), R,
            SEND(OK("9") "Content-Encoding: gzip\r\n\r\n"), R, SEND(OK("1") "\r\na"))},
     ASKS(GET("/1"), GET("/2"), {.method = "HEAD", .path = "/3"}, GET("/4")),
     "GET /1: 204 []\nGET /2: 304 [] reused\nHEAD /3: 200 coded [] reused\n"
     "GET /4: 200 [a] reused\ndialled 1, idle 1\n"},
    {"1xx are skipped",
     ask,
     {STEPS(R, SEND("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                    "HTTP/1.1 102 Processing\r\n\r\n" OK("1") "\r\na"))},
     ASKS(GET("/1")),
     "GET /1: 200 [a]\ndialled 1, idle 1\n"},
    {"too many 1xx",
     ask,
     {STEPS(R, SEND("HTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\n"
                    "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\n"
                    "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\n"))},
     ASKS(GET("/1")),
     "GET /1: 100 [] TG_EPROTO upstream_protocol 502\ndialled 1, idle 0\n"},
    {"101",
     ask,
     {STEPS(R, SEND("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"))},
     ASKS(GET("/1")),
     "GET /1: 101 [] TG_EPROTO upstream_protocol 502\ndialled 1, idle 0\n"},
    {"garbage",
     ask,
     {STEPS(R, SEND("SSH-2.0-x\r\n")), STEPS(R, SEND("HTTP/1.1 OK\r\n\r\n")),
      STEPS(R, SEND("<html>"))},
     ASKS(GET("/1"), GET("/2"), GET("/3")),
     "GET /1: TG_EPROTO upstream_protocol 502\nGET /2: TG_EPROTO upstream_protocol 502\n"
     "GET /3: TG_EPROTO upstream_protocol 502\ndialled 3, idle 0\n"},
    {"endless header",
     ask,
     {STEPS(R, SEND("HTTP/1.1 200 OK\r\nX: "), FILL(3000)),
      STEPS(R, SEND("HTTP/1.1 200 "), FILL(3000))},
     ASKS(GET("/1"), GET("/2")),
     "GET /1: TG_EPROTO upstream_protocol 502\nGET /2: TG_EPROTO upstream_protocol 502\n"
     "dialled 2, idle 0\n"},
    {"ambiguous lengths",
     ask,
     {STEPS(R, SEND(OK("3") "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")),
      STEPS(R, SEND(OK("3") "Content-Length: 3\r\n\r\nabc"))},
     ASKS(GET("/1"), GET("/2")),
     "GET /1: TG_EPROTO upstream_protocol 502\nGET /2: TG_EPROTO upstream_protocol 502\n"
     "dialled 2, idle 0\n"},
    {"truncated",
     ask,
     {STEPS(R, SEND(OK("3") "\r\nab")), STEPS(R, SEND(CHNK "\r\n3\r\nab")),
      STEPS(R, SEND(CHNK "\r\n2\r\nab\r\n0\r\n")), STEPS(R, SEND("HTTP/1.1 200 OK\r\nConte"))},
     ASKS(GET("/1"), GET("/2"), GET("/3"), GET("/4")),
     "GET /1: 200 [ab] TG_EGONE upstream_truncated 502\n"
     "GET /2: 200 [ab] TG_EGONE upstream_truncated 502\n"
     "GET /3: 200 [ab] TG_EGONE upstream_truncated 502\n"
     "GET /4: TG_EGONE upstream_closed 502\ndialled 4, idle 0\n"},
    {"bad chunk",
     ask,
     {STEPS(R, SEND(CHNK "\r\n2\r\nab\r\nx\r\n"))},
     ASKS(GET("/1")),
     "GET /1: 200 [ab] TG_EPROTO upstream_protocol 502\ndialled 1, idle 0\n"},
    {"closed after the request, kept one: once more",
     ask,
     {STEPS(R, SEND(OK("1") "\r\na"), R), STEPS(WAIT("\r\n\r\nxyz"), SEND(OK("1") "\r\nb"))},
     ASKS(GET("/1"), POST("/2", "xyz")),
     "GET /1: 200 [a]\nPOST /2: 200 [b] retried\ndialled 2, idle 1\n"},
    {"closed twice: not a third time",
     ask,
     {STEPS(R, SEND(OK("1") "\r\na"), R), STEPS(R), STEPS(R, SEND(OK("1") "\r\nb"))},
     ASKS(GET("/1"), GET("/2")),
     "GET /1: 200 [a]\nGET /2: TG_EGONE upstream_closed 502 retried\ndialled 2, idle 0\n"},
    {"closed, new one: not again",
     ask,
     {STEPS(R), STEPS(R, SEND(OK("1") "\r\nb"))},
     ASKS(GET("/1")),
     "GET /1: TG_EGONE upstream_closed 502\ndialled 1, idle 0\n"},
    {"closed behind a first byte: not again",
     ask,
     {STEPS(R, SEND(OK("1") "\r\na"), R, SEND("H")), STEPS(R, SEND(OK("1") "\r\nb"))},
     ASKS(GET("/1"), GET("/2")),
     "GET /1: 200 [a]\nGET /2: TG_EGONE upstream_closed 502 reused\ndialled 1, idle 0\n"},
    {"closed while idle",
     ask,
     {STEPS(R, SEND(OK("1") "\r\na")), STEPS(R, SEND(OK("1") "\r\nb"), TO_EOF)},
     ASKS(GET("/1"), {.method = "GET", .path = "/2", .sleep_ms = 5}),
     "GET /1: 200 [a]\nGET /2: 200 [b]\ndialled 2, idle 1\n"},
    {"nobody there for the second try",
     ask,
     {STEPS(R, SEND(OK("1") "\r\na"), R)},
     ASKS(GET("/1"), GET("/2")),
     "GET /1: 200 [a]\nGET /2: TG_EUNAVAIL connect 502 (ours) reused retried\n"
     "dialled 1, idle 0\n"},
    {"no answer in time",
     ask,
     {STEPS(R, TO_EOF)},
     ASKS({.method = "GET", .path = "/1", .first_ns = 20 * MS}),
     "GET /1: TG_EDEADLINE upstream_timeout 504\ndialled 1, idle 0\n"},
    {"half an answer in time",
     ask,
     {STEPS(R, SEND("HTTP/1.1 200 OK\r\n"), TO_EOF)},
     ASKS({.method = "GET", .path = "/1", .first_ns = 20 * MS}),
     "GET /1: TG_EDEADLINE upstream_timeout 504\ndialled 1, idle 0\n"},
    {"body stalls",
     ask,
     {STEPS(R, SEND(CHNK "\r\n1\r\na\r\n"), TO_EOF)},
     ASKS({.method = "GET", .path = "/1", .idle_ns = 20 * MS}),
     "GET /1: 200 [a] TG_EDEADLINE upstream_timeout 504\ndialled 1, idle 0\n"},
    {"kept one stalls: not again",
     ask,
     {STEPS(R, SEND(OK("1") "\r\na"), R, TO_EOF), STEPS(R, SEND(OK("1") "\r\nb"))},
     ASKS(GET("/1"), {.method = "GET", .path = "/2", .first_ns = 20 * MS}),
     "GET /1: 200 [a]\nGET /2: TG_EDEADLINE upstream_timeout 504 reused\ndialled 1, idle 0\n"},
    {"keep-alive of a second is too short",
     ask,
     {STEPS(R, SEND(OK("1") "Keep-Alive: timeout=1, max=9\r\n\r\na"), TO_EOF),
      STEPS(R, SEND(OK("1") "Keep-Alive: max=9, Timeout = 5\r\n\r\nb"), R,
            SEND(OK("1") "\r\nc"))},
     ASKS(GET("/1"), GET("/2"), GET("/3")),
     "GET /1: 200 [a]\nGET /2: 200 [b]\nGET /3: 200 [c] reused\ndialled 2, idle 1\n"},
    {"bytes behind the answer",
     ask,
     {STEPS(R, SEND(OK("1") "\r\naHTTP/1.1 200 OK\r\n"), TO_EOF),
      STEPS(R, SEND("HTTP/1.1 204 No Content\r\n\r\nx"), TO_EOF),
      STEPS(R, SEND(OK("1") "\r\nb"))},
     ASKS(GET("/1"), {.method = "GET", .path = "/2", .sleep_ms = 5},
          {.method = "GET", .path = "/3", .sleep_ms = 5}),
     "GET /1: 200 [a]\nGET /2: 204 []\nGET /3: 200 [b]\ndialled 3, idle 1\n"},
    {"large request",
     ask,
     {STEPS(R, EAT(300000), SEND(OK("1") "\r\na"), WAIT("\r\n\r\n12"), EAT(40000),
            SEND(OK("1") "\r\nb"))},
     ASKS({.method = "POST", .path = "/1", .body = "", .fill = 300000},
          {.method = "POST", .path = "/2", .body = "12", .fill = 40000}),
     "POST /1: 200 [a]\nPOST /2: 200 [b] reused\ndialled 1, idle 1\n"},
    {"413 before the body is read",
     ask,
     {STEPS(R, SEND("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"), SLEEP(20)),
      STEPS(R, SEND(OK("1") "\r\na"))},
     ASKS({.method = "POST", .path = "/1", .body = "", .fill = 2000000}, GET("/2")),
     "POST /1: 413 [no]\nGET /2: 200 [a]\ndialled 2, idle 1\n"},
    {"413, and the rest of the request never comes",
     ask,
     {STEPS(R, SEND("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nn"), SLEEP(20),
            SEND("o"), SLEEP(20)),
      STEPS(R, SEND(OK("1") "\r\na"))},
     ASKS({.method = "POST", .path = "/1", .body = "", .fill = 20000000}, GET("/2")),
     "POST /1: 413 [no]\nGET /2: 200 [a]\ndialled 2, idle 1\n"},
    {"200 before the body is read",
     ask,
     {STEPS(R, SEND(CHNK "\r\n1\r\na\r\n"), EAT(2000000), SEND("1\r\nb\r\n0\r\n\r\n"), R,
            SEND(OK("1") "\r\nc"))},
     ASKS({.method = "POST", .path = "/1", .body = "", .fill = 2000000}, GET("/2")),
     "POST /1: 200 [ab]\nGET /2: 200 [c] reused\ndialled 1, idle 1\n"},
    {"deflate",
     ask,
     {STEPS(R,
            SEND(OK("11") "Content-Encoding: deflate\r\n\r\n"
                          "\x78\x9c\x4b\x4c\x4a\x06\x00\x02\x4d\x01\x27"),
            R,
            SEND(CHNK "Content-Encoding: deflate\r\n\r\n3\r\n\x78\x9c\x4b\r\n"
                      "8\r\n\x4c\x4a\x06\x00\x02\x4d\x01\x27\r\n0\r\n\r\n"),
            R,
            SEND("HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n"
                 "\x78\x9c\x4b\x4c\x4a\x06\x00\x02\x4d\x01\x27"))},
     ASKS(GET("/1"), GET("/2"), GET("/3")),
     "GET /1: 200 [abc]\nGET /2: 200 [abc] reused\nGET /3: 200 [abc] reused\n"
     "dialled 1, idle 0\n"},
    {"bad coded bodies",
     ask,
     {STEPS(R, SEND(OK("10") "Content-Encoding: deflate\r\n\r\n"
                             "\x78\x9c\x4b\x4c\x4a\x06\x00\x02\x4d\x01")),
      STEPS(R, SEND(OK("11") "Content-Encoding: deflate\r\n\r\n"
                             "\x78\x9c\x4b\x4c\x4a\x06\x00\x02\x4d\x01\x28")),
      STEPS(R, SEND(OK("14") "Content-Encoding: br\r\n\r\n"
                             "\x9b\xff\xff\x3f\xf8\x27\x00\xe2\xb1\x40\x20\xf7\xfe\x07")),
      STEPS(R, SEND(OK("3") "Content-Encoding: foo\r\n\r\nabc"))},
     ASKS(GET("/1"), GET("/2"), GET("/3"), GET("/4")),
     "GET /1: 200 [abc] TG_EGONE upstream_truncated 502\n"
     "GET /2: 200 [abc] TG_EPROTO upstream_protocol 502\n"
     "GET /3: 200 [many bytes] TG_ELIMIT upstream_too_large 502\n"
     "GET /4: 200 coded [] TG_EPROTO upstream_protocol 502\ndialled 4, idle 0\n"},
    {"answer larger than the caller takes",
     ask,
     {STEPS(R, SEND(OK("400000") "\r\n"), FILL(400000), TO_EOF),
      STEPS(R, SEND(OK("100000") "\r\n"), FILL(100000))},
     ASKS(GET("/1"), GET("/2")),
     "GET /1: 200 [many bytes] TG_ELIMIT upstream_too_large 502\n"
     "GET /2: 200 [100000 bytes]\ndialled 2, idle 1\n"},
    {"pages and redirects are the caller's",
     ask,
     {STEPS(R,
            SEND("HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\n"
                 "Content-Length: 6\r\n\r\n<html>"),
            R, SEND("HTTP/1.1 302 Found\r\nLocation: http://x/\r\nContent-Length: 0\r\n\r\n"),
            R, SEND(OK("0") "\r\n"))},
     ASKS(GET("/1"), GET("/2"), GET("/3")),
     "GET /1: 502 [<html>]\nGET /2: 302 [] reused\nGET /3: 200 [] reused\ndialled 1, idle 1\n"},
    {"what must not be sent",
     ask,
     {NULL},
     ASKS({.method = "GET", .path = "/a b"}, {.method = "G T", .path = "/"},
          {.method = "GET", .path = "/\x80"},
          {.method = "GET", .path = "/h", .header = "a\r\nX: y"}),
     "GET /a b: TG_EINVAL invalid_upstream_request 500 (ours)\n"
     "G T /: TG_EINVAL invalid_upstream_request 500 (ours)\n"
     "GET /\x80: TG_EINVAL invalid_upstream_request 500 (ours)\n"
     "GET /h: TG_EINVAL invalid_upstream_request 500 (ours)\ndialled 0, idle 0\n"},
};

const unsigned talk_client_n = sizeof talk_client_cases / sizeof talk_client_cases[0];

const struct talk_case talk_client_slow_cases[] = {
    {"keep-alive is honoured",
     ask,
     {STEPS(R, SEND(OK("1") "Keep-Alive: timeout=5\r\n\r\na"), R, SEND(OK("1") "\r\nb"), R,
            SEND(OK("1") "Keep-Alive: timeout=5\r\n\r\nc"), TO_EOF),
      STEPS(R, SEND(OK("1") "\r\nd"))},
     ASKS(GET("/1"), {.method = "GET", .path = "/2", .sleep_ms = 3900},
          {.method = "GET", .path = "/3", .sleep_ms = 90000},
          {.method = "GET", .path = "/4", .sleep_ms = 4100}),
     "GET /1: 200 [a]\nGET /2: 200 [b] reused\nGET /3: 200 [c] reused\nGET /4: 200 [d]\n"
     "dialled 2, idle 1\n"},
    {"413 is not held up by an upstream that takes no more",
     ask,
     {STEPS(R, SEND("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"), SLEEP(3000))},
     ASKS({.method = "POST", .path = "/1", .body = "", .fill = 2000000, .first_ns = 1000 * MS}),
     "POST /1: 413 [no]\ndialled 1, idle 0\n"},
    {"large request is taken slowly",
     ask,
     {STEPS(R, EAT(50000), SLEEP(60), EAT(50000), SLEEP(60), EAT(50000), SLEEP(60), EAT(50000),
            SLEEP(60), EAT(50000), SLEEP(60), EAT(50000), SLEEP(60), EAT(50000), SLEEP(60),
            EAT(50000), SLEEP(60), EAT(50000), SLEEP(60), EAT(50000), SEND(OK("1") "\r\na"))},
     ASKS({.method = "POST", .path = "/1", .body = "", .fill = 500000, .first_ns = 300 * MS}),
     "POST /1: 200 [a]\ndialled 1, idle 1\n"},
    {"large request is not taken",
     ask,
     {STEPS(R, SLEEP(1000))},
     ASKS({.method = "POST", .path = "/1", .body = "", .fill = 2000000, .first_ns = 20 * MS}),
     "POST /1: TG_EDEADLINE upstream_timeout 504\ndialled 1, idle 0\n"},
};

const unsigned talk_client_slow_n =
    sizeof talk_client_slow_cases / sizeof talk_client_slow_cases[0];
