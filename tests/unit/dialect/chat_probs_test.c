/* chat_probs_test.c -- log probabilities of Chat answers that are too long for one event, and
 * what servers say wrong about them. */
#include "triglot/dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "ir/event.h"
#include "ir/unfold.h"
#include "json/scan.h"

enum { TOKENS = 2500, BYTES_MAX = 4 << 20 };

static const struct dialect *chat;

/* What came out: all text, all tokens' texts, and how many events it took. */
struct got {
    struct ir_sink sink;
    struct arena a;
    struct buf text, tokens;
    unsigned n, with_tokens, n_tokens;
    size_t longest;
    bool aligned; /* the tokens of every event make its text */
};

static tg_rc
got_put(struct ir_sink *sink, const struct ir_event *ev)
{
    struct got *g = (struct got *)sink;
    struct json_iter it;
    struct json_member m, token;
    size_t from = g->tokens.n;

    if (ev->kind != IR_EV_DELTA)
        return TG_OK;
    g->n++;
    g->with_tokens += ev->logprobs.n > 0;
    assert_true(utf8_valid(ev->text));
    if (ev->text.n > g->longest)
        g->longest = ev->text.n;
    assert_int_equal(buf_append(&g->text, ev->text), TG_OK);
    if (ev->logprobs.n == 0)
        return TG_OK;
    assert_int_equal(json_check(ev->logprobs, JSON_DEPTH_MAX, NULL), TG_OK);
    assert_int_equal(json_array(&it, ev->logprobs), TG_OK);
    while (json_next(&it, &m)) {
        struct str text = {NULL, 0};

        g->n_tokens++;
        assert_true(json_get(m.value, STR("token"), &token));
        assert_int_equal(json_string(&g->a, token.value, &text), TG_OK);
        assert_int_equal(buf_append(&g->tokens, text), TG_OK);
    }
    g->aligned &= str_eq(str_from(buf_str(&g->tokens), from), ev->text);
    return TG_OK;
}

static void
decode(struct got *g, struct str body)
{
    struct tg_err err = {0};
    struct dialect_dec dec = {.sink = &g->sink,
                              .arena = &g->a,
                              .err = &err,
                              .hold_max = BYTES_MAX,
                              .state = calloc(1, chat->dec_size)};

    *g = (struct got){.sink = {got_put}, .aligned = true};
    arena_init(&g->a);
    buf_init(&g->text, BYTES_MAX);
    buf_init(&g->tokens, BYTES_MAX);
    assert_non_null(dec.state);
    if (chat->decode_res(&dec, body) != TG_OK)
        fail_msg("%s", err.msg);
    free(dec.state);
}

static void
done(struct got *g)
{
    buf_fini(&g->text);
    buf_fini(&g->tokens);
    arena_fini(&g->a);
}

/* Texts as they stand in JSON. */
static const char *const words[] = {
    " a",   "\xc3\xa9", "\\u00e9", "\\n\\\"",        "\xf0\x9f\x98\x80", "\\ud83d\\ude00",
    "word", "\\u4e2d",  "\\/",     "\\uD834\\uDD1E", "\\u0041",          "\\u07ff\\u0800"};

/* A whole answer of n tokens; `bytes` is what each says of its bytes, NULL: nothing. */
static void
make(struct buf *b, unsigned n, const char *bytes, unsigned per_token)
{
    tg_rc rc = buf_printf(b, "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
                             "\"content\":\"");

    for (unsigned i = 0; i < n * per_token && rc == TG_OK; i++)
        rc = buf_printf(b, "%s", words[i % (sizeof words / sizeof words[0])]);
    if (rc == TG_OK)
        rc = buf_printf(b, "\"},\"logprobs\":{\n \"content\": [\n");
    for (unsigned i = 0; i < n && rc == TG_OK; i++) {
        rc = buf_printf(b, "%s  {\"token\": \"", i ? ",\n" : "");
        for (unsigned k = 0; k < per_token && rc == TG_OK; k++)
            rc = buf_printf(b, "%s",
                            words[(i * per_token + k) % (sizeof words / sizeof words[0])]);
        if (rc == TG_OK)
            rc = buf_printf(b, "\",\"logprob\":-0.5%s%s}", bytes ? ",\"bytes\":" : "",
                            bytes ? bytes : "");
    }
    if (rc == TG_OK)
        rc = buf_printf(b, "\n ]},\"finish_reason\":\"stop\"}]}");
    assert_int_equal(rc, TG_OK);
}

static void
long_answers_part_between_tokens(void **state)
{
    static const char *const bytes[] = {NULL, "null"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct got g;
        struct buf b;

        buf_init(&b, BYTES_MAX);
        make(&b, TOKENS, bytes[i], 12);
        decode(&g, buf_str(&b));
        assert_true(g.aligned);
        assert_int_equal(g.n_tokens, TOKENS);
        assert_in_range(g.n, g.text.n / IR_PIECE_MAX + 1, g.text.n / (IR_PIECE_MAX / 64));
        assert_int_equal(g.n, g.with_tokens);
        assert_in_range(g.longest, 1, IR_PIECE_MAX);
        assert_true(str_eq(buf_str(&g.text), buf_str(&g.tokens)));
        done(&g);
        buf_fini(&b);
    }
}

/* Tokens that do not make the text: all text comes, and all tokens. */
static void
lengths_that_are_wrong(void **state)
{
    static const char *const bytes[] = {"[]", "[1]", "[1,2,3,4,5,6,7,8,9,10,11,12,13]"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct got g;
        struct buf b;

        buf_init(&b, BYTES_MAX);
        make(&b, TOKENS, bytes[i], 7);
        decode(&g, buf_str(&b));
        assert_int_equal(g.n_tokens, TOKENS);
        assert_in_range(g.longest, 1, IR_PIECE_MAX);
        assert_true(str_eq(buf_str(&g.text), buf_str(&g.tokens)));
        done(&g);
        buf_fini(&b);
    }
}

/* A list that was printed for people stays one line of a stream. */
static void
a_record_is_one_line(void **state)
{
    static const struct ir_block text = {.kind = IR_TEXT};
    const struct ir_event open = {.kind = IR_EV_OPEN, .head = &text};
    const struct ir_event delta = {
        .kind = IR_EV_DELTA,
        .text = STR("x"),
        .logprobs = STR("[\r\n  {\n\"token\":\"x\"},\r{\"token\":\"y\"}\n]")};
    struct dialect_enc enc = {.id = STR("i"), .model = STR("m")};
    struct json_member m;
    struct arena a;
    struct buf b;
    struct str line, rest;

    (void)state;
    arena_init(&a);
    enc.arena = &a;
    enc.state = calloc(1, chat->enc_size);
    assert_non_null(enc.state);
    buf_init(&b, 4096);
    assert_int_equal(chat->encode_ev(&enc, &open, &b), TG_OK);
    buf_clear(&b);
    assert_int_equal(chat->encode_ev(&enc, &delta, &b), TG_OK);
    assert_null(memchr(buf_str(&b).p, '\r', b.n));
    line = str_cut(buf_str(&b), '\n', &rest);
    assert_true(str_eq(rest, STR("\n")));
    assert_int_equal(json_check(str_from(line, 6), JSON_DEPTH_MAX, NULL), TG_OK);
    assert_true(json_path(str_from(line, 6), "choices.0.logprobs.content.1.token", &m));
    assert_true(str_eq(m.value, STR("\"y\"")));
    buf_fini(&b);
    free(enc.state);
    arena_fini(&a);
}

static int
setup(void **state)
{
    (void)state;
    chat = dialect_find(STR("chat"));
    return chat ? 0 : -1;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_answers_part_between_tokens),
        cmocka_unit_test(lengths_that_are_wrong),
        cmocka_unit_test(a_record_is_one_line),
    };
    int failed = cmocka_run_group_tests_name("dialect/chat/probs", tests, setup, NULL);

    arena_thread_fini();
    return failed;
}
