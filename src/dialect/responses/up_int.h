/* up_int.h -- what the files that write requests to upstreams share. */
#ifndef DIALECT_RESPONSES_UP_INT_H
#define DIALECT_RESPONSES_UP_INT_H

#include "dialect/responses/responses_int.h"
#include "json/write.h"

struct responses_writer {
    struct arena *a;
    const struct ir_req *req;
    const struct dialect_route *route;
    struct json_out o;
    struct ir_drops *drops;
    struct tg_err *err;
    /* up_system.c: what becomes of the system text. */
    struct str instructions; /* "" = none: it all stands in the input                  */
    unsigned n_skip;         /* so many messages at the head are in them               */
    bool merged;             /* all system messages are, wherever they stand           */
};

/* The one of the names that the client's dialect has for a thing. */
const char *responses_word(const struct responses_writer *w, const char *chat,
                           const char *responses, const char *messages);
bool responses_came_as(const struct responses_writer *w, const char *dialect);
/* A drop, or a refusal on a strict route; the name is printed into the arena. */
tg_rc responses_drop(struct responses_writer *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* TG_EINVAL with the place of the block. */
tg_rc responses_refuse_at(struct responses_writer *w, const struct ir_msg *m,
                          const struct ir_block *b, const char *why);
/* The client's place of a message, or of a block of it when b is not NULL; in the arena with a
 * NUL behind it. */
struct str responses_path(const struct responses_writer *w, const struct ir_msg *m,
                          const struct ir_block *b);

/* up_system.c: decides about the system text, before anything is written. */
tg_rc responses_plan_system(struct responses_writer *w);
/* A system message behind the first turn, where the model takes it for the user's words. */
tg_rc responses_write_reminder(struct responses_writer *w, const struct ir_msg *m);
/* up_item.c: the value of "input". */
tg_rc responses_write_input(struct responses_writer *w);
/* up_part.c: is this block a part of a message, or an item of its own? */
bool responses_is_part(const struct ir_block *b);
/* model: of a message of the model's.  m: the message that b is of, for errors. */
tg_rc responses_write_part(struct responses_writer *w, const struct ir_block *b, bool model,
                           const struct ir_msg *m);
void responses_write_plain(struct json_out *o, struct str text);
/* A cache mark that cannot go along. */
tg_rc responses_drop_mark(struct responses_writer *w);
/* up_tool.c: the fields "tools", "tool_choice" and "parallel_tool_calls". */
tg_rc responses_write_tools(struct responses_writer *w);
/* up_param.c: sampling, limits, forms of answer, reasoning, names. */
tg_rc responses_write_params(struct responses_writer *w);

#endif
