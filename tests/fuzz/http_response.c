/* http_response.c -- any bytes as HTTP responses: what the parser says does not depend on the
 * cuts.
 *
 * The first byte says where to cut, and whether the request was HEAD, the rest is what the peer
 * sends.
 */
#include <stdint.h>
#include <stdlib.h>

#include "support/http_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
need(bool ok)
{
    if (!ok)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum http_log_kind kind = HTTP_LOG_RESPONSE;
    size_t cuts[64], n = 0, step;
    struct buf whole, cut;
    unsigned status;
    struct str bytes;

    if (size == 0 || size > 65536)
        return 0;
    if (data[0] & 128)
        kind = HTTP_LOG_TO_HEAD;
    bytes = str_of((const char *)data + 1, size - 1);
    step = data[0] % 64 + 1;
    for (size_t at = step; at < bytes.n && n < 64; at += step)
        cuts[n++] = at;
    buf_init(&whole, 1 << 26);
    buf_init(&cut, 1 << 26);
    status = http_log(&whole, kind, bytes, NULL, 0);
    need(http_log(&cut, kind, bytes, cuts, (unsigned)n) == status);
    need(str_eq(buf_str(&whole), buf_str(&cut)));
    if (bytes.n <= 2048) {
        buf_clear(&cut);
        need(http_log_bytewise(&cut, kind, bytes) == status);
        need(str_eq(buf_str(&whole), buf_str(&cut)));
    }
    buf_fini(&whole);
    buf_fini(&cut);
    return 0;
}
