/* http_log.c -- a text form of what the parser reports.
 *
 * One line a message: its head, its body (all spans joined, since spans depend on the cuts),
 * and how it ended.  Two logs are equal when the parser said the same.
 */
#include "support/http_log.h"

#include <assert.h>
#include <stdlib.h>

#include "http/parser.h"

struct run {
    enum http_log_kind kind;
    struct buf *log;
    struct arena arena;
    struct http_parser *parser;
    struct buf body;
    unsigned status;
};

static void
put(struct run *r, struct str s)
{
    tg_rc rc = buf_append(r->log, s);

    assert(rc == TG_OK);
    (void)rc;
}

#define PRINT(r, ...)                                                                          \
    do {                                                                                       \
        tg_rc rc_ = buf_printf((r)->log, __VA_ARGS__);                                         \
        assert(rc_ == TG_OK);                                                                  \
        (void)rc_;                                                                             \
    } while (0)

static void
begin(struct run *r)
{
    arena_reset(&r->arena);
    buf_clear(&r->body);
    r->parser = r->kind == HTTP_LOG_REQUEST ? http_parser_request(&r->arena, HTTP_LOG_HEAD_MAX)
                                            : http_parser_response(&r->arena, HTTP_LOG_HEAD_MAX,
                                                                   r->kind == HTTP_LOG_TO_HEAD);
}

static void
print_head(struct run *r)
{
    static const char *const framings[] = {"none", "sized", "chunked", "close"};
    const struct http_head *h = http_parser_head(r->parser);

    if (r->kind == HTTP_LOG_REQUEST) {
        put(r, h->method);
        put(r, STR(" "));
        put(r, h->target);
        put(r, STR(" ["));
        put(r, h->path);
        put(r, STR("|"));
        put(r, h->query);
        put(r, STR("]"));
    } else {
        PRINT(r, "%u", h->status);
    }
    PRINT(r, " 1.%u %s %s%s %llu\n", h->minor, h->keep_alive ? "keep" : "end",
          h->expect_continue ? "expect " : "", framings[h->framing],
          (unsigned long long)h->length);
    for (unsigned i = 0; i < h->n_headers; i++) {
        put(r, h->headers[i].name);
        put(r, STR("="));
        put(r, h->headers[i].value);
        put(r, STR("\n"));
    }
}

static void
print_body(struct run *r)
{
    PRINT(r, "body %zu: ", r->body.n);
    put(r, buf_str(&r->body));
    put(r, STR("\n"));
}

/* One piece; true until a failure. */
static bool
feed(struct run *r, struct str piece)
{
    enum http_step step;
    struct tg_err err;
    struct str data;

    for (;;) {
        struct str before = piece;
        tg_rc rc = http_parser_feed(r->parser, &piece, &step, &data, &err);

        if (rc != TG_OK) {
            struct tg_err again;

            assert(http_parser_feed(r->parser, &piece, &step, &data, &again) == rc);
            assert(again.http == err.http && (rc == TG_EPROTO || rc == TG_ELIMIT));
            print_body(r);
            PRINT(r, "failed %u\n", err.http);
            r->status = err.http;
            return false;
        }
        switch (step) {
        case HTTP_NEED_MORE:
            assert(piece.n == 0);
            return true;
        case HTTP_GOT_HEAD:
            print_head(r);
            break;
        case HTTP_DATA:
            assert(data.n > 0 && data.p >= before.p && data.p + data.n <= before.p + before.n);
            rc = buf_append(&r->body, data);
            assert(rc == TG_OK);
            break;
        case HTTP_END:
            print_body(r);
            put(r, STR("end\n"));
            begin(r);
            if (piece.n == 0)
                return true;
        }
    }
}

unsigned
http_log(struct buf *log, enum http_log_kind kind, struct str bytes, const size_t *cuts,
         unsigned n_cuts)
{
    struct run r = {.kind = kind, .log = log};
    size_t from = 0;
    bool ok = true;

    arena_init(&r.arena);
    buf_init(&r.body, 1 << 24);
    begin(&r);
    for (unsigned i = 0; ok && i <= n_cuts; i++) {
        size_t to = i < n_cuts ? cuts[i] : bytes.n;
        char *piece = malloc(to - from + 1);

        if (to > from) {
            memcpy(piece, bytes.p + from, to - from);
            ok = feed(&r, str_of(piece, to - from));
        }
        free(piece);
        from = to;
    }
    if (ok) {
        bool begun = http_parser_begun(r.parser);
        enum http_step step = HTTP_NEED_MORE;
        tg_rc rc = http_parser_eof(r.parser, &step, NULL);

        print_body(&r);
        PRINT(&r, "eof %s %s\n", begun ? "inside" : "between", rc == TG_OK ? "end" : "gone");
    }
    buf_fini(&r.body);
    arena_fini(&r.arena);
    return r.status;
}

unsigned
http_log_bytewise(struct buf *log, enum http_log_kind kind, struct str bytes)
{
    size_t *cuts = malloc((bytes.n + 1) * sizeof *cuts);
    unsigned n = 0, status;

    for (size_t i = 1; i < bytes.n; i++)
        cuts[n++] = i;
    status = http_log(log, kind, bytes, cuts, n);
    free(cuts);
    return status;
}
