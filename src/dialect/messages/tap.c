/* tap.c -- watching a Messages answer that passes by as bytes.
 *
 * Every record must be JSON.  Nearly all are content_block_delta, which tells the observers
 * nothing; the event's name says so, and they differ from one another only in the piece of text
 * they carry (dialect/alike.h).  Such a record is learned, and those like it are not looked at.
 *
 * A ping is dropped: the daemon sends its own in time.  Usage figures are cumulative, so the
 * last one of each kind wins; input figures stand in message_start, and again in message_delta
 * where they are known only then.
 *
 * state[FRESH_SAID]  the upstream said how much of the input is fresh; that figure, which
 *                    tap->usage does not keep apart, is in the two words that follow
 */
#include "dialect/alike.h"
#include "dialect/messages/messages_int.h"

enum { FRESH_SAID, FRESH_LOW, FRESH_HIGH };

static enum dialect_seen
broken(struct dialect_tap *t, struct tg_err *err, const char *why)
{
    t->failed = true;
    (void)tg_upstream_fail(err, TG_EPROTO, "upstream_protocol_error",
                           "the upstream sent a record that is not of the Messages dialect: %s",
                           why);
    return DIALECT_BROKEN;
}

static enum dialect_seen
failed(struct dialect_tap *t, struct str data, struct tg_err *err)
{
    t->failed = true;
    (void)!messages_read_error(0, data, err);
    return DIALECT_FAILED;
}

static void
read_usage(struct dialect_tap *t, const struct json_member *usage)
{
    struct messages_usage u = {
        .input = t->state[FRESH_SAID]
                     ? (int64_t)((uint64_t)t->state[FRESH_HIGH] << 32 | t->state[FRESH_LOW])
                     : -1,
        .output = t->usage.output,
        .read = t->usage.cached,
        .written = t->usage.cache_write,
        .thinking = t->usage.reasoning,
    };

    if (usage->kind != JSON_OBJECT)
        return;
    messages_read_usage(usage->value, &u);
    t->usage = messages_usage_in(&u);
    if (u.input < 0)
        return;
    t->state[FRESH_SAID] = 1;
    t->state[FRESH_LOW] = (uint32_t)u.input;
    t->state[FRESH_HIGH] = (uint32_t)((uint64_t)u.input >> 32);
}

static enum dialect_seen
look(struct dialect_tap *t, struct str type, struct str data, struct tg_err *err)
{
    struct json_member m;

    if (str_eq(type, STR("message_start"))) {
        if (t->started)
            return broken(t, err, "the message began twice");
        t->started = true;
        if (json_path(data, "message.usage", &m))
            read_usage(t, &m);
        t->events++;
    } else if (str_eq(type, STR("message_delta"))) {
        if (json_get(data, STR("usage"), &m))
            read_usage(t, &m);
        if (json_path(data, "delta.stop_reason", &m) && m.kind == JSON_STRING)
            t->finished = true;
        t->events++;
    } else if (str_eq(type, STR("message_stop"))) {
        t->terminal = t->finished = true;
    } else if (str_starts(type, STR("content_block_"))) {
        if (!t->started)
            return broken(t, err, "a block before the message began");
        t->events++;
    }
    return DIALECT_PASS;
}

/* The text between the quotes of a string without escapes, else "". */
static struct str
plain(const struct json_member *m)
{
    if (m->kind != JSON_STRING)
        return (struct str){NULL, 0};
    return str_of(m->value.p + 1, m->value.n - 2);
}

enum dialect_seen
messages_tap_record(struct dialect_tap *t, struct str event, struct str data,
                    struct tg_err *err)
{
    struct json_member m;
    struct str type;

    if (t->terminal || data.n == 0 || str_eq(event, STR("ping")) ||
        str_starts(data, STR("[DONE]")))
        return DIALECT_DROP;
    if (t->started && str_eq(event, STR("content_block_delta"))) {
        if (alike_match(alike_of_tap(t), data, NULL)) {
            t->events++;
            return DIALECT_PASS;
        }
        if (json_check(data, JSON_DEPTH_MAX, NULL) != TG_OK)
            return broken(t, err, "it is not JSON");
        if (data.p[0] == '{' && json_get(data, STR("type"), &m) &&
            str_eq(m.value, STR("\"content_block_delta\""))) {
            alike_learn(alike_of_tap(t), data, (struct str){NULL, 0});
            t->events++;
            return DIALECT_PASS;
        }
    }
    if (json_check(data, JSON_DEPTH_MAX, NULL) != TG_OK)
        return broken(t, err, "it is not JSON");
    if (json_kind_of(data) != JSON_OBJECT)
        return broken(t, err, "it is not an object");
    if (str_eq(event, STR("error")) || messages_error_is(data))
        return failed(t, data, err);
    if (!json_get(data, STR("type"), &m))
        return broken(t, err, "it has no type");
    type = plain(&m);
    if (str_eq(type, STR("ping")))
        return DIALECT_DROP;
    return look(t, type, data, err);
}

bool
messages_tap_whole(struct dialect_tap *t, enum dialect_call call, struct str body)
{
    enum { TYPE, ERROR, CONTENT, STOP, USAGE, N };
    static const struct str names[N] = {
        {"type", 4}, {"error", 5}, {"content", 7}, {"stop_reason", 11}, {"usage", 5}};
    struct json_member m[N];

    if (call != DIALECT_GENERATE || json_check(body, JSON_DEPTH_MAX, NULL) != TG_OK ||
        !json_pick(body, names, N, m))
        return false;
    if (messages_error_shows(&m[TYPE], &m[ERROR])) {
        t->failed = true;
        return false;
    }
    if (m[CONTENT].kind != JSON_ARRAY)
        return false;
    t->started = true;
    t->events++;
    t->finished = m[STOP].kind == JSON_STRING;
    read_usage(t, &m[USAGE]);
    return true;
}
