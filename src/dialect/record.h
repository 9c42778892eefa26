/* record.h -- writing the records of a stream: literals, numbers, escaped text, JSON.
 *
 * Nearly all records are one piece of text between the same bytes, so encoders write them as
 * literals around it, straight into the buffer.  The first failure sticks and is reported once,
 * by record_end, which then takes everything back: a record is appended whole or not at all.
 *
 *     struct record r = record_begin(b);
 *     record_put(&r, STR("data: {\"index\":"));
 *     record_uint(&r, index);
 *     record_field(&r, STR(",\"text\":\""), text);
 *     record_put(&r, STR("}\n\n"));
 *     rc = record_end(&r, TG_OK);
 *
 * For what is made with the JSON writer in the middle of a record:
 *
 *     struct json_out o;
 *     record_json(&r, &o);
 *     json_open(&o, '{'); ... json_close(&o);
 *     record_json_end(&r, &o);
 */
#ifndef DIALECT_RECORD_H
#define DIALECT_RECORD_H

#include "base/buf.h"
#include "json/write.h"

#include <string.h>

struct record {
    struct buf *b; /* borrowed */
    size_t before; /* bytes in it when the record began */
    tg_rc rc;      /* the first failure; an encoder may set it */
};

static inline struct record
record_begin(struct buf *b)
{
    return (struct record){.b = b, .before = b->n, .rc = TG_OK};
}

/* Bytes as they are.  Where there is room they are copied in place: literals have a length that
 * the compiler knows. */
static inline void
record_put(struct record *r, struct str s)
{
    struct buf *b = r->b;

    if (r->rc != TG_OK || s.n == 0)
        return;
    if (b->p && s.n <= b->cap - b->off - b->n && s.n <= b->max - b->n) {
        memcpy(b->p + b->off + b->n, s.p, s.n);
        b->n += s.n;
    } else {
        r->rc = buf_append(b, s);
    }
}

/* Text escaped, without quotes. */
static inline void
record_text(struct record *r, struct str s)
{
    if (r->rc == TG_OK)
        r->rc = json_escape(r->b, s);
}

/* A text member: head is everything up to and with the opening quote (`,"id":"`), the closing
 * quote is written behind. */
static inline void
record_field(struct record *r, struct str head, struct str text)
{
    record_put(r, head);
    record_text(r, text);
    record_put(r, STR("\""));
}

void record_uint(struct record *r, uint64_t v);
/* A JSON value that must stay on one line: a line break can only stand between its tokens, and
 * becomes a blank. */
void record_raw(struct record *r, struct str value);

/* The JSON writer for the next bytes; nothing else may be written until record_json_end. */
static inline void
record_json(const struct record *r, struct json_out *o)
{
    json_begin(o, r->b);
    o->rc = r->rc;
}

static inline void
record_json_end(struct record *r, struct json_out *o)
{
    r->rc = json_end(o);
}

/* The outcome: rc, or when that is TG_OK what writing came to.  Unless it is TG_OK the buffer
 * is as it was at record_begin. */
TG_MUST_USE tg_rc record_end(struct record *r, tg_rc rc);

#endif
