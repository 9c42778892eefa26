/* sse.h -- server-sent events, the whole WHATWG grammar (HTML, section 9.2.6); no I/O.
 *
 * Incremental: BOM, CR, LF and CRLF may be cut anywhere.  A record that lies in one piece of
 * input is returned as spans of that piece (multi-line data excepted); one that is spread over
 * pieces is gathered in a bounded buffer.
 *
 *     sse_input(&s, chunk);
 *     while ((rc = sse_next(&s, &rec)) == TG_OK && rec.kind != SSE_NEED_MORE) ...
 *     at the end of the stream: sse_finish, then sse_next until SSE_NEED_MORE once more.
 */
#ifndef HTTP_SSE_H
#define HTTP_SSE_H

#include <stdbool.h>

#include "base/buf.h"
#include "triglot/err.h"

enum sse_kind {
    SSE_NEED_MORE, /* the input is used up                                     */
    SSE_EVENT,     /* a record with at least one field other than a comment    */
    SSE_COMMENT    /* comments (and blank lines) only: a sign of life          */
};

struct sse_record {
    enum sse_kind kind;
    bool has_data;     /* a data field was there, maybe empty                    */
    bool has_id_retry; /* id or retry fields were there (never pass them on)    */
    bool has_cr;       /* a line ends with CR or CRLF                            */
    struct str event;  /* last event field, "" = none                            */
    struct str data;   /* data lines joined by LF                                */
    struct str raw;    /* all bytes of the record with its blank line, as they came */
};                     /* borrowed until the next sse_input, sse_next or sse_fini */

/* What raw guarantees: put one behind the other, the raws of all records are the stream, with
 * two exceptions.  A BOM at the very start is in none of them.  And when a piece ends with the
 * CR that ends a record, the record is returned at once, since nobody knows when the next byte
 * comes; if that byte is LF, it is dropped, neither part of a record nor a blank line.  What is
 * left out of the raws therefore never changes what a reader of them sees.  A record ended by
 * sse_finish has no blank line. */

struct sse {
    struct str input;    /* what is left of the piece                          */
    const char *lf, *cr; /* the next of each in input, or its end              */
    size_t record_max;
    bool started; /* behind the place of a BOM                          */
    bool finishing;
    bool skip_lf;      /* the last record ended with CR at the piece's end   */
    bool returned;     /* the record in hold has been returned               */
    bool usual;        /* nothing is left of earlier pieces                  */
    tg_rc rc;          /* the sticky failure                                 */
    struct buf hold;   /* a record that began in an earlier piece            */
    struct buf joined; /* the data of a record with several data lines       */
};

/* record_max bounds the raw bytes of one record (the LF of its last CRLF not counted): past it
 * sse_next gives TG_ELIMIT (kind upstream, code "event_too_large"), for good. */
void sse_init(struct sse *s, size_t record_max);
void sse_fini(struct sse *s);
/* The piece must stay valid until sse_next has said SSE_NEED_MORE. */
void sse_input(struct sse *s, struct str piece);
/* No more input will come: a last record without a blank line is delivered (leniently). */
void sse_finish(struct sse *s);
TG_MUST_USE tg_rc sse_next(struct sse *s, struct sse_record *ret, struct tg_err *err);

/* Appends one record: "event: E\n" unless event is empty, "data: ..." for each line of data
 * (CR, LF or CRLF between them), blank line.  The event ends at its first line break. TG_ELIMIT
 * leaves b as it was. */
TG_MUST_USE tg_rc sse_write(struct buf *b, struct str event, struct str data);

#endif
