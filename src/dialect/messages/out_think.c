/* out_think.c -- how thinking is asked for.
 *
 * By a level of effort, the rest left to the model (adaptive), or by a budget, as the route's
 * model wants it.  A budget excludes a forced tool choice and, where proofs are looked at, a
 * history whose calls have lost their thoughts: then thinking is off, and that is noted.
 */
#include "dialect/messages/messages_int.h"

enum { BUDGET_MIN = 1024 };

/* Name of the client's field that asked for thinking. */
static const char *
effort_field(const struct messages_out *o)
{
    if (messages_own(o->req->origin))
        return "thinking";
    return messages_from_responses(o) ? "reasoning.effort" : "reasoning_effort";
}

/* Calls of the last answer in the history without the thoughts that led to them. */
static bool
thoughts_lost(const struct ir_req *req)
{
    const struct ir_msg *last = NULL;
    bool after_model = false, call = false, thought = false;

    for (const struct ir_msg *m = req->msgs; m; m = m->next) {
        if (m->role == IR_MODEL && !after_model)
            last = m;
        after_model = m->role == IR_MODEL;
    }
    for (const struct ir_msg *m = last; m && m->role == IR_MODEL; m = m->next)
        for (const struct ir_block *b = m->blocks; b; b = b->next) {
            thought |= b->kind == IR_THINK && messages_own(b->origin) && b->sig.n;
            call |= b->kind == IR_CALL;
        }
    return call && !thought;
}

static int64_t
budget_of(enum ir_effort effort, int64_t max_tokens)
{
    switch (effort) {
    case IR_EFFORT_MEDIUM:
        return 8192;
    case IR_EFFORT_HIGH:
        return 16384;
    case IR_EFFORT_XHIGH:
        return 32768;
    case IR_EFFORT_MAX:
        return max_tokens / 10 * 9;
    default:
        return 2048;
    }
}

static const char *
effort_word(enum ir_effort effort)
{
    static const char *const words[] = {
        [IR_EFFORT_MINIMAL] = "low", [IR_EFFORT_LOW] = "low",     [IR_EFFORT_MEDIUM] = "medium",
        [IR_EFFORT_HIGH] = "high",   [IR_EFFORT_XHIGH] = "xhigh", [IR_EFFORT_MAX] = "max"};

    return (size_t)effort < MESSAGES_COUNT(words) ? words[effort] : NULL;
}

/* The budget form, with a limit that leaves room for the answer behind the budget. */
static struct messages_thinking
choose_budget(struct messages_out *o, int64_t budget, int64_t *max_tokens)
{
    struct messages_thinking t = {MESSAGES_THINK_BUDGET,
                                  budget < BUDGET_MIN ? BUDGET_MIN : budget, NULL};

    if (messages_choice_forced(o->req) ||
        (o->route->caps.replay == CAPS_REPLAY_NEVER && thoughts_lost(o->req))) {
        messages_drop(o, "%s", effort_field(o));
        return (struct messages_thinking){MESSAGES_THINK_DISABLED, 0, NULL};
    }
    if (t.budget < *max_tokens)
        return t;
    if (o->req->max_tokens < 0) {
        *max_tokens += t.budget;
    } else if (*max_tokens > BUDGET_MIN) {
        t.budget = *max_tokens / 10 * 9;
        if (t.budget < BUDGET_MIN)
            t.budget = BUDGET_MIN;
    } else {
        messages_drop(o, "%s", effort_field(o));
        t.form = MESSAGES_THINK_DISABLED;
    }
    return t;
}

/* Does the client ask for thoughts at all? */
static bool
wants_thinking(const struct ir_req *req)
{
    if (req->effort == IR_EFFORT_NONE || req->think_budget == 0)
        return false;
    return req->think_budget > 0 || req->effort != IR_EFFORT_UNSAID ||
           req->think_show == IR_YES;
}

struct messages_thinking
messages_choose_thinking(struct messages_out *o, int64_t *max_tokens)
{
    const struct ir_req *req = o->req;
    enum ir_effort effort = req->effort;

    if (o->route->caps.thinking == CAPS_THINKING_NONE) {
        if (wants_thinking(req))
            messages_drop(o, "%s", effort_field(o));
        return (struct messages_thinking){MESSAGES_THINK_LEFT_OUT, 0, NULL};
    }
    if (effort == IR_EFFORT_NONE || req->think_budget == 0)
        return (struct messages_thinking){MESSAGES_THINK_DISABLED, 0, NULL};
    if (!wants_thinking(req))
        return (struct messages_thinking){MESSAGES_THINK_LEFT_OUT, 0, NULL};
    if (o->route->caps.thinking == CAPS_THINKING_BUDGET)
        return choose_budget(
            o, req->think_budget > 0 ? req->think_budget : budget_of(effort, *max_tokens),
            max_tokens);
    if (effort == IR_EFFORT_UNSAID && req->think_budget > 0)
        effort = messages_effort_of(req->think_budget);
    return (struct messages_thinking){MESSAGES_THINK_ADAPTIVE, 0, effort_word(effort)};
}

void
messages_put_thinking(struct messages_out *o, const struct messages_thinking *t)
{
    static const char *const forms[] = {[MESSAGES_THINK_DISABLED] = "disabled",
                                        [MESSAGES_THINK_ADAPTIVE] = "adaptive",
                                        [MESSAGES_THINK_BUDGET] = "enabled"};

    if (t->form == MESSAGES_THINK_LEFT_OUT)
        return;
    json_key(&o->j, "thinking");
    json_open(&o->j, '{');
    json_kv_str(&o->j, "type", str_z(forms[t->form]));
    if (t->form == MESSAGES_THINK_BUDGET)
        json_kv_int(&o->j, "budget_tokens", t->budget);
    if (t->form != MESSAGES_THINK_DISABLED && o->req->think_show != IR_UNSAID)
        json_kv_str(&o->j, "display",
                    o->req->think_show == IR_YES ? STR("summarized") : STR("omitted"));
    json_close(&o->j);
}
