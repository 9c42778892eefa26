/* exchange.h -- one request and its answer, from the head's last byte to the access line.
 *
 * The gate makes it, an endpoint handles it, the gate writes the access line.  A handler
 * returns TG_OK when it has answered (or has begun a stream and ended it properly); otherwise
 * x->err says what is wrong and exchange_fail() tells the client, in its dialect, by status or
 * in mid-stream.
 *
 * Two scopes matter: the handler runs inside x->work, which is cancelled when the client
 * leaves, the total time is up, the client takes nothing for too long, or a drain ends; the
 * error answer is written after x->work has been closed.
 */
#ifndef API_EXCHANGE_H
#define API_EXCHANGE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "co/co.h"
#include "http/reply.h"
#include "http/server.h"
#include "triglot/dialect.h"
#include "upstream/upstream.h"

enum { EXCHANGE_ID_MAX = 128, EXCHANGE_HEADERS_MAX = 40 };

/* Who ended it early. */
enum exchange_end {
    END_NONE,
    END_CLIENT,        /* the client left                       */
    END_WRITE_TIMEOUT, /* the client took nothing for too long  */
    END_TOTAL_TIMEOUT,
    END_DRAIN,    /* the daemon is going down              */
    END_UPSTREAM, /* the upstream failed                   */
    END_N
};

struct exchange {
    /* What every record of a stream looks at: one cache line. */
    _Alignas(MEM_LINE) struct reply reply;
    const struct dialect *dialect; /* the client is answered in: by path, or as it asked */
    co_time last_out;              /* bytes last queued to the client    */
    co_time last_record;           /* likewise, of a typed record        */
    co_time t_first;               /* the first of them; 0 = never       */
    bool committed;                /* status line and stream headers are out             */
    bool broken;                   /* the answer cannot be completed: close unterminated */
    bool streaming;                /* a stream was asked for: heartbeats may commit it   */
    bool must_stream;              /* the path asks for a stream, whatever the body says */
    bool beats_typed;              /* this client needs typed records as signs of life   */
    bool beats_comment;            /* and untyped ones, or the dialect's own             */
    bool settled;                  /* the stack has been cut back to what waiting needs  */

    struct upstream_set *set; /* reference */
    const struct settings *settings;
    struct sock *sock;
    struct http_in *in;
    const struct http_head *req;
    struct arena arena;   /* everything of this exchange */
    struct buf body;      /* request body; may be let go once it has been sent on */
    struct arena request; /* what was made of it to translate it; likewise */
    struct co_scope work;
    bool working;                   /* work is open */
    bool draining;                  /* the answer announces the end of the connection */
    const struct dialect *asked_in; /* the request's, by path; NULL = no model was asked */
    const char *id;                 /* in the arena; at most EXCHANGE_ID_MAX */

    struct co_timer pulse; /* heartbeats and the write timeout; see stream.c  */

    struct tg_err err;
    enum exchange_end end;
    /* How an answer under way words x->err as its last record; NULL = as the dialect does
     * without knowing the stream. */
    tg_rc (*encode_error)(void *arg, struct buf *);
    void *encode_error_arg;
    struct dialect_enc *enc; /* of that answer; NULL = none under way, or it is relayed */
    struct str tail;         /* what the star of the endpoint's pattern stands for, as sent */
    const char *route;       /* pattern of the endpoint, for the log */
    struct str model;        /* what the client asked for            */
    struct str provider, provider_model;
    const char *provider_dialect;
    struct ir_usage usage;
    struct ir_drops *drops;    /* what translation could not carry; NULL = nothing translated */
    struct http_header *shown; /* an upstream's headers that a translated answer shows */
    unsigned n_shown;
    struct str upstream_error; /* its body as a header value, for debugging; "" = none */
    bool upstream_error_cut;
    unsigned attempts;
    uint64_t heartbeats;
    uint64_t bytes_in_start, bytes_out_start;
    co_time t_start, t_routed; /* 0 = never */
    int64_t wall_start;
};
_Static_assert(offsetof(struct exchange, set) <= MEM_LINE, "the line is as said");

/* The dialect of a path that has none of its own: by a header that only one dialect's clients
 * send, else the first.  x->req may be NULL. */
const struct dialect *exchange_dialect(const struct exchange *x);

/* Headers of an answer: x-request-id, CORS where it applies; then the caller's. */
struct exchange_headers {
    struct http_header v[EXCHANGE_HEADERS_MAX];
    unsigned n;
};
void exchange_headers(struct exchange *x, struct exchange_headers *h);
/* Adds one; of two with the same name the first stays, an empty value is left out. */
void exchange_header(struct exchange_headers *h, struct str name, struct str value);

/* A whole answer with the usual headers and the given content type.  S */
TG_MUST_USE tg_rc exchange_answer(struct exchange *x, unsigned status, struct str type,
                                  struct str body);
/* The same with headers the caller has put together.  S */
TG_MUST_USE tg_rc exchange_answer_with(struct exchange *x, unsigned status,
                                       const struct exchange_headers *h, struct str body);
/* Shows the client, in a header, the body of an upstream's error, where the configuration says
 * so and the body does not hold the upstream's key. */
void exchange_show_error(struct exchange *x, const struct upstream *u, struct str body);
/* Tells the client x->err: a status and an error body, or, once a stream is committed, an error
 * record after which the connection is to be closed (x->broken).  Says nothing to a client that
 * has left.  S */
void exchange_fail(struct exchange *x);
/* Reads the request body into x->body.  S */
TG_MUST_USE tg_rc exchange_body(struct exchange *x);
/* Cancels the work from outside (timers, the gone hook, drain); the first reason stays. */
void exchange_stop(struct exchange *x, enum exchange_end end, tg_rc why);
const char *exchange_end_name(enum exchange_end end);

#endif
