/* conn.h -- one client connection: exchanges one after the other. */
#ifndef GATE_CONN_H
#define GATE_CONN_H

#include "gate/worker.h"

struct conn_in {
    struct list node; /* worker's list */
    struct worker *w;
    int fd;
    struct sock *sock;
    struct co_scope scope; /* the whole connection: cancelled to close an idle one */
    struct http_in in;
    bool idle; /* waits for a request */
    struct exchange x;
};

/* Starts a coroutine for an accepted connection; takes fd. */
void conn_accept(struct worker *w, int fd);
/* Closes connections that wait for a request; the others close after their answer. */
void conn_close_idle(struct worker *w);
/* Ends all exchanges with the dialect's terminal error. */
void conn_stop_all(struct worker *w);

#endif
