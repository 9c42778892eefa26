/* parser_int.h -- what parser.c and parser_body.c share. */
#ifndef HTTP_PARSER_INT_H
#define HTTP_PARSER_INT_H

#include <llhttp.h>

#include "base/mem.h"
#include "http/parser.h"
#include "http/scan.h"

enum parser_state { PARSER_HEAD, PARSER_BODY, PARSER_DONE, PARSER_FAILED };

/* What every piece of a body looks at comes first, in two cache lines. */
struct http_parser {
    _Alignas(MEM_LINE) llhttp_t ll;
    struct str data; /* span that llhttp just reported */
    uint8_t state;   /* enum parser_state */
    bool in_trailers, at_size, saw_cr;
    bool chunked;
    bool between;  /* llhttp is at the end of a chunk and the start of the next */
    bool complete; /* llhttp has seen the end */
    bool request, to_head;
    unsigned chunk_line; /* bytes of the current size line */

    tg_rc rc; /* the sticky failure */
    uint16_t http;
    const char *why;
    struct arena *arena;
    size_t head_max; /* bytes of head and trailers allowed */
    size_t head_n;   /* and seen */
    char *gathered;  /* head so far, when it comes in pieces */
    size_t gathered_n, gathered_cap;
    struct scan scan;
    struct http_head head;
};
_Static_assert(offsetof(struct http_parser, rc) <= 2 * MEM_LINE, "the lines are as said");

/* The message is refused, for good: 431 for TG_ELIMIT, else 400. */
tg_rc parser_fail(struct http_parser *p, tg_rc rc, const char *why, struct tg_err *err);
tg_rc parser_fail_scan(struct http_parser *p, enum scan_result r, struct tg_err *err);
/* In state PARSER_BODY: the next step, as http_parser_feed. */
tg_rc parser_feed_body(struct http_parser *p, struct str *input, enum http_step *ret_step,
                       struct str *ret_data, struct tg_err *err);

#endif
