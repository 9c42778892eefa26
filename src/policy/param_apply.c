/* param_apply.c -- an upstream's body under an operator's rules.
 *
 * Each member of the body passes the rules in their order, as if they were applied one after
 * the other, and is then written: the object is walked once.  What a rule can decide only when
 * all members are known waits until the last one has passed: a member that takes a new name
 * (perhaps the name is taken), and one that is to be set when it is absent.  These then pass
 * the rules behind theirs and are written last.  Rules for the inside of an object are gathered
 * while it passes, and the object is written by the same walk.
 *
 * A member that is null says nothing, as everywhere in these dialects: it can be dropped
 * without a loss, is no reason to refuse, and counts as absent for a default or a new name.
 *
 * Invariants
 *  (1) No name is written twice that did not stand twice in the body.
 *  (2) What no rule touches is written byte for byte, the blanks between members included.
 *  (3) A failure leaves the buffer as it was.
 */
#include "policy/param.h"

#include <assert.h>

#include "policy/param_int.h"
#include "json/scan.h"

/* The same for the body and the objects in it. */
struct work {
    const struct param_rule *rules;
    unsigned n;
    bool strict;
    struct buf *out;
    struct ir_drops *drops;
    struct tg_err *err;
};

struct member {
    struct str key;    /* between the quotes, as written                    */
    struct str lead;   /* from the key to the value, "" = to be made        */
    struct str value;  /* as written, or as a rule has it                   */
    uint64_t for_kids; /* rules for the members of the object that it holds */
};

/* One object on its way.  Rule i is bit i of the sets. */
struct pass {
    const struct work *w;
    uint64_t rules; /* those that are for this object or what is in it              */
    bool inside;    /* it is a member of the body: the rules call its members `sub` */
    bool wrote;     /* a member                                                     */
    uint64_t seen;  /* DEFAULT, RENAME: the name is there, so nothing is to be set  */
    uint64_t held;  /* RENAME: what hold has a value                                */
    struct {
        struct str value;
        uint64_t for_kids;
    } hold[PARAM_RULES_MAX];
};

static const char *
param_of(const struct param_rule *r)
{
    return r->name.p;
}

/* Notes that something of the request is lost, or refuses that. */
static tg_rc
lose(const struct work *w, const struct param_rule *r)
{
    if (w->strict)
        return tg_refuse(w->err, "unsupported_parameter", param_of(r),
                         "%s is not sent to the upstream of this model, and the route is "
                         "strict",
                         param_of(r));
    ir_drop(w->drops, r->name);
    return TG_OK;
}

static tg_rc put_object(const struct work *w, uint64_t rules, bool inside, struct str object);

/* The same for a whole member.  The rules before r for what is inside it have had their say. */
static tg_rc
lose_member(const struct work *w, const struct param_rule *r, const struct member *m)
{
    size_t before = buf_str(w->out).n;
    tg_rc rc = TG_OK;

    if (json_kind_of(m->value) == JSON_NULL)
        return TG_OK;
    if (m->for_kids)
        rc = put_object(w, m->for_kids, true, m->value);
    buf_truncate(w->out, before);
    return rc == TG_OK ? lose(w, r) : rc;
}

static tg_rc
clamp(const struct work *w, const struct param_rule *r, struct member *m)
{
    struct param_number v;

    if (json_kind_of(m->value) != JSON_NUMBER || param_number(m->value, &v) != TG_OK)
        return TG_OK;
    if (!param_less(&v, &r->min) && !param_less(&r->max, &v))
        return TG_OK;
    if (w->strict)
        return tg_refuse(w->err, "invalid_value", param_of(r),
                         "%s must be from %.*s to %.*s for this model", param_of(r),
                         STR_ARG(r->min.text), STR_ARG(r->max.text));
    m->value = param_less(&v, &r->min) ? r->min.text : r->max.text;
    ir_drop(w->drops, r->name);
    return TG_OK;
}

/* A rule for what is inside the member, which has the rule's first name. */
static bool
meet_outer(struct pass *p, unsigned i, struct member *m)
{
    bool is_default = p->w->rules[i].what == PARAM_DEFAULT;
    enum json_kind kind = json_kind_of(m->value);

    if (is_default && kind == JSON_NULL)
        return true;
    if (is_default)
        p->seen |= UINT64_C(1) << i;
    if (kind == JSON_OBJECT)
        m->for_kids |= UINT64_C(1) << i;
    return false;
}

static bool
meet_rename(struct pass *p, unsigned i, struct member *m, bool here)
{
    uint64_t bit = UINT64_C(1) << i;
    bool null = json_kind_of(m->value) == JSON_NULL;

    if (!here && !json_key_is(m->key, p->w->rules[i].to))
        return false;
    if (!here && !null) {
        p->seen |= bit;
        return false;
    }
    if (!null || !(p->held & bit)) {
        p->hold[i].value = m->value;
        p->hold[i].for_kids = m->for_kids;
    }
    p->held |= bit;
    return true;
}

/* Member m passes rule i.  *ret_taken: it is not to be written, now or at all. */
static tg_rc
meet(struct pass *p, unsigned i, struct member *m, bool *ret_taken)
{
    const struct param_rule *r = &p->w->rules[i];
    bool here = json_key_is(m->key, p->inside ? r->sub : r->top);
    bool null = json_kind_of(m->value) == JSON_NULL;

    if (!p->inside && r->sub.n) {
        *ret_taken = here && meet_outer(p, i, m);
        return TG_OK;
    }
    switch (r->what) {
    case PARAM_DROP:
        *ret_taken = here;
        return here ? lose_member(p->w, r, m) : TG_OK;
    case PARAM_REFUSE:
        *ret_taken = here;
        if (here && !null)
            return tg_refuse(p->w->err, "unsupported_parameter", param_of(r),
                             "%s is not supported for this model", param_of(r));
        return TG_OK;
    case PARAM_RENAME:
        *ret_taken = meet_rename(p, i, m, here);
        return TG_OK;
    case PARAM_CLAMP:
        return here ? clamp(p->w, r, m) : TG_OK;
    case PARAM_DEFAULT:
        *ret_taken = here && null;
        p->seen |= here && !null ? UINT64_C(1) << i : 0;
        return TG_OK;
    }
    return TG_OK;
}

/* gap is what stands between the member and what was before it in the body, with a comma unless
 * nothing was. */
static tg_rc
put_member(struct pass *p, const struct member *m, struct str gap)
{
    struct buf *out = p->w->out;
    size_t comma = str_find(gap, ',');
    tg_rc rc;

    if (!p->wrote && comma < gap.n)
        gap = str_from(gap, comma + 1);
    p->wrote = true;
    rc = buf_append(out, gap);
    if (rc == TG_OK && m->lead.n)
        rc = buf_append(out, m->lead);
    else if (rc == TG_OK)
        rc = buf_printf(out, "\"%.*s\":", STR_ARG(m->key));
    if (rc != TG_OK)
        return rc;
    return m->for_kids ? put_object(p->w, m->for_kids, true, m->value)
                       : buf_append(out, m->value);
}

/* Passes the rules from number `from` on, and is written. */
static tg_rc
send_through(struct pass *p, unsigned from, struct member *m, struct str gap)
{
    for (unsigned i = from; i < p->w->n; i++) {
        bool taken = false;
        tg_rc rc = TG_OK;

        if (p->rules >> i & 1)
            rc = meet(p, i, m, &taken);
        if (rc != TG_OK || taken)
            return rc;
    }
    return put_member(p, m, gap);
}

/* All members have passed: what waited for that. */
static tg_rc
put_late(struct pass *p)
{
    tg_rc rc = TG_OK;

    for (unsigned i = 0; i < p->w->n && rc == TG_OK; i++) {
        const struct param_rule *r = &p->w->rules[i];
        bool seen = p->seen >> i & 1, held = p->held >> i & 1;
        struct member m = {
            .key = r->to, .value = p->hold[i].value, .for_kids = p->hold[i].for_kids};

        if (!(p->rules >> i & 1))
            continue;
        if (held && seen) {
            rc = lose_member(p->w, r, &m);
            continue;
        }
        if (!held && (r->what != PARAM_DEFAULT || seen))
            continue;
        if (r->what == PARAM_DEFAULT && p->inside)
            m = (struct member){.key = r->sub, .value = r->value};
        else if (r->what == PARAM_DEFAULT)
            m = (struct member){.key = r->top, .value = r->sub.n ? r->object : r->value};
        rc = send_through(p, i + 1, &m, STR(","));
    }
    return rc;
}

static tg_rc
put_object(const struct work *w, uint64_t rules, bool inside, struct str object)
{
    struct pass p = {.w = w, .rules = rules, .inside = inside};
    const char *done; /* what stands before it has been dealt with */
    struct json_iter it;
    struct json_member m;
    tg_rc rc = json_object(&it, object);

    if (rc != TG_OK)
        return tg_refuse(w->err, "invalid_json", NULL, "the request's body is no JSON object");
    done = object.p + str_find(object, '{') + 1;
    rc = buf_append(w->out, str_of(object.p, (size_t)(done - object.p)));
    while (rc == TG_OK && json_next(&it, &m)) {
        struct str gap = str_of(done, (size_t)(m.whole.p - done));
        struct member now = {
            .key = m.key,
            .lead = str_of(m.whole.p, (size_t)(m.value.p - m.whole.p)),
            .value = m.value,
        };

        done = m.whole.p + m.whole.n;
        rc = send_through(&p, 0, &now, gap);
    }
    if (rc == TG_OK && it.rc != TG_OK)
        rc = tg_refuse(w->err, "invalid_json", NULL, "the request's body is no JSON object");
    if (rc == TG_OK)
        rc = put_late(&p);
    if (rc == TG_OK)
        rc = buf_append(w->out, str_of(done, (size_t)(object.p + object.n - done)));
    return rc;
}

tg_rc
param_apply(const struct param_rule *rules, unsigned n, bool strict, struct str body,
            struct buf *out, struct ir_drops *drops, struct tg_err *err)
{
    struct work w = {
        .rules = rules, .n = n, .strict = strict, .out = out, .drops = drops, .err = err};
    size_t before = buf_str(out).n;
    tg_rc rc;

    assert(n <= PARAM_RULES_MAX);
    rc = put_object(&w, n == 64 ? ~UINT64_C(0) : (UINT64_C(1) << n) - 1, false, body);
    if (rc == TG_OK)
        return TG_OK;
    buf_truncate(out, before);
    if (rc == TG_ELIMIT)
        tg_fail(err, TG_ELIMIT, TG_ERR_TOO_LARGE, "request_too_large",
                "the request is too large for its upstream once the route's parameter rules "
                "are applied");
    return rc;
}
