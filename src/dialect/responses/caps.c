/* caps.c -- what is expected of a server that speaks Responses.
 *
 * Many servers have this interface as a coat over their Chat interface, and with it a part of
 * the dialect only: functions but no other tools, no stored state, no words for what Chat says
 * otherwise.  The rows are what is known of each, from documentation, from sources and from
 * what users hit.  A server that nobody named is taken for the provider's own, or for one that
 * is as good; its models are then known by their names.
 */
#include "dialect/expect.h"
#include "dialect/responses/responses_int.h"

/* The provider's models bear its names also where nobody said whose server it is. */
#define OF_OPENAI (EXPECT_ON(AUTO) | EXPECT_ON(OPENAI))
#define LOCAL                                                                                  \
    (EXPECT_ON(VLLM) | EXPECT_ON(LLAMA_CPP) | EXPECT_ON(LM_STUDIO) | EXPECT_ON(OLLAMA))

/* Of a server that nobody named.  The dialect has no stop sequences, so no server takes any. */
static const struct ir_caps plain = {
    .thinking = CAPS_THINKING_LEVEL,
    .system = CAPS_SYSTEM_KEEP,
    .replay = CAPS_REPLAY_NEVER,
    .format = CAPS_FORMAT_SCHEMA,
    .orphans = CAPS_ORPHANS_FIX,
    .custom_tools = true,
    .developer_role = true,
    .sampling = true,
    .logprobs = true,
    .web_search = true,
    .parallel_calls = true,
    .tool_name_max = 64,
};

static const struct expect_row rows[] = {
    /* Models that do not reason refuse to be told how, and those that do how to choose. */
    {.servers = OF_OPENAI,
     .models = "gpt-3* gpt-4* chatgpt-* ft:gpt-3* ft:gpt-4*",
     .thinking = CAPS_THINKING_NONE,
     .custom_tools = IR_NO},
    {.servers = OF_OPENAI,
     .models = "o1* o3* o4* gpt-5* gpt-6* codex-* ft:o4*",
     .sampling = IR_NO,
     .logprobs = IR_NO},
    {.servers = OF_OPENAI, .models = "o1* o3* o4* codex-* ft:o4*", .custom_tools = IR_NO},
    {.servers = OF_OPENAI,
     .models = "gpt-5-chat*",
     .thinking = CAPS_THINKING_NONE,
     .custom_tools = IR_NO,
     .sampling = IR_YES,
     .logprobs = IR_YES},
    {.servers = OF_OPENAI,
     .models = "gpt-5.6* gpt-5.7* gpt-5.8* gpt-5.9* gpt-6*",
     .cache_marks = IR_YES},
    {.servers = OF_OPENAI, .models = "gpt-3* gpt-4 gpt-4-* o1*", .web_search = IR_NO},
    {.servers = OF_OPENAI,
     .models = "gpt-3.5* gpt-4-turbo* gpt-4-1106* gpt-4-0125* gpt-4o-2024-05-13",
     .format = CAPS_FORMAT_OBJECT},
    {.servers = OF_OPENAI,
     .models = "gpt-4 gpt-4-0314 gpt-4-0613 gpt-4-32k*",
     .format = CAPS_FORMAT_PROMPT},
    /* A router: it leaves out what the model behind it does not take. */
    {.servers = EXPECT_ON(OPENROUTER), .custom_tools = IR_NO},
    {.servers = LOCAL,
     .custom_tools = IR_NO,
     .developer_role = IR_NO,
     .web_search = IR_NO,
     .tool_name_max = 128},
    /* Chat templates decide, and many of them refuse system text anywhere but at the head.  A
     * proof in reasoning is refused; its text is wanted by models that call tools. */
    {.servers = EXPECT_ON(VLLM) | EXPECT_ON(LLAMA_CPP),
     .system = CAPS_SYSTEM_MERGE,
     .replay = CAPS_REPLAY_TOOL_TURNS,
     .prefill = IR_YES},
    /* Of text.format it knows the schema, and passes over a wish for any object. */
    {.servers = EXPECT_ON(VLLM), .format = CAPS_FORMAT_ONLY_SCHEMA},
    /* Neither text.format nor include is looked at. */
    {.servers = EXPECT_ON(LLAMA_CPP), .format = CAPS_FORMAT_PROMPT, .logprobs = IR_NO},
    {.servers = EXPECT_ON(LM_STUDIO),
     .system = CAPS_SYSTEM_MERGE,
     .format = CAPS_FORMAT_ONLY_SCHEMA,
     .logprobs = IR_NO,
     .parallel_calls = IR_NO},
    /* Asked to think, it refuses for models that cannot.  Thoughts are their own proof there:
     * they come and go as encrypted_content. */
    {.servers = EXPECT_ON(OLLAMA),
     .thinking = CAPS_THINKING_NONE,
     .format = CAPS_FORMAT_ONLY_SCHEMA,
     .prefill = IR_YES,
     .logprobs = IR_NO,
     .parallel_calls = IR_NO},
    {.servers = EXPECT_ON(OLLAMA),
     .models = "gpt-oss* qwen3* qwq* deepseek-r1* deepseek-v3.1* deepseek-v3.2* deepseek-v4* "
               "glm-4* glm-5* kimi-k2* minimax-m* magistral* nemotron* gemma4*",
     .thinking = CAPS_THINKING_LEVEL},
};

void
responses_caps(enum caps_server server, struct str model, struct ir_caps *ret)
{
    *ret = plain;
    expect_apply(rows, RESPONSES_COUNT(rows), server, expect_bare(model), ret);
}
