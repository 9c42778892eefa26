/* sse.c -- any bytes as an SSE stream: the records do not depend on the cuts, and their raw
 * bytes make up the stream again.
 *
 * The first byte says where to cut, the rest is the stream.
 */
#include <stdint.h>
#include <stdlib.h>

#include "support/sse_log.h"

enum { RECORD_MAX = 4096, CUTS_MAX = 4096 };

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
    static size_t cuts[CUTS_MAX];
    struct buf whole, cut, raws;
    size_t n = 0, step;
    struct str stream;
    tg_rc rc;

    if (size == 0 || size > 65536)
        return 0;
    stream = str_of((const char *)data + 1, size - 1);
    step = data[0] % 32 + 1;
    for (size_t at = step; at < stream.n && n < CUTS_MAX; at += step)
        cuts[n++] = at;
    buf_init(&whole, 1 << 24);
    buf_init(&cut, 1 << 24);
    buf_init(&raws, 1 << 24);
    rc = sse_log(&whole, &raws, stream, RECORD_MAX, NULL, 0);
    need(rc != TG_OK || sse_raws_ok(buf_str(&raws), stream, NULL, 0));
    buf_clear(&raws);
    need(sse_log(&cut, &raws, stream, RECORD_MAX, cuts, n) == rc);
    need(str_eq(buf_str(&whole), buf_str(&cut)));
    need(rc != TG_OK || sse_raws_ok(buf_str(&raws), stream, cuts, n));
    buf_fini(&whole);
    buf_fini(&cut);
    buf_fini(&raws);
    return 0;
}
