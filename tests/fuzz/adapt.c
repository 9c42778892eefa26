/* adapt.c -- fuzz target: any request of any dialect, fitted to any model, sent to any dialect,
 * and its own history as the answer.
 *
 * Byte 0 says which two dialects and whether the route is strict, bytes 1 to 3 what the model
 * can take, the rest is the request.  What was fitted must keep within that, and still do so
 * when the upstream reads it; an answer that says what the history said, in the names and forms
 * that the model was shown, must be the history again.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "dialect/request.h"
#include "ir/event.h"
#include "ir/fold.h"
#include "support/prng.h"
#include "json/scan.h"

enum { TOOLS_MAX = 48, BYTES_MAX = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct dialect *
pick(unsigned n)
{
    const struct dialect *const *all = dialect_all();
    unsigned count = 0;

    while (all[count])
        count++;
    return all[n % count];
}

static struct ir_caps
make_caps(const uint8_t *b)
{
    return (struct ir_caps){
        .thinking = CAPS_THINKING_LEVEL,
        .system = CAPS_SYSTEM_KEEP,
        .replay = CAPS_REPLAY_NEVER,
        .format = (enum caps_format)(CAPS_FORMAT_SCHEMA + (b[0] & 3)),
        .orphans = b[0] & 4 ? CAPS_ORPHANS_REJECT : CAPS_ORPHANS_FIX,
        .custom_tools = b[0] & 8,
        .developer_role = b[0] & 16,
        .prefill = true,
        .logprobs = true,
        .parallel_calls = true,
        .sampling = true,
        .stop_max = b[1] % (IR_STOP_MAX + 1),
        .tool_name_max = b[2] & 128 ? 0 : 9 + b[2] % 70,
    };
}

static const struct ir_tool *
find_tool(const struct ir_req *req, struct str name)
{
    const struct ir_tool *t = req->tools;

    while (t && !str_eq(t->name, name))
        t = t->next;
    return t;
}

static void
check_name(const struct ir_caps *caps, struct str name)
{
    assert(caps->tool_name_max == 0 || name.n <= caps->tool_name_max);
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];

        assert((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-');
    }
}

static void
check_tools(const struct ir_req *req, const struct ir_req *fitted, const struct ir_caps *caps)
{
    const struct ir_tool *t = req->tools, *f = fitted->tools;
    unsigned n = 0;

    for (; t; t = t->next, f = f->next, n++) {
        const struct ir_tool *t2 = req->tools, *f2 = fitted->tools;

        assert(f && t->allowed == f->allowed);
        assert(caps->custom_tools || !f->freeform || f->hosted_by);
        if (f->hosted_by)
            continue;
        check_name(caps, f->name);
        for (unsigned k = 0; k < n && k < TOOLS_MAX; k++, t2 = t2->next, f2 = f2->next)
            assert(f2->hosted_by || str_eq(t->name, t2->name) == str_eq(f->name, f2->name));
    }
    assert(!f);
}

/* The first calls or results of the messages from `from` to before `end`, at most max. */
static unsigned
gather(const struct ir_msg *from, const struct ir_msg *end, enum ir_kind kind,
       const struct ir_block **to, unsigned max)
{
    unsigned n = 0;

    for (const struct ir_msg *m = from; m != end; m = m->next)
        for (const struct ir_block *b = m->blocks; b; b = b->next)
            if (b->kind == kind && n < max)
                to[n++] = b;
    return n;
}

/* Where the ids of a turn's calls tell them apart, the results come in their order. */
static void
check_turn(const struct ir_msg *run, const struct ir_msg *behind, const struct ir_msg *end)
{
    const struct ir_block *call[TOOLS_MAX], *result[TOOLS_MAX];
    unsigned n = gather(run, behind, IR_CALL, call, TOOLS_MAX);
    unsigned n_results = gather(behind, end, IR_RESULT, result, TOOLS_MAX);

    if (n == TOOLS_MAX || n_results == TOOLS_MAX)
        return;
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0; k < i; k++)
            if (str_eq(call[i]->id, call[k]->id))
                return;
    for (unsigned i = 0; i < n || i < n_results; i++)
        if ((i < n && call[i]->id.n == 0) || (i < n_results && result[i]->id.n == 0))
            return;
    assert(n_results >= n);
    for (unsigned i = 0; i < n; i++)
        assert(str_eq(call[i]->id, result[i]->id));
}

static void
check_pairs(const struct ir_req *fitted)
{
    const struct ir_msg *m = fitted->msgs, *run, *behind;

    while (m) {
        if (m->role != IR_MODEL) {
            m = m->next;
            continue;
        }
        for (run = m; m && m->role == IR_MODEL;)
            m = m->next;
        for (behind = m; m && m->role != IR_MODEL;)
            m = m->next;
        check_turn(run, behind, m);
    }
}

/* The same bounds, as the upstream's decoder reads them. */
static void
check_upstream(struct arena *a, const struct dialect *to, const struct ir_req *fitted,
               const struct dialect_route *route, struct str body)
{
    struct ir_req seen = {0};
    struct tg_err err = {0};

    if (json_check(body, JSON_DEPTH_MAX, &err) != TG_OK) {
        assert(err.rc == TG_ELIMIT);
        return;
    }
    if (to->decode_req(a, body, &seen, &err) != TG_OK)
        return;
    assert(seen.n_stop <= route->caps.stop_max && seen.n_stop <= fitted->n_stop);
    for (const struct ir_tool *t = seen.tools; t; t = t->next) {
        assert(route->caps.custom_tools || !t->freeform);
        assert(t->hosted_by || find_tool(fitted, t->name));
    }
    for (const struct ir_msg *m = seen.msgs; m; m = m->next)
        for (const struct ir_block *b = m->blocks; b; b = b->next)
            assert(b->kind != IR_CALL || route->caps.custom_tools || !b->freeform);
}

static void
put(struct ir_sink *sink, struct ir_event ev)
{
    if (sink->put(sink, &ev) != TG_OK)
        abort();
}

/* What the model said before, once more, in random pieces. */
static void
put_answer(const struct ir_req *fitted, uint32_t choices, struct prng *r, struct ir_sink *sink)
{
    uint32_t block = 0;

    put(sink, (struct ir_event){.kind = IR_EV_START});
    for (const struct ir_msg *m = fitted->msgs; m; m = m->next)
        for (const struct ir_block *b = m->blocks; b; b = b->next) {
            struct ir_block head = {
                .kind = b->kind, .id = b->id, .name = b->name, .freeform = b->freeform};
            struct str rest = b->text;

            if (m->role != IR_MODEL || (b->kind != IR_TEXT && b->kind != IR_CALL))
                continue;
            put(sink, (struct ir_event){.kind = IR_EV_OPEN, .block = block, .head = &head});
            while (rest.n) {
                size_t n = 1 + (size_t)prng_below(r, rest.n > 4096 ? rest.n : 24);

                n = n < rest.n ? n : rest.n;
                put(sink, (struct ir_event){
                              .kind = IR_EV_DELTA, .block = block, .text = str_of(rest.p, n)});
                rest = str_from(rest, n);
            }
            put(sink, (struct ir_event){.kind = IR_EV_CLOSE, .block = block++});
        }
    for (uint32_t i = 0; i < choices; i++)
        put(sink, (struct ir_event){.kind = IR_EV_STOP, .choice = i, .stop = IR_STOP_END});
    put(sink, (struct ir_event){.kind = IR_EV_END});
}

static bool
has(struct str text, struct str part)
{
    return part.n && text.n >= part.n && memmem(text.p, text.n, part.p, part.n);
}

/* One block of the answer against the block of the history that it came from. */
static void
check_block(const struct ir_req *req, const struct ir_req *fitted, const struct ir_block *was,
            const struct ir_block *is, bool cut)
{
    const struct ir_tool *t = was->kind == IR_CALL ? find_tool(req, was->name) : NULL;

    assert(is->kind == was->kind && str_eq(is->id, was->id));
    if (was->kind == IR_TEXT) {
        assert(cut ? str_starts(was->text, is->text) : str_eq(was->text, is->text));
        for (unsigned i = fitted->n_stop; i < req->n_stop; i++)
            assert(!has(is->text, req->stop[i]));
        return;
    }
    if (!t)
        return;
    assert(str_eq(is->name, was->name));
    /* Clients may have said one thing of the tool and another of its calls. */
    if (t->freeform == was->freeform) {
        assert(is->freeform == was->freeform);
        assert(str_eq(is->text, was->text) || (!was->freeform && t->freeform));
    }
}

static void
check_answer(struct arena *a, const struct ir_req *req, const struct ir_req *fitted,
             struct ir_adapt *adapt, uint64_t seed)
{
    struct ir_check *front = arena_new(a, struct ir_check);
    struct ir_check *behind = arena_new(a, struct ir_check);
    struct prng r = {seed};
    bool whole = seed & 1, cut;
    const struct ir_block *is;
    struct tg_err err = {0};
    struct ir_fold fold;

    ir_fold_init(&fold, a, req->choices, BYTES_MAX, &err);
    ir_check_init(behind, req->choices, &fold.sink, &err);
    ir_check_init(front, req->choices, ir_adapt_sink(adapt, whole, &behind->sink), &err);
    put_answer(fitted, req->choices, &r, &front->sink);
    cut = fold.res.answers[0].stop == IR_STOP_SEQUENCE;
    assert(ir_adapt_over(adapt) == (cut && !whole && req->choices == 1));
    is = fold.res.answers[0].blocks;
    for (const struct ir_msg *m = req->msgs; m; m = m->next)
        for (const struct ir_block *b = m->blocks; b; b = b->next) {
            if (m->role != IR_MODEL || (b->kind != IR_TEXT && b->kind != IR_CALL))
                continue;
            assert(is || cut);
            if (!is)
                return;
            check_block(req, fitted, b, is, cut && !is->next);
            is = is->next;
        }
    assert(!is);
}

static void
check_all(struct arena *a, const struct dialect *to, const struct ir_req *req,
          const struct dialect_route *route, uint64_t seed)
{
    struct ir_adapt *adapt = NULL, *second = NULL;
    struct ir_drops drops = {0};
    struct tg_err err = {0};
    struct ir_req fitted;
    struct buf out;
    tg_rc rc = ir_adapt_req(a, req, to->name, route, &fitted, &adapt, &drops, &err);

    if (rc != TG_OK) {
        assert(rc == TG_EINVAL && err.rc == rc && err.msg[0] && err.param[0]);
        return;
    }
    assert(!route->strict || drops.n == 0);
    assert(fitted.n_stop <= route->caps.stop_max);
    check_tools(req, &fitted, &route->caps);
    check_pairs(&fitted);
    if (req->choices <= IR_CHOICES_MAX)
        check_answer(a, req, &fitted, adapt, seed);
    buf_init(&out, 8 << 20);
    if (dialect_put_request(a, to, req, route, &out, &second, &drops, &err) == TG_OK)
        check_upstream(a, to, &fitted, route, buf_str(&out));
    else
        assert(err.rc != TG_OK && err.msg[0]);
    buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dialect_route route = {.model = STR("m"), .max_tokens = 4096};
    const struct dialect *from, *to;
    struct ir_req req = {0};
    struct tg_err err = {0};
    struct arena a;

    if (size < 4)
        return 0;
    from = pick(data[0] & 7);
    to = pick(data[0] >> 3 & 7);
    route.strict = data[0] & 64;
    route.caps = make_caps(data + 1);
    arena_init(&a);
    if (from->decode_req(&a, str_of((const char *)data + 4, size - 4), &req, &err) == TG_OK)
        check_all(&a, to, &req, &route, data[1] * 7U + data[2] + data[3] * 3U + size);
    arena_fini(&a);
    return 0;
}
