/* carry.h -- what becomes of each feature of a request on its way to an upstream of a dialect.
 *
 * One table a dialect, one cell a feature.  The cells are what the manual prints, and a test
 * sends a request with each feature through every pair and compares, so that the table cannot
 * say anything else than the code does.
 */
#ifndef TRIGLOT_CARRY_H
#define TRIGLOT_CARRY_H

#include <stdbool.h>

/* X(NAME, text for people).  A feature is something a client can ask for. */
#define CARRY_FEATURES(X)                                                                      \
    X(SYSTEM, "system text at the head")                                                       \
    X(SYSTEM_LATER, "system text behind the first turn")                                       \
    X(SPEAKER, "name of a message's speaker")                                                  \
    X(PREFILL, "an answer to go on with")                                                      \
    X(IMAGE_DATA, "image, base64")                                                             \
    X(IMAGE_URL, "image by URL")                                                               \
    X(IMAGE_DETAIL, "how closely to look at an image")                                         \
    X(IMAGE_FILE, "image by file id")                                                          \
    X(PDF_DATA, "PDF, base64")                                                                 \
    X(PDF_URL, "PDF by URL")                                                                   \
    X(PDF_FILE, "PDF by file id")                                                              \
    X(TEXT_DOCUMENT, "plain-text document")                                                    \
    X(SEARCH_RESULT, "search result given as content")                                         \
    X(AUDIO, "audio given as content")                                                         \
    X(AUDIO_OUT, "audio as answer")                                                            \
    X(FUNCTION, "function tool")                                                               \
    X(STRICT, "arguments held to the schema")                                                  \
    X(FREEFORM, "free-form tool")                                                              \
    X(NAMESPACE, "tools in a namespace")                                                       \
    X(TOOL_NAME_LONG, "tool name over 64 bytes")                                               \
    X(WEB_SEARCH, "search of the web")                                                         \
    X(CLIENT_TOOL, "provider-defined tool that the client runs")                               \
    X(HOSTED_TOOL, "other tool that the provider runs")                                        \
    X(CHOICE_NONE, "tool choice: none")                                                        \
    X(CHOICE_REQUIRED, "tool choice: some tool")                                               \
    X(CHOICE_NAMED, "tool choice: this tool")                                                  \
    X(CHOICE_ALLOWED, "tool choice: one of these")                                             \
    X(PARALLEL_OFF, "no parallel calls")                                                       \
    X(RESULT, "result of a tool")                                                              \
    X(RESULT_IMAGE, "image in a tool's result")                                                \
    X(RESULT_FAILED, "tool's result marked as failed")                                         \
    X(EFFORT, "reasoning by level of effort")                                                  \
    X(BUDGET, "reasoning by budget of tokens")                                                 \
    X(THOUGHTS_SHOWN, "summaries of the reasoning in the answer")                              \
    X(THOUGHTS_BACK, "reasoning of earlier answers")                                           \
    X(SCHEMA, "answer held to a JSON schema")                                                  \
    X(JSON_OBJECT, "answer is any JSON object")                                                \
    X(VERBOSITY, "verbosity")                                                                  \
    X(MAX_TOKENS, "length of the answer")                                                      \
    X(TEMPERATURE, "temperature, up to 1")                                                     \
    X(TOP_P, "top_p")                                                                          \
    X(TOP_K, "top_k")                                                                          \
    X(PENALTIES, "presence and frequency penalties")                                           \
    X(SEED, "seed")                                                                            \
    X(LOGIT_BIAS, "logit_bias")                                                                \
    X(PREDICTION, "prediction")                                                                \
    X(STOP, "stop sequences, up to four")                                                      \
    X(CHOICES, "several answers (n)")                                                          \
    X(LOGPROBS, "log probabilities")                                                           \
    X(METADATA, "metadata")                                                                    \
    X(USER, "end user's identifier")                                                           \
    X(TIER, "service tier")                                                                    \
    X(CACHE_MARK, "cache mark on content")                                                     \
    X(CACHE_KEY, "prompt cache key")                                                           \
    X(TRUNCATION, "automatic truncation")                                                      \
    X(STATE, "state kept by the provider")                                                     \
    X(UNKNOWN, "a field that no dialect here names")

enum carry_feature {
#define X(name, text) CARRY_##name,
    CARRY_FEATURES(X)
#undef X
        CARRY_FEATURE_N
};

enum carry_mark {
    CARRY_ABSENT,  /* not said; in no finished table                            */
    CARRY_KEPT,    /* the same meaning in the dialect's own words               */
    CARRY_CHANGED, /* something is lost or approximated, as the note says       */
    CARRY_DROPPED, /* left out and named in x-triglot-dropped                   */
    CARRY_REFUSED  /* 400 that names the field                                  */
};

struct carry_cell {
    bool asks;            /* clients of this dialect can ask for it                 */
    enum carry_mark mark; /* what becomes of it towards an upstream of this dialect */
    const char *note;     /* for the manual: plain text, one sentence; or NULL      */
};

#endif
