/* err.h -- one failure, described once at the place that knows.
 *
 * Filled by the function that found the problem; layers above may prefix the message and never
 * replace it.  Dialects render it (dialect.h), so a client always gets an error in its own
 * shape, also in mid-stream.  Never holds secrets, prompts or bodies; of an upstream's body
 * only the object that describes the error, and that never when it is about credentials.
 */
#ifndef TRIGLOT_ERR_H
#define TRIGLOT_ERR_H

#include <stdint.h>

#include "triglot/rc.h"
#include "triglot/str.h"

/* What a client is to understand.  Each dialect has one row for each. */
enum tg_err_kind {
    TG_ERR_NONE = 0,
    TG_ERR_AUTH,            /* 401 */
    TG_ERR_PERMISSION,      /* 403 */
    TG_ERR_NOT_FOUND,       /* 404 */
    TG_ERR_TOO_LARGE,       /* 413 */
    TG_ERR_RATE_LIMIT,      /* 429 */
    TG_ERR_OVERLOADED,      /* 503 */
    TG_ERR_CONTEXT_LENGTH,  /* 400 */
    TG_ERR_QUOTA,           /* 429 */
    TG_ERR_INVALID_REQUEST, /* 400 */
    TG_ERR_TIMEOUT,         /* 504 */
    TG_ERR_UPSTREAM,        /* 502 */
    TG_ERR_INTERNAL,        /* 500 */
    TG_ERR_KIND_N
};

enum tg_origin { TG_FROM_US, TG_FROM_CLIENT, TG_FROM_UPSTREAM };

struct tg_err {
    tg_rc rc;
    enum tg_err_kind kind;
    enum tg_origin origin;
    uint16_t http;          /* status to answer with; 0 = the kind's usual one */
    const char *code;       /* static, stable, machine readable: "model_not_found"; or NULL  */
    int sys_errno;          /* 0 or errno of the system call that failed */
    int64_t retry_after_ms; /* 0 = say nothing */
    const char
        *request_id; /* of the exchange, for dialects that show it in the body; or NULL */
    struct str raw;  /* the upstream's own description, a JSON object, for clients that want it
                        as it was; "" = none.  Borrowed: of the exchange's arena */
    char param[96];  /* path of the field at fault, "" when none */
    char msg[320];   /* one sentence for people, no newline */
};

/* src/base/err.c.  All accept err == NULL and do nothing then, save for returning rc. */

/* Fills *err and returns rc, so that callers write `return tg_fail(err, TG_EPROTO, ...)`.
 * http becomes the kind's usual status. */
tg_rc tg_fail(struct tg_err *err, tg_rc rc, enum tg_err_kind kind, const char *code,
              const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* As tg_fail with origin upstream and TG_ERR_UPSTREAM: what it sent is of no use. */
tg_rc tg_upstream_fail(struct tg_err *err, tg_rc rc, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* As tg_fail with origin client, TG_EINVAL and TG_ERR_INVALID_REQUEST; param may be NULL. */
tg_rc tg_refuse(struct tg_err *err, const char *code, const char *param, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* TG_EIO with sys_errno and ": <strerror>" appended; kind internal. */
tg_rc tg_fail_sys(struct tg_err *err, int sys_errno, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts "<text>: " before the message. */
void tg_err_prefix(struct tg_err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The usual HTTP status of a kind. */
uint16_t tg_err_http(enum tg_err_kind kind);

#endif
