/* caps.c -- what is expected of a server that speaks Messages.
 *
 * The dialect's own models come in families, and each takes away something of the one before:
 * budgets of thinking, sampling, answers to go on with.  A Claude that no row knows by name is
 * taken for one of the newest.  Other servers took the dialect over to serve agents made for
 * it, know budgets and not levels, do not look at the proofs of thoughts, and pass over what
 * they do not know.
 *
 * Patterns begin with '*', because clouds put a region and the maker's name in front.
 */
#include "dialect/messages/messages_int.h"

#include "dialect/expect.h"

/* Routers and servers that nobody named have the provider's models under its names. */
#define OF_CLAUDE (EXPECT_ON(AUTO) | EXPECT_ON(ANTHROPIC) | EXPECT_ON(OPENROUTER))
#define LOCAL                                                                                  \
    (EXPECT_ON(VLLM) | EXPECT_ON(OLLAMA) | EXPECT_ON(LLAMA_CPP) | EXPECT_ON(LM_STUDIO))

#define CLAUDE_2 "*claude-2* *claude-instant* *claude-v*"
#define CLAUDE_3 "*claude-3*"
#define CLAUDE_4_0                                                                             \
    "*claude-opus-4 *claude-sonnet-4 *claude-opus-4-0* *claude-sonnet-4-0* *claude-*-4-2025* " \
    "*claude-*-4@* *claude-*-4:* *claude-4-*"
#define CLAUDE_4_1 "*claude-*-4-1* *claude-*-4.1*"
#define CLAUDE_4_5 "*claude-*-4-5* *claude-*-4.5*"
#define CLAUDE_4_6 "*claude-*-4-6* *claude-*-4.6*"

/* Of a server that nobody named. */
static const struct ir_caps plain = {
    .thinking = CAPS_THINKING_LEVEL,
    .system = CAPS_SYSTEM_REMIND,
    .replay = CAPS_REPLAY_NEVER,
    .format = CAPS_FORMAT_ONLY_SCHEMA,
    .orphans = CAPS_ORPHANS_FIX,
    .sampling = true,
    .cache_marks = true,
    .prefill = true,
    .web_search = true,
    .parallel_calls = true,
    .stop_max = IR_STOP_MAX,
    .tool_name_max = 128,
};

static const struct expect_row rows[] = {
    {.servers = EXPECT_ON(ANTHROPIC),
     .system = CAPS_SYSTEM_KEEP,
     .sampling = IR_NO,
     .prefill = IR_NO},
    {.servers = OF_CLAUDE,
     .models = "*claude*",
     .system = CAPS_SYSTEM_KEEP,
     .sampling = IR_NO,
     .prefill = IR_NO},
    {.servers = OF_CLAUDE, .models = CLAUDE_4_6, .sampling = IR_YES},
    {.servers = OF_CLAUDE,
     .models = CLAUDE_2 " " CLAUDE_3 " " CLAUDE_4_0 " " CLAUDE_4_1 " " CLAUDE_4_5,
     .thinking = CAPS_THINKING_BUDGET,
     .system = CAPS_SYSTEM_REMIND,
     .sampling = IR_YES,
     .prefill = IR_YES},
    {.servers = OF_CLAUDE,
     .models = CLAUDE_2 " " CLAUDE_3 " " CLAUDE_4_0,
     .format = CAPS_FORMAT_PROMPT},
    {.servers = OF_CLAUDE, .models = CLAUDE_2 " " CLAUDE_3, .thinking = CAPS_THINKING_NONE},
    {.servers = OF_CLAUDE,
     .models = "*claude-3-7* *claude-3.7*",
     .thinking = CAPS_THINKING_BUDGET},
    {.servers = LOCAL | EXPECT_ON(DEEPSEEK),
     .thinking = CAPS_THINKING_BUDGET,
     .replay = CAPS_REPLAY_TOOL_TURNS,
     .format = CAPS_FORMAT_PROMPT,
     .prefill = IR_NO,
     .web_search = IR_NO,
     .parallel_calls = IR_NO},
    {.servers = EXPECT_ON(LLAMA_CPP) | EXPECT_ON(OLLAMA), .prefill = IR_YES},
    /* Asked to think, Ollama refuses for models that cannot. */
    {.servers = EXPECT_ON(OLLAMA), .thinking = CAPS_THINKING_NONE},
    {.servers = EXPECT_ON(OLLAMA),
     .models = "gpt-oss* qwen3* qwq* deepseek-r1* deepseek-v3.1* deepseek-v3.2* deepseek-v4* "
               "glm-4* glm-5* kimi-k2* minimax-m* magistral* nemotron* gemma4*",
     .thinking = CAPS_THINKING_BUDGET},
    /* DeepSeek's models refuse a history in which the thoughts behind a call are missing. */
    {.servers = EXPECT_ON(DEEPSEEK), .replay = CAPS_REPLAY_ALWAYS},
    {.servers = EXPECT_ON(AUTO),
     .models = "deepseek-chat deepseek-reasoner deepseek-flash* deepseek-v4-*",
     .thinking = CAPS_THINKING_BUDGET,
     .replay = CAPS_REPLAY_ALWAYS,
     .format = CAPS_FORMAT_PROMPT,
     .prefill = IR_NO,
     .web_search = IR_NO,
     .parallel_calls = IR_NO},
};

void
messages_caps(enum caps_server server, struct str model, struct ir_caps *ret)
{
    *ret = plain;
    expect_apply(rows, MESSAGES_COUNT(rows), server, expect_bare(model), ret);
}
