/* version.h -- which libraries this layer uses. */
#ifndef HTTP_VERSION_H
#define HTTP_VERSION_H

/* "llhttp 9.2.1, zlib 1.2.13, zstd 1.5.4, brotli 1.0.9"; static per thread.  Of llhttp the
 * version compiled against, of the others the one that runs. */
const char *http_libraries(void);

#endif
