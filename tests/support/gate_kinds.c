/* gate_kinds.c -- the exchanges that are run through a simulated gateway, and what is right of
 * them.
 *
 * The words are one text cut into pieces, so that whatever part of it a client has must be a
 * prefix.  A stream pauses once, for longer than two heartbeats are apart, and what follows
 * comes all at once, which is more than a slow client and the gateway's marks hold.
 */
#include "support/gate_kinds.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "support/shapes.h"

enum { WORDS = 40, SILENT_BEFORE = 4 };

const char gate_kinds_settings[] = "heartbeat_seconds: 1\n"
                                   "write_timeout_seconds: 5\n"
                                   "limits:\n"
                                   "  stream_high_bytes: 4KiB\n"
                                   "  stream_low_bytes: 1KiB\n"
                                   "timeouts:\n"
                                   "  connect_seconds: 2\n"
                                   "  first_byte_seconds: 5\n"
                                   "  idle_seconds: 5\n"
                                   "  total_seconds: 20\n"
                                   "drain:\n"
                                   "  delay: 0\n"
                                   "  timeout: 1\n"
                                   "upstreams:\n"
                                   "  - name: up\n"
                                   "    url: http://upstream.test:9000/v1\n"
                                   "  - name: one\n"
                                   "    url: http://upstream.test:9000/v1\n"
                                   "    connections_max: 1\n"
                                   "models:\n"
                                   "  - name: one\n"
                                   "    upstream: one\n"
                                   "  - name: \"*\"\n"
                                   "    upstream: up\n";

/* What the upstream says. */
static char full[WORDS * 200], wire[WORDS + 8][512], whole_wire[sizeof full + 1024];
static struct gate_piece stream_pieces[WORDS + 8], whole_pieces[3];
const struct gate_piece *const gate_kinds_stream = stream_pieces, *const gate_kinds_whole =
                                                                      whole_pieces;

static struct str
chunk(char *to, size_t n, const char *record)
{
    int k = snprintf(to, n, "%zx\r\n%s\r\n", strlen(record), record);

    assert(k > 0 && (size_t)k < n);
    return str_of(to, (size_t)k);
}

#define CHUNK_HEAD                                                                             \
    "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\"," \
    "\"choices\":[{\"index\":0,\"delta\":"

static void
make_stream(void)
{
    struct gate_piece *p = stream_pieces;
    char record[480], word[200];
    size_t at = 0;

    *p++ = (struct gate_piece){.bytes = STR("HTTP/1.1 200 OK\r\n"
                                            "content-type: text/event-stream\r\n"
                                            "transfer-encoding: chunked\r\n\r\n"),
                               .pause = NS_PER_MS};
    for (int i = 0; i < WORDS; i++) {
        (void)snprintf(
            word, sizeof word, "word %d %.*s ", i, 100 + i,
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
        at += (size_t)snprintf(full + at, sizeof full - at, "%s", word);
        (void)snprintf(record, sizeof record,
                       CHUNK_HEAD "{%s\"content\":\"%s\"},\"finish_reason\":null}]}\n\n",
                       i == 0 ? "\"role\":\"assistant\"," : "", word);
        p->bytes = chunk(wire[i], sizeof wire[i], record);
        p->pause = i == SILENT_BEFORE ? 2200 * NS_PER_MS : i < SILENT_BEFORE ? NS_PER_MS : 0;
        p++;
    }
    p++->bytes =
        chunk(wire[WORDS], sizeof wire[0], CHUNK_HEAD "{},\"finish_reason\":\"stop\"}]}\n\n");
    p++->bytes = chunk(wire[WORDS + 1], sizeof wire[0], "data: [DONE]\n\n");
    p->bytes = STR("0\r\n\r\n");
}

static void
make_whole(void)
{
    static char body[sizeof full + 512];
    int n = snprintf(body, sizeof body,
                     "{\"id\":\"c1\",\"object\":\"chat.completion\",\"created\":1,"
                     "\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":"
                     "\"assistant\",\"content\":\"%s\"},\"finish_reason\":\"stop\"}],"
                     "\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2,"
                     "\"total_tokens\":3}}",
                     full);

    n = snprintf(whole_wire, sizeof whole_wire,
                 "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
                 "content-length: %d\r\n\r\n%s",
                 n, body);
    whole_pieces[0] = (struct gate_piece){str_of(whole_wire, 300), 2 * NS_PER_MS};
    whole_pieces[1] = (struct gate_piece){str_of(whole_wire + 300, (size_t)n - 300), NS_PER_MS};
}

#define MESSAGES "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"

/* More than leaves in one burst: a coroutine of its own sends it. */
static char large_body[GATE_BODY_MAX];

static void
make_large(void)
{
    static const char head[] =
        "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"",
                      tail[] = "\"}]}";

    memset(large_body, 'y', sizeof large_body - 1);
    memcpy(large_body, head, sizeof head - 1);
    memcpy(large_body + sizeof large_body - sizeof tail, tail, sizeof tail);
}

/* clang-format off */
const struct gate_kind gate_kinds[GATE_KINDS] = {
    {"same dialect", "chat", "/v1/chat/completions",
     "{\"model\":\"m\",\"stream\":true," MESSAGES,
     1, 0, "\"content\":\"", "data: [DONE]\n\n", "data: {\"error\":{"},
    {"translated", "messages", "/v1/messages",
     "{\"model\":\"m\",\"stream\":true,\"max_tokens\":64," MESSAGES,
     1, 0, "\"text_delta\",\"text\":\"", "event: message_stop\n", "event: error\n"},
    {"short calls", "chat", "/v1/chat/completions",
     "{\"model\":\"m\"," MESSAGES,
     2, 0, "\"content\":\"", NULL, NULL},
    {"large request", "chat", "/v1/chat/completions",
     large_body,
     1, 0, "\"content\":\"", NULL, NULL},
    {"waiting", "chat", "/v1/chat/completions",
     "{\"model\":\"one\"," MESSAGES,
     1, 2, "\"content\":\"", NULL, NULL},
};
/* clang-format on */
static bool
has(struct str s, const char *what)
{
    return what && s.n && memmem(s.p, s.n, what, strlen(what));
}

/* The model's words as the client was told them; false: not a prefix of what was said. */
static bool
words_of(const struct gate_kind *k, struct str body, size_t *ret_n)
{
    size_t n = strlen(k->before_words), at = 0;
    const char *p;

    while (body.n && (p = memmem(body.p, body.n, k->before_words, n)) != NULL) {
        struct str word = str_from(body, (size_t)(p - body.p) + n);

        word.n = str_find(word, '"');
        if (at + word.n > strlen(full) || !str_eq(str_of(full + at, word.n), word))
            return false;
        at += word.n;
        body = str_from(body, (size_t)(p - body.p) + n + word.n);
    }
    *ret_n = at;
    return true;
}

static const char *
wrong(const struct gate_kind *k, const struct gate_answer *a, bool must, bool left)
{
    struct str body = buf_str(&a->body);
    bool error, end;
    size_t n = 0;

    if (a->fault)
        return "malformed";
    if (!a->complete && !a->ended && !left)
        return "neither complete nor ended";
    if (a->status == 0)
        return must ? "no answer" : NULL;
    if (a->status != 200) {
        if (must)
            return "not 200";
        return a->complete && !has(body, "\"error\"") ? "a status without an error" : NULL;
    }
    if (!words_of(k, body, &n))
        return "other words than the upstream's";
    error = has(body, k->error);
    end = k->end ? has(body, k->end) : a->complete;
    if (end && (n != strlen(full) || error))
        return "a false end";
    if (a->complete && !end)
        return "complete without an end";
    if (must && (!a->complete || !end || error))
        return "not the whole answer";
    return NULL;
}

const char *
gate_kind_wrong(const struct gate_kind *k, const struct gate_answer *a, bool must, bool left)
{
    const char *why = wrong(k, a, must, left);
    struct arena arena;

    if (why || !must || !a->stream)
        return why;
    arena_init(&arena);
    if (shape_check(&arena, k->dialect, buf_str(&a->body), false))
        why = "a stream that its dialect does not allow";
    arena_fini(&arena);
    return why;
}

bool
gate_kind_beaten(const struct gate_answer *a)
{
    return has(buf_str(&a->body), ": keep-alive\n") || has(buf_str(&a->body), "event: ping\n");
}

void
gate_kinds_init(void)
{
    make_stream();
    make_whole();
    make_large();
}
