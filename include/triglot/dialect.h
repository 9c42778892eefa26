/* dialect.h -- a spoke: one wire dialect.
 *
 * A folder src/dialect/NAME exports `const struct dialect dialect_NAME` and is registered by
 * being there.  Codecs are pure: no I/O, no clock, no globals, no suspension; input is
 * untrusted, limits are checked before a decoder sees it.  What needs time or randomness is
 * handed in.
 */
#ifndef TRIGLOT_DIALECT_H
#define TRIGLOT_DIALECT_H

#include "triglot/caps.h"
#include "triglot/carry.h"
#include "triglot/ir.h"

struct buf;

enum dialect_call { DIALECT_GENERATE, DIALECT_EMBED, DIALECT_CALL_N };

/* What routing and relaying need of a request body, found without building anything. */
struct dialect_view {
    enum dialect_call call;
    struct str body;
    struct str model;      /* text                                                    */
    struct str model_span; /* its bytes in the body, quotes included                  */
    bool stream;
    bool wants_usage;        /* the client asked for usage in the stream                */
    struct str options_span; /* chat: the stream_options object in the body, or empty   */
    struct str usage_span;   /* chat: value of stream_options.include_usage, or empty   */
};

enum { DIALECT_PIECES_MAX = 8 };

/* Observer of a same-dialect stream or response that passes by as bytes. */
struct dialect_tap {
    bool keep_usage;   /* in: the client asked for usage, so let it through */
    bool started;      /* a record with meaning has been seen               */
    bool finished;     /* the answer said that it is whole (finish_reason)  */
    bool terminal;     /* the dialect's last record has been seen ([DONE])  */
    bool failed;       /* the upstream reported an error inside the stream  */
    uint64_t events;   /* records with content                              */
    uint32_t state[8]; /* private to the dialect                            */

    _Alignas(8) char memory[512]; /* likewise */
    struct ir_usage usage;
};

enum dialect_seen {
    DIALECT_PASS,   /* forward the record as it is     */
    DIALECT_DROP,   /* the client did not ask for it   */
    DIALECT_FAILED, /* an error record; err is filled  */
    DIALECT_BROKEN  /* not of this dialect; err is filled: treat the upstream as broken */
};

/* What an encoder of answers is told. */
struct dialect_enc {
    const struct ir_req *req; /* the client's request (echoed fields); NULL = not known */
    struct str id;            /* of the answer, made by the caller with id_prefix */
    struct str model;         /* as the client knows it                           */
    int64_t created;          /* Unix seconds                                     */
    int64_t now;              /* likewise, when the answer is complete; 0 before */
    bool stream_usage;        /* usage is wanted in the stream                    */
    struct ir_usage usage;
    struct arena *arena; /* of the exchange: for what an encoder must remember */
    void *state;         /* enc_size zeroed bytes, of the encoder alone        */
};

/* A decoder of an upstream's answers: events go into sink. */
struct dialect_dec {
    struct ir_sink *sink;
    struct arena *arena; /* of the exchange */
    struct tg_err *err;  /* filled when a call returns a failure */
    size_t hold_max;     /* most bytes it may keep for later     */
    void *state;         /* dec_size zeroed bytes                */
};

/* What an encoder of requests is told about the route. */
struct dialect_route {
    struct str model;   /* what to ask the upstream for                     */
    bool strict;        /* a field that would be dropped is refused instead */
    int64_t max_tokens; /* when the request says none and the dialect needs one */
    struct ir_caps caps;
};

struct dialect {
    const char *name;
    const char *id_prefix;                     /* "chatcmpl-"                             */
    const char *upstream_path[DIALECT_CALL_N]; /* behind the base URL; NULL = cannot; behind
                                                  /v1 it is this gateway's endpoint too */
    const char *stream_path; /* endpoint whose answers always stream, likewise, or NULL */
    const char *auth_header, *auth_prefix; /* how an upstream's key is sent           */
    const char *mark_header; /* request header that only this dialect's clients send, or NULL */
    const char
        *id_header;       /* response header for the request id besides x-request-id, or NULL */
    struct str heartbeat; /* bytes between two records of a stream   */
    struct str stream_end; /* record that ends a clean stream, or ""  */
    size_t enc_size, dec_size;
    /* encode_ev(IR_EV_ERROR) ends a stream as properly as any other end: its body is
     * terminated. */
    bool error_is_end;
    bool one_open;   /* answers allow one open block at a time: the sequencer goes in front */
    bool one_choice; /* answers hold a single choice */

    /* Finds the routing fields in body (which must pass json_check first: done here, depth
     * 128). Refuses what cannot be routed: not an object, no model, model or stream twice,
     * wrong types; err names the field. */
    tg_rc (*scan_req)(struct arena *, enum dialect_call, struct str body,
                      struct dialect_view *ret, struct tg_err *);
    /* The body for a same-dialect upstream, as pieces of the original and of the arena: the
     * model replaced when it differs, usage asked for on streams, everything else byte for
     * byte. */
    void (*relay_req)(struct arena *, const struct dialect_view *, struct str model,
                      struct str ret[DIALECT_PIECES_MAX], int *ret_n);
    /* Looks at one record of a stream (SSE event name and data). */
    enum dialect_seen (*tap_record)(struct dialect_tap *, struct str event, struct str data,
                                    struct tg_err *);
    /* Looks at a whole JSON response; false = not of this dialect (an error that was sent with
     * a good status is told by tap->failed). */
    bool (*tap_whole)(struct dialect_tap *, enum dialect_call, struct str body);
    /* Is this body an error of the dialect, fit to be passed on? */
    bool (*error_fits)(struct str body);

    const struct carry_cell
        *carry; /* CARRY_FEATURE_N of them, for an upstream that nobody named */

    /* What a server and a model of this dialect are expected to take. */
    void (*caps)(enum caps_server, struct str model, struct ir_caps *ret);

    tg_rc (*decode_req)(struct arena *, struct str body, struct ir_req *ret, struct tg_err *);
    /* Appends the records of one event: none, one or two, always whole; for IR_EV_END
     * stream_end, where the dialect has one.  TG_ELIMIT: the buffer is full, and as it was.
     * TG_EPROTO: an event that breaks the grammar.  TG_EINVAL: a kind of block that the dialect
     * has no words for. */
    tg_rc (*encode_ev)(struct dialect_enc *, const struct ir_event *, struct buf *);
    tg_rc (*encode_res)(struct dialect_enc *, const struct ir_res *, struct buf *);
    /* A typed record that says only that the stream lives, for clients that do not count
     * comments; after IR_EV_START.  enc is NULL in a stream that is relayed.  NULL: the dialect
     * has none, or its heartbeat is one. */
    tg_rc (*encode_alive)(struct dialect_enc *, struct buf *);
    tg_rc (*decode_embed)(struct arena *, struct str body, struct ir_embed_req *ret,
                          struct tg_err *);
    tg_rc (*encode_embed)(const struct dialect_enc *, const struct ir_embed_req *,
                          const struct ir_embed_res *, struct buf *);
    /* The other direction: requests to, answers from an upstream of this dialect. */

    /* A request as the upstream's body.  What cannot be carried goes into drops by name; what
     * would change the meaning is TG_EINVAL with the client's field path in err->param. */
    tg_rc (*encode_req)(struct arena *, const struct ir_req *, const struct dialect_route *,
                        struct buf *, struct ir_drops *, struct tg_err *);
    /* A whole JSON answer, as events.  An error in the place of an answer becomes err. */
    tg_rc (*decode_res)(struct dialect_dec *, struct str body);
    /* One record of a stream, as none or several events.  *ret_over: the dialect's last record
     * was seen (IR_EV_END has been put).  An error record becomes err and a failure. */
    tg_rc (*decode_record)(struct dialect_dec *, struct str event, struct str data,
                           bool *ret_over);
    /* The stream's bytes ended: closes what is open and puts IR_EV_END if the answer had said
     * that it is whole, else "upstream_truncated". */
    tg_rc (*decode_eof)(struct dialect_dec *);
    /* An error body with its HTTP status: fills err (kind, code, message), origin upstream.
     * err->raw, where it is set, borrows from body. */
    void (*decode_error)(unsigned status, struct str body, struct tg_err *);
    /* Headers that an upstream of this dialect needs besides the key: name, value, ..., NULL. A
     * client of the same dialect may send its own value of them. */
    const char *const *upstream_headers; /* may be NULL */
    /* Headers of a client of the same dialect that go through: name, ..., NULL. */
    const char *const *through_headers; /* may be NULL */

    /* HTTP status and body of an error; record of an error in mid-stream. */
    unsigned (*error_status)(const struct tg_err *);
    tg_rc (*encode_error)(const struct tg_err *, struct buf *);
    tg_rc (*encode_error_record)(const struct tg_err *, struct buf *);
    tg_rc (*encode_models)(const struct ir_model *, unsigned n, struct buf *);
    tg_rc (*encode_model)(const struct ir_model *, struct buf *);
};

/* The dialect of that name, or NULL.  src/dialect/registry.c; the list is generated. */
const struct dialect *dialect_find(struct str name);
/* All of them, NULL behind the last. */
const struct dialect *const *dialect_all(void);

#endif
