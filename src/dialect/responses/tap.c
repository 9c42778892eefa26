/* tap.c -- watching a Responses answer that passes by as bytes.
 *
 * What a record is stands in its "type", which nearly every server writes first; event names
 * are not relied on, because some servers send none.  A record must be JSON.  Deltas are most
 * of a stream and say nothing to an observer, so of them no more is looked at than the type,
 * and of one that is like the last (dialect/alike.h) not even that; the first record is always
 * looked at whole, so that an error in it is one before the client's status is out.
 *
 * response.completed, incomplete and failed are the end: the last of them is an answer too,
 * which the client's helper turns into a result, so it passes.  Only an error record fails the
 * stream.
 */
#include "dialect/alike.h"
#include "dialect/figures.h"
#include "dialect/openai.h"
#include "dialect/responses/responses_int.h"
#include "json/scan.h"

struct str
responses_type_of(struct str data)
{
    static const struct str first = {"{\"type\":", 8};
    struct str s;
    struct json_member m;
    size_t n;

    if (str_starts(data, first)) {
        s = str_from(data, first.n);
        while (s.n && s.p[0] == ' ')
            s = str_from(s, 1);
        if (s.n && s.p[0] == '"') {
            s = str_from(s, 1);
            n = str_find(s, '"');
            /* One with an escape in it is no type that anybody knows. */
            return n < s.n ? str_of(s.p, n) : (struct str){NULL, 0};
        }
    }
    if (!json_get(data, STR("type"), &m) || m.kind != JSON_STRING)
        return (struct str){NULL, 0};
    return str_of(m.value.p + 1, m.value.n - 2);
}

void
responses_read_usage(struct str usage, struct ir_usage *u)
{
    const struct figure rows[] = {
        {STR("input_tokens"), STR(""), &u->input},
        {STR("output_tokens"), STR(""), &u->output},
        {STR("input_tokens_details"), STR("cached_tokens"), &u->cached},
        {STR("input_tokens_details"), STR("cache_write_tokens"), &u->cache_write},
        {STR("output_tokens_details"), STR("reasoning_tokens"), &u->reasoning},
    };

    figures_read(usage, rows, RESPONSES_COUNT(rows));
}

static enum dialect_seen
broken(struct dialect_tap *t, struct tg_err *err, const char *why)
{
    t->failed = true;
    (void)tg_upstream_fail(
        err, TG_EPROTO, "upstream_protocol_error",
        "the upstream sent a record that is not of the Responses dialect: %s", why);
    return DIALECT_BROKEN;
}

static enum dialect_seen
failed(struct dialect_tap *t, struct str error, struct tg_err *err)
{
    t->failed = true;
    openai_read_error(error, err);
    return DIALECT_FAILED;
}

/* Is it an error about the gateway's credentials, which no client may see? */
static bool
refuses_key(struct str error)
{
    struct tg_err err = {0};

    if (!openai_error_is(error))
        return false;
    openai_read_error(error, &err);
    return err.code && strcmp(err.code, "upstream_auth") == 0;
}

static bool
is_end(struct str type)
{
    return str_eq(type, STR("response.completed")) ||
           str_eq(type, STR("response.incomplete")) || str_eq(type, STR("response.failed"));
}

/* The record that carries the whole answer. */
static void
look_at_end(struct dialect_tap *t, struct str type, struct str data)
{
    struct json_member m;

    if (json_path(data, "response.usage", &m) && m.kind == JSON_OBJECT)
        responses_read_usage(m.value, &t->usage);
    t->terminal = true;
    t->failed = t->failed || str_eq(type, STR("response.failed"));
    t->finished = !t->failed;
}

static bool
is_of_life_only(struct str type)
{
    return str_eq(type, STR("response.created")) || str_eq(type, STR("response.queued")) ||
           str_eq(type, STR("response.in_progress")) || str_eq(type, STR("keepalive"));
}

enum dialect_seen
responses_tap_record(struct dialect_tap *t, struct str event, struct str data,
                     struct tg_err *err)
{
    struct json_member m;
    struct str type;

    if (str_starts(data, STR("[DONE]")))
        return t->terminal ? DIALECT_PASS : DIALECT_DROP;
    if (t->terminal || data.n == 0 || data.p[0] == ':')
        return DIALECT_DROP;
    /* The helper of one SDK fails on records of these names. */
    if (str_eq(event, STR("ping")))
        return DIALECT_DROP;
    if (alike_match(alike_of_tap(t), data, NULL)) {
        t->events++;
        return DIALECT_PASS;
    }
    if (json_check(data, JSON_DEPTH_MAX, NULL) != TG_OK)
        return broken(t, err, "it is not JSON");
    if (json_kind_of(data) != JSON_OBJECT)
        return broken(t, err, "it is not an object");
    type = responses_type_of(data);
    if (!t->started && str_eq(type, STR("keepalive")))
        return DIALECT_DROP; /* nothing may come before response.created */
    if (t->started && str_ends(type, STR(".delta"))) {
        alike_learn(alike_of_tap(t), data, (struct str){NULL, 0});
        t->events++;
        return DIALECT_PASS;
    }
    if (json_get(data, STR("error"), &m) && openai_error_is(m.value))
        return failed(t, m.value, err);
    if (str_eq(type, STR("error")) || (type.n == 0 && str_eq(event, STR("error"))))
        return failed(t, data, err);
    if (json_path(data, "response.error", &m) && refuses_key(m.value))
        return failed(t, m.value, err);
    if (is_end(type))
        look_at_end(t, type, data);
    if (str_starts(type, STR("response.")))
        t->started = true;
    if (type.n && !is_of_life_only(type))
        t->events++;
    return DIALECT_PASS;
}

bool
responses_tap_whole(struct dialect_tap *t, enum dialect_call call, struct str body)
{
    enum { OUTPUT, ERROR, STATUS, USAGE, N };
    static const struct str names[N] = {
        {"output", 6}, {"error", 5}, {"status", 6}, {"usage", 5}};
    struct json_member m[N];

    if (call != DIALECT_GENERATE || json_check(body, JSON_DEPTH_MAX, NULL) != TG_OK ||
        !json_pick(body, names, N, m))
        return false;
    if (m[OUTPUT].kind != JSON_ARRAY) {
        t->failed = m[ERROR].kind != JSON_NONE && openai_error_is(m[ERROR].value);
        return false;
    }
    t->started = true;
    t->events++;
    t->failed = m[STATUS].kind != JSON_NONE && str_eq(m[STATUS].value, STR("\"failed\""));
    t->finished = !t->failed;
    if (m[USAGE].kind == JSON_OBJECT)
        responses_read_usage(m[USAGE].value, &t->usage);
    return true;
}
