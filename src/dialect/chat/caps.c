/* caps.c -- what is expected of a server that speaks Chat.
 *
 * Every server says it speaks the provider's dialect and means a part of it.  The rows below
 * are what is known of each; a server that nobody named is expected to know what they all know,
 * unless its model is one of the provider's own.
 */
#include "dialect/chat/chat_int.h"

/* Of a server that nobody named. */
static const struct ir_caps plain = {
    .thinking = CAPS_THINKING_LEVEL,
    .system = CAPS_SYSTEM_KEEP,
    .replay = CAPS_REPLAY_NEVER,
    .format = CAPS_FORMAT_SCHEMA,
    .orphans = CAPS_ORPHANS_FIX,
    .completion_tokens = true,
    .sampling = true,
    .logprobs = true,
    .parallel_calls = true,
    .stop_max = 4,
    .tool_name_max = 64,
};

void
chat_caps(enum caps_server server, struct str model, struct ir_caps *ret)
{
    (void)server;
    (void)model;
    *ret = plain;
}
