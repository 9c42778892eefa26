/* sim_plan.c -- deciding what the simulated model says.
 *
 * Everything is decided before the first event: which tools are called and with what, or what
 * text is said.  So a schema that cannot be obeyed is an error with a status, not a broken
 * stream.
 *
 * Calls, in this order: the tool that the x-triglot-sim header names, the one that tool_choice
 * names, one when tool_choice is "required", and with "auto" those that the user's last message
 * asks for with the words `call NAME`.  Once the last message is a tool's result neither the
 * header nor the words count any more: the answer is text that mentions the result, so that
 * loops that run tools come to an end.
 */
#include <stdio.h>

#include "base/ascii.h"
#include "base/utf8.h"
#include "co/co.h"
#include "upstream/sim_int.h"

enum {
    SLICE_BYTES = 1 << 20, /* of a prompt read between two turns of the scheduler   */
    SEARCH_BYTES = 65536,  /* of the last message looked through for calls          */
    MENTION_BYTES = 200,   /* of a tool's result that are repeated                  */
    MESSAGE_TOKENS = 3,    /* what a message costs besides its words                */
    FREE_TOKENS = 8        /* of the input of a free-form tool                      */
};

static bool
is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static int64_t
count_words(struct str s, bool *in_word)
{
    int64_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        bool space = is_space(s.p[i]);

        n += !space && !*in_word;
        *in_word = !space;
    }
    return n;
}

int64_t
sim_words(struct str s)
{
    bool in_word = false;

    return count_words(s, &in_word);
}

static tg_rc
read_text(struct sim_prompt *p, struct str s)
{
    bool in_word = false;

    for (size_t at = 0; at < s.n; at += SLICE_BYTES) {
        struct str slice = {s.p + at, s.n - at < SLICE_BYTES ? s.n - at : SLICE_BYTES};

        p->hash = sim_hash(p->hash, slice);
        p->tokens += count_words(slice, &in_word);
        if (slice.n == SLICE_BYTES) {
            tg_rc rc = co_yield();

            if (rc != TG_OK)
                return rc;
        }
    }
    return TG_OK;
}

tg_rc
sim_prompt(const struct ir_req *req, struct sim_prompt *ret)
{
    struct sim_prompt p = {0};
    tg_rc rc = TG_OK;

    for (const struct ir_msg *m = req->msgs; m; m = m->next) {
        p.tokens += MESSAGE_TOKENS;
        p.hash = sim_hash(p.hash + (uint64_t)m->role + 1, (struct str){NULL, 0});
        for (const struct ir_block *b = m->blocks; b && rc == TG_OK; b = b->next) {
            rc = read_text(&p, b->name);
            if (rc == TG_OK)
                rc = read_text(&p, b->text);
            if (rc == TG_OK)
                rc = read_text(&p, b->raw);
        }
    }
    if (rc == TG_OK)
        *ret = p;
    return rc;
}

static const struct ir_msg *
last_message(const struct ir_req *req)
{
    const struct ir_msg *m = req->msgs;

    while (m && m->next)
        m = m->next;
    return m;
}

static bool
is_word_byte(char c)
{
    return ascii_is_dotted(c) || (unsigned char)c >= 0x80;
}

/* The next word at or after *at, or an empty one. */
static struct str
next_word(struct str s, size_t *at)
{
    size_t from;

    while (*at < s.n && !is_word_byte(s.p[*at]))
        ++*at;
    from = *at;
    while (*at < s.n && is_word_byte(s.p[*at]))
        ++*at;
    while (*at > from && s.p[*at - 1] == '.' && *at - from > 1)
        --*at; /* the end of a sentence */
    return str_of(s.p + from, *at - from);
}

/* Tools of the client that the request lets the model call; name "" finds the first. */
static const struct ir_tool *
find_tool(const struct ir_req *req, struct str name)
{
    const struct ir_tool *t = req->tools;

    while (t && (!t->allowed || t->hosted_by || (name.n && !str_eq(t->name, name))))
        t = t->next;
    return t;
}

/* The tools that text asks for: `call NAME`, `call the tool NAME`. */
static void
find_calls(const struct ir_req *req, struct str text, struct sim_plan *plan)
{
    unsigned max = req->parallel_calls ? SIM_CALLS_MAX : 1;
    bool armed = false;
    size_t at = 0;

    if (text.n > SEARCH_BYTES)
        text.n = utf8_floor(text, SEARCH_BYTES);
    while (plan->n_calls < max) {
        struct str word = next_word(text, &at);
        const struct ir_tool *t;

        if (word.n == 0)
            return;
        if (str_ieq(word, STR("call"))) {
            armed = true;
            continue;
        }
        if (!armed)
            continue;
        t = find_tool(req, word);
        if (t)
            plan->calls[plan->n_calls++].tool = t;
        armed = !t && (str_ieq(word, STR("the")) || str_ieq(word, STR("tool")) ||
                       str_ieq(word, STR("function")));
    }
}

static tg_rc
choose_calls(const struct sim_params *p, const struct ir_req *req, struct sim_plan *plan,
             struct tg_err *err)
{
    const struct ir_msg *last = last_message(req);
    bool answered = last && last->role == IR_TOOL;
    const struct ir_tool *first = find_tool(req, (struct str){NULL, 0}), *t;

    if (req->tool_choice == IR_CHOICE_NONE || !first)
        return TG_OK;
    if (p->tool.n && !answered) {
        t = find_tool(req, p->tool);
        if (!t)
            return tg_refuse(err, "invalid_value", "x-triglot-sim",
                             "x-triglot-sim: the request has no tool \"%.*s\"",
                             (int)(p->tool.n < 64 ? p->tool.n : 64), p->tool.p);
        plan->calls[plan->n_calls++].tool = t;
        return TG_OK;
    }
    if (req->tool_choice == IR_CHOICE_NAMED) {
        t = find_tool(req, req->tool_name);
        plan->calls[plan->n_calls++].tool = t ? t : first;
        return TG_OK;
    }
    if (last && last->role == IR_USER)
        for (const struct ir_block *b = last->blocks; b; b = b->next)
            if (b->kind == IR_TEXT)
                find_calls(req, b->text, plan);
    if (req->tool_choice == IR_CHOICE_REQUIRED) {
        if (plan->n_calls == 0)
            plan->calls[0].tool = first;
        plan->n_calls = 1;
    }
    return TG_OK;
}

static void
make_id(struct sim_rng *rng, char id[32])
{
    static const char alphabet[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    size_t n = 5;

    memcpy(id, "call_", n);
    while (n < 29)
        id[n++] = alphabet[sim_rng_below(rng, sizeof alphabet - 1)];
    id[n] = '\0';
}

static struct str
free_text(struct arena *a, uint64_t seed)
{
    char text[FREE_TOKENS * SIM_TOKEN_MAX];
    struct sim_text gen;
    size_t n = 0;

    sim_text_init(&gen, seed);
    for (int i = 0; i < FREE_TOKENS; i++) {
        char token[SIM_TOKEN_MAX];
        struct str s = sim_text_next(&gen, i == FREE_TOKENS - 1, token);

        memcpy(text + n, s.p, s.n);
        n += s.n;
    }
    return arena_dup(a, str_of(text, n));
}

static tg_rc
fill_call(struct arena *a, struct sim_rng *rng, struct sim_call *call, struct tg_err *err)
{
    char what[96];
    struct str name = call->tool->name;

    make_id(rng, call->id);
    if (call->tool->freeform) {
        call->text = free_text(a, sim_rng_next(rng));
        return TG_OK;
    }
    snprintf(what, sizeof what, "tool \"%.*s\"", (int)(name.n < 64 ? name.n : 64), name.p);
    return sim_schema(a, call->tool->schema, true, sim_rng_next(rng), what, &call->text, err);
}

/* What is said after a tool has answered, before the generated text. */
static struct str
mention(struct arena *a, const struct ir_msg *last)
{
    struct str text = {NULL, 0};
    bool whole;

    for (const struct ir_block *b = last->blocks; b; b = b->next)
        if (b->kind == IR_RESULT)
            text = b->text;
    whole = text.n <= MENTION_BYTES;
    if (!whole)
        text.n = utf8_floor(text, MENTION_BYTES);
    return arena_printf(a, "The tool answered: %.*s%s ", STR_ARG(text), whole ? "." : "...");
}

tg_rc
sim_plan(struct arena *a, const struct sim_params *p, const struct ir_req *req,
         const struct sim_prompt *prompt, unsigned choice, struct sim_plan *ret,
         struct tg_err *err)
{
    struct sim_rng rng = {prompt->hash ^ ((uint64_t)p->seed * UINT64_C(0xd6e8feb86659fd93))};
    const struct ir_msg *last = last_message(req);
    struct sim_plan plan = {0};
    tg_rc rc;

    rng.state += (uint64_t)(req->seed + 1) * UINT64_C(0xa24baed4963ee407);
    rng.state = sim_rng_next(&rng) + choice;
    plan.seed = sim_rng_next(&rng);
    rc = choose_calls(p, req, &plan, err);
    for (unsigned i = 0; rc == TG_OK && i < plan.n_calls; i++)
        rc = fill_call(a, &rng, &plan.calls[i], err);
    if (rc != TG_OK)
        return rc;
    if (plan.n_calls == 0 && req->format_schema.n) {
        rc = sim_schema(a, req->format_schema, false, plan.seed, "the response format",
                        &plan.text, err);
    } else if (plan.n_calls == 0 && req->format_json) {
        plan.text = arena_printf(a, "{\"answer\":\"%.*s\"}", STR_ARG(free_text(a, plan.seed)));
    } else if (plan.n_calls == 0) {
        if (last && last->role == IR_TOOL)
            plan.text = mention(a, last);
        plan.generated = p->tokens;
    }
    if (rc == TG_OK)
        *ret = plan;
    return rc;
}
