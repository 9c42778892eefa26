/* enc_int.h -- what the files that write requests share. */
#ifndef DIALECT_CHAT_ENC_INT_H
#define DIALECT_CHAT_ENC_INT_H

#include "dialect/chat/chat_int.h"

struct chat_out {
    struct json_out o;
    struct arena *a;
    const struct ir_req *req;
    const struct dialect_route *route;
    struct ir_drops *drops;
    struct tg_err *err;
    unsigned last_turn;     /* number of the message with the user's last turn, plus one */
    bool searches;          /* web_search_options has been written */
    unsigned n_marks;       /* cache marks written or passed over                 */
    unsigned marks_skipped; /* so many of the first are passed over; see below    */
};

/* The client's name of the list of messages, for paths in drops and errors. */
const char *chat_root(const struct chat_out *out);
/* The client's place of a message, or of a block of it when b is not NULL; in the arena. */
struct str chat_path(struct chat_out *out, const struct ir_msg *m, const struct ir_block *b);
/* Notes a drop, or refuses it when the route is strict. */
tg_rc chat_drop(struct chat_out *out, struct str name);
/* Did the request come in that dialect? */
bool chat_came_as(const struct chat_out *out, const char *dialect);
/* The one of the names that the client's dialect has for a thing. */
struct str chat_said(const struct chat_out *out, const char *chat, const char *responses,
                     const char *messages);
tg_rc chat_refuse(struct chat_out *out, struct str path, const char *why);
/* Bytes of a call's id or a user's; a longer one is shortened (hash_fit). */
enum { CHAT_ID_MAX = 64 };

/* The first block of that kind, or NULL. */
static inline const struct ir_block *
chat_first(const struct ir_block *b, enum ir_kind kind)
{
    while (b && b->kind != kind)
        b = b->next;
    return b;
}

/* enc_msg.c: "messages" and its value. */
tg_rc chat_put_messages(struct chat_out *out);
/* enc_turn.c: the message of a turn of the model, which is number i. */
tg_rc chat_put_turn(struct chat_out *out, const struct ir_msg *m, unsigned i);
/* enc_part.c: a block of message m as one content part; TG_EINVAL for what the dialect has no
 * part for. */
tg_rc chat_put_part(struct chat_out *out, const struct ir_block *b, const struct ir_msg *m);
/* The member that marks a part as the end of what is to be cached, where the upstream takes it.
 */
tg_rc chat_put_mark(struct chat_out *out, const struct ir_block *b);
/* enc_tool.c: tools, tool_choice, parallel_tool_calls. */
tg_rc chat_put_tools(struct chat_out *out);
/* search.c: web_search_options, of the tool that is number i of the request. */
tg_rc chat_put_search(struct chat_out *out, const struct ir_tool *t, unsigned i);
bool chat_is_search(const struct ir_tool *t);

#endif
