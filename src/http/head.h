/* head.h -- what a message head says, and whether it may; private to http.
 *
 * The parser hands over the start line and the fields; this file decides on version, target,
 * Host, framing and connection.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include "http/message.h"

/* Both take the start line without its CRLF and a head whose headers are filled in, and fill in
 * the rest.  The result is NULL, or a static sentence that says why the message is refused.
 * RFC 9112 sections 2.3, 3, 6, 9.3. */
const char *head_request(struct http_head *h, struct str line);
const char *head_response(struct http_head *h, struct str line, bool to_head_request);

#endif
