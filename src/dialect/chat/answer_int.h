/* answer_int.h -- what the files that read an upstream's answer share. */
#ifndef DIALECT_CHAT_ANSWER_INT_H
#define DIALECT_CHAT_ANSWER_INT_H

#include "dialect/alike.h"
#include "dialect/chat/chat_int.h"

enum chat_call_state { CHAT_CALL_WAITING, CHAT_CALL_OPEN, CHAT_CALL_CLOSED };

/* A tool call of the answer. */
struct chat_call {
    struct str id, name;
    char *held; /* arguments that came before the name */
    size_t held_n, held_cap;
    int64_t key; /* tool_calls index as the upstream has it, -1 = it sends none */
    uint32_t choice, block;
    enum chat_call_state state;
    bool freeform;
    bool begun, in_string, escaped; /* where in the JSON of the arguments we are */
    uint32_t depth;
};

/* One of the answers that were asked for. */
struct chat_choice {
    uint32_t next_block;
    uint32_t block; /* the open block of text, thoughts or refusal */
    enum ir_kind kind;
    bool speaking; /* there is one */
    bool seen, stopped;
    enum ir_stop stop;
    struct str stop_text;
    uint32_t n_calls;
    uint32_t chars, from;  /* characters of content so far, and before the open text block */
    struct ir_block proof; /* of the open thoughts */
    struct str probs;      /* elements of a list of tokens whose text is still to come */
    const char *error;     /* finish_reason says that it broke: the code, else NULL */
};

/* The decoder's state.  Begins as zeroes. */
struct chat_answer {
    bool begun;   /* this struct is set up */
    bool started; /* IR_EV_START has been put */
    bool over;
    bool whole; /* the answer is one JSON object */
    bool timed; /* usage is made of timings */
    struct ir_usage usage;
    struct str id; /* what ids of calls are made of where the upstream sends none */
    struct chat_choice *choices;
    struct chat_call *calls;
    unsigned n_choices, cap_choices, n_calls, cap_calls;
    size_t held; /* bytes kept in the arena */
    char *scratch;
    size_t scratch_cap;
    char *list;
    size_t list_cap;

    /* What the record at hand did: events put, and the text of the last DELTA. */
    unsigned n_put;
    struct str text_span; /* in the record, between the quotes */
    bool odd;             /* it did something that a record like it must not do again unseen */
    struct ir_event last;
    unsigned last_call; /* the call's number plus one, 0 = not of a call */

    /* A record that added a piece of text, and where to. */
    struct alike alike;
    struct ir_event like;
    unsigned like_call;
};

/* json_key_is, decided in place for the keys without escapes, which is all that servers write.
 */
static inline bool
chat_key_is(struct str key, struct str name)
{
    if (key.n == name.n)
        return memcmp(key.p, name.p, name.n) == 0;
    return key.n > name.n && memchr(key.p, '\\', key.n) && json_key_is(key, name);
}

/* answer_put.c */

/* Fills dec->err: the upstream broke the dialect. */
tg_rc chat_broke(struct dialect_dec *dec, const char *why);
/* Counts n more bytes kept in the arena: TG_ELIMIT past dec->hold_max. */
tg_rc chat_hold(struct dialect_dec *dec, size_t n);
/* Text of a JSON string, valid until the next call; half surrogates become U+FFFD. */
struct str chat_text(struct dialect_dec *dec, struct str value);
/* A copy of such a text in the arena, bounded by hold_max. */
tg_rc chat_keep(struct dialect_dec *dec, struct str value, struct str *ret);
tg_rc chat_put(struct dialect_dec *dec, const struct ir_event *ev);
/* Text from a JSON string of the record: its span is noted for the short way. */
tg_rc chat_put_text(struct dialect_dec *dec, const struct ir_event *place, struct str value,
                    struct str text);
/* Text, thoughts or refusal: opens a block of that kind when none is open. */
tg_rc chat_speak(struct dialect_dec *dec, uint32_t choice, enum ir_kind kind, bool summary,
                 struct str value);
/* Makes a block of that kind the open one. */
tg_rc chat_open_speech(struct dialect_dec *dec, uint32_t choice, enum ir_kind kind,
                       bool summary, bool redacted);
/* Closes the block of text, thoughts or refusal, if one is open. */
tg_rc chat_close_speech(struct dialect_dec *dec, uint32_t choice);

/* answer_probs.c: list is a JSON array of tokens. */

/* Content and how likely its tokens were. */
tg_rc chat_speak_probs(struct dialect_dec *dec, uint32_t choice, struct str value,
                       struct str list);
/* Tokens without text of their own: they go with the next content. */
tg_rc chat_keep_probs(struct dialect_dec *dec, uint32_t choice, struct str list);

/* answer_media.c: what an answer holds besides text, as text: speech by its transcript, images
 * by their addresses. */
tg_rc chat_take_audio(struct dialect_dec *dec, uint32_t choice, struct str audio);
tg_rc chat_take_images(struct dialect_dec *dec, uint32_t choice, struct str images);

/* answer_call.c */
tg_rc chat_take_calls(struct dialect_dec *dec, uint32_t choice, struct str calls);
tg_rc chat_take_function(struct dialect_dec *dec, uint32_t choice, struct str call);
/* Follows the arguments' JSON by some more of their text. */
void chat_follow(struct chat_call *c, struct str text);
/* Closes the calls of a choice: those whose arguments are whole, or all. */
tg_rc chat_close_calls(struct dialect_dec *dec, uint32_t choice, bool all);

/* answer_delta.c */

/* Takes in an element of "choices". */
tg_rc chat_take_choice(struct dialect_dec *dec, struct str element);

#endif
