/* keep_test.c -- what an answer needs of its request outlives the request.
 *
 * Every text of a request is put into memory that is overwritten and freed before the copy is
 * looked at, so one that was not copied shows: as other text in the dump, or under a sanitizer.
 */
#include "ir/keep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "ir/dump.h"

/* Texts of a request, in one piece of memory as in a body. */
struct source {
    char *p;
    size_t n, cap;
};

static struct str
text(struct source *s, const char *z)
{
    size_t n = strlen(z);
    struct str t = str_of(s->p + s->n, n);

    assert_true(n <= s->cap - s->n);
    memcpy(s->p + s->n, z, n);
    s->n += n;
    return t;
}

static void
make_tools(struct source *s, struct arena *a, struct ir_req *req)
{
    struct ir_tool *one = arena_new(a, struct ir_tool), *two = arena_new(a, struct ir_tool);

    *one = (struct ir_tool){.name = text(s, "look"),
                            .description = text(s, "Looks."),
                            .schema = text(s, "{\"type\":\"object\"}"),
                            .cache_ttl = text(s, "5m"),
                            .raw = text(s, "{\"name\":\"look\"}"),
                            .allowed = true,
                            .strict = IR_YES,
                            .next = two};
    *two = (struct ir_tool){.name = text(s, "space__say"),
                            .freeform = true,
                            .grammar = text(s, "{\"type\":\"text\"}"),
                            .space = text(s, "space"),
                            .allowed = true};
    req->tools = one;
}

static void
make_msgs(struct source *s, struct arena *a, struct ir_req *req)
{
    struct ir_msg *m = arena_new(a, struct ir_msg), *next = arena_new(a, struct ir_msg);

    *m = (struct ir_msg){.role = IR_SYSTEM, .instructions = true, .next = next};
    m->blocks = arena_new(a, struct ir_block);
    m->blocks->kind = IR_TEXT;
    m->blocks->text = text(s, "Be kind.");
    *next = (struct ir_msg){.role = IR_USER};
    next->blocks = arena_new(a, struct ir_block);
    next->blocks->text = text(s, "a long conversation");
    req->msgs = m;
    req->n_msgs = 2;
}

static void
make(struct source *s, struct arena *a, struct ir_req *req)
{
    struct ir_ext *x = arena_new(a, struct ir_ext);

    *req = (struct ir_req){
        .model = text(s, "m"),
        .stream = true,
        .tool_choice = IR_CHOICE_NAMED,
        .tool_choice_said = true,
        .tool_name = text(s, "look"),
        .max_tokens = 7,
        .seed = 8,
        .choices = 2,
        .stop = {text(s, "END"), text(s, "STOP")},
        .n_stop = 2,
        .format_schema = text(s, "{\"a\":1}"),
        .format_name = text(s, "answer"),
        .format_description = text(s, "An answer."),
        .temperature = text(s, "0.5"),
        .top_p = text(s, "0.25"),
        .top_k = text(s, "3"),
        .presence_penalty = text(s, "0.125"),
        .frequency_penalty = text(s, "1.5"),
        .logit_bias = text(s, "{\"1\":2}"),
        .prediction = text(s, "{\"p\":1}"),
        .top_logprobs = 2,
        .think_budget = 9,
        .think_summary = text(s, "auto"),
        .verbosity = text(s, "low"),
        .user = text(s, "u1"),
        .metadata = text(s, "{\"k\":\"v\"}"),
        .service_tier = text(s, "flex"),
        .cache_key = text(s, "ck"),
        .origin = "responses",
    };
    x->name = text(s, "background");
    x->value = text(s, "false");
    req->ext = x;
    make_tools(s, a, req);
    make_msgs(s, a, req);
}

static void
dump(const struct ir_req *req, struct buf *b)
{
    buf_init(b, 1 << 16);
    assert_int_equal(ir_dump_req(req, b), TG_OK);
}

static void
the_copy_stands_alone(void **state)
{
    struct source s = {.cap = 4096};
    struct arena before, after;
    struct ir_req req, kept;
    struct buf want, got;

    (void)state;
    arena_init(&before);
    arena_init(&after);
    s.p = malloc(s.cap);
    make(&s, &before, &req);
    ir_keep(&after, &req, &kept);
    /* But for the conversation the two are the same. */
    req.msgs->next = NULL;
    req.n_msgs = 1;
    dump(&req, &want);
    memset(s.p, '#', s.cap);
    free(s.p);
    arena_fini(&before);
    dump(&kept, &got);
    assert_true(want.n > 500);
    assert_true(str_eq(buf_str(&got), buf_str(&want)));
    assert_true(kept.msgs && kept.msgs->instructions && !kept.msgs->next);
    buf_fini(&want);
    buf_fini(&got);
    arena_fini(&after);
    arena_thread_fini();
}

/* A bare request, kept in its own place. */
static void
nothing_is_kept_of_nothing(void **state)
{
    struct ir_block hi = {.kind = IR_TEXT, .text = STR("hi")};
    struct ir_msg m = {.role = IR_SYSTEM, .blocks = &hi};
    struct ir_req req = {.choices = 1, .msgs = &m, .n_msgs = 1};
    struct arena a;

    (void)state;
    arena_init(&a);
    ir_keep(&a, &req, &req);
    assert_null(req.msgs);
    assert_null(req.tools);
    assert_null(req.ext);
    assert_int_equal(req.n_msgs, 0);
    assert_int_equal(req.choices, 1);
    assert_int_equal(a.used, 0);
    arena_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_copy_stands_alone),
        cmocka_unit_test(nothing_is_kept_of_nothing),
    };

    return cmocka_run_group_tests_name("ir/keep", tests, NULL, NULL);
}
