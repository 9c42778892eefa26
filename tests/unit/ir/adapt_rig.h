/* adapt_rig.h -- a request fitted, and an answer sent through what undoes it, for the tests of
 * the steps.  The grammar is checked on both sides of the sink.
 */
#ifndef TESTS_UNIT_IR_ADAPT_RIG_H
#define TESTS_UNIT_IR_ADAPT_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/list.h"
#include "ir/adapt.h"
#include "ir/dump.h"
#include "ir/event.h"
#include "ir/fold.h"

enum { RIG_BYTES = 4 << 20 };

struct rig {
    struct arena a;
    struct ir_req req, fitted;
    struct dialect_route route;
    const char *to;
    struct ir_adapt *adapt;
    struct ir_drops drops;
    struct tg_err err;
    struct ir_check front, behind;
    struct ir_fold fold;
    struct ir_sink log; /* notes each event as a line, before the fold */
    struct buf lines;
};

static inline tg_rc
rig_log(struct ir_sink *sink, const struct ir_event *ev)
{
    struct rig *g = LIST_ITEM(sink, struct rig, log);

    assert_int_equal(ir_dump_event(ev, &g->lines), TG_OK);
    return g->fold.sink.put(&g->fold.sink, ev);
}

/* A route that takes everything as it is, and a request that says nothing. */
static inline void
rig_open(struct rig *g)
{
    memset(g, 0, sizeof *g);
    arena_init(&g->a);
    buf_init(&g->lines, RIG_BYTES);
    g->req = (struct ir_req){.model = STR("m"),
                             .origin = "chat",
                             .parallel_calls = true,
                             .choices = 1,
                             .max_tokens = -1,
                             .seed = -1,
                             .think_budget = -1,
                             .top_logprobs = -1};
    g->route.caps = (struct ir_caps){.format = CAPS_FORMAT_SCHEMA,
                                     .orphans = CAPS_ORPHANS_FIX,
                                     .custom_tools = true,
                                     .stop_max = IR_STOP_MAX,
                                     .tool_name_max = 64};
    g->to = "chat";
    g->log.put = rig_log;
}

static inline void
rig_close(struct rig *g)
{
    buf_fini(&g->lines);
    arena_fini(&g->a);
}

static inline tg_rc
rig_fit(struct rig *g)
{
    return ir_adapt_req(&g->a, &g->req, g->to, &g->route, &g->fitted, &g->adapt, &g->drops,
                        &g->err);
}

static inline void
rig_fit_ok(struct rig *g)
{
    if (rig_fit(g) != TG_OK)
        fail_msg("%s: %s", g->err.param, g->err.msg);
}

/* Ready for an answer. */
static inline struct ir_sink *
rig_answer(struct rig *g, bool whole)
{
    g->front = g->behind = (struct ir_check){0};
    buf_clear(&g->lines);
    ir_fold_init(&g->fold, &g->a, g->req.choices, RIG_BYTES, &g->err);
    ir_check_init(&g->behind, g->req.choices, &g->log, &g->err);
    ir_check_init(&g->front, g->req.choices, ir_adapt_sink(g->adapt, whole, &g->behind.sink),
                  &g->err);
    return &g->front.sink;
}

static inline void
rig_put(struct rig *g, struct ir_event ev)
{
    if (g->front.sink.put(&g->front.sink, &ev) != TG_OK)
        fail_msg("%s", g->err.msg);
}

static inline void
rig_put_open(struct rig *g, uint32_t choice, uint32_t block, const struct ir_block *head)
{
    rig_put(g, (struct ir_event){
                   .kind = IR_EV_OPEN, .choice = choice, .block = block, .head = head});
}

static inline void
rig_put_delta(struct rig *g, uint32_t choice, uint32_t block, struct str text)
{
    rig_put(g, (struct ir_event){
                   .kind = IR_EV_DELTA, .choice = choice, .block = block, .text = text});
}

static inline void
rig_put_close(struct rig *g, uint32_t choice, uint32_t block)
{
    rig_put(g, (struct ir_event){.kind = IR_EV_CLOSE, .choice = choice, .block = block});
}

static inline void
rig_put_stop(struct rig *g, uint32_t choice, enum ir_stop stop)
{
    rig_put(g, (struct ir_event){.kind = IR_EV_STOP, .choice = choice, .stop = stop});
}

static inline void
rig_put_end(struct rig *g)
{
    static const struct ir_usage usage = {3, 7, 0, 0, -1};

    rig_put(g, (struct ir_event){.kind = IR_EV_USAGE, .usage = &usage});
    rig_put(g, (struct ir_event){.kind = IR_EV_END});
}

/* The lines of the events that came out, NUL-terminated. */
static inline const char *
rig_lines(struct rig *g)
{
    return arena_dup(&g->a, buf_str(&g->lines)).p;
}

static inline const char *
rig_res(struct rig *g)
{
    struct buf b;
    const char *z;

    buf_init(&b, RIG_BYTES);
    assert_int_equal(ir_dump_res(&g->fold.res, &b), TG_OK);
    z = arena_dup(&g->a, buf_str(&b)).p;
    buf_fini(&b);
    return z;
}

static inline const char *
rig_req(struct rig *g, const struct ir_req *req)
{
    struct buf b;
    const char *z;

    buf_init(&b, RIG_BYTES);
    assert_int_equal(ir_dump_req(req, &b), TG_OK);
    z = arena_dup(&g->a, buf_str(&b)).p;
    buf_fini(&b);
    return z;
}

/* The names of the drops, one blank between two. */
static inline const char *
rig_drops(struct rig *g)
{
    struct str all = STR("");

    for (unsigned i = 0; i < g->drops.n; i++)
        all = arena_printf(&g->a, "%.*s%s%.*s", STR_ARG(all), i ? " " : "",
                           STR_ARG(g->drops.name[i]));
    return all.n ? all.p : "";
}

/* One more message, with one block, at the end. */
static inline struct ir_block *
rig_say(struct rig *g, enum ir_role role, struct ir_block block)
{
    struct ir_msg **at = &g->req.msgs;

    while (*at)
        at = &(*at)->next;
    *at = arena_new(&g->a, struct ir_msg);
    (*at)->role = role;
    (*at)->blocks = arena_new(&g->a, struct ir_block);
    *(*at)->blocks = block;
    g->req.n_msgs++;
    return (*at)->blocks;
}

/* One more block of the last message. */
static inline struct ir_block *
rig_add(struct rig *g, struct ir_block block)
{
    struct ir_msg *m = g->req.msgs;
    struct ir_block **at;

    while (m->next)
        m = m->next;
    for (at = &m->blocks; *at;)
        at = &(*at)->next;
    *at = arena_new(&g->a, struct ir_block);
    **at = block;
    return *at;
}

static inline void
rig_tool(struct rig *g, struct ir_tool tool)
{
    struct ir_tool **at = &g->req.tools;

    while (*at)
        at = &(*at)->next;
    *at = arena_new(&g->a, struct ir_tool);
    **at = tool;
    (*at)->allowed = true;
}

#define SAID(t) ((struct ir_block){.kind = IR_TEXT, .text = STR(t)})
#define CALL(i, n, t)                                                                          \
    ((struct ir_block){.kind = IR_CALL, .id = STR(i), .name = STR(n), .text = STR(t)})
#define RESULT(i, t) ((struct ir_block){.kind = IR_RESULT, .id = STR(i), .text = STR(t)})

#endif
