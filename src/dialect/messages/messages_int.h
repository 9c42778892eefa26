/* messages_int.h -- what the files of the Messages dialect share. */
#ifndef DIALECT_MESSAGES_MESSAGES_INT_H
#define DIALECT_MESSAGES_MESSAGES_INT_H

#include "base/arena.h"
#include "base/buf.h"
#include "dialect/alike.h"
#include "triglot/dialect.h"
#include "json/field.h"
#include "json/scan.h"
#include "json/write.h"

#define MESSAGES_COUNT(v) (sizeof(v) / sizeof((v)[0]))
#define MESSAGES_NAME     "messages"

extern const struct dialect dialect_messages;

/* Was this decoded, or made, by this dialect?  NULL is nobody. */
static inline bool
messages_own(const char *origin)
{
    return origin && strcmp(origin, MESSAGES_NAME) == 0;
}

struct messages_dec {
    struct field_reader in;
    struct ir_req *req;
    struct ir_ext **ext_tail;
};

/* Where the next block goes. */
struct messages_blocks {
    struct ir_block **tail;
};
static inline struct ir_block *
messages_add_block(struct messages_dec *d, struct messages_blocks *to, enum ir_kind kind)
{
    struct ir_block *b = arena_new(d->in.a, struct ir_block);

    b->kind = kind;
    *to->tail = b;
    to->tail = &b->next;
    return b;
}

tg_rc messages_decode_req(struct arena *a, struct str body, struct ir_req *ret,
                          struct tg_err *err);
/* Notes a field that only this dialect knows.  at may be NULL: then name stands at the top, and
 * value is kept for an upstream of this dialect.  Else the note is for the list of what was
 * dropped; its name holds a dot. */
void messages_keep(struct messages_dec *d, const struct field_at *at, struct str name,
                   struct str value);
/* field_pick, and messages_keep of what has another name and says something. */
tg_rc messages_pick(struct messages_dec *d, const struct field_at *at, struct str object,
                    const char *const *names, unsigned n, struct json_member *ret);
/* The cache_control member of the object at `up`. */
tg_rc messages_read_cache(struct messages_dec *d, const struct field_at *up,
                          const struct json_member *mark, struct str *ret_ttl);
/* Where a block stands. */
enum {
    MESSAGES_IN_USER = 1,
    MESSAGES_IN_MODEL = 2,
    MESSAGES_IN_SYSTEM = 4,
    MESSAGES_IN_RESULT = 8
};
struct messages_place {
    const struct field_at *at; /* of the content */
    unsigned where;
    struct messages_blocks *to;      /* blocks of the message */
    struct messages_blocks *results; /* of tools; NULL where none may stand */
};
/* Content that is a string, or blocks. */
tg_rc messages_read_content(struct messages_dec *d, const struct messages_place *p,
                            const struct json_member *content);
tg_rc messages_read_system(struct messages_dec *d, const struct json_member *system);
tg_rc messages_read_messages(struct messages_dec *d, const struct json_member *messages);
/* f: the members source, title, context of an image or document block. */
enum { MESSAGES_SOURCE, MESSAGES_TITLE, MESSAGES_CONTEXT, MESSAGES_MEDIA_N };
tg_rc messages_read_media(struct messages_dec *d, const struct field_at *at, bool document,
                          const struct json_member f[MESSAGES_MEDIA_N],
                          struct messages_blocks *to);
tg_rc messages_read_tools(struct messages_dec *d, const struct json_member *tools);
/* After messages_read_tools: the choice is checked against them. */
tg_rc messages_read_choice(struct messages_dec *d, const struct json_member *choice);

struct messages_out {
    struct arena *a;
    const struct ir_req *req;
    const struct dialect_route *route;
    struct ir_drops *drops;
    struct tg_err *err;
    struct json_out j;
    tg_rc rc;            /* first refusal; the writer keeps its own failures */
    unsigned marks_skip; /* cache marks to leave out: the first ones, when there are too many */
    const struct ir_msg *msg; /* what is being written, for paths */
    const struct ir_block *block;
    unsigned calls, results; /* without an id, so far */
    unsigned last_turn;      /* of the user, by the number of its message plus one; 0 = none */
    bool replay;             /* thoughts of this turn go as text where their proof cannot */
};

extern const struct carry_cell messages_carry[CARRY_FEATURE_N];
void messages_caps(enum caps_server server, struct str model, struct ir_caps *ret);
tg_rc messages_encode_req(struct arena *a, const struct ir_req *req,
                          const struct dialect_route *route, struct buf *b,
                          struct ir_drops *drops, struct tg_err *err);
/* Notes the drop, or refuses on a strict route.  After a refusal, here and below, writing goes
 * on for nothing: the text is thrown away at the end. */
void messages_drop(struct messages_out *o, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Refuses; why names what is wrong, the printed rest the place. */
void messages_refuse(struct messages_out *o, const char *why, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Is the client's request of the Responses dialect?  Its fields have other names. */
bool messages_from_responses(const struct messages_out *o);
/* The client's place of a message, or of a block of it when b is not NULL; in the arena with a
 * NUL behind it. */
struct str messages_path(const struct messages_out *o, const struct ir_msg *m,
                         const struct ir_block *b);
/* How many cache marks are more than the upstream takes.  The first ones are left out, in its
 * order of tools, system, messages; so tools are written first. */
unsigned messages_surplus_marks(const struct ir_req *req);
/* The cache_control member, when the block has a mark that fits. */
void messages_put_cache(struct messages_out *o, struct str ttl);
/* The members system and messages. */
void messages_put_messages(struct messages_out *o);
/* One image or document block. */
void messages_put_media(struct messages_out *o, const struct ir_block *b);
/* The members tools and tool_choice. */
void messages_put_tools(struct messages_out *o);
/* Does the choice force a tool use? */
bool messages_choice_forced(const struct ir_req *req);
struct messages_thinking {
    enum {
        MESSAGES_THINK_LEFT_OUT,
        MESSAGES_THINK_DISABLED,
        MESSAGES_THINK_ADAPTIVE,
        MESSAGES_THINK_BUDGET
    } form;
    int64_t budget;
    const char *effort; /* of output_config, or NULL */
};
/* *max_tokens is made to leave room behind a budget when the client said none. */
struct messages_thinking messages_choose_thinking(struct messages_out *o, int64_t *max_tokens);
/* The member thinking, when there is one. */
void messages_put_thinking(struct messages_out *o, const struct messages_thinking *t);
/* The level of effort that a budget of tokens stands for. */
enum ir_effort messages_effort_of(int64_t budget);

/* id as a tool_use id: letters, digits, '_' and '-'.  Legal ones stay; others are told apart by
 * a hash of the whole.  Borrowed or in the arena. */
struct str messages_id(struct arena *a, struct str id);
/* The input member of a call: the arguments where they are an object, {} for none, else
 * {"_raw": text}; {"input": text} for a free-form tool. */
void messages_put_input(struct json_out *j, const struct ir_block *call);

/* As the wire counts: input without what was read from or written to the cache.  -1: unknown.
 */
struct messages_usage {
    int64_t input, output, read, written, thinking;
};
#define MESSAGES_USAGE_UNKNOWN ((struct messages_usage){-1, -1, -1, -1, -1})

/* Figures that are there overwrite: they are cumulative. */
void messages_read_usage(struct str usage, struct messages_usage *u);
struct ir_usage messages_usage_in(const struct messages_usage *u);

enum { MESSAGES_OPEN_MAX = 32 };

struct messages_dec_state {
    bool started, over;
    bool called, refused;
    uint32_t next_block;
    struct messages_usage usage;
    bool said_stop;
    enum ir_stop stop;
    struct str stop_text, explanation;
    size_t held;           /* bytes kept in the arena */
    struct arena *scratch; /* for what one call of the decoder needs */
    uint32_t n_open, cap_open;
    struct messages_in {
        int64_t index; /* as the upstream counts */
        uint32_t block;
        enum ir_kind kind;
        bool skip; /* nothing of it goes on */
        bool text; /* something of it has gone on */
        bool redacted;
        struct str sig, input;
        int64_t chars;    /* of text so far */
    } * open;             /* in the decoder's arena */
    struct str text_span; /* in the record at hand, when it did nothing but add this text */
    uint32_t like;        /* number in open of the block that the learned record adds to */
    struct alike alike;
};

tg_rc messages_decode_record(struct dialect_dec *d, struct str event, struct str data,
                             bool *ret_over);
tg_rc messages_decode_eof(struct dialect_dec *d);
tg_rc messages_decode_res(struct dialect_dec *d, struct str body);
/* Parts that the two ways of an answer share (in.c). */
/* For the texts of one record, which go with it. */
struct arena *messages_in_scratch(const struct dialect_dec *d);
/* A copy that outlives the record; TG_ELIMIT past hold_max. */
tg_rc messages_in_keep(struct dialect_dec *d, struct str s, struct str *ret);
/* Fills err, kind upstream; returns rc. */
tg_rc messages_in_fail(struct dialect_dec *d, tg_rc rc, const char *code, const char *what);
tg_rc messages_in_start(struct dialect_dec *d);
/* *ret: the opened block, valid until the next open or close. */
tg_rc messages_in_open(struct dialect_dec *d, int64_t index, struct str block,
                       struct messages_in **ret);
tg_rc messages_in_text(struct dialect_dec *d, struct messages_in *in, struct str text);
tg_rc messages_in_note(struct dialect_dec *d, struct messages_in *in, struct str citation);
tg_rc messages_in_close(struct dialect_dec *d, struct messages_in *in);
/* stop_reason, stop_sequence, stop_details of object. */
tg_rc messages_in_stop(struct dialect_dec *d, struct str object);
tg_rc messages_in_end(struct dialect_dec *d);
tg_rc messages_in_broken(struct dialect_dec *d, const char *why);
/* Text of a string member, "" when it is something else. */
struct str messages_text(struct arena *a, struct str object, const char *name);

struct messages_enc {
    uint32_t next; /* index of the next block */
    bool open;     /* between OPEN and CLOSE of a block */
    bool begun;    /* and its start has been written */
    bool freeform, text;
    bool called, refused;
    bool stopped;
    uint8_t kind; /* enum ir_kind */
    uint8_t stop; /* enum ir_stop */
    uint32_t block;
    struct str stop_text;
};
tg_rc messages_encode_ev(struct dialect_enc *e, const struct ir_event *ev, struct buf *b);
tg_rc messages_encode_res(struct dialect_enc *e, const struct ir_res *res, struct buf *b);
struct str messages_stop_reason(enum ir_stop stop, bool called, bool refused);
/* "stop_reason" to "stop_details". */
void messages_put_stop(struct json_out *j, struct str reason, struct str sequence);
/* A usage object; whole: of a message, else of a message_delta, where null means "as before".
 */
void messages_put_usage(struct json_out *j, const struct ir_usage *u, bool whole);
/* A message up to and with the key "content". */
void messages_put_head(struct json_out *j, const struct dialect_enc *e);
/* What a THINK block's proof becomes; never empty.  A text that was streamed has its own place;
 * without one a foreign or redacted proof is redacted_thinking's data. */
struct str messages_proof(struct arena *a, const struct ir_block *think);
/* A tool_use id that is never empty. */
struct str messages_call_id(const struct dialect_enc *e, struct str id, uint32_t index);

tg_rc messages_scan_req(struct arena *a, enum dialect_call call, struct str body,
                        struct dialect_view *ret, struct tg_err *err);
void messages_relay_req(struct arena *a, const struct dialect_view *view, struct str model,
                        struct str ret[DIALECT_PIECES_MAX], int *ret_n);
enum dialect_seen messages_tap_record(struct dialect_tap *t, struct str event, struct str data,
                                      struct tg_err *err);
bool messages_tap_whole(struct dialect_tap *t, enum dialect_call call, struct str body);

unsigned messages_error_status(const struct tg_err *err);
tg_rc messages_encode_error(const struct tg_err *err, struct buf *b);
tg_rc messages_encode_error_record(const struct tg_err *err, struct buf *b);
bool messages_error_fits(struct str body);
/* Is this object an error, of this dialect or bare? */
bool messages_error_is(struct str object);
/* The same of its members type and error, either of which may be JSON_NONE. */
bool messages_error_shows(const struct json_member *type, const struct json_member *error);
/* Fills err from an error object; returns err's rc, never TG_OK. */
tg_rc messages_read_error(unsigned status, struct str body, struct tg_err *err);
void messages_decode_error(unsigned status, struct str body, struct tg_err *err);

tg_rc messages_encode_models(const struct ir_model *v, unsigned n, struct buf *b);
tg_rc messages_encode_model(const struct ir_model *m, struct buf *b);

#endif
