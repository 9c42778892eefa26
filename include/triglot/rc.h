/* rc.h -- result codes.
 *
 * A function that can fail returns tg_rc: TG_OK or one negative code.  Codes are chosen for
 * what the caller does next, not for where the failure came from; the words for people are in
 * struct tg_err (err.h).  A bare -1 is never returned.
 */
#ifndef TRIGLOT_RC_H
#define TRIGLOT_RC_H

typedef int tg_rc;

enum {
    TG_OK = 0,
    TG_ECANCELED = -1,  /* our own side gave up: scope closed, shutdown         */
    TG_EDEADLINE = -2,  /* a deadline passed                                    */
    TG_EGONE = -3,      /* the peer left: EOF or reset                          */
    TG_EPROTO = -4,     /* the peer broke the protocol                          */
    TG_ELIMIT = -5,     /* a configured bound was reached                       */
    TG_EINVAL = -6,     /* the request asks for something that makes no sense   */
    TG_EAUTH = -7,      /* credentials, certificates, permissions               */
    TG_EUNAVAIL = -8,   /* cannot be had now, a later try may work              */
    TG_ENOTFOUND = -9,  /* no such thing                                        */
    TG_ECONFIG = -10,   /* configuration is wrong                               */
    TG_EIO = -11,       /* the operating system said no; sys_errno has it       */
    TG_EINTERNAL = -12, /* our own fault                                        */
};

#define TG_MUST_USE __attribute__((warn_unused_result))

/* A constant name such as "TG_EGONE"; never NULL.  Base layer, src/base/err.c. */
const char *tg_rc_name(tg_rc rc);

#endif
