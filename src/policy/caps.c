/* caps.c -- the operator's word on capabilities, laid over what a dialect expects.
 *
 * What nobody said stays as the dialect has it, so a table of expectations that learns more in
 * a later version helps every configuration that did not speak up.
 */
#include "policy/caps.h"

static void
set_bool(enum ir_tri said, bool *cap)
{
    if (said != IR_UNSAID)
        *cap = said == IR_YES;
}

static void
set_number(int64_t said, unsigned *cap)
{
    if (said >= 0)
        *cap = (unsigned)said;
}

void
caps_apply(const struct caps_settings *said, struct ir_caps *caps)
{
    if (said->thinking != CAPS_THINKING_UNSAID)
        caps->thinking = said->thinking;
    if (said->system != CAPS_SYSTEM_UNSAID)
        caps->system = said->system;
    if (said->replay != CAPS_REPLAY_UNSAID)
        caps->replay = said->replay;
    if (said->format != CAPS_FORMAT_UNSAID)
        caps->format = said->format;
    if (said->orphans != CAPS_ORPHANS_UNSAID)
        caps->orphans = said->orphans;
    set_bool(said->custom_tools, &caps->custom_tools);
    set_bool(said->developer_role, &caps->developer_role);
    set_bool(said->completion_tokens, &caps->completion_tokens);
    set_bool(said->sampling, &caps->sampling);
    set_bool(said->cache_marks, &caps->cache_marks);
    set_bool(said->prefill, &caps->prefill);
    set_bool(said->logprobs, &caps->logprobs);
    set_bool(said->web_search, &caps->web_search);
    set_bool(said->parallel_calls, &caps->parallel_calls);
    set_number(said->stop_max, &caps->stop_max);
    set_number(said->tool_name_max, &caps->tool_name_max);
}

enum caps_server
caps_server_of(struct str host)
{
    static const struct {
        const char *host;
        enum caps_server server;
    } known[] = {
        {"api.openai.com", CAPS_SERVER_OPENAI},
        {"api.anthropic.com", CAPS_SERVER_ANTHROPIC},
        {"openrouter.ai", CAPS_SERVER_OPENROUTER},
        {"api.deepseek.com", CAPS_SERVER_DEEPSEEK},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (str_ieq(host, str_z(known[i].host)))
            return known[i].server;
    }
    return CAPS_SERVER_AUTO;
}
