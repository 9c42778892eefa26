/* tls_version.c -- what is known about the TLS library, for --version.
 *
 * BearSSL carries no version number.  What matters to an operator is whether it was built with
 * the fast code for this machine, and that its constructors tell.
 */
#include "net/version.h"

#include <bearssl.h>

#include <stdio.h>
#include <string.h>

const char *
net_libraries(void)
{
    static _Thread_local char text[128];
    const struct {
        int has;
        const char *name;
    } found[] = {
        {br_aes_x86ni_ctr_get_vtable() != NULL, "AES-NI"},
        {br_ghash_pclmul_get() != 0, "PCLMUL"},
        {br_chacha20_sse2_get() != 0, "SSE2 ChaCha20"},
        {br_rsa_i62_pkcs1_vrfy_get() != 0, "62-bit RSA"},
    };
    size_t n = (size_t)snprintf(text, sizeof text, "BearSSL (TLS 1.2");

    for (size_t i = 0; i < sizeof found / sizeof found[0]; i++) {
        if (found[i].has && n < sizeof text)
            n += (size_t)snprintf(text + n, sizeof text - n, ", %s", found[i].name);
    }
    if (n < sizeof text)
        snprintf(text + n, sizeof text - n, ")");
    return text;
}
