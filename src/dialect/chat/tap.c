/* tap.c -- watching a Chat answer that passes by as bytes.
 *
 * Every record must be JSON; hardly any is looked at further.  What the observers need (usage,
 * an error, the end of a choice, a choice not seen before) shows as one of four keys with a
 * value that says something, and quiet() finds out whether there is such a key in one pass,
 * sixteen bytes at a time.  In text that is JSON a quote inside a string has a backslash before
 * it, so the pattern
 * `"usage":` is a key.  A key written with escapes is not found; no server writes one.  The
 * first record is always looked at, so that an error in it is one before the client's status is
 * out.
 *
 * Most records differ from the one before only in the piece of text they carry
 * (dialect/alike.h); a quiet one is learned, and those like it are as quiet.
 *
 * The records of a stream have no names here.  What names itself ping, and data that is a
 * comment by its content, is a sign of life that was put on the wrong line; clients fail on
 * both, so both are dropped.
 *
 * state[CHOICES]     how many choices have been seen: the highest index plus one
 * state[ENDED ...]   one bit for each choice that has ended
 * memory             the last quiet record
 */
#include "dialect/alike.h"
#include "dialect/chat/chat_int.h"
#include "dialect/openai.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { CHOICES, ENDED };

static const char *
skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

/* Does s begin with this key, and then a value that does not begin with dull? */
static inline bool
key_tells(struct str s, struct str key, char dull)
{
    const char *v, *end = s.p + s.n;

    if (!str_starts(s, key))
        return false;
    v = skip_space(s.p + key.n, end);
    if (v == end || *v != ':')
        return false;
    v = skip_space(v + 1, end);
    return v < end && *v != dull;
}

/* p is at a quote: is here one of the keys, with something to see behind it? */
static bool
telling(const char *p, const char *end)
{
    struct str s = {p, (size_t)(end - p)};

    switch (s.n > 1 ? p[1] : 0) {
    case 'u':
        return key_tells(s, STR("\"usage\""), 'n');
    case 'f':
        return key_tells(s, STR("\"finish_reason\""), 'n');
    case 'e':
        return key_tells(s, STR("\"error\""), 'n');
    case 'i':
        return key_tells(s, STR("\"index\""), '0');
    default:
        return false;
    }
}

#ifdef __SSE2__
/* Bit k: at p + k there is a quote, and behind it the first letter of a key.  Reads 17 bytes.
 */
static inline unsigned
candidates(const char *p)
{
    __m128i at = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i next = _mm_loadu_si128((const __m128i *)(const void *)(p + 1));
    __m128i uf = _mm_or_si128(_mm_cmpeq_epi8(next, _mm_set1_epi8('u')),
                              _mm_cmpeq_epi8(next, _mm_set1_epi8('f')));
    __m128i ei = _mm_or_si128(_mm_cmpeq_epi8(next, _mm_set1_epi8('e')),
                              _mm_cmpeq_epi8(next, _mm_set1_epi8('i')));
    __m128i quote = _mm_cmpeq_epi8(at, _mm_set1_epi8('"'));

    return (unsigned)_mm_movemask_epi8(_mm_and_si128(quote, _mm_or_si128(uf, ei)));
}
#endif

/* Does a look at this record's members tell nothing? */
static bool
quiet(struct str data)
{
    const char *p = data.p, *end = p + data.n;

#ifdef __SSE2__
    while (end - p > 16) {
        unsigned found = candidates(p);

        for (; found; found &= found - 1)
            if (telling(p + __builtin_ctz(found), end))
                return false;
        p += 16;
    }
#endif
    for (; p < end; p++)
        if (*p == '"' && telling(p, end))
            return false;
    return true;
}

static enum dialect_seen
broken(struct dialect_tap *t, struct tg_err *err, const char *why)
{
    t->failed = true;
    (void)tg_upstream_fail(err, TG_EPROTO, "upstream_protocol_error",
                           "the upstream sent a record that is not of the Chat dialect: %s",
                           why);
    return DIALECT_BROKEN;
}

static enum dialect_seen
failed(struct dialect_tap *t, struct str error, struct tg_err *err)
{
    t->failed = true;
    openai_read_error(error, err);
    return DIALECT_FAILED;
}

/* Takes the choices in; returns how many elements there are.  *ret_error: the error of one that
 * broke. */
static unsigned
look_at_choices(struct dialect_tap *t, struct str choices, struct str *ret_error)
{
    enum { INDEX, FINISH, USAGE, ERROR, N };
    static const struct str names[N] = {
        {"index", 5}, {"finish_reason", 13}, {"usage", 5}, {"error", 5}};
    struct json_iter it;
    struct json_member choice, m[N];
    unsigned n = 0, ended = 0;

    if (json_array(&it, choices) != TG_OK)
        return 0;
    for (; json_next(&it, &choice); n++) {
        int64_t index = 0;

        (void)!json_pick(choice.value, names, N, m);
        if (m[INDEX].kind != JSON_NONE &&
            (json_i64(m[INDEX].value, &index) != TG_OK || index < 0 || index >= IR_CHOICES_MAX))
            continue; /* strange; the client is to judge it */
        if ((uint32_t)index >= t->state[CHOICES])
            t->state[CHOICES] = (uint32_t)index + 1;
        if (m[FINISH].kind == JSON_STRING)
            t->state[ENDED + index / 32] |= UINT32_C(1) << (index % 32);
        if (m[USAGE].kind == JSON_OBJECT)
            chat_read_usage(m[USAGE].value, &t->usage);
        if (m[ERROR].kind != JSON_NONE && openai_error_is(m[ERROR].value))
            *ret_error = m[ERROR].value;
    }
    for (int i = ENDED; i < ENDED + 4; i++)
        for (uint32_t bits = t->state[i]; bits; bits &= bits - 1)
            ended++;
    t->finished = ended > 0 && ended >= t->state[CHOICES];
    return n;
}

/* Usage is cumulative: the last figure wins. */
static enum dialect_seen
look(struct dialect_tap *t, struct str data, struct tg_err *err)
{
    bool usage = false, other = false;
    struct str error = {NULL, 0};
    unsigned n_choices = 0;
    struct json_iter it;
    struct json_member m, inner;

    if (json_object(&it, data) != TG_OK)
        return broken(t, err, "it is not an object");
    while (json_next(&it, &m)) {
        if (json_key_is(m.key, STR("error")) && openai_error_is(m.value))
            return failed(t, m.value, err);
        if (json_key_is(m.key, STR("choices"))) {
            n_choices = look_at_choices(t, m.value, &error);
            if (error.n)
                return failed(t, error, err);
        } else if (m.kind == JSON_OBJECT && json_key_is(m.key, STR("usage"))) {
            chat_read_usage(m.value, &t->usage);
            usage = true;
        } else if (m.kind == JSON_OBJECT && json_key_is(m.key, STR("x_groq"))) {
            if (json_get(m.value, STR("usage"), &inner) && inner.kind == JSON_OBJECT)
                chat_read_usage(inner.value, &t->usage);
        } else if (m.kind == JSON_OBJECT && json_key_is(m.key, STR("moderation"))) {
            other = true;
        }
    }
    if (n_choices > 0) {
        t->started = true;
        t->events++;
    }
    return usage && n_choices == 0 && !other && !t->keep_usage ? DIALECT_DROP : DIALECT_PASS;
}

enum dialect_seen
chat_tap_record(struct dialect_tap *t, struct str event, struct str data, struct tg_err *err)
{
    struct json_member m;

    if (t->terminal || data.n == 0 || data.p[0] == ':')
        return DIALECT_DROP;
    if (event.n && (str_eq(event, STR("ping")) || str_eq(event, STR("keepalive"))))
        return DIALECT_DROP;
    if (str_starts(data, STR("[DONE]"))) {
        t->terminal = true;
        return DIALECT_PASS;
    }
    if (event.n == 0 && alike_match(alike_of_tap(t), data, NULL)) {
        t->events++;
        return DIALECT_PASS;
    }
    if (json_check(data, JSON_DEPTH_MAX, NULL) != TG_OK)
        return broken(t, err, "it is not JSON");
    if (event.n && str_eq(event, STR("error")))
        return failed(t, json_get(data, STR("error"), &m) ? m.value : data, err);
    if (t->started && data.p[0] == '{' && quiet(data)) {
        alike_learn(alike_of_tap(t), data, (struct str){NULL, 0});
        t->events++;
        return DIALECT_PASS;
    }
    return look(t, data, err);
}

bool
chat_tap_whole(struct dialect_tap *t, enum dialect_call call, struct str body)
{
    enum { ERROR, ANSWER, USAGE, N };
    const struct str names[N] = {
        STR("error"), call == DIALECT_EMBED ? STR("data") : STR("choices"), STR("usage")};
    struct str error = {NULL, 0};
    struct json_member m[N];

    if (json_check(body, JSON_DEPTH_MAX, NULL) != TG_OK || !json_pick(body, names, N, m))
        return false;
    if (m[ERROR].kind != JSON_NONE && openai_error_is(m[ERROR].value)) {
        t->failed = true;
        return false;
    }
    if (m[ANSWER].kind != JSON_ARRAY)
        return false;
    if (call == DIALECT_EMBED) {
        t->events++;
        t->started = t->finished = true;
    } else if (look_at_choices(t, m[ANSWER].value, &error) > 0) {
        t->failed = error.n > 0;
        t->events++;
        t->started = true;
    }
    if (t->failed)
        return false;
    if (m[USAGE].kind == JSON_OBJECT)
        chat_read_usage(m[USAGE].value, &t->usage);
    return true;
}
