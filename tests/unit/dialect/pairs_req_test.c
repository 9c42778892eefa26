/* pairs_req_test.c -- every ordered pair of dialects: requests, and answers that come back in
 * the next request. */
#include "dialect/request.h"
#include "support/pairs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ir/unfold.h"
#include "support/ir_gen.h"
#include "support/pairs_cases.h"
#include "support/pairs_run.h"
#include "json/scan.h"

/* What a free-form tool is called with, and the same as a tool that takes JSON is. */
static const char free_text[] = "*** Begin\n\"x\" \\ \xf0\x9f\x98\x80 {}";
static const char free_text_wrapped[] =
    "{\"input\":\"*** Begin\\n\\\"x\\\" \\\\ \\ud83d\\ude00 {}\"}";

/* Encodes req for an upstream of d and decodes that; NULL or what went wrong. */
static const char *
through_fitted(struct arena *a, const struct dialect *d, const struct ir_req *req,
               struct str *ret_body, struct ir_req *ret, struct ir_adapt **ret_adapt,
               struct ir_drops *drops)
{
    struct dialect_route route = {.model = STR("m"), .max_tokens = 4096};
    struct tg_err err = {0};
    const char *why = NULL;
    struct buf b;

    d->caps(CAPS_SERVER_AUTO, route.model, &route.caps);
    buf_init(&b, PAIRS_BYTES_MAX);
    if (dialect_put_request(a, d, req, &route, &b, ret_adapt, drops, &err) != TG_OK)
        why = arena_printf(a, "encode_req of %s: %s (%s)", d->name, err.msg, err.param).p;
    else if (*ret_body = arena_dup(a, buf_str(&b)),
             json_check(*ret_body, JSON_DEPTH_MAX, &err) != TG_OK)
        why = arena_printf(a, "encode_req of %s made no JSON: %s", d->name, err.msg).p;
    else if (d->decode_req(a, *ret_body, ret, &err) != TG_OK)
        why = arena_printf(a, "decode_req of %s of what it encoded: %s (%s): %.300s", d->name,
                           err.msg, err.param, ret_body->p)
                  .p;
    buf_fini(&b);
    return why;
}

static const char *
through(struct arena *a, const struct dialect *d, const struct ir_req *req,
        struct str *ret_body, struct ir_req *ret, struct ir_drops *drops)
{
    struct ir_adapt *adapt = NULL;

    return through_fitted(a, d, req, ret_body, ret, &adapt, drops);
}

static void
requests_go_through_every_pair(void **state)
{
    (void)state;
    FOR_PAIRS(from, to)
    {
        if (!pairs_requests_go(from, to))
            continue;
        for (unsigned i = 0; i < pairs_n_requests; i++) {
            struct ir_req req = {0}, got = {0};
            struct ir_drops drops = {.n = 0};
            struct tg_err err = {0};
            struct str body = {NULL, 0};
            struct ir_adapt *adapt = NULL;
            const char *why, *lost;
            struct arena a;

            if (strcmp(pairs_requests[i].dialect, from->name) != 0)
                continue;
            arena_init(&a);
            if (from->decode_req(&a, str_z(pairs_requests[i].body), &req, &err) != TG_OK) {
                pairs_ran();
                pairs_fault(from, to, pairs_requests[i].name, "decode_req: %s (%s)", err.msg,
                            err.param);
                arena_fini(&a);
                continue;
            }
            why = through_fitted(&a, to, &req, &body, &got, &adapt, &drops);
            if (adapt) /* what the upstream does not take is looked for in its answer */
                req.n_stop = got.n_stop;
            if (why && from != to && pairs_requests[i].may_refuse &&
                strstr(why, arena_printf(&a, "(%s)", pairs_requests[i].may_refuse).p)) {
                arena_fini(&a);
                continue;
            }
            if (!why && strstr(pairs_requests[i].not_to, to->name))
                pairs_ran();
            else
                pairs_compare(from, to, pairs_requests[i].name, why, pairs_canon_req(&a, &req),
                              why ? "" : pairs_canon_req(&a, &got));
            lost = why ? NULL : pairs_lost(&a, &req, &got, &drops);
            if (lost)
                pairs_fault(from, to, pairs_requests[i].name, "%s was dropped and not named",
                            lost);
            arena_fini(&a);
        }
    }
    pairs_settle();
}

/* A strict route refuses what a lenient one drops, and only that; but reasoning in the history
 * that an upstream cannot take is always dropped, or no conversation could change its route. */
static void
strict_routes_refuse_what_others_drop(void **state)
{
    (void)state;
    FOR_PAIRS(from, to)
    {
        if (!pairs_requests_go(from, to))
            continue;
        for (unsigned i = 0; i < pairs_n_requests; i++) {
            struct dialect_route route = {.model = STR("m"), .max_tokens = 4096};
            struct ir_req req = {0};
            struct ir_drops drops = {.n = 0}, none = {.n = 0};
            struct ir_adapt *adapt = NULL;
            struct tg_err err = {0};
            struct arena a;
            struct buf b;
            tg_rc lenient, strict;

            if (strcmp(pairs_requests[i].dialect, from->name) != 0)
                continue;
            arena_init(&a);
            buf_init(&b, PAIRS_BYTES_MAX);
            to->caps(CAPS_SERVER_AUTO, route.model, &route.caps);
            if (from->decode_req(&a, str_z(pairs_requests[i].body), &req, &err) == TG_OK) {
                pairs_ran();
                lenient = dialect_put_request(&a, to, &req, &route, &b, &adapt, &drops, &err);
                route.strict = true;
                buf_clear(&b);
                err = (struct tg_err){0};
                strict = dialect_put_request(&a, to, &req, &route, &b, &adapt, &none, &err);
                if (lenient == TG_OK && !strstr(pairs_requests[i].not_to, to->name) &&
                    (strict == TG_OK) != (drops.n == 0))
                    pairs_fault(from, to, pairs_requests[i].name, "strict: %s with %u drops",
                                tg_rc_name(strict), drops.n);
                if (strict != TG_OK && !err.param[0])
                    pairs_fault(from, to, pairs_requests[i].name,
                                "strict: refused without a field: %s", err.msg);
            }
            buf_fini(&b);
            arena_fini(&a);
        }
    }
    pairs_settle();
}

/* An answer that calls the client's free-form tool, in the form in which the upstream was told
 * of it, as it comes to the client. */
static const char *
free_form_call(struct arena *a, const struct dialect *client, const struct ir_req *req,
               struct ir_adapt *adapt, bool plain, bool whole, struct ir_res *ret)
{
    struct ir_block call = {.kind = IR_CALL,
                            .id = STR("call_1"),
                            .name = STR("patch"),
                            .freeform = plain,
                            .text = plain ? str_z(free_text) : str_z(free_text_wrapped)};
    struct ir_answer answer = {.blocks = &call, .stop = IR_STOP_CALLS};
    struct ir_res res = {&answer, 1, IR_USAGE_UNKNOWN};
    struct tg_err err = {0};
    struct ir_fold back;

    ir_fold_init(&back, a, 1, PAIRS_BYTES_MAX, &err);
    if (ir_unfold(&res, ir_adapt_sink(adapt, whole, &back.sink)) != TG_OK)
        return err.msg[0] ? arena_dup(a, str_z(err.msg)).p : "the answer is not turned back";
    return pairs_client(a, client, req, &back.res, whole, ret);
}

static const char *
request_named(const char *dialect, const char *name)
{
    for (unsigned i = 0; i < pairs_n_requests; i++)
        if (strcmp(pairs_requests[i].dialect, dialect) == 0 &&
            strcmp(pairs_requests[i].name, name) == 0)
            return pairs_requests[i].body;
    return NULL;
}

/* A free-form tool of the client's, over an upstream that may not have such a thing: the call
 * arrives with its text. */
static void
free_form_calls_arrive_as_such(void **state)
{
    (void)state;
    FOR_PAIRS(client, upstream)
    {
        const char *ask = request_named(client->name, "a free-form tool"), *why;
        struct ir_req req = {0}, up = {0};
        struct ir_drops drops = {.n = 0};
        struct tg_err err = {0};
        struct str body = {NULL, 0};
        struct ir_adapt *adapt = NULL;
        struct arena a;

        if (!ask || !pairs_requests_go(client, upstream) || !pairs_answers(upstream, client))
            continue;
        arena_init(&a);
        why = client->decode_req(&a, str_z(ask), &req, &err) == TG_OK
                  ? through_fitted(&a, upstream, &req, &body, &up, &adapt, &drops)
                  : err.msg;
        for (int whole = 0; !why && whole < 2; whole++) {
            const struct ir_block *b;
            struct ir_res got;

            pairs_ran();
            why = free_form_call(&a, client, &req, adapt, up.tools && up.tools->freeform, whole,
                                 &got);
            b = why ? NULL : got.answers[0].blocks;
            if (!why && (!b || !b->freeform || !str_eq(b->text, str_z(free_text))))
                pairs_fault(client, upstream, "free-form call", "%s: %s",
                            whole ? "whole" : "streamed", ir_gen_dump(&a, &got));
        }
        if (why)
            pairs_fault(client, upstream, "free-form tool", "%s", why);
        arena_fini(&a);
    }
    pairs_settle();
}

/* The next turn of a conversation whose last answer was res. */
static struct ir_req
next_turn(struct arena *a, const struct ir_res *res)
{
    struct ir_msg *ask = arena_new(a, struct ir_msg), *said = arena_new(a, struct ir_msg);
    struct ir_msg *results = arena_new(a, struct ir_msg);
    struct ir_block **tail = &results->blocks, *text = arena_new(a, struct ir_block);
    struct ir_tool *tool = arena_new(a, struct ir_tool);
    struct ir_req req = {.model = STR("m"),
                         .msgs = ask,
                         .n_msgs = 3,
                         .tools = tool,
                         .parallel_calls = true,
                         .max_tokens = 300,
                         .seed = -1,
                         .choices = 1,
                         .top_logprobs = -1,
                         .think_budget = -1};

    *text = (struct ir_block){.kind = IR_TEXT, .text = STR("go")};
    *ask = (struct ir_msg){.role = IR_USER, .blocks = text, .next = said};
    *said =
        (struct ir_msg){.role = IR_MODEL, .blocks = res->answers[0].blocks, .next = results};
    *tool = (struct ir_tool){
        .name = STR("look"), .schema = STR("{\"type\":\"object\"}"), .allowed = true};
    for (const struct ir_block *b = said->blocks; b; b = b->next) {
        if (b->kind != IR_CALL)
            continue;
        *tail = arena_new(a, struct ir_block);
        **tail = (struct ir_block){
            .kind = IR_RESULT, .id = b->id, .name = b->name, .text = STR("done")};
        tail = &(*tail)->next;
    }
    results->role = results->blocks ? IR_TOOL : IR_USER;
    if (!results->blocks)
        results->blocks = text;
    return req;
}

static const char *
last_answer(struct arena *a, const struct ir_req *req, const struct dialect *from,
            const struct dialect *to)
{
    struct ir_res res = {.n_answers = 1, .usage = IR_USAGE_UNKNOWN};
    struct ir_answer answer = {.blocks = NULL};
    struct ir_block **tail = &answer.blocks;

    for (const struct ir_msg *m = req->msgs; m; m = m->next)
        for (const struct ir_block *b = m->role == IR_MODEL ? m->blocks : NULL; b;
             b = b->next) {
            *tail = arena_new(a, struct ir_block);
            **tail = *b;
            (*tail)->next = NULL;
            (*tail)->sig_id = (struct str){NULL, 0};
            (*tail)->notes = NULL;
            tail = &(*tail)->next;
        }
    res.answers = &answer;
    return pairs_canon(a, &res, from, to);
}

/* An upstream's answer, to the client, back in the client's next request, to the upstream: ids,
 * arguments and the upstream's own proofs must have survived, also one that looks like an
 * envelope of ours. */
static void
come_back(bool streamed)
{
    FOR_PAIRS(upstream, client)
    {
        if (!pairs_answers(upstream, client) || !pairs_requests_go(upstream, client) ||
            !pairs_requests_go(client, upstream))
            continue;
        for (unsigned i = 0; i < pairs_n_back; i++) {
            struct ir_req turn, mid = {0}, end = {0}, want = {0};
            struct ir_drops drops = {.n = 0}, drops2 = {.n = 0};
            struct ir_res *res, got;
            struct pairs_source source = {pairs_by_chars, NULL, 1, 1};
            const char *why, *id = "\"rs_0123456789abcdef\"";
            struct str body = {NULL, 0};
            struct arena a;

            arena_init(&a);
            source.res = res = pairs_back[i].make(&a, upstream->name);
            why = streamed ? pairs_stream(&a, client, NULL, &source, &got)
                           : pairs_whole(&a, client, NULL, res, &got);
            if (!why) {
                turn = next_turn(&a, &got);
                why = through(&a, client, &turn, &body, &mid, &drops);
            }
            if (!why)
                why = through(&a, upstream, &mid, &body, &end, &drops2);
            want = next_turn(&a, res);
            pairs_compare(upstream, client, pairs_back[i].name, why,
                          last_answer(&a, &want, upstream, client),
                          why ? "" : last_answer(&a, &end, upstream, client));
            if (!why && !strstr(body.p, pairs_back[i].needle))
                pairs_fault(upstream, client, pairs_back[i].name,
                            "the upstream does not get its proof back as it was: %.1500s",
                            body.p);
            /* Between equals the client sees the gateway's id for the item. */
            if (!why && upstream != client && res->answers->blocks->sig_id.n &&
                !strstr(body.p, id))
                pairs_fault(upstream, client, pairs_back[i].name,
                            "the item's id is lost: %.1500s", body.p);
            arena_fini(&a);
        }
    }
    pairs_settle();
}

static void
answers_come_back_to_their_maker(void **state)
{
    (void)state;
    come_back(false);
}

static void
streams_come_back_to_their_maker(void **state)
{
    (void)state;
    come_back(true);
}

/* Is this an id that the upstream's dialect takes? */
static bool
fits(const struct dialect *d, struct str id)
{
    if (id.n == 0)
        return false;
    if (strcmp(d->name, "responses") == 0)
        return id.n <= 64;
    if (strcmp(d->name, "messages") == 0)
        for (size_t i = 0; i < id.n; i++)
            if (!((id.p[i] >= 'a' && id.p[i] <= 'z') || (id.p[i] >= 'A' && id.p[i] <= 'Z') ||
                  (id.p[i] >= '0' && id.p[i] <= '9') || id.p[i] == '_' || id.p[i] == '-'))
                return false;
    return true;
}

/* The ids of calls and of results, in order; how many. */
static unsigned
ids_of(const struct ir_req *req, enum ir_kind kind, struct str ids[4])
{
    unsigned n = 0;

    for (const struct ir_msg *m = req->msgs; m; m = m->next)
        for (const struct ir_block *b = m->blocks; b; b = b->next)
            if (b->kind == kind && n < 4)
                ids[n++] = b->id;
    return n;
}

/* Ids as other makers write them, told to an upstream that is strict about them. */
static void
odd_ids_fit_the_upstream(void **state)
{
    static const char *const odd[][2] = {
        {"functions.look:0", "functions.look:1"},
        {"a b", "a_b"},
        {"call\xc3\xa9\"", "\\"},
        {"chatcmpl-tool-0123456789012345678901234567890123456789012345678901234567890",
         "chatcmpl-tool-0123456789012345678901234567890123456789012345678901234567891"},
    };

    (void)state;
    for (const struct dialect *const *p = dialect_all(); *p; p++)
        for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
            struct ir_block calls[2] = {{.kind = IR_CALL,
                                         .id = str_z(odd[i][0]),
                                         .name = STR("look"),
                                         .text = STR("{}"),
                                         .next = &calls[1]},
                                        {.kind = IR_CALL,
                                         .id = str_z(odd[i][1]),
                                         .name = STR("look"),
                                         .text = STR("{}")}};
            struct ir_answer answer = {.blocks = calls, .stop = IR_STOP_CALLS};
            struct ir_res res = {&answer, 1, IR_USAGE_UNKNOWN};
            struct ir_drops drops = {.n = 0};
            struct ir_req turn, got = {0};
            struct str body = {NULL, 0}, of_calls[4], of_results[4];
            const char *why;
            struct arena a;

            if (!pairs_requests_go(*p, *p))
                continue;
            arena_init(&a);
            pairs_ran();
            turn = next_turn(&a, &res);
            why = through(&a, *p, &turn, &body, &got, &drops);
            if (why)
                pairs_fault(*p, *p, "odd ids", "%s", why);
            else if (ids_of(&got, IR_CALL, of_calls) != 2 ||
                     ids_of(&got, IR_RESULT, of_results) != 2 ||
                     str_eq(of_calls[0], of_calls[1]) || !str_eq(of_calls[0], of_results[0]) ||
                     !str_eq(of_calls[1], of_results[1]) || !fits(*p, of_calls[0]) ||
                     !fits(*p, of_calls[1]))
                pairs_fault(*p, *p, "odd ids", "%s", body.p);
            arena_fini(&a);
        }
    pairs_settle();
}

/* What one provider signed never reaches another. */
static void
proofs_do_not_reach_strangers(void **state)
{
    (void)state;
    FOR_PAIRS(maker, upstream)
    {
        struct ir_req turn, got = {0};
        struct ir_drops drops = {.n = 0};
        struct str body = {NULL, 0};
        struct ir_res *res;
        const char *why;
        struct arena a;

        if (maker == upstream || !pairs_requests_go(maker, upstream))
            continue;
        arena_init(&a);
        res = pairs_back[0].make(&a, maker->name);
        turn = next_turn(&a, res);
        why = through(&a, upstream, &turn, &body, &got, &drops);
        pairs_ran();
        if (why)
            pairs_fault(maker, upstream, "foreign proof", "%s", why);
        else if (strstr(body.p, "SIG") || strstr(body.p, "tg1:"))
            pairs_fault(maker, upstream, "foreign proof", "it was sent: %.600s", body.p);
        arena_fini(&a);
    }
    pairs_settle();
}
int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(requests_go_through_every_pair, pairs_begin),
        cmocka_unit_test_setup(strict_routes_refuse_what_others_drop, pairs_begin),
        cmocka_unit_test_setup(free_form_calls_arrive_as_such, pairs_begin),
        cmocka_unit_test_setup(answers_come_back_to_their_maker, pairs_begin),
        cmocka_unit_test_setup(streams_come_back_to_their_maker, pairs_begin),
        cmocka_unit_test_setup(odd_ids_fit_the_upstream, pairs_begin),
        cmocka_unit_test_setup(proofs_do_not_reach_strangers, pairs_begin),
    };
    int failed = cmocka_run_group_tests_name("dialect/pairs_req", tests, NULL, NULL);

    arena_thread_fini();
    return failed;
}
