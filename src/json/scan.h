/* scan.h -- JSON read where it lies: spans, not values.
 *
 * A pull scanner over text in memory (RFC 8259).  It allocates nothing, copies nothing and
 * changes nothing: numbers, strings and whole values come out as the bytes that stand in the
 * text, so what is passed on is passed on exactly.  Depth is bounded; no recursion.
 *
 *     struct json_iter it;
 *     rc = json_object(&it, text, err);
 *     while (rc == TG_OK && json_next(&it, &member)) ...
 *     rc = it.rc;
 */
#ifndef JSON_SCAN_H
#define JSON_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "triglot/err.h"

enum { JSON_DEPTH_MAX = 128 };

enum json_kind {
    JSON_NONE, /* not a value */
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

/* Checks that text is exactly one JSON value with nothing but white space around it: grammar,
 * depth of at most depth_max, valid UTF-8 in strings, escapes well formed (a lone surrogate
 * escape is allowed: it is passed on, and refused by json_string where the text is needed).
 * A name may stand twice.  On failure TG_EINVAL (err names the byte offset and never quotes the
 * text; a byte order mark is named as such) or TG_ELIMIT for depth, origin client in both: for
 * an upstream's text the caller changes that.  depth_max above JSON_DEPTH_MAX counts as that; 0
 * allows scalars only.  RFC 8259.  Linear time. */
TG_MUST_USE tg_rc json_check(struct str text, unsigned depth_max, struct tg_err *err);

/* The kind that the first byte of a value (white space skipped) announces. */
enum json_kind json_kind_of(struct str value);

/* One member of an object or element of an array. */
struct json_member {
    struct str key;   /* between the quotes, escapes as written; empty for array elements */
    struct str value; /* the value's own bytes, without white space around it             */
    enum json_kind kind;
    struct str whole; /* from the key's opening quote (or the value) to the value's end */
};

struct json_iter {
    const char *p, *end;
    bool object, first, done;
    tg_rc rc;
};

/* Begin to walk an object or array.  The text must have passed json_check (or be a value span
 * out of such a text).  On a text that has not, nothing outside it is ever read and the walk
 * ends, with rc TG_EINVAL where the error is in the way: what nested values hold is not looked
 * at.  TG_EINVAL when the value is of another kind. */
TG_MUST_USE tg_rc json_object(struct json_iter *it, struct str value);
TG_MUST_USE tg_rc json_array(struct json_iter *it, struct str value);
bool json_next(struct json_iter *it, struct json_member *ret);

/* Looks a member up by name: true when there.  The last one wins where a name stands twice.
 * Escapes in keys are understood. */
bool json_get(struct str object, struct str name, struct json_member *ret);
/* json_get along a path of names and array indices: "choices.0.delta".  The empty path is
 * the value itself. */
bool json_path(struct str value, const char *path, struct json_member *ret);
/* json_get for n names in one walk: *ret[i] gets the member names[i], or kind JSON_NONE.  False
 * when object is none, or is broken on the way; then all are JSON_NONE. */
bool json_pick(struct str object, const struct str *names, unsigned n, struct json_member *ret);
/* json_key_is for a key that may be the one: decides it. */
bool json_key_spells(struct str raw_key, struct str name);
/* Does this key (as written, without quotes) spell name?  Nearly every key is another one, and
 * shows it by its length or its first byte. */
static inline bool
json_key_is(struct str raw_key, struct str name)
{
    if (raw_key.n < name.n)
        return false;
    if (name.n && raw_key.p[0] != name.p[0] && raw_key.p[0] != '\\')
        return false;
    return json_key_spells(raw_key, name);
}

/* p is behind the opening quote of a string: the place behind the closing one, or NULL when
 * what stands there is not the rest of a string by json_check's rules.  *ret_escapes: there are
 * backslashes in it. */
const char *json_string_end(const char *p, const char *end, bool *ret_escapes);
/* p is where a number begins: the place behind it, or NULL. */
const char *json_number_end(const char *p, const char *end);

/* Text of a string value (with its quotes), unescaped; into the arena only when there are
 * escapes, else a borrowed span.  TG_EINVAL: not a string, or a lone surrogate. */
TG_MUST_USE tg_rc json_string(struct arena *a, struct str value, struct str *ret);
TG_MUST_USE tg_rc json_bool(struct str value, bool *ret);
/* An integer that fits: also 1.0 and 1e3.  TG_EINVAL when not a number or not whole, TG_ELIMIT
 * when out of range. */
TG_MUST_USE tg_rc json_i64(struct str value, int64_t *ret);
TG_MUST_USE tg_rc json_double(struct str value, double *ret); /* 1e400 is TG_ELIMIT */

#endif
