/* caps.c -- what is expected of a server that speaks Chat.
 *
 * Every server says it speaks the provider's dialect and means a part of it.  The rows below
 * are what is known of each, from its documentation and from what users hit.  A server that
 * nobody named is expected to know what they all know, unless its model bears the name of one
 * of a provider's own.
 */
#include "dialect/chat/chat_int.h"
#include "dialect/expect.h"

/* OpenAI's models have its name for them also where nobody said whose server it is. */
#define OF_OPENAI (EXPECT_ON(AUTO) | EXPECT_ON(OPENAI))

/* Of a server that nobody named. */
static const struct ir_caps plain = {
    .thinking = CAPS_THINKING_LEVEL,
    .system = CAPS_SYSTEM_KEEP,
    .replay = CAPS_REPLAY_TOOL_TURNS,
    .format = CAPS_FORMAT_SCHEMA,
    .orphans = CAPS_ORPHANS_FIX,
    .sampling = true,
    .logprobs = true,
    .parallel_calls = true,
    .stop_max = 4,
    .tool_name_max = 64,
};

static const struct expect_row rows[] = {
    /* OpenAI refuses fields that a model does not know, those of older thoughts everywhere.
     * Stop sequences and log probabilities are for models that do not reason. */
    {.servers = EXPECT_ON(OPENAI),
     .replay = CAPS_REPLAY_NEVER,
     .custom_tools = IR_YES,
     .developer_role = IR_YES,
     .completion_tokens = IR_YES},
    {.servers = OF_OPENAI,
     .models = "gpt-3* gpt-4* gpt-5* gpt-6* chatgpt-* o1* o3* o4* codex-*",
     .thinking = CAPS_THINKING_NONE,
     .replay = CAPS_REPLAY_NEVER,
     .custom_tools = IR_NO,
     .developer_role = IR_YES,
     .completion_tokens = IR_YES},
    {.servers = OF_OPENAI,
     .models = "o1* o3* o4* gpt-5* gpt-6* codex-*",
     .thinking = CAPS_THINKING_LEVEL,
     .sampling = IR_NO,
     .logprobs = IR_NO,
     .stop_max = EXPECT_NO_STOPS},
    {.servers = OF_OPENAI, .models = "gpt-5* gpt-6*", .custom_tools = IR_YES},
    {.servers = OF_OPENAI,
     .models = "gpt-5.6* gpt-5.7* gpt-5.8* gpt-5.9* gpt-6*",
     .cache_marks = IR_YES},
    {.servers = OF_OPENAI, .models = "o1* o3* o4*", .parallel_calls = IR_NO},
    {.servers = OF_OPENAI,
     .models = "o1-mini* o1-preview*",
     .thinking = CAPS_THINKING_NONE,
     .format = CAPS_FORMAT_PROMPT,
     .developer_role = IR_NO},
    {.servers = OF_OPENAI,
     .models = "gpt-5-chat*",
     .thinking = CAPS_THINKING_NONE,
     .custom_tools = IR_NO,
     .sampling = IR_YES,
     .logprobs = IR_YES,
     .stop_max = 4},
    {.servers = OF_OPENAI,
     .models = "gpt-3.5* gpt-4-turbo* gpt-4-1106* gpt-4-0125* gpt-4o-2024-05-13",
     .format = CAPS_FORMAT_OBJECT},
    {.servers = OF_OPENAI,
     .models = "gpt-4 gpt-4-0314 gpt-4-0613 gpt-4-32k*",
     .format = CAPS_FORMAT_PROMPT},
    {.servers = OF_OPENAI,
     .models = "gpt-*-search-*",
     .thinking = CAPS_THINKING_NONE,
     .custom_tools = IR_NO,
     .sampling = IR_NO,
     .logprobs = IR_NO,
     .web_search = IR_YES,
     .parallel_calls = IR_NO,
     .stop_max = EXPECT_NO_STOPS},
    /* Chat templates of the models decide here, and many of them refuse system text anywhere
     * but at the head.  What a template does not want of older thoughts it leaves out. */
    {.servers = EXPECT_ON(VLLM) | EXPECT_ON(LLAMA_CPP),
     .system = CAPS_SYSTEM_MERGE,
     .replay = CAPS_REPLAY_TOOL_TURNS,
     .stop_max = IR_STOP_MAX,
     .tool_name_max = 128},
    {.servers = EXPECT_ON(LLAMA_CPP), .prefill = IR_YES},
    {.servers = EXPECT_ON(LM_STUDIO),
     .system = CAPS_SYSTEM_MERGE,
     .replay = CAPS_REPLAY_NEVER,
     .format = CAPS_FORMAT_ONLY_SCHEMA,
     .logprobs = IR_NO,
     .parallel_calls = IR_NO,
     .tool_name_max = 128},
    /* Asked to think, Ollama refuses for models that cannot.  It reads older thoughts only
     * from a field of its own. */
    {.servers = EXPECT_ON(OLLAMA),
     .thinking = CAPS_THINKING_NONE,
     .replay = CAPS_REPLAY_NEVER,
     .prefill = IR_YES,
     .parallel_calls = IR_NO,
     .stop_max = IR_STOP_MAX,
     .tool_name_max = 128},
    {.servers = EXPECT_ON(OLLAMA),
     .models = "gpt-oss* qwen3* qwq* deepseek-r1* deepseek-v3.1* deepseek-v3.2* deepseek-v4* "
               "glm-4* glm-5* kimi-k2* minimax-m* magistral* nemotron* gemma4*",
     .thinking = CAPS_THINKING_LEVEL},
    {.servers = EXPECT_ON(OPENROUTER), .developer_role = IR_YES, .prefill = IR_YES},
    {.servers = EXPECT_ON(OPENROUTER), .models = "*:online sonar*", .web_search = IR_YES},
    /* DeepSeek's models refuse a history in which the thoughts behind a call are missing, in
     * whichever turn, and pass over those that they do not need. */
    {.servers = EXPECT_ON(DEEPSEEK),
     .replay = CAPS_REPLAY_ALWAYS,
     .format = CAPS_FORMAT_OBJECT,
     .parallel_calls = IR_NO,
     .stop_max = IR_STOP_MAX},
    {.servers = EXPECT_ON(AUTO),
     .models = "deepseek-chat deepseek-reasoner deepseek-flash* deepseek-v4-*",
     .replay = CAPS_REPLAY_ALWAYS,
     .format = CAPS_FORMAT_OBJECT,
     .parallel_calls = IR_NO,
     .stop_max = IR_STOP_MAX},
    {.servers = EXPECT_ON(AUTO) | EXPECT_ON(DEEPSEEK),
     .models = "deepseek-reasoner",
     .logprobs = IR_NO},
    {.servers = EXPECT_ON(AUTO) | EXPECT_ON(DEEPSEEK),
     .models = "deepseek-chat",
     .thinking = CAPS_THINKING_NONE},
};

void
chat_caps(enum caps_server server, struct str model, struct ir_caps *ret)
{
    model = expect_bare(model);
    /* A fine-tuned model takes what the one takes that it was made from. */
    if (str_starts(model, STR("ft:")))
        model = str_from(model, 3);
    *ret = plain;
    expect_apply(rows, CHAT_COUNT(rows), server, model, ret);
}
