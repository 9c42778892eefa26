/* caps.h -- what the model behind a route can take.
 *
 * Servers that speak one dialect differ in what they know of it.  A dialect says what it
 * expects of a server and a model (dialect.caps), the configuration overrides single fields,
 * and the hub (src/ir/adapt.h) and the encoders of requests keep within the result.
 */
#ifndef TRIGLOT_CAPS_H
#define TRIGLOT_CAPS_H

#include <stdbool.h>
#include <stdint.h>

/* The program, or the provider, that serves an upstream. */
enum caps_server {
    CAPS_SERVER_AUTO, /* not said: only the model's name tells */
    CAPS_SERVER_OPENAI,
    CAPS_SERVER_ANTHROPIC,
    CAPS_SERVER_VLLM,
    CAPS_SERVER_OLLAMA,
    CAPS_SERVER_LLAMA_CPP,
    CAPS_SERVER_LM_STUDIO,
    CAPS_SERVER_OPENROUTER,
    CAPS_SERVER_DEEPSEEK,
    CAPS_SERVER_N
};

/* In the enumerations below the first value stands for "not said" in the configuration and
 * never in a finished struct ir_caps. */

/* How the model is told how hard to think. */
enum caps_thinking {
    CAPS_THINKING_UNSAID,
    CAPS_THINKING_LEVEL,  /* by a level of effort                        */
    CAPS_THINKING_BUDGET, /* by a budget of tokens                       */
    CAPS_THINKING_NONE    /* not at all: the fields are dropped          */
};

/* System text behind the first turn. */
enum caps_system {
    CAPS_SYSTEM_UNSAID,
    CAPS_SYSTEM_KEEP,  /* where it stands                              */
    CAPS_SYSTEM_MERGE, /* into the system text at the head             */
    CAPS_SYSTEM_REMIND /* as text of the user in <system-reminder>      */
};

/* Thoughts of earlier answers, whose proof is not the upstream's own, sent back as text. */
enum caps_replay {
    CAPS_REPLAY_UNSAID,
    CAPS_REPLAY_NEVER,
    CAPS_REPLAY_TOOL_TURNS, /* only of answers that called tools since the user's last turn */
    CAPS_REPLAY_ALWAYS
};

/* What form of answer can be asked for. */
enum caps_format {
    CAPS_FORMAT_UNSAID,
    CAPS_FORMAT_SCHEMA,      /* a JSON schema, or any JSON object           */
    CAPS_FORMAT_OBJECT,      /* any JSON object; a schema goes into words   */
    CAPS_FORMAT_ONLY_SCHEMA, /* a JSON schema; any object is asked for in words */
    CAPS_FORMAT_PROMPT       /* both are asked for in words                 */
};

/* Calls without a result in the history, and results that come twice. */
enum caps_orphans {
    CAPS_ORPHANS_UNSAID,
    CAPS_ORPHANS_FIX,   /* a failed result is put in; the last of two wins */
    CAPS_ORPHANS_REJECT /* 400                                           */
};

struct ir_caps {
    enum caps_thinking thinking;
    enum caps_system system;
    enum caps_replay replay;
    enum caps_format format;
    enum caps_orphans orphans;
    bool custom_tools;      /* free-form tools; else they are lowered to functions          */
    bool developer_role;    /* else system                                                  */
    bool completion_tokens; /* the limit is max_completion_tokens, else max_tokens (Chat)   */
    bool sampling;          /* temperature, top_p, top_k, penalties                         */
    bool cache_marks;       /* explicit cache marks on content                              */
    bool prefill;           /* goes on with an answer that the history ends with            */
    bool logprobs;
    bool web_search;     /* searches the web when asked (Chat: web_search_options)      */
    bool parallel_calls; /* knows the switch that forbids parallel calls                */
    unsigned stop_max;   /* stop sequences it takes; the hub looks for the others       */
    unsigned tool_name_max;
};

#endif
