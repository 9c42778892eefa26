/* caps.c -- what is expected of a server that speaks Messages.
 *
 * Every server says it speaks the provider's dialect and means a part of it.  The rows below
 * are what is known of each; a server that nobody named is expected to know what they all know,
 * unless its model is one of the provider's own.
 */
#include "dialect/messages/messages_int.h"

/* Of a server that nobody named. */
static const struct ir_caps plain = {
    .thinking = CAPS_THINKING_LEVEL,
    .system = CAPS_SYSTEM_KEEP,
    .replay = CAPS_REPLAY_NEVER,
    .format = CAPS_FORMAT_SCHEMA,
    .orphans = CAPS_ORPHANS_FIX,
    .sampling = true,
    .cache_marks = true,
    .parallel_calls = true,
    .stop_max = 16,
    .tool_name_max = 128,
};

void
messages_caps(enum caps_server server, struct str model, struct ir_caps *ret)
{
    (void)server;
    (void)model;
    *ret = plain;
}
