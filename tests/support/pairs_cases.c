/* pairs_cases.c -- answers for every pair of dialects. */
#include "support/pairs_cases.h"

#include "base/utf8.h"

struct making {
    struct arena *a;
    struct ir_res *res;
    struct ir_block **tail;
};

static struct making
make(struct arena *a, enum ir_stop stop)
{
    struct making m = {.a = a, .res = arena_new(a, struct ir_res)};

    m.res->n_answers = 1;
    m.res->answers = arena_new(a, struct ir_answer);
    m.res->answers->stop = stop;
    m.res->usage = (struct ir_usage){120, 34, 20, 10, 5};
    m.tail = &m.res->answers->blocks;
    return m;
}

static struct ir_block *
add(struct making *m, enum ir_kind kind, struct str text)
{
    struct ir_block *b = arena_new(m->a, struct ir_block);

    b->kind = kind;
    b->text = text;
    *m->tail = b;
    m->tail = &b->next;
    return b;
}

static void
add_call(struct making *m, const char *id, struct str args)
{
    struct ir_block *b = add(m, IR_CALL, args);

    b->id = str_z(id);
    b->name = STR("look");
}

static struct ir_res *
text(struct arena *a)
{
    struct making m = make(a, IR_STOP_END);

    add(&m, IR_TEXT, STR("Hello."));
    return m.res;
}

static struct ir_res *
characters(struct arena *a)
{
    struct making m = make(a, IR_STOP_END);

    add(&m, IR_TEXT,
        STR("na\xc3\xafve \xe2\x82\xac "
            "\xf0\x9f\x98\x80\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80 "
            "\"quoted\" \\back\\ \n\t\r \x01\x7f </script> \xe2\x80\xa8 data: x\n\nevent: y"));
    return m.res;
}

static struct ir_res *
two_calls(struct arena *a)
{
    struct making m = make(a, IR_STOP_CALLS);

    add_call(&m, "call_a", STR("{\"id\": 9007199254740993, \"x\":[1.0,2e5,null]}"));
    add_call(&m, "call_b", STR("{\"q\":\"\\u00e9\\ud83d\\ude00 \\\"\"}"));
    return m.res;
}

static struct ir_res *
text_and_call(struct arena *a)
{
    struct making m = make(a, IR_STOP_CALLS);

    add(&m, IR_TEXT, STR("Let me look."));
    add_call(&m, "call_a", STR("{\"id\":1}"));
    return m.res;
}

/* Ids as other makers write them. */
static struct ir_res *
foreign_ids(struct arena *a)
{
    struct making m = make(a, IR_STOP_CALLS);

    add_call(&m, "toolu_01A09q90qw90lq917835lq9", STR("{}"));
    add_call(&m, "chatcmpl-tool-0c3e4a27b1f24d5e9f6a7b8c9d0e1f2a", STR("{}"));
    add_call(&m, "0", STR("{}"));
    return m.res;
}

static struct ir_res *
think_by(struct arena *a, const char *maker, struct str thought)
{
    struct making m = make(a, IR_STOP_END);
    struct ir_block *b = add(&m, IR_THINK, thought);

    if (maker) {
        b->sig = STR("EuYBCkQYAiJA+/x=");
        b->origin = maker;
        b->redacted = thought.n == 0;
    }
    add(&m, IR_TEXT, STR("So it is."));
    return m.res;
}

static struct ir_res *
think_plain(struct arena *a)
{
    return think_by(a, NULL, STR("Hm.\nYes."));
}

static struct ir_res *
think_chat(struct arena *a)
{
    return think_by(a, "chat", STR("Hm.\nYes."));
}

static struct ir_res *
think_messages(struct arena *a)
{
    return think_by(a, "messages", STR("Hm.\nYes."));
}

static struct ir_res *
think_responses(struct arena *a)
{
    struct ir_res *res = think_by(a, "responses", STR("Hm.\nYes."));

    res->answers->blocks->summary = true;
    res->answers->blocks->sig_id = STR("rs_0123456789abcdef");
    return res;
}

static struct ir_res *
think_redacted_messages(struct arena *a)
{
    return think_by(a, "messages", (struct str){NULL, 0});
}

static struct ir_res *
think_redacted_responses(struct arena *a)
{
    struct ir_res *res = think_by(a, "responses", (struct str){NULL, 0});

    res->answers->blocks->sig_id = STR("rs_0123456789abcdef");
    return res;
}

static struct ir_res *
think_text_call(struct arena *a)
{
    struct ir_res *res = think_by(a, "messages", STR("Which one?"));
    struct making m = {.a = a, .res = res, .tail = &res->answers->blocks->next->next};

    res->answers->stop = IR_STOP_CALLS;
    add_call(&m, "call_a", STR("{\"id\":1}"));
    return res;
}

static struct ir_res *
refusal(struct arena *a)
{
    struct making m = make(a, IR_STOP_END);

    add(&m, IR_REFUSAL, STR("I cannot help with that."));
    return m.res;
}

static struct ir_res *
filtered(struct arena *a)
{
    struct making m = make(a, IR_STOP_FILTER);

    add(&m, IR_TEXT, STR("Well, "));
    return m.res;
}

static struct ir_res *
too_long(struct arena *a)
{
    struct making m = make(a, IR_STOP_LENGTH);

    add(&m, IR_TEXT, STR("And then"));
    return m.res;
}

static struct ir_res *
sequence(struct arena *a)
{
    struct making m = make(a, IR_STOP_SEQUENCE);

    add(&m, IR_TEXT, STR("Up to"));
    m.res->answers->stop_text = STR("END");
    return m.res;
}

static struct ir_res *
empty_arguments(struct arena *a)
{
    struct making m = make(a, IR_STOP_CALLS);

    add_call(&m, "call_a", (struct str){NULL, 0});
    add_call(&m, "call_b", STR("{}"));
    add_call(&m, "call_c", (struct str){NULL, 0});
    return m.res;
}

static struct ir_res *
notes(struct arena *a)
{
    struct making m = make(a, IR_STOP_END);
    struct ir_note *n = arena_array(a, struct ir_note, 2);

    add(&m, IR_TEXT, STR("It rains in Z\xc3\xbcrich today."))->notes = n;
    n[0] = (struct ir_note){.url = STR("https://weather.example/z?a=1&b=\"2\""),
                            .title = STR("Weather"),
                            .cited = STR("rains"),
                            .start = 3,
                            .end = 8,
                            .next = &n[1]};
    n[1] = (struct ir_note){
        .url = STR("https://zh.example/"), .title = STR("City"), .start = 12, .end = 18};
    return m.res;
}

static struct ir_res *
big_arguments(struct arena *a)
{
    enum { N = 100000 };
    struct making m = make(a, IR_STOP_CALLS);
    char *p = arena_alloc(a, N + 16, 1);
    size_t n = 6;

    memcpy(p, "{\"s\":\"", 6);
    while (n < N) {
        memcpy(p + n, n % 7 ? "abc\\n\xe2\x82\xac" : "\\\"\xf0\x9f\x98\x80zz", 8);
        n += 8;
    }
    memcpy(p + n, "\"}", 2);
    add_call(&m, "call_big", str_of(p, n + 2));
    add_call(&m, "call_small", STR("{\"id\":1}"));
    return m.res;
}

static struct ir_res *
nothing(struct arena *a)
{
    return make(a, IR_STOP_END).res;
}

static struct ir_res *
no_usage(struct arena *a)
{
    struct ir_res *res = text(a);

    res->usage = IR_USAGE_UNKNOWN;
    return res;
}

const struct pairs_case pairs_cases[] = {
    {"text", text},
    {"all sorts of characters", characters},
    {"two calls", two_calls},
    {"text, then a call", text_and_call},
    {"foreign call ids", foreign_ids},
    {"reasoning without proof", think_plain},
    {"reasoning signed by chat", think_chat},
    {"reasoning signed by messages", think_messages},
    {"reasoning signed by responses", think_responses},
    {"reasoning redacted by messages", think_redacted_messages},
    {"reasoning encrypted by responses", think_redacted_responses},
    {"reasoning, text, call", think_text_call},
    {"refusal", refusal},
    {"filtered", filtered},
    {"too long", too_long},
    {"stop sequence", sequence},
    {"empty arguments", empty_arguments},
    {"citations", notes},
    {"big arguments", big_arguments},
    {"nothing at all", nothing},
    {"no usage", no_usage},
};
const unsigned pairs_n_cases = sizeof pairs_cases / sizeof pairs_cases[0];

static struct str
gen_text(struct arena *a, struct prng *r)
{
    static const uint32_t from[] = {'a',  'b',    ' ',    '"',     '\\',
                                    '\n', 0x00e9, 0x20ac, 0x1f600, ','};
    size_t want = 1 + (size_t)prng_below(r, 12), n = 0;
    char *p = arena_alloc(a, want * 4, 1);

    while (want-- > 0)
        n += utf8_put(p + n, from[prng_below(r, sizeof from / sizeof from[0])]);
    return str_of(p, n);
}

static struct str
gen_args(struct arena *a, struct prng *r)
{
    switch (prng_below(r, 4)) {
    case 0:
        return (struct str){NULL, 0};
    case 1:
        return STR("{}");
    case 2:
        return arena_printf(a, "{\"n\": %llu,\"f\":1.50}", (unsigned long long)prng_next(r));
    default:
        return STR("{\"deep\":{\"l\":[[],[{}],\"\\u0000\\ud83d\\ude00\"]}, \"\":null}");
    }
}

struct ir_res *
pairs_gen(struct arena *a, struct prng *r)
{
    static const char *const makers[] = {"chat", "responses", "messages"};
    struct making m = make(a, IR_STOP_END);
    bool thought = false;
    unsigned calls = 0;

    for (uint64_t n = prng_below(r, 6); n > 0; n--) {
        struct ir_block *b;

        switch (prng_below(r, 5)) {
        case 0:
            if (thought)
                break;
            thought = true;
            b = add(&m, IR_THINK, gen_text(a, r));
            if (prng_below(r, 2)) {
                b->sig = arena_printf(a, "S%llu=", (unsigned long long)prng_next(r));
                b->origin = makers[prng_below(r, 3)];
                b->summary = b->origin == makers[1];
            }
            break;
        case 1:
        case 2:
            add(&m, IR_TEXT, gen_text(a, r));
            break;
        default:
            add_call(&m, arena_printf(a, "call_%u", calls++).p, gen_args(a, r));
            break;
        }
    }
    if (calls)
        m.res->answers->stop = IR_STOP_CALLS;
    else if (prng_below(r, 4) == 0)
        m.res->answers->stop = IR_STOP_LENGTH;
    m.res->usage = (struct ir_usage){
        (int64_t)prng_below(r, 1000) + 200, (int64_t)prng_below(r, 1000) + 100,
        (int64_t)prng_below(r, 100), (int64_t)prng_below(r, 100), (int64_t)prng_below(r, 100)};
    return m.res;
}

static struct ir_res *
back_by(struct arena *a, const char *maker, struct str sig, struct str thought)
{
    struct making m = make(a, IR_STOP_CALLS);
    struct ir_block *b = add(&m, IR_THINK, thought);

    b->sig = sig;
    b->origin = maker;
    b->redacted = thought.n == 0;
    b->summary = thought.n && strcmp(maker, "responses") == 0;
    if (strcmp(maker, "responses") == 0)
        b->sig_id = STR("rs_0123456789abcdef");
    add(&m, IR_TEXT, STR("One moment."));
    add_call(&m, "call_a-1_Z", STR("{\"id\": 9007199254740993,\"s\":\"\\u00e9\"}"));
    add_call(&m, "call_b", STR("{\"a\": [ ]}"));
    return m.res;
}

static struct ir_res *
back_signed(struct arena *a, const char *maker)
{
    return back_by(a, maker, STR("SIG+/abc=="), STR("Hm.\nYes \xe2\x82\xac."));
}

static struct ir_res *
back_redacted(struct arena *a, const char *maker)
{
    return back_by(a, maker, STR("SIG+/abc=="), (struct str){NULL, 0});
}

static struct ir_res *
back_plain(struct arena *a, const char *maker)
{
    struct making m = make(a, IR_STOP_CALLS);

    (void)maker;
    add(&m, IR_TEXT, STR("One moment."));
    add_call(&m, "toolu_01A09q90qw90lq917835lq9", STR("{\"a\":1,\"a\":2.50}"));
    return m.res;
}

/* A maker that is a gateway like us hands out envelopes of its own. */
static struct ir_res *
back_envelope(struct arena *a, const char *maker)
{
    return back_by(a, maker, STR("tg1:messages:eyJzaWciOiJhIn0"), STR("Hm."));
}

const struct pairs_return pairs_back[] = {
    {"signed, there and back", "SIG+/abc==", back_signed},
    {"redacted, there and back", "SIG+/abc==", back_redacted},
    {"calls, there and back", "toolu_01A09q90qw90lq917835lq9", back_plain},
    {"an envelope, there and back", "tg1:messages:eyJzaWciOiJhIn0", back_envelope},
};
const unsigned pairs_n_back = sizeof pairs_back / sizeof pairs_back[0];
