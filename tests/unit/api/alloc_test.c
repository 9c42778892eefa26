/* alloc_test.c -- what an event costs in memory: nothing.
 *
 * An upstream on loopback sends a thousand events of a stream, each when the client has seen
 * the one before, so that none is gathered with another.  What the thread asked for between the
 * first few and the last is counted.  A relayed event asks for nothing.  A translated one does
 * not either, save where a dialect repeats the whole text at the end of its answer and so must
 * keep it: that grows by chunks.
 *
 * And what a stream holds while it waits: of a long conversation nothing, once it was sent; of
 * its stack what it waits on.
 */
#include "api/endpoints.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/listen.h"
#include "support/co_test.h"
#include "support/settings_test.h"

enum { WARM_UP = 16, COUNTED = 1000, EVENTS = WARM_UP + COUNTED };

/* How an upstream of a dialect tells the words. */
struct script {
    const char *dialect;
    const char *before, *word[2], *after; /* each word stands between the two */
};

static const struct script scripts[] = {
    {"chat",
     "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\","
     "\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},"
     "\"finish_reason\":null}]}\n\n",
     {"data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\","
      "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"",
      "\"},\"finish_reason\":null}]}\n\n"},
     "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\","
     "\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
     "data: [DONE]\n\n"},
    {"messages",
     "event: message_start\n"
     "data: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"type\":\"message\","
     "\"role\":\"assistant\",\"content\":[],\"model\":\"m\",\"stop_reason\":null,"
     "\"stop_sequence\":null,\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}}\n\n"
     "event: content_block_start\n"
     "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":"
     "{\"type\":\"text\",\"text\":\"\"}}\n\n",
     {"event: content_block_delta\n"
      "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
      "{\"type\":\"text_delta\",\"text\":\"",
      "\"}}\n\n"},
     "event: content_block_stop\n"
     "data: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
     "event: message_delta\n"
     "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\","
     "\"stop_sequence\":null},\"usage\":{\"output_tokens\":9}}\n\n"
     "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"},
    {"responses",
     "event: response.created\n"
     "data: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"r\","
     "\"object\":\"response\",\"status\":\"in_progress\",\"output\":[]}}\n\n"
     "event: response.output_item.added\n"
     "data: {\"type\":\"response.output_item.added\",\"sequence_number\":1,\"output_index\":0,"
     "\"item\":{\"id\":\"i\",\"type\":\"message\",\"status\":\"in_progress\",\"role\":"
     "\"assistant\",\"content\":[]}}\n\n"
     "event: response.content_part.added\n"
     "data: {\"type\":\"response.content_part.added\",\"sequence_number\":2,\"item_id\":\"i\","
     "\"output_index\":0,\"content_index\":0,\"part\":{\"type\":\"output_text\",\"text\":\"\","
     "\"annotations\":[]}}\n\n",
     {"event: response.output_text.delta\n"
      "data: {\"type\":\"response.output_text.delta\",\"sequence_number\":3,"
      "\"item_id\":\"i\",\"output_index\":0,\"content_index\":0,\"delta\":\"",
      "\"}\n\n"},
     "event: response.completed\n"
     "data: {\"type\":\"response.completed\",\"sequence_number\":4,\"response\":{\"id\":\"r\","
     "\"object\":\"response\",\"status\":\"completed\",\"output\":[],\"usage\":"
     "{\"input_tokens\":1,\"output_tokens\":9,\"total_tokens\":10}}}\n\n"},
};

static const struct {
    const char *dialect, *path, *prompt[2];
} clients[] = {
    {"chat",
     "/v1/chat/completions",
     {"\"messages\":[{\"role\":\"user\",\"content\":\"", "\"}]"}},
    {"messages",
     "/v1/messages",
     {"\"max_tokens\":64,\"messages\":[{\"role\":\"user\",\"content\":\"", "\"}]"}},
    {"responses", "/v1/responses", {"\"input\":\"", "\""}},
};

static struct run {
    const struct script *from;
    unsigned client;
    size_t prompt_bytes;
    struct upstream_set *set;
    struct exchange x;
    int listener, fd[2]; /* the client's end, the gateway's */
    struct co_event go;  /* the client has seen all events so far */
    uint64_t asked;      /* in the counted part */
    size_t kept, body;   /* bytes of the exchange's arenas, of its body, in mid-stream */
    bool seen_end;
} run;

static void
write_all(int fd, const char *p, size_t n)
{
    int e;

    assert_int_equal(co_write_all(fd, p, n, &e), TG_OK);
}

static void
write_chunk(int fd, const char *text)
{
    static char chunk[4096];
    int n = snprintf(chunk, sizeof chunk, "%zx\r\n%s\r\n", strlen(text), text);

    assert_in_range(n, 1, sizeof chunk - 1);
    write_all(fd, chunk, (size_t)n);
}

/* Until what has been read since the last call holds `what`. */
static void
read_until(int fd, const char *what)
{
    static char got[1 << 20];
    size_t n = 0, k;
    int e;

    do {
        assert_true(n < sizeof got - 1);
        assert_int_equal(co_read(fd, got + n, sizeof got - 1 - n, &k, &e), TG_OK);
        assert_true(k > 0);
        n += k;
    } while (!memmem(got, n, what, strlen(what)));
}

static void
accepted(void *arg, int fd)
{
    *(int *)arg = fd;
}

static tg_rc
upstream_run(void *arg)
{
    static const char head[] = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
                               "transfer-encoding: chunked\r\n\r\n";
    static char text[2048];
    const struct script *s = run.from;
    char word[16];
    unsigned ready;
    int fd = -1;

    (void)arg;
    assert_int_equal(co_poll(run.listener, POLLIN, &ready), TG_OK);
    listen_take_rest(run.listener, accepted, &fd);
    assert_true(fd >= 0);
    read_until(fd, "\"}");
    write_all(fd, head, sizeof head - 1);
    write_chunk(fd, s->before);
    for (int i = 0; i < EVENTS; i++) {
        snprintf(word, sizeof word, "w%06d.", i);
        snprintf(text, sizeof text, "%s%s%s", s->word[0], word, s->word[1]);
        write_chunk(fd, text);
        assert_int_equal(co_event_wait(&run.go), TG_OK);
    }
    write_chunk(fd, s->after);
    write_all(fd, "0\r\n\r\n", 5);
    while (co_poll(fd, POLLIN, &ready) == TG_OK && read(fd, text, sizeof text) > 0)
        continue;
    close(fd);
    return TG_OK;
}

static void
ask(int fd)
{
    static char body[1 << 20], head[512], *prompt;
    int n, m;

    prompt = malloc(run.prompt_bytes + 1);
    memset(prompt, 'p', run.prompt_bytes);
    prompt[run.prompt_bytes] = 0;
    n = snprintf(body, sizeof body, "{\"model\":\"m\",\"stream\":true,");
    n += snprintf(body + n, sizeof body - (size_t)n, "%s%s%s}", clients[run.client].prompt[0],
                  prompt, clients[run.client].prompt[1]);
    m = snprintf(head, sizeof head,
                 "POST %s HTTP/1.1\r\nhost: gw\r\ncontent-length: %d\r\n\r\n",
                 clients[run.client].path, n);
    free(prompt);
    write_all(fd, head, (size_t)m);
    write_all(fd, body, (size_t)n);
}

/* In mid-stream the pulse cuts the stack back, soon after the first record, and the stream goes
 * on. */
static void
settles(struct exchange *x)
{
    assert_false(x->settled);
    assert_true(x->pulse.at < x->t_first + 5 * NS_PER_S);
    x->pulse.fire(&x->pulse);
    assert_true(x->settled);
    assert_true(x->pulse.at > co_now());
}

static tg_rc
client_run(void *arg)
{
    char word[16];
    uint64_t before = 0;

    (void)arg;
    ask(run.fd[0]);
    for (int i = 0; i < EVENTS; i++) {
        snprintf(word, sizeof word, "w%06d.", i);
        read_until(run.fd[0], word);
        if (i + 1 == WARM_UP) {
            settles(&run.x);
            before = mem_asked();
        }
        if (i + 1 == EVENTS)
            break;
        co_event_signal(&run.go);
    }
    run.asked = mem_asked() - before;
    run.kept = run.x.arena.used + run.x.request.used;
    run.body = run.x.body.cap;
    co_event_signal(&run.go);
    read_until(run.fd[0], "0\r\n\r\n");
    run.seen_end = true;
    return TG_OK;
}

/* What gate/conn.c does with a connection, for one request. */
static void
serve(void)
{
    const struct settings *s = run.set->settings;
    struct http_in_conf conf = {
        .head_max = (size_t)s->limits.head_bytes,
        .body_max = (size_t)s->limits.body_bytes,
        .keep_alive_ns = 10 * NS_PER_S,
        .head_ns = 10 * NS_PER_S,
        .body_idle_ns = 10 * NS_PER_S,
    };
    struct exchange *x = &run.x;
    struct http_in in;
    struct http_head *head;

    memset(x, 0, sizeof *x);
    x->set = run.set;
    x->settings = s;
    x->sock = sock_open(run.fd[1], NULL);
    x->in = &in;
    x->usage = IR_USAGE_UNKNOWN;
    arena_init(&x->arena);
    arena_init(&x->request);
    buf_init(&x->body, conf.body_max);
    http_in_init(&in, x->sock, &conf);
    assert_int_equal(http_in_head(&in, &x->arena, &head, &x->err), TG_OK);
    x->req = head;
    x->t_start = co_now();
    x->dialect = exchange_dialect(x);
    x->id = "test";
    reply_init(&x->reply, x->sock, head);
    endpoints_serve(x);
    assert_int_equal(sock_flush(x->sock), TG_OK);
}

static tg_rc
body(void *arg)
{
    struct co_scope sc;

    run.set = upstream_set_open(arg);
    co_scope_open(&sc, co_now() + 60 * NS_PER_S);
    assert_int_equal(co_spawn(&sc, "upstream", upstream_run, NULL), TG_OK);
    assert_int_equal(co_spawn(&sc, "client", client_run, NULL), TG_OK);
    serve();
    if (run.x.broken || !run.x.reply.ended)
        fail_msg("%s", run.x.err.msg);
    upstream_set_unref(run.set); /* ends the upstream's connection */
    assert_int_equal(co_join(&sc), TG_OK);
    assert_int_equal(co_scope_close(&sc), TG_OK);
    assert_true(run.seen_end);
    buf_fini(&run.x.body);
    arena_fini(&run.x.request);
    arena_fini(&run.x.arena);
    sock_close(run.x.sock);
    close(run.fd[0]);
    return TG_OK;
}

/* A stream from an upstream that speaks scripts[from] to a client that speaks
 * clients[client]. */
static void
stream(unsigned from, unsigned client, size_t prompt_bytes)
{
    struct co_conf conf = {.recv_buffers = 64, .recv_buffer_bytes = 8192};
    struct upstream_shared *shared;
    struct tg_err err = {.rc = TG_OK};
    char name[64], yaml[256];

    run = (struct run){.from = &scripts[from],
                       .client = client,
                       .prompt_bytes = prompt_bytes,
                       .go = CO_EVENT_INIT};
    assert_int_equal(listen_open(STR("127.0.0.1:0"), &run.listener, &err), TG_OK);
    listen_name(run.listener, name, sizeof name);
    snprintf(yaml, sizeof yaml,
             "upstreams:\n  - name: up\n    url: http://%s/v1\n    dialect: %s\n"
             "models:\n  - name: m\n    upstream: up\n",
             name, scripts[from].dialect);
    assert_int_equal(upstream_shared_open(good(yaml), &shared, &err), TG_OK);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, run.fd), 0);
    assert_int_equal(co_test_run_conf(&conf, body, shared), TG_OK);
    sock_thread_fini();
    upstream_shared_unref(shared);
    close(run.listener);
}

static void
a_relayed_event_asks_for_nothing(void **state)
{
    (void)state;
    for (unsigned d = 0; d < 3; d++) {
        stream(d, d, 100);
        if (run.asked > 0)
            fail_msg("%s: %llu times in %d events", clients[d].dialect,
                     (unsigned long long)run.asked, COUNTED);
    }
}

/* Eight bytes an event are kept for a client that gets all of them again: a few chunks. */
static void
a_translated_event_asks_for_nothing(void **state)
{
    (void)state;
    for (unsigned from = 0; from < 3; from++) {
        for (unsigned to = 0; to < 3; to++) {
            uint64_t most = strcmp(clients[to].dialect, "responses") == 0 ? 16 : 2;

            if (from == to)
                continue;
            stream(from, to, 100);
            if (run.asked > most)
                fail_msg("%s to %s: %llu times in %d events", scripts[from].dialect,
                         clients[to].dialect, (unsigned long long)run.asked, COUNTED);
        }
    }
}

static void
a_stream_lets_the_conversation_go(void **state)
{
    enum { PROMPT = 400000 };

    (void)state;
    for (unsigned from = 0; from < 3; from++) {
        for (unsigned to = 0; to < 3; to++) {
            stream(from, to, PROMPT);
            assert_int_equal(run.body, 0);
            assert_in_range(run.kept, 1, PROMPT / 10);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_relayed_event_asks_for_nothing),
        cmocka_unit_test(a_translated_event_asks_for_nothing),
        cmocka_unit_test(a_stream_lets_the_conversation_go),
    };
    int failed = cmocka_run_group_tests_name("api/alloc", tests, clear_environment, NULL);

    arena_thread_fini();
    buf_thread_fini();
    return failed;
}
