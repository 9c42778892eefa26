/* message.h -- heads of HTTP/1 messages (RFC 9110, 9112). */
#ifndef HTTP_MESSAGE_H
#define HTTP_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "triglot/str.h"

enum { HTTP_HEADERS_MAX = 100 };

struct http_header {
    struct str name;  /* as sent; compare with str_ieq */
    struct str value; /* without surrounding white space */
};

enum http_framing {
    HTTP_NO_BODY,
    HTTP_SIZED, /* Content-Length    */
    HTTP_CHUNKED,
    HTTP_UNTIL_CLOSE /* responses only    */
};

struct http_head {
    struct str method; /* requests                              */
    struct str target; /* as sent                               */
    struct str path;   /* percent-encoded, up to '?'            */
    struct str query;  /* after '?', or empty                   */
    unsigned status;   /* responses                             */
    unsigned minor;    /* HTTP/1.minor: 0 or 1                  */
    bool keep_alive;   /* may the connection carry another one  */
    bool expect_continue;
    enum http_framing framing;
    uint64_t length; /* HTTP_SIZED */
    struct http_header *headers;
    unsigned n_headers;
};

/* First header of that name, or an empty str with p NULL. */
struct str http_header_get(const struct http_head *h, struct str name);
/* How many headers of that name. */
unsigned http_header_count(const struct http_head *h, struct str name);
/* Is `token` one of the comma-separated elements of all headers of that name
 * (case-insensitive)? */
bool http_header_has_token(const struct http_head *h, struct str name, struct str token);
/* Is that its content type, parameters aside (case-insensitive)? */
bool http_has_type(const struct http_head *h, struct str type);
/* Reason phrase of a status, "Unknown" if it has none. */
struct str http_reason(unsigned status);
/* Is s safe as a header value: visible ASCII, obs-text, space, tab; no CR, LF, NUL? */
bool http_value_ok(struct str s);

#endif
