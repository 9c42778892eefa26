/* scan.h -- the shape of a message head, looked at byte by byte; private to http.
 *
 * Finds the end of a head (or of a trailer section) that may come in pieces, and refuses every
 * byte that a strict reader would not expect where it stands: bare CR or LF, control bytes,
 * white space before a colon, a line that begins with white space (obsolete folding), an empty
 * field name.  What it says depends on the bytes alone, not on where they were cut.
 */
#ifndef HTTP_SCAN_H
#define HTTP_SCAN_H

#include <stdint.h>

#include "triglot/str.h"

enum scan_kind { SCAN_REQUEST, SCAN_RESPONSE, SCAN_TRAILERS };

enum scan_result {
    SCAN_MORE, /* all bytes fit, the end is not among them */
    SCAN_END,  /* the empty line was found                 */
    SCAN_BAD,  /* why says what is wrong                   */
    SCAN_MANY  /* more than HTTP_HEADERS_MAX fields        */
};

struct scan {
    uint8_t kind, state, empty_lines;
    uint16_t fields;
    const char *why; /* static */
};

void scan_init(struct scan *s, enum scan_kind kind);
/* Looks at bytes; *ret_used is how many belong to the head. */
enum scan_result scan_bytes(struct scan *s, struct str bytes, size_t *ret_used);
/* Has a byte of the start line been seen? */
bool scan_begun(const struct scan *s);
/* Is c a token character (RFC 9110 section 5.6.2)? */
bool scan_is_token(unsigned char c);

#endif
