/* parser.h -- HTTP/1 messages out of bytes; no I/O (llhttp, strict, with our own checks on
 * top).
 *
 * Feed bytes in pieces of any size: the outcome does not depend on where they were cut.  What
 * two parsers could read differently is refused: both length headers, repeated or malformed
 * lengths, a transfer coding other than exactly one "chunked", obsolete folding, bare CR or LF,
 * white space before the colon, bad chunk sizes, NUL and control bytes, a version other
 * than 1.0 or 1.1, a missing, repeated or malformed Host in 1.1, chunked in 1.0.  RFC 9112
 * sections 2.2, 3, 5, 6, 7.
 */
#ifndef HTTP_PARSER_H
#define HTTP_PARSER_H

#include "base/arena.h"
#include "http/message.h"
#include "triglot/err.h"

struct http_parser;

enum http_step {
    HTTP_NEED_MORE, /* all input used, message not at its end                     */
    HTTP_GOT_HEAD,  /* the head is complete (once)                                */
    HTTP_DATA,      /* ret_data has body bytes, borrowed from the input           */
    HTTP_END        /* the message is complete; input behind it is not touched    */
};

/* For requests or responses, in an arena that also holds the head.  head_max bounds start line,
 * headers and trailers together. */
struct http_parser *http_parser_request(struct arena *a, size_t head_max);
/* head_request: the response is to HEAD and so has no body. */
struct http_parser *http_parser_response(struct arena *a, size_t head_max, bool head_request);
/* Takes bytes from *input (which it advances) until a step is reached.  Errors: TG_EPROTO
 * (400), TG_ELIMIT (head or header count, 431), both with err->http set and origin left to the
 * caller. After an error every call gives it again. */
TG_MUST_USE tg_rc http_parser_feed(struct http_parser *p, struct str *input,
                                   enum http_step *ret_step, struct str *ret_data,
                                   struct tg_err *err);
/* The peer ended the stream: HTTP_END for a message delimited by close, TG_EGONE inside one. */
TG_MUST_USE tg_rc http_parser_eof(struct http_parser *p, enum http_step *ret_step,
                                  struct tg_err *err);
/* Valid from HTTP_GOT_HEAD on, as long as the arena. */
struct http_head *http_parser_head(struct http_parser *p);
/* Has any byte of the message been seen? */
bool http_parser_begun(const struct http_parser *p);

#endif
