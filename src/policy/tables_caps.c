/* tables_caps.c -- the capabilities that an operator can assert or deny, one row for each
 * member of struct ir_caps.
 *
 * Each has the word auto, "not said", as its default: then the model's section leaves it to the
 * upstream's, and that to what the dialect expects of the server and the model.
 */
#include "policy/tables.h"

#define CAP(member) offsetof(struct caps_settings, member)

static const struct conf_name thinking[] = {{"auto", CAPS_THINKING_UNSAID},
                                            {"level", CAPS_THINKING_LEVEL},
                                            {"budget", CAPS_THINKING_BUDGET},
                                            {"none", CAPS_THINKING_NONE},
                                            {NULL, 0}};
static const struct conf_name systems[] = {{"auto", CAPS_SYSTEM_UNSAID},
                                           {"keep", CAPS_SYSTEM_KEEP},
                                           {"merge", CAPS_SYSTEM_MERGE},
                                           {"remind", CAPS_SYSTEM_REMIND},
                                           {NULL, 0}};
static const struct conf_name replays[] = {{"auto", CAPS_REPLAY_UNSAID},
                                           {"never", CAPS_REPLAY_NEVER},
                                           {"tool_turns", CAPS_REPLAY_TOOL_TURNS},
                                           {"always", CAPS_REPLAY_ALWAYS},
                                           {NULL, 0}};
static const struct conf_name formats[] = {
    {"auto", CAPS_FORMAT_UNSAID},   {"schema", CAPS_FORMAT_SCHEMA},
    {"object", CAPS_FORMAT_OBJECT}, {"only_schema", CAPS_FORMAT_ONLY_SCHEMA},
    {"prompt", CAPS_FORMAT_PROMPT}, {NULL, 0}};
static const struct conf_name orphans[] = {{"auto", CAPS_ORPHANS_UNSAID},
                                           {"fix", CAPS_ORPHANS_FIX},
                                           {"reject", CAPS_ORPHANS_REJECT},
                                           {NULL, 0}};
static const struct conf_name tri[] = {
    {"auto", IR_UNSAID}, {"true", IR_YES}, {"false", IR_NO}, {NULL, 0}};
static const struct conf_name unsaid[] = {{"auto", -1}, {NULL, 0}};

#define WORDS(member, names_, help_)                                                           \
    {                                                                                          \
        .key = #member, .type = CONF_ENUM, .offset = CAP(member), .names = names_,             \
        .text = "auto", .help = help_                                                          \
    }
#define NUMBER(member, lo, hi, help_)                                                          \
    {                                                                                          \
        .key = #member, .type = CONF_INTEGER, .offset = CAP(member), .width = sizeof(int64_t), \
        .text = "auto", .names = unsaid, .min = lo, .max = hi, .help = help_                   \
    }

static const struct conf_row rows[] = {
    WORDS(thinking, thinking,
          "How the model is told how hard to think: by a\n.Ql level\nof effort, by a\n"
          ".Ql budget\nof tokens, or not at all\n.Pq Ql none ,\n"
          "and then what the client said about it is dropped."),
    WORDS(system, systems,
          "System text behind the first turn:\n.Ql keep\nit where it stands,\n.Ql merge\n"
          "it into the system text at the head, or\n.Ql remind ,\n"
          "which makes it text of the user inside a system-reminder tag."),
    WORDS(
        replay, replays,
        "When the thoughts of earlier answers, whose proof is not the upstream's own, are sent "
        "back to it as text:\n.Ql never ,\nfor the answers since the user's last turn that "
        "called tools\n.Pq Ql tool_turns ,\nor\n.Ql always ."),
    WORDS(format, formats,
          "What form of answer can be asked for: a JSON\n.Ql schema\nor any JSON object, any "
          "JSON\n.Ql object\nonly,\n.Ql only_schema\nbut not any object, or neither\n"
          ".Pq Ql prompt .\nWhat cannot is asked for in words."),
    WORDS(orphans, orphans,
          "Tool calls in the history that have no result, and results that come twice:\n"
          ".Ql fix\nputs in a failed result and keeps the last of two,\n.Ql reject\n"
          "is a 400."),
    WORDS(custom_tools, tri,
          "Whether it knows free-form tools; else they become functions with one text "
          "parameter, and their calls are turned back."),
    WORDS(developer_role, tri,
          "Whether it knows the role developer; else that becomes the role system."),
    WORDS(
        completion_tokens, tri,
        "Whether the limit on a Chat answer is max_completion_tokens; else it is max_tokens."),
    WORDS(sampling, tri,
          "Whether it takes temperature, top_p, top_k and the penalties; else they are "
          "dropped."),
    WORDS(cache_marks, tri,
          "Whether it takes explicit cache marks on content; else they are dropped."),
    WORDS(prefill, tri, "Whether it goes on with an answer that the conversation ends with."),
    WORDS(logprobs, tri, "Whether it can tell the log probabilities of tokens."),
    WORDS(web_search, tri, "Whether it searches the web when asked to."),
    WORDS(parallel_calls, tri,
          "Whether it knows the switch that forbids several tool calls at once."),
    NUMBER(
        stop_max, 0, IR_STOP_MAX,
        "How many stop sequences it takes.\nFurther ones are looked for in the answer, which "
        "is ended there."),
    NUMBER(tool_name_max, 16, 1024,
           "How many bytes the name of a tool may have.\nLonger names are shortened, and "
           "restored in the answer."),
};
const struct conf_table settings_caps_table = {
    .rows = rows, .n = COUNT(rows), .size = sizeof(struct caps_settings)};
