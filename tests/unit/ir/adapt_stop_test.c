/* adapt_stop_test.c -- stop sequences looked for in the answer: found wherever the text was
 * cut, and nothing else is lost, delayed past its block, or put behind the end.
 */
#include "base/utf8.h"
#include "support/ir_gen.h"
#include "unit/ir/adapt_rig.h"

#define USAGE "usage input=3 output=7 cached=0 reasoning=0\n"

static void
stop_at(struct rig *g, struct str text)
{
    g->req.stop[g->req.n_stop++] = text;
}

static void
open_with(struct rig *g, const struct str *stops, unsigned n)
{
    rig_open(g);
    g->route.caps.stop_max = 0;
    for (unsigned i = 0; i < n; i++)
        stop_at(g, stops[i]);
}

/* One text block, cut at two places. */
static void
answer_cut(struct rig *g, bool whole, struct str text, size_t one, size_t two)
{
    static const struct ir_block head = {.kind = IR_TEXT};

    (void)rig_answer(g, whole);
    rig_put(g, (struct ir_event){.kind = IR_EV_START});
    rig_put_open(g, 0, 0, &head);
    rig_put_delta(g, 0, 0, str_of(text.p, one));
    rig_put_delta(g, 0, 0, str_of(text.p + one, two - one));
    rig_put_delta(g, 0, 0, str_from(text, two));
    rig_put_close(g, 0, 0);
    rig_put_stop(g, 0, IR_STOP_LENGTH);
    rig_put_end(g);
}

static void
expect_answer(struct rig *g, struct str text, struct str want, struct str hit)
{
    for (size_t two = 0; two <= text.n; two++)
        for (size_t one = 0; one <= two; one++) {
            bool whole = (one + two) % 2;
            const struct ir_answer *a = &g->fold.res.answers[0];

            answer_cut(g, whole, text, one, two);
            a = &g->fold.res.answers[0];
            if (!str_eq(a->blocks->text, want) || !str_eq(a->stop_text, hit) ||
                a->stop != (hit.n ? IR_STOP_SEQUENCE : IR_STOP_LENGTH))
                fail_msg("%.*s cut at %zu and %zu: %s", STR_ARG(text), one, two, rig_res(g));
            assert_int_equal(ir_adapt_over(g->adapt), hit.n && !whole);
            assert_int_equal(g->fold.res.usage.input, hit.n && !whole ? -1 : 3);
        }
}

/* Pitfalls: sequences that overlap themselves and one another, that are a part of another, that
 * begin often, that end the text. */
static void
sequences_are_found(void **state)
{
    static const struct {
        struct str stops[3];
        struct str text, want, hit;
    } rows[] = {
        {{STR("END")}, STR("a text END more"), STR("a text "), STR("END")},
        {{STR("END")}, STR("END"), STR(""), STR("END")},
        {{STR("END")}, STR("E EN ENENEND"), STR("E EN ENEN"), STR("END")},
        {{STR("END")}, STR("no EN"), STR("no EN"), STR("")},
        {{STR("END")}, STR(""), STR(""), STR("")},
        {{STR("aab")}, STR("aaaab"), STR("aa"), STR("aab")},
        {{STR("aabaac")}, STR("aabaabaacx"), STR("aab"), STR("aabaac")},
        {{STR("aabaaac")}, STR("aabaaabaaac"), STR("aaba"), STR("aabaaac")},
        {{STR("\n")}, STR("one\ntwo"), STR("one"), STR("\n")},
        {{STR("\n\n"), STR("\nQ")}, STR("a\nb\nQ\n\n"), STR("a\nb"), STR("\nQ")},
        {{STR("abcd"), STR("bc")}, STR("xabcd"), STR("xa"), STR("bc")},
        {{STR("bcd"), STR("abcd")}, STR("xabcd"), STR("x"), STR("abcd")},
        {{STR("abcd"), STR("bcd"), STR("d")}, STR("xxbcd"), STR("xx"), STR("bcd")},
        {{STR("abcde"), STR("cx")}, STR("abcdabcx"), STR("abcdab"), STR("cx")},
        {{STR("x"), STR("")}, STR("ab"), STR("ab"), STR("")},
        {{STR("\xc3\xa9!")}, STR("t\xc3\xa9 t\xc3\xa9!"), STR("t\xc3\xa9 t"), STR("\xc3\xa9!")},
        {{STR("\xc3\xa9")}, STR("\xc3\xa8\xc3"), STR("\xc3\xa8\xc3"), STR("")},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig g;
        unsigned n = rows[i].stops[2].n ? 3 : rows[i].stops[1].p ? 2 : 1;

        open_with(&g, rows[i].stops, n);
        rig_fit_ok(&g);
        assert_int_equal(g.fitted.n_stop, 0);
        expect_answer(&g, rows[i].text, rows[i].want, rows[i].hit);
        rig_close(&g);
    }
}

/* The first sequence to be complete, the longest of those; by trying. */
static struct str
search(const struct ir_req *req, struct str text, struct str *ret_hit)
{
    *ret_hit = (struct str){NULL, 0};
    for (size_t end = 1; end <= text.n; end++) {
        for (unsigned i = 0; i < req->n_stop; i++)
            if (req->stop[i].n > ret_hit->n && str_ends(str_of(text.p, end), req->stop[i]))
                *ret_hit = req->stop[i];
        if (ret_hit->n)
            return str_of(text.p, end - ret_hit->n);
    }
    return text;
}

static struct str
few_letters(struct arena *a, struct prng *r, size_t n)
{
    static const char *const from[] = {"a", "b", "\xc3\xa9", "\xc3\xa8"};
    struct str all = {NULL, 0};

    for (; n > 0; n--)
        all = arena_printf(a, "%.*s%s", STR_ARG(all), from[prng_below(r, 4)]);
    return all;
}

/* Behind the sink: no text may end in the middle of a character. */
struct pieces {
    struct ir_sink sink, *next;
};

static tg_rc
look_at(struct ir_sink *sink, const struct ir_event *ev)
{
    struct pieces *p = LIST_ITEM(sink, struct pieces, sink);

    if (ev->kind == IR_EV_DELTA)
        assert_true(ev->text.n && utf8_valid(ev->text));
    return p->next->put(p->next, ev);
}

static void
any_text_and_sequences(void **state)
{
    struct prng r = {11};
    unsigned hits = 0;

    (void)state;
    for (int i = 0; i < 3000; i++) {
        struct ir_block block = {.kind = IR_TEXT};
        struct ir_answer answer = {&block, IR_STOP_END, {0}}, *out;
        struct ir_res res = {&answer, 1, IR_USAGE_UNKNOWN};
        struct pieces pieces;
        struct str want, hit;
        struct rig g;

        rig_open(&g);
        g.route.caps.stop_max = 0;
        for (uint64_t n = 1 + prng_below(&r, IR_STOP_MAX); n > 0; n--)
            stop_at(&g, few_letters(&g.a, &r, 1 + prng_below(&r, 9)));
        block.text = few_letters(&g.a, &r, prng_below(&r, 120));
        rig_fit_ok(&g);
        (void)rig_answer(&g, i % 2);
        pieces = (struct pieces){{look_at}, g.behind.next};
        g.behind.next = &pieces.sink;
        assert_int_equal(ir_gen_stream(&res, &r, 1, false, &g.front.sink), TG_OK);
        want = search(&g.req, block.text, &hit);
        out = &g.fold.res.answers[0];
        if (!str_eq(out->blocks->text, want) || !str_eq(out->stop_text, hit))
            fail_msg("run %d: %.*s: %s", i, STR_ARG(block.text), rig_res(&g));
        hits += hit.n > 0;
        rig_close(&g);
    }
    assert_in_range(hits, 1000, 2900);
}

/* The route takes two; only the others are looked for, and an upstream's own stop passes. */
static void
what_the_route_takes_is_its_own(void **state)
{
    static const struct str stops[] = {STR("ONE"), STR("TWO"), STR("TRI")};
    static const struct ir_block head = {.kind = IR_TEXT};
    struct rig g;

    (void)state;
    open_with(&g, stops, 3);
    g.route.caps.stop_max = 2;
    rig_fit_ok(&g);
    assert_int_equal(g.fitted.n_stop, 2);
    assert_true(str_eq(g.fitted.stop[1], STR("TWO")));
    expect_answer(&g, STR("ONE TWO TRI"), STR("ONE TWO "), STR("TRI"));
    (void)rig_answer(&g, false);
    rig_put(&g, (struct ir_event){.kind = IR_EV_START});
    rig_put_open(&g, 0, 0, &head);
    rig_put_delta(&g, 0, 0, STR("x TR"));
    rig_put_close(&g, 0, 0);
    rig_put(&g, (struct ir_event){
                    .kind = IR_EV_STOP, .stop = IR_STOP_SEQUENCE, .text = STR("TWO")});
    rig_put_end(&g);
    assert_string_equal(rig_res(&g), "answer 0 sequence text=\"TWO\"\n  text \"x TR\"\n" USAGE);
    assert_false(ir_adapt_over(g.adapt));
    g.route.caps.stop_max = 3;
    rig_fit_ok(&g);
    assert_null(g.adapt);
    assert_int_equal(g.fitted.n_stop, 3);
    rig_close(&g);
}

/* The text that cannot be a sequence any more leaves at once. */
static void
only_a_beginning_is_held(void **state)
{
    static const struct str stops[] = {STR("END")};
    struct rig g;

    (void)state;
    open_with(&g, stops, 1);
    rig_fit_ok(&g);
    answer_cut(&g, false, STR("one E two"), 5, 7);
    assert_string_equal(rig_lines(&g), "start\nopen 0.0 text\n"
                                       "delta 0.0 \"one \"\n"
                                       "delta 0.0 \"E\"\n"
                                       "delta 0.0 \" t\"\n"
                                       "delta 0.0 \"wo\"\n"
                                       "close 0.0\nstop 0 length\n" USAGE "end\n");
    answer_cut(&g, false, STR("one EN"), 5, 5);
    assert_string_equal(rig_lines(&g), "start\nopen 0.0 text\n"
                                       "delta 0.0 \"one \"\n"
                                       "delta 0.0 \"EN\"\n"
                                       "close 0.0\nstop 0 length\n" USAGE "end\n");
    answer_cut(&g, false, STR("one END two"), 5, 6);
    assert_string_equal(rig_lines(&g), "start\nopen 0.0 text\n"
                                       "delta 0.0 \"one \"\n"
                                       "close 0.0\nstop 0 sequence text=\"END\"\nend\n");
    answer_cut(&g, true, STR("one END two"), 5, 6);
    assert_string_equal(rig_lines(&g),
                        "start\nopen 0.0 text\n"
                        "delta 0.0 \"one \"\n"
                        "close 0.0\nstop 0 sequence text=\"END\"\n" USAGE "end\n");
    rig_close(&g);
}

/* What is open beside the text ends with it; thoughts and calls are not searched, and no
 * sequence reaches from one block into the next. */
static void
only_texts_are_searched(void **state)
{
    static const struct str stops[] = {STR("END")};
    static const struct ir_block text = {.kind = IR_TEXT}, think = {.kind = IR_THINK};
    static const struct ir_block call = {.kind = IR_CALL, .id = {"c", 1}, .name = {"f", 1}};
    static const struct ir_note note = {.url = {"u", 1}, .start = -1, .end = -1};
    struct rig g;

    (void)state;
    open_with(&g, stops, 1);
    rig_fit_ok(&g);
    (void)rig_answer(&g, false);
    rig_put(&g, (struct ir_event){.kind = IR_EV_START});
    rig_put_open(&g, 0, 0, &think);
    rig_put_delta(&g, 0, 0, STR("END"));
    rig_put_close(&g, 0, 0);
    rig_put_open(&g, 0, 1, &text);
    rig_put_delta(&g, 0, 1, STR("EN"));
    rig_put_close(&g, 0, 1);
    rig_put_open(&g, 0, 2, &call);
    rig_put_open(&g, 0, 3, &text);
    rig_put_delta(&g, 0, 3, STR("D"));
    rig_put_delta(&g, 0, 2, STR("\"END\""));
    rig_put(&g, (struct ir_event){.kind = IR_EV_NOTE, .block = 3, .note = &note});
    rig_put_delta(&g, 0, 3, STR("EN"));
    rig_put_delta(&g, 0, 3, STR("DED"));
    rig_put(&g, (struct ir_event){.kind = IR_EV_NOTE, .block = 3, .note = &note});
    rig_put_delta(&g, 0, 2, STR("x"));
    rig_put_close(&g, 0, 2);
    assert_true(ir_adapt_over(g.adapt));
    assert_string_equal(rig_lines(&g), "start\n"
                                       "open 0.0 think\ndelta 0.0 \"END\"\nclose 0.0\n"
                                       "open 0.1 text\ndelta 0.1 \"EN\"\nclose 0.1\n"
                                       "open 0.2 call id=\"c\" name=\"f\"\n"
                                       "open 0.3 text\ndelta 0.3 \"D\"\n"
                                       "delta 0.2 \"\\\"END\\\"\"\n"
                                       "note 0.3 url=\"u\"\n"
                                       "close 0.3\nclose 0.2\n"
                                       "stop 0 sequence text=\"END\"\nend\n");
    rig_close(&g);
}

/* Of several choices each ends for itself; the answer ends with the last of them. */
static void
choices_end_one_by_one(void **state)
{
    static const struct str stops[] = {STR("END")};
    static const struct ir_block head = {.kind = IR_TEXT};
    struct rig g;

    (void)state;
    open_with(&g, stops, 1);
    g.req.choices = 3;
    rig_fit_ok(&g);
    for (int last_is_cut = 0; last_is_cut < 2; last_is_cut++) {
        (void)rig_answer(&g, false);
        rig_put(&g, (struct ir_event){.kind = IR_EV_START});
        for (uint32_t i = 0; i < 3; i++) {
            rig_put_open(&g, i, 0, &head);
            rig_put_delta(&g, i, 0, STR("aEN"));
        }
        rig_put_delta(&g, 1, 0, STR("D"));
        rig_put_delta(&g, 1, 0, STR("never"));
        rig_put_close(&g, 1, 0);
        rig_put_stop(&g, 1, IR_STOP_END);
        assert_false(ir_adapt_over(g.adapt));
        rig_put_delta(&g, 0, 0, STR("b"));
        rig_put_close(&g, 0, 0);
        rig_put_stop(&g, 0, IR_STOP_LENGTH);
        rig_put_delta(&g, 2, 0, last_is_cut ? STR("D") : STR("c"));
        assert_int_equal(ir_adapt_over(g.adapt), last_is_cut);
        rig_put_close(&g, 2, 0);
        rig_put_stop(&g, 2, IR_STOP_END);
        rig_put_end(&g);
        assert_string_equal(rig_res(&g),
                            last_is_cut ? "answer 0 length\n  text \"aENb\"\n"
                                          "answer 1 sequence text=\"END\"\n  text \"a\"\n"
                                          "answer 2 sequence text=\"END\"\n  text \"a\"\n"
                                          "usage input=-1 output=-1 cached=-1 reasoning=-1\n"
                                        : "answer 0 length\n  text \"aENb\"\n"
                                          "answer 1 sequence text=\"END\"\n  text \"a\"\n"
                                          "answer 2 end\n  text \"aENc\"\n" USAGE);
    }
    rig_close(&g);
}

static void
put_tokens(struct rig *g, const char *text, const char *logprobs)
{
    rig_put(g, (struct ir_event){
                   .kind = IR_EV_DELTA, .text = str_z(text), .logprobs = str_z(logprobs)});
}

/* Log probabilities stay with their tokens, and those of what was cut off go with it. */
static void
log_probabilities_follow_their_text(void **state)
{
    static const struct str stops[] = {STR("END")};
    static const struct ir_block head = {.kind = IR_TEXT};
    struct rig g;

    (void)state;
    open_with(&g, stops, 1);
    rig_fit_ok(&g);
    for (int hit = 0; hit < 2; hit++) {
        (void)rig_answer(&g, false);
        rig_put(&g, (struct ir_event){.kind = IR_EV_START});
        rig_put_open(&g, 0, 0, &head);
        put_tokens(&g, "one", "[{\"token\":\"one\"}]");
        put_tokens(&g, " twoE",
                   "[{\"token\":\" two\"}, {\"token\":\"?\",\"bytes\":[69],\"logprob\":-1}]");
        put_tokens(&g, "N", "[{\"token\":\"N\"}]");
        put_tokens(&g, hit ? "D!" : "!",
                   hit ? "[{\"token\":\"D!\"}]" : "[{\"token\":\"!\"},{\"token\":\"\"}]");
        put_tokens(&g, ".", "[{\"token\":\".\"}]");
        rig_put_close(&g, 0, 0);
        rig_put_stop(&g, 0, IR_STOP_END);
        rig_put_end(&g);
        assert_string_equal(
            rig_lines(&g),
            hit ? "start\nopen 0.0 text\n"
                  "delta 0.0 \"one\" logprobs=[{\"token\":\"one\"}]\n"
                  "delta 0.0 \" two\" logprobs=[{\"token\":\" two\"}]\n"
                  "close 0.0\nstop 0 sequence text=\"END\"\nend\n"
                : "start\nopen 0.0 text\n"
                  "delta 0.0 \"one\" logprobs=[{\"token\":\"one\"}]\n"
                  "delta 0.0 \" two\" logprobs=[{\"token\":\" two\"}]\n"
                  "delta 0.0 \"EN\"\n"
                  "delta 0.0 \"!\" logprobs=[{\"token\":\"?\",\"bytes\":[69],\"logprob\":-1},"
                  "{\"token\":\"N\"},{\"token\":\"!\"},{\"token\":\"\"}]\n"
                  "delta 0.0 \".\" logprobs=[{\"token\":\".\"}]\n"
                  "close 0.0\nstop 0 end\n" USAGE "end\n");
    }
    rig_close(&g);
}

/* Tokens that do not add up to the text are all there at the end of the block. */
static void
no_log_probability_is_lost(void **state)
{
    static const struct str stops[] = {STR("END")};
    static const struct ir_block head = {.kind = IR_TEXT};
    struct rig g;

    (void)state;
    open_with(&g, stops, 1);
    rig_fit_ok(&g);
    (void)rig_answer(&g, false);
    rig_put(&g, (struct ir_event){.kind = IR_EV_START});
    rig_put_open(&g, 0, 0, &head);
    put_tokens(&g, "aE", "[{\"token\":\"a long one\"},7]");
    put_tokens(&g, "b", "[{\"token\":\"another\"}]");
    put_tokens(&g, "", "[{\"token\":\"<s>\"}]");
    rig_put_close(&g, 0, 0);
    rig_put_stop(&g, 0, IR_STOP_END);
    rig_put_end(&g);
    assert_string_equal(rig_res(&g), "answer 0 end\n  text \"aEb\" logprobs=["
                                     "{\"token\":\"a long one\"},7,{\"token\":\"another\"},"
                                     "{\"token\":\"<s>\"}]\n" USAGE);
    rig_close(&g);
}

/* An answer that breaks after the hold: the error passes, once. */
static void
errors_pass(void **state)
{
    static const struct str stops[] = {STR("END")};
    static const struct ir_block head = {.kind = IR_TEXT};
    struct tg_err broke = {.rc = TG_EPROTO, .kind = TG_ERR_UPSTREAM, .msg = "gone"};
    struct ir_event ev = {.kind = IR_EV_ERROR, .err = &broke};
    struct rig g;

    (void)state;
    open_with(&g, stops, 1);
    rig_fit_ok(&g);
    (void)rig_answer(&g, false);
    rig_put(&g, (struct ir_event){.kind = IR_EV_START});
    rig_put_open(&g, 0, 0, &head);
    rig_put_delta(&g, 0, 0, STR("aEN"));
    assert_int_equal(g.front.sink.put(&g.front.sink, &ev), TG_EPROTO);
    assert_string_equal(rig_lines(&g), "start\nopen 0.0 text\ndelta 0.0 \"a\"\n"
                                       "error upstream \"gone\"\n");
    rig_close(&g);
}

static tg_rc
put_nowhere(struct ir_sink *sink, const struct ir_event *ev)
{
    (void)sink;
    (void)ev;
    return TG_OK;
}

/* Blocks of text and calls, as a long stream has them; with log probabilities, some of which
 * are held back with their text. */
static void
put_blocks(struct ir_sink *to, unsigned from, unsigned n)
{
    static const struct ir_block text = {.kind = IR_TEXT}, call = {.kind = IR_CALL};

    for (unsigned i = from; i < from + n; i++) {
        struct ir_event open = {.kind = IR_EV_OPEN, .block = i, .head = i % 3 ? &text : &call};
        struct ir_event delta = {.kind = IR_EV_DELTA, .block = i, .text = STR("a\nE")};
        struct ir_event more = {.kind = IR_EV_DELTA, .block = i, .text = STR("NE")};
        struct ir_event end = {.kind = IR_EV_CLOSE, .block = i};

        if (i % 3) {
            delta.logprobs = STR("[{\"token\":\"a\\n\",\"logprob\":-1},"
                                 "{\"token\":\"E\",\"bytes\":[69],\"logprob\":-1}]");
            more.logprobs = STR("[{\"token\":\"NE\",\"logprob\":-1}]");
        }
        assert_int_equal(to->put(to, &open), TG_OK);
        for (unsigned k = 0; k < 4; k++) {
            assert_int_equal(to->put(to, &delta), TG_OK);
            assert_int_equal(to->put(to, &more), TG_OK);
        }
        assert_int_equal(to->put(to, &end), TG_OK);
    }
}

/* What an answer takes does not follow its length. */
static void
long_answers_take_no_more_memory(void **state)
{
    static const struct str stops[] = {STR("END"), STR("E---")};
    struct ir_sink nowhere = {put_nowhere}, *to;
    struct rig g;
    size_t used;

    (void)state;
    open_with(&g, stops, 2);
    rig_fit_ok(&g);
    to = ir_adapt_sink(g.adapt, false, &nowhere);
    put_blocks(to, 0, 8);
    used = g.a.used;
    put_blocks(to, 8, 512);
    assert_int_equal(g.a.used, used);
    rig_close(&g);
}

/* An upstream that is left in the middle has not told its usage; who asked for it hears so. */
static void
usage_of_a_cut_answer_is_not_known(void **state)
{
    static const struct str stops[] = {STR("END")};
    static const struct ir_block text = {.kind = IR_TEXT};
    struct rig g;

    (void)state;
    open_with(&g, stops, 1);
    g.req.stream_usage = true;
    rig_fit_ok(&g);
    (void)rig_answer(&g, false);
    rig_put(&g, (struct ir_event){.kind = IR_EV_START});
    rig_put_open(&g, 0, 0, &text);
    rig_put_delta(&g, 0, 0, STR("aEND"));
    assert_string_equal(rig_lines(&g),
                        "start\nopen 0.0 text\ndelta 0.0 \"a\"\nclose 0.0\n"
                        "stop 0 sequence text=\"END\"\n"
                        "usage input=-1 output=-1 cached=-1 reasoning=-1\nend\n");
    assert_true(ir_adapt_over(g.adapt));
    rig_close(&g);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequences_are_found),
        cmocka_unit_test(any_text_and_sequences),
        cmocka_unit_test(what_the_route_takes_is_its_own),
        cmocka_unit_test(only_a_beginning_is_held),
        cmocka_unit_test(only_texts_are_searched),
        cmocka_unit_test(choices_end_one_by_one),
        cmocka_unit_test(log_probabilities_follow_their_text),
        cmocka_unit_test(no_log_probability_is_lost),
        cmocka_unit_test(errors_pass),
        cmocka_unit_test(long_answers_take_no_more_memory),
        cmocka_unit_test(usage_of_a_cut_answer_is_not_known),
    };

    return cmocka_run_group_tests_name("ir/adapt_stop", tests, NULL, NULL);
}
