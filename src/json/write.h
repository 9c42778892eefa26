/* write.h -- JSON written straight into a buffer.
 *
 * The writer keeps commas and nesting right; the first failure (the buffer's bound, TG_ELIMIT)
 * sticks and is reported once by json_end.  Strings are written as UTF-8; what is not well
 * formed becomes U+FFFD.  Nothing is allocated but by the buffer.  A buffer whose writing
 * failed holds a part of the text; buf_truncate takes it back.
 *
 *     struct json_out o;
 *     json_begin(&o, &buf);
 *     json_open(&o, '{');
 *     json_key(&o, "object");  json_str(&o, STR("list"));
 *     json_close(&o);
 *     rc = json_end(&o);
 */
#ifndef JSON_WRITE_H
#define JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    JSON_OUT_DEPTH = 32
}; /* deeper is a fault of ours, asserted: what peers nest goes raw */

struct json_out {
    struct buf *b; /* borrowed */
    tg_rc rc;      /* the first failure */
    uint8_t depth;
    bool comma; /* a separator is due before the next value or key */
    uint8_t held_n;
    char held[4]; /* a character that json_str_part has only seen the beginning of */
    char close[JSON_OUT_DEPTH];
};

void json_begin(struct json_out *o, struct buf *b);
void json_open(struct json_out *o, char bracket);   /* '{' or '[' */
void json_close(struct json_out *o);                /* the innermost */
void json_key(struct json_out *o, const char *key); /* a literal that needs no escape */
void json_key_str(struct json_out *o, struct str key);
void json_str(struct json_out *o, struct str s);
/* A string in pieces: json_str_open, any number of json_str_part, json_str_close.  Pieces may
 * part in the middle of a character. */
void json_str_open(struct json_out *o);
void json_str_part(struct json_out *o, struct str s);
void json_str_close(struct json_out *o);
void json_int(struct json_out *o, int64_t v);
void json_bool_put(struct json_out *o, bool v);
void json_null(struct json_out *o);
/* The fewest digits that read back as the same number; not finite: null. */
void json_double_put(struct json_out *o, double v);
/* A value that is JSON already; an empty one is null. */
void json_raw(struct json_out *o, struct str value);
/* key and value in one call */
void json_kv_str(struct json_out *o, const char *key, struct str s);
void json_kv_int(struct json_out *o, const char *key, int64_t v);
void json_kv_bool(struct json_out *o, const char *key, bool v);
void json_kv_null(struct json_out *o, const char *key);
void json_kv_raw(struct json_out *o, const char *key, struct str value);
/* All brackets must be closed (asserted).  TG_OK or the first failure. */
TG_MUST_USE tg_rc json_end(struct json_out *o);

/* Appends s escaped, without quotes.  TG_ELIMIT. */
TG_MUST_USE tg_rc json_escape(struct buf *b, struct str s);

#endif
