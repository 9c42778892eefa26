/* gate_talk.h -- a scripted client and a scripted upstream of a simulated gateway.
 *
 * Both talk to descriptors of the simulated network directly and share no code with what they
 * test.  Either may leave at any moment, also from callbacks.  Their coroutines' names begin
 * with "script" and their descriptors are spared, so that no planned fault is theirs.
 */
#ifndef TESTS_SUPPORT_GATE_TALK_H
#define TESTS_SUPPORT_GATE_TALK_H

#include "base/buf.h"
#include "co/co.h"

/* What a client was told.  Zeroed before use, freed by gate_answer_fini. */
struct gate_answer {
    unsigned status;   /* 0: no head came whole                                */
    bool complete;     /* by its own framing                                   */
    bool ended;        /* the gateway closed or reset the connection           */
    bool stream;       /* content-type: text/event-stream                      */
    const char *fault; /* what is wrong with it as HTTP, or NULL               */
    struct buf body;
    struct buf got; /* private: bytes not yet parsed */
    bool chunked;
    size_t left; /* private: of the chunk or body */
};

void gate_answer_fini(struct gate_answer *a);

struct gate_client {
    int fd;             /* 0: none */
    co_time read_every; /* pause before each read of at most 1,024 bytes */
    bool left;
    bool asks; /* private: scope is open */
    struct co_scope scope;
};

/* Connects to the gateway.  S */
void gate_client_open(struct gate_client *c);
/* Sends a request in two pieces and takes the answer, until it is complete, the connection has
 * ended, or the client left.  Ends the program when that takes 60 s.  S */
void gate_client_ask(struct gate_client *c, struct str request, struct gate_answer *ret);
/* From anywhere: ends the sending side and goes on reading, or resets and gives up. */
void gate_client_leave(struct gate_client *c, bool reset);
void gate_client_close(struct gate_client *c);

/* A piece of an upstream's answer and how long it waits before it. */
struct gate_piece {
    struct str bytes;
    co_time pause;
};

enum { GATE_PEERS_MAX = 32 };

struct gate_peer {
    int fd;
    bool busy; /* has read a request and not yet answered it */
    bool gone; /* the connection has ended */
    bool left; /* has ended its sending side */
    bool scoped;
    unsigned answered;
    struct co_scope scope;
    struct gate_upstream *up;
};

struct gate_upstream {
    /* Answers to requests with and without "stream":true; ended by an empty piece. */
    const struct gate_piece *stream, *whole;
    struct gate_peer peers[GATE_PEERS_MAX];
    unsigned n_peers, requests;
    int listener;
    struct co_scope *scope;
};

/* Listens on the port until the scope is closed.  The struct is zeroed but for the answers. */
void gate_upstream_open(struct gate_upstream *u, unsigned port, struct co_scope *scope);
/* Connections that have a request in work; connections that have not ended. */
unsigned gate_upstream_busy(const struct gate_upstream *u);
unsigned gate_upstream_alive(const struct gate_upstream *u);
/* From anywhere: all connections, as gate_client_leave. */
void gate_upstream_leave(struct gate_upstream *u, bool reset);

#endif
