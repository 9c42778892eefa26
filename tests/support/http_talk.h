/* http_talk.h -- a scripted peer, and exchanges with it, over whatever kind of sockets there
 * is.
 *
 * The same cases run over loopback sockets (tests/unit/http) and over simulated ones
 * (tests/sim/http); they must come out the same.
 */
#ifndef SUPPORT_HTTP_TALK_H
#define SUPPORT_HTTP_TALK_H

#include "base/buf.h"
#include "co/co.h"
#include "net/sock.h"

enum talk_what {
    TALK_END,     /* of the script: closes; reads nothing more                       */
    TALK_SEND,    /* text                                                            */
    TALK_TRICKLE, /* text, byte by byte with a turn of the ring in between           */
    TALK_FILL,    /* n bytes of 'x'                                                  */
    TALK_WAIT,    /* until text has come; what was received up to it is done with    */
    TALK_EAT,     /* n bytes                                                         */
    TALK_EOF,     /* until the other side has ended; what came goes into the log     */
    TALK_SLEEP,   /* n milliseconds                                                  */
    TALK_SHUT,    /* ends the sending side                                           */
};

struct talk_step {
    enum talk_what what;
    struct str text;
    size_t n;
};

/* clang-format off */
#define STEPS(...) (const struct talk_step[]){__VA_ARGS__, {TALK_END, {NULL, 0}, 0}}
#define SEND(s)    {TALK_SEND, {"" s, sizeof(s) - 1}, 0}
#define TRICKLE(s) {TALK_TRICKLE, {"" s, sizeof(s) - 1}, 0}
#define FILL(k)    {TALK_FILL, {NULL, 0}, k}
#define WAIT(s)    {TALK_WAIT, {"" s, sizeof(s) - 1}, 0}
#define EAT(k)     {TALK_EAT, {NULL, 0}, k}
#define SLEEP(ms)  {TALK_SLEEP, {NULL, 0}, ms}
#define SHUT       {TALK_SHUT, {NULL, 0}, 0}
#define TO_EOF     {TALK_EOF, {NULL, 0}, 0}
/* clang-format on */

struct talk {
    const struct talk_step *steps;
    struct sock *sock; /* taken */
    struct buf *log;   /* may be NULL */
};

/* A coroutine's body. */
tg_rc talk_run(void *talk);
/* Makes two connected sockets; set by the program before the first case. */
extern void (*talk_pair)(int ret_fds[2]);

/* Appends; "Date" lines are left out. */
void talk_log(struct buf *log, struct str s);
void talk_logf(struct buf *log, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

struct talk_case {
    const char *name;
    void (*run)(const struct talk_case *c, struct buf *log); /* as the first coroutine */
    const struct talk_step *steps[4];                        /* of the first connections */
    const void *arg;
    const char *expected;
};

/* Each runs to its end in a scheduler of its own and appends what happened to log. */
void talk_case_run(const struct talk_case *c, struct buf *log);
extern const struct talk_case talk_server_cases[], talk_client_cases[];
extern const unsigned talk_server_n, talk_client_n;
/* These take too long on a real clock. */
extern const struct talk_case talk_client_slow_cases[];
extern const unsigned talk_client_slow_n;
/* Runs it and fails the test unless it came out as expected. */
void talk_case_check(const struct talk_case *c);

/* For client cases: connection number n (0 is the first) is asked for. */
tg_rc talk_dial(int *ret_fd, struct tg_err *err);

#endif
