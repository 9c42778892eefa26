/* version.c -- the versions of what parses and inflates, for --version.
 *
 * llhttp tells its version only to the compiler; the inflaters are asked when running, since
 * they may have been upgraded under us.
 */
#include "http/version.h"

#include <brotli/decode.h>
#include <llhttp.h>
#include <zlib.h>
#include <zstd.h>

#include <stdint.h>
#include <stdio.h>

const char *
http_libraries(void)
{
    static _Thread_local char text[128];
    uint32_t brotli = BrotliDecoderVersion();

    snprintf(text, sizeof text, "llhttp %d.%d.%d, zlib %s, zstd %s, brotli %u.%u.%u",
             LLHTTP_VERSION_MAJOR, LLHTTP_VERSION_MINOR, LLHTTP_VERSION_PATCH, zlibVersion(),
             ZSTD_versionString(), brotli >> 24, brotli >> 12 & 0xfff, brotli & 0xfff);
    return text;
}
