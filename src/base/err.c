/* err.c -- filling in struct tg_err.
 *
 * Messages often quote what a peer sent (a model name, a field), and end up in logs and
 * terminals. So after formatting every control byte becomes '?' and a message that is too long
 * is cut in front of a character, not inside one.  Formatting goes through a buffer of its own:
 * an argument may point into the very message that is being replaced.
 */
#include "triglot/err.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"

#define RC_NAMES(X)                                                                            \
    X(TG_OK)                                                                                   \
    X(TG_ECANCELED)                                                                            \
    X(TG_EDEADLINE)                                                                            \
    X(TG_EGONE)                                                                                \
    X(TG_EPROTO)                                                                               \
    X(TG_ELIMIT)                                                                               \
    X(TG_EINVAL)                                                                               \
    X(TG_EAUTH)                                                                                \
    X(TG_EUNAVAIL)                                                                             \
    X(TG_ENOTFOUND)                                                                            \
    X(TG_ECONFIG)                                                                              \
    X(TG_EIO)                                                                                  \
    X(TG_EINTERNAL)

enum { MSG_SIZE = sizeof(((struct tg_err *)0)->msg) };

const char *
tg_rc_name(tg_rc rc)
{
    switch (rc) {
#define X(name)                                                                                \
    case name:                                                                                 \
        return #name;
        RC_NAMES(X)
#undef X
    default:
        return "TG_UNKNOWN";
    }
}

uint16_t
tg_err_http(enum tg_err_kind kind)
{
    static const uint16_t usual[TG_ERR_KIND_N] = {
        [TG_ERR_NONE] = 200,       [TG_ERR_AUTH] = 401,
        [TG_ERR_PERMISSION] = 403, [TG_ERR_NOT_FOUND] = 404,
        [TG_ERR_TOO_LARGE] = 413,  [TG_ERR_RATE_LIMIT] = 429,
        [TG_ERR_OVERLOADED] = 503, [TG_ERR_CONTEXT_LENGTH] = 400,
        [TG_ERR_QUOTA] = 429,      [TG_ERR_INVALID_REQUEST] = 400,
        [TG_ERR_TIMEOUT] = 504,    [TG_ERR_UPSTREAM] = 502,
        [TG_ERR_INTERNAL] = 500,
    };

    return (unsigned)kind < TG_ERR_KIND_N ? usual[kind] : 500;
}

/* Copies z into out[size], cleaned and cut at a character. */
static void
put_clean(char *out, size_t size, const char *z)
{
    size_t n = strlen(z);

    if (n > size - 1)
        n = utf8_floor(str_of(z, n), size - 1);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)z[i];

        out[i] = c < 0x20 || c == 0x7f ? '?' : z[i];
    }
    out[n] = '\0';
}

/* Formats into out[MSG_SIZE + 4]: the extra room shows put_clean where a cut character began.
 */
__attribute__((format(printf, 2, 0))) static void
format(char out[MSG_SIZE + 4], const char *fmt, va_list ap)
{
    if (vsnprintf(out, MSG_SIZE + 4, fmt, ap) < 0)
        out[0] = '\0';
}

static void
fill(struct tg_err *err, tg_rc rc, enum tg_err_kind kind, const char *code, const char *text)
{
    *err = (struct tg_err){
        .rc = rc, .kind = kind, .origin = TG_FROM_US, .http = tg_err_http(kind), .code = code};
    put_clean(err->msg, sizeof err->msg, text);
}

__attribute__((format(printf, 5, 0))) static void
fill_v(struct tg_err *err, tg_rc rc, enum tg_err_kind kind, const char *code, const char *fmt,
       va_list ap)
{
    char text[MSG_SIZE + 4];

    format(text, fmt, ap);
    fill(err, rc, kind, code, text);
}

tg_rc
tg_fail(struct tg_err *err, tg_rc rc, enum tg_err_kind kind, const char *code, const char *fmt,
        ...)
{
    va_list ap;

    if (!err)
        return rc;
    va_start(ap, fmt);
    fill_v(err, rc, kind, code, fmt, ap);
    va_end(ap);
    return rc;
}

tg_rc
tg_upstream_fail(struct tg_err *err, tg_rc rc, const char *code, const char *fmt, ...)
{
    va_list ap;

    if (!err)
        return rc;
    va_start(ap, fmt);
    fill_v(err, rc, TG_ERR_UPSTREAM, code, fmt, ap);
    va_end(ap);
    err->origin = TG_FROM_UPSTREAM;
    return rc;
}

tg_rc
tg_refuse(struct tg_err *err, const char *code, const char *param, const char *fmt, ...)
{
    char text[MSG_SIZE + 4], where[sizeof err->param];
    va_list ap;

    if (!err)
        return TG_EINVAL;
    va_start(ap, fmt);
    format(text, fmt, ap);
    va_end(ap);
    put_clean(where, sizeof where, param ? param : "");
    fill(err, TG_EINVAL, TG_ERR_INVALID_REQUEST, code, text);
    err->origin = TG_FROM_CLIENT;
    memcpy(err->param, where, sizeof where);
    return TG_EINVAL;
}

/* Puts head, ": " and tail into the message.  When both do not fit, keep_tail says which of the
 * two is cut. */
static void
join(struct tg_err *err, char *head, const char *tail, bool keep_tail)
{
    char text[2 * MSG_SIZE + 8];
    size_t head_n = strlen(head), tail_n = strlen(tail);

    if (keep_tail && head_n + 2 + tail_n > MSG_SIZE - 1) {
        size_t room = tail_n + 2 < MSG_SIZE - 1 ? MSG_SIZE - 1 - tail_n - 2 : 0;

        head[utf8_floor(str_of(head, head_n), room)] = '\0';
    }
    snprintf(text, sizeof text, "%s: %s", head, tail);
    put_clean(err->msg, sizeof err->msg, text);
}

tg_rc
tg_fail_sys(struct tg_err *err, int sys_errno, const char *fmt, ...)
{
    char text[MSG_SIZE + 4], scratch[128];
    va_list ap;

    if (!err)
        return TG_EIO;
    va_start(ap, fmt);
    format(text, fmt, ap);
    va_end(ap);
    fill(err, TG_EIO, TG_ERR_INTERNAL, NULL, "");
    err->sys_errno = sys_errno;
    join(err, text, strerror_r(sys_errno, scratch, sizeof scratch), true);
    return TG_EIO;
}

void
tg_err_prefix(struct tg_err *err, const char *fmt, ...)
{
    char text[MSG_SIZE + 4], msg[MSG_SIZE];
    va_list ap;

    if (!err)
        return;
    va_start(ap, fmt);
    format(text, fmt, ap);
    va_end(ap);
    memcpy(msg, err->msg, sizeof msg);
    join(err, text, msg, false);
}
