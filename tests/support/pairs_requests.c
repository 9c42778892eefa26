/* pairs_requests.c -- the same few requests in the words of each dialect. */
#include "support/pairs_cases.h"

/* clang-format off */
const struct pairs_request pairs_requests[] = {
    {"chat", "a question",
     "{\"model\":\"m\",\"max_completion_tokens\":300,\"stream\":true,\"messages\":[{"
     "\"role\":\"system\",\"content\":\"Be brief.\"},{\"role\":\"user\",\"content"
     "\":\"Why? \303\251\360\237\230\200\342\200\250\"}]}", NULL, ""},
    {"chat", "an agent's turn",
     "{\"model\":\"m\",\"max_completion_tokens\":300,\"messages\":[{\"role\":\"system"
     "\",\"content\":\"Be brief.\"},{\"role\":\"user\",\"content\":[{\"type\":\"text"
     "\",\"text\":\"What is this?\"},{\"type\":\"image_url\",\"image_url\":{\"url"
     "\":\"data:image/png;base64,iVBORw0KGgo=\"}},{\"type\":\"image_url\",\"image_url"
     "\":{\"url\":\"https://img.example/a.png?x=1&y=2\"}}]},{\"role\":\"assistant"
     "\",\"content\":\"Let me see.\",\"tool_calls\":[{\"id\":\"call_a\",\"type\":\"fun"
     "ction\",\"function\":{\"name\":\"look\",\"arguments\":\"{\\\"id\\\": 90071992547"
     "40993,\\\"q\\\":\\\"\\\\u00e9 \\\\\\\"x\\\\\\\"\\\",\\\"f\\\":1.50}\"}},{"
     "\"id\":\"call_b\",\"type\":\"function\",\"function\":{\"name\":\"ping\",\"argume"
     "nts\":\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"call_a\",\"content"
     "\":\"found\"},{\"role\":\"tool\",\"tool_call_id\":\"call_b\",\"content\":[{\"typ"
     "e\":\"text\",\"text\":\"pong\"}]},{\"role\":\"user\",\"content\":\"Go on.\"}],"
     "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"look\",\"description"
     "\":\"Looks \\\"it\\\" up.\",\"parameters\":{\"type\":\"object\",\"properties"
     "\":{\"id\":{\"type\":\"integer\",\"maximum\":9007199254740993},\"q\":{\"type"
     "\":[\"string\",\"null\"]}},\"required\":[\"id\"],\"additionalProperties\":false}"
     ",\"strict\":true}},{\"type\":\"function\",\"function\":{\"name\":\"ping\",\"para"
     "meters\":{\"type\":\"object\",\"properties\":{}}}}],\"tool_choice\":\"auto"
     "\",\"parallel_tool_calls\":false}", NULL, ""},
    {"chat", "every parameter",
     "{\"model\":\"m\",\"max_tokens\":300,\"messages\":[{\"role\":\"user\",\"content"
     "\":\"Hi\"}],\"temperature\":0.5,\"top_p\":0.9,\"presence_penalty\":0.1,\"frequen"
     "cy_penalty\":0.2,\"seed\":7,\"logit_bias\":{\"50256\":-100},\"metadata"
     "\":{\"a\":\"b\"},\"user\":\"u-1\",\"service_tier\":\"flex\",\"prompt_cache_key"
     "\":\"k\",\"verbosity\":\"low\",\"reasoning_effort\":\"high\",\"store\":false,"
     "\"prediction\":{\"type\":\"content\",\"content\":\"x\"},\"unheard_of\":{\"x\":[1"
     "]}}", NULL, ""},
    {"chat", "a schema for the answer",
     "{\"model\":\"m\",\"max_tokens\":300,\"messages\":[{\"role\":\"user\",\"content"
     "\":\"Hi\"}],\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"nam"
     "e\":\"out\",\"schema\":{\"type\":\"object\",\"properties\":{\"id\":{\"type"
     "\":\"integer\",\"maximum\":9007199254740993},\"q\":{\"type\":[\"string\",\"null"
     "\"]}},\"required\":[\"id\"],\"additionalProperties\":false},\"strict\":true}}}", NULL, ""},
    {"chat", "tool_choice none",
     "{\"model\":\"m\",\"max_tokens\":300,\"messages\":[{\"role\":\"user\",\"content"
     "\":\"Hi\"}],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"look"
     "\",\"description\":\"Looks \\\"it\\\" up.\",\"parameters\":{\"type\":\"object"
     "\",\"properties\":{\"id\":{\"type\":\"integer\",\"maximum\":9007199254740993},"
     "\"q\":{\"type\":[\"string\",\"null\"]}},\"required\":[\"id\"],\"additionalProper"
     "ties\":false},\"strict\":true}},{\"type\":\"function\",\"function\":{\"name"
     "\":\"ping\",\"parameters\":{\"type\":\"object\",\"properties\":{}}}}],\"tool_cho"
     "ice\":\"none\"}", NULL, ""},
    {"chat", "tool_choice required",
     "{\"model\":\"m\",\"max_tokens\":300,\"messages\":[{\"role\":\"user\",\"content"
     "\":\"Hi\"}],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"look"
     "\",\"description\":\"Looks \\\"it\\\" up.\",\"parameters\":{\"type\":\"object"
     "\",\"properties\":{\"id\":{\"type\":\"integer\",\"maximum\":9007199254740993},"
     "\"q\":{\"type\":[\"string\",\"null\"]}},\"required\":[\"id\"],\"additionalProper"
     "ties\":false},\"strict\":true}},{\"type\":\"function\",\"function\":{\"name"
     "\":\"ping\",\"parameters\":{\"type\":\"object\",\"properties\":{}}}}],\"tool_cho"
     "ice\":\"required\"}", NULL, ""},
    {"chat", "tool_choice named",
     "{\"model\":\"m\",\"max_tokens\":300,\"messages\":[{\"role\":\"user\",\"content"
     "\":\"Hi\"}],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"look"
     "\",\"description\":\"Looks \\\"it\\\" up.\",\"parameters\":{\"type\":\"object"
     "\",\"properties\":{\"id\":{\"type\":\"integer\",\"maximum\":9007199254740993},"
     "\"q\":{\"type\":[\"string\",\"null\"]}},\"required\":[\"id\"],\"additionalProper"
     "ties\":false},\"strict\":true}},{\"type\":\"function\",\"function\":{\"name"
     "\":\"ping\",\"parameters\":{\"type\":\"object\",\"properties\":{}}}}],\"tool_cho"
     "ice\":{\"type\":\"function\",\"function\":{\"name\":\"ping\"}}}", NULL, ""},
    {"responses", "a question",
     "{\"model\":\"m\",\"max_output_tokens\":300,\"stream\":true,\"instructions"
     "\":\"Be brief.\",\"input\":\"Why? \303\251\360\237\230\200\342\200\250\"}", NULL, ""},
    {"responses", "an agent's turn",
     "{\"model\":\"m\",\"max_output_tokens\":300,\"instructions\":\"Be brief.\",\"inpu"
     "t\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"What is"
     " this?\"},{\"type\":\"input_image\",\"image_url\":\"data:image/png;base64,iVBORw"
     "0KGgo=\",\"detail\":\"auto\"},{\"type\":\"input_image\",\"image_url\":\"https://"
     "img.example/a.png?x=1&y=2\",\"detail\":\"auto\"}]},{\"type\":\"message"
     "\",\"id\":\"msg_1\",\"role\":\"assistant\",\"status\":\"completed\",\"content"
     "\":[{\"type\":\"output_text\",\"text\":\"Let me see.\",\"annotations\":[]}]},{"
     "\"type\":\"function_call\",\"id\":\"fc_1\",\"call_id\":\"call_a\",\"name\":\"loo"
     "k\",\"arguments\":\"{\\\"id\\\": 9007199254740993,\\\"q\\\":\\\"\\\\u00e9 "
     "\\\\\\\"x\\\\\\\"\\\",\\\"f\\\":1.50}\",\"status\":\"completed\"},{\"type"
     "\":\"function_call\",\"call_id\":\"call_b\",\"name\":\"ping\",\"arguments"
     "\":\"{}\"},{\"type\":\"function_call_output\",\"call_id\":\"call_a\",\"output"
     "\":\"found\"},{\"type\":\"function_call_output\",\"call_id\":\"call_b\",\"output"
     "\":[{\"type\":\"input_text\",\"text\":\"pong\"}]},{\"role\":\"user\",\"content"
     "\":\"Go on.\"}],\"tools\":[{\"type\":\"function\",\"name\":\"look\",\"descriptio"
     "n\":\"Looks \\\"it\\\" up.\",\"parameters\":{\"type\":\"object\",\"properties"
     "\":{\"id\":{\"type\":\"integer\",\"maximum\":9007199254740993},\"q\":{\"type"
     "\":[\"string\",\"null\"]}},\"required\":[\"id\"],\"additionalProperties\":false}"
     ",\"strict\":true},{\"type\":\"function\",\"name\":\"ping\",\"parameters\":{\"typ"
     "e\":\"object\",\"properties\":{}},\"strict\":false}],\"tool_choice\":\"auto"
     "\",\"parallel_tool_calls\":false}", NULL, ""},
    {"responses", "every parameter",
     "{\"model\":\"m\",\"max_output_tokens\":300,\"input\":\"Hi\",\"temperature\":0.5,"
     "\"top_p\":0.9,\"top_logprobs\":2,\"include\":[\"message.output_text.logprobs"
     "\",\"reasoning.encrypted_content\"],\"metadata\":{\"a\":\"b\"},\"safety_identifi"
     "er\":\"u-1\",\"service_tier\":\"flex\",\"prompt_cache_key\":\"k\",\"text"
     "\":{\"verbosity\":\"low\"},\"reasoning\":{\"effort\":\"high\",\"summary\":\"auto"
     "\"},\"store\":false,\"truncation\":\"disabled\",\"unheard_of\":{\"x\":[1]}}", NULL, ""},
    {"responses", "a schema for the answer",
     "{\"model\":\"m\",\"max_output_tokens\":300,\"input\":\"Hi\",\"text\":{\"format"
     "\":{\"type\":\"json_schema\",\"name\":\"out\",\"schema\":{\"type\":\"object"
     "\",\"properties\":{\"id\":{\"type\":\"integer\",\"maximum\":9007199254740993},"
     "\"q\":{\"type\":[\"string\",\"null\"]}},\"required\":[\"id\"],\"additionalProper"
     "ties\":false},\"strict\":true}}}", NULL, ""},
    {"responses", "tool_choice none",
     "{\"model\":\"m\",\"max_output_tokens\":300,\"input\":\"Hi\",\"tools\":[{\"type"
     "\":\"function\",\"name\":\"look\",\"description\":\"Looks \\\"it\\\" up.\",\"par"
     "ameters\":{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"integer"
     "\",\"maximum\":9007199254740993},\"q\":{\"type\":[\"string\",\"null\"]}},\"requi"
     "red\":[\"id\"],\"additionalProperties\":false},\"strict\":true},{\"type\":\"func"
     "tion\",\"name\":\"ping\",\"parameters\":{\"type\":\"object\",\"properties\":{}},"
     "\"strict\":false}],\"tool_choice\":\"none\"}", NULL, ""},
    {"responses", "tool_choice required",
     "{\"model\":\"m\",\"max_output_tokens\":300,\"input\":\"Hi\",\"tools\":[{\"type"
     "\":\"function\",\"name\":\"look\",\"description\":\"Looks \\\"it\\\" up.\",\"par"
     "ameters\":{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"integer"
     "\",\"maximum\":9007199254740993},\"q\":{\"type\":[\"string\",\"null\"]}},\"requi"
     "red\":[\"id\"],\"additionalProperties\":false},\"strict\":true},{\"type\":\"func"
     "tion\",\"name\":\"ping\",\"parameters\":{\"type\":\"object\",\"properties\":{}},"
     "\"strict\":false}],\"tool_choice\":\"required\"}", NULL, ""},
    {"responses", "tool_choice named",
     "{\"model\":\"m\",\"max_output_tokens\":300,\"input\":\"Hi\",\"tools\":[{\"type"
     "\":\"function\",\"name\":\"look\",\"description\":\"Looks \\\"it\\\" up.\",\"par"
     "ameters\":{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"integer"
     "\",\"maximum\":9007199254740993},\"q\":{\"type\":[\"string\",\"null\"]}},\"requi"
     "red\":[\"id\"],\"additionalProperties\":false},\"strict\":true},{\"type\":\"func"
     "tion\",\"name\":\"ping\",\"parameters\":{\"type\":\"object\",\"properties\":{}},"
     "\"strict\":false}],\"tool_choice\":{\"type\":\"function\",\"name\":\"ping\"}}", NULL, ""},
    {"messages", "a question",
     "{\"model\":\"m\",\"max_tokens\":300,\"stream\":true,\"system\":\"Be brief."
     "\",\"messages\":[{\"role\":\"user\",\"content\":\"Why? "
     "\303\251\360\237\230\200\342\200\250\"}]}", NULL, ""},
    {"messages", "an agent's turn",
     "{\"model\":\"m\",\"max_tokens\":300,\"system\":[{\"type\":\"text\",\"text"
     "\":\"Be brief.\"}],\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"tex"
     "t\",\"text\":\"What is this?\"},{\"type\":\"image\",\"source\":{\"type\":\"base6"
     "4\",\"media_type\":\"image/png\",\"data\":\"iVBORw0KGgo=\"}},{\"type\":\"image"
     "\",\"source\":{\"type\":\"url\",\"url\":\"https://img.example/a.png?x=1&y=2\"}}]"
     "},{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"Let me see."
     "\"},{\"type\":\"tool_use\",\"id\":\"call_a\",\"name\":\"look\",\"input"
     "\":{\"id\": 9007199254740993,\"q\":\"\\u00e9 \\\"x\\\"\",\"f\":1.50}},{\"type"
     "\":\"tool_use\",\"id\":\"call_b\",\"name\":\"ping\",\"input\":{}}]},{\"role"
     "\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"call_a"
     "\",\"content\":\"found\"},{\"type\":\"tool_result\",\"tool_use_id\":\"call_b"
     "\",\"content\":[{\"type\":\"text\",\"text\":\"pong\"}]},{\"type\":\"text\",\"tex"
     "t\":\"Go on.\"}]}],\"tools\":[{\"name\":\"look\",\"description\":\"Looks "
     "\\\"it\\\" up.\",\"input_schema\":{\"type\":\"object\",\"properties"
     "\":{\"id\":{\"type\":\"integer\",\"maximum\":9007199254740993},\"q\":{\"type"
     "\":[\"string\",\"null\"]}},\"required\":[\"id\"],\"additionalProperties\":false}"
     ",\"strict\":true},{\"name\":\"ping\",\"input_schema\":{\"type\":\"object\",\"pro"
     "perties\":{}}}],\"tool_choice\":{\"type\":\"auto\",\"disable_parallel_tool_use"
     "\":true}}", NULL, ""},
    {"messages", "every parameter",
     "{\"model\":\"m\",\"max_tokens\":300,\"messages\":[{\"role\":\"user\",\"content"
     "\":\"Hi\"}],\"temperature\":0.5,\"top_p\":0.9,\"top_k\":40,\"metadata\":{\"user_"
     "id\":\"u-1\"},\"service_tier\":\"standard_only\",\"output_config\":{\"effort"
     "\":\"high\"},\"thinking\":{\"type\":\"adaptive\"},\"unheard_of\":{\"x\":[1]}}", NULL, ""},
    {"messages", "a schema for the answer",
     "{\"model\":\"m\",\"max_tokens\":300,\"messages\":[{\"role\":\"user\",\"content"
     "\":\"Hi\"}],\"output_config\":{\"format\":{\"type\":\"json_schema\",\"schema"
     "\":{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"integer\",\"maximum"
     "\":9007199254740993},\"q\":{\"type\":[\"string\",\"null\"]}},\"required"
     "\":[\"id\"],\"additionalProperties\":false}}}}", NULL, ""},
    {"messages", "tool_choice none",
     "{\"model\":\"m\",\"max_tokens\":300,\"messages\":[{\"role\":\"user\",\"content"
     "\":\"Hi\"}],\"tools\":[{\"name\":\"look\",\"description\":\"Looks \\\"it\\\" up."
     "\",\"input_schema\":{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"inte"
     "ger\",\"maximum\":9007199254740993},\"q\":{\"type\":[\"string\",\"null\"]}},"
     "\"required\":[\"id\"],\"additionalProperties\":false},\"strict\":true},{\"name"
     "\":\"ping\",\"input_schema\":{\"type\":\"object\",\"properties\":{}}}],\"tool_ch"
     "oice\":{\"type\":\"none\"}}", NULL, ""},
    {"messages", "tool_choice required",
     "{\"model\":\"m\",\"max_tokens\":300,\"messages\":[{\"role\":\"user\",\"content"
     "\":\"Hi\"}],\"tools\":[{\"name\":\"look\",\"description\":\"Looks \\\"it\\\" up."
     "\",\"input_schema\":{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"inte"
     "ger\",\"maximum\":9007199254740993},\"q\":{\"type\":[\"string\",\"null\"]}},"
     "\"required\":[\"id\"],\"additionalProperties\":false},\"strict\":true},{\"name"
     "\":\"ping\",\"input_schema\":{\"type\":\"object\",\"properties\":{}}}],\"tool_ch"
     "oice\":{\"type\":\"any\"}}", NULL, ""},
    {"messages", "tool_choice named",
     "{\"model\":\"m\",\"max_tokens\":300,\"messages\":[{\"role\":\"user\",\"content"
     "\":\"Hi\"}],\"tools\":[{\"name\":\"look\",\"description\":\"Looks \\\"it\\\" up."
     "\",\"input_schema\":{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"inte"
     "ger\",\"maximum\":9007199254740993},\"q\":{\"type\":[\"string\",\"null\"]}},"
     "\"required\":[\"id\"],\"additionalProperties\":false},\"strict\":true},{\"name"
     "\":\"ping\",\"input_schema\":{\"type\":\"object\",\"properties\":{}}}],\"tool_ch"
     "oice\":{\"type\":\"tool\",\"name\":\"ping\"}}", NULL, ""},
    {"chat", "stop sequences",
     "{\"model\":\"m\",\"max_tokens\":300,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],"
     "\"stop\":[\"END\",\"\\n\\n\"]}", NULL, ""},
    {"messages", "stop sequences",
     "{\"model\":\"m\",\"max_tokens\":300,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],"
     "\"stop_sequences\":[\"END\",\"\\n\\n\"]}", NULL, ""},
    {"chat", "a free-form tool",
     "{\"model\":\"m\",\"max_completion_tokens\":300,\"messages\":[{\"role\":\"user"
     "\",\"content\":\"Hi\"}],\"tools\":[{\"type\":\"custom\",\"custom\":{\"name"
     "\":\"patch\",\"description\":\"Edits files.\"}}]}", NULL, ""},
    {"responses", "a free-form tool",
     "{\"model\":\"m\",\"max_output_tokens\":300,\"input\":\"Hi\",\"tools\":[{\"type"
     "\":\"custom\",\"name\":\"patch\",\"description\":\"Edits files.\"}]}", NULL, ""},
    {"chat", "system text in the middle",
     "{\"model\":\"m\",\"max_completion_tokens\":300,\"messages\":[{\"role\":\"syste"
     "m\",\"content\":\"One.\"},{\"role\":\"user\",\"content\":\"Hi\"},{\"role"
     "\":\"assistant\",\"content\":\"Yes?\"},{\"role\":\"system\",\"content\":\"Two."
     "\"},{\"role\":\"user\",\"content\":\"Go\"}]}", NULL, "messages"},
    {"responses", "system text in the middle",
     "{\"model\":\"m\",\"max_output_tokens\":300,\"instructions\":\"One.\",\"input"
     "\":[{\"role\":\"user\",\"content\":\"Hi\"},{\"role\":\"assistant\",\"content"
     "\":\"Yes?\"},{\"role\":\"system\",\"content\":\"Two.\"},{\"role\":\"user"
     "\",\"content\":\"Go\"}]}", NULL, "messages"},
    {"messages", "system text in the middle",
     "{\"model\":\"m\",\"max_tokens\":300,\"system\":\"One.\",\"messages\":[{\"role"
     "\":\"user\",\"content\":\"Hi\"},{\"role\":\"assistant\",\"content\":\"Yes?"
     "\"},{\"role\":\"system\",\"content\":\"Two.\"},{\"role\":\"user\",\"content"
     "\":\"Go\"}]}", NULL, "messages"},
    {"chat", "a document",
     "{\"model\":\"m\",\"max_completion_tokens\":300,\"messages\":[{\"role\":\"user"
     "\",\"content\":[{\"type\":\"file\",\"file\":{\"filename\":\"a.pdf\",\"file_dat"
     "a\":\"data:application/pdf;base64,JVBERi0xLjQK\"}},{\"type\":\"text\",\"text"
     "\":\"Read.\"}]}]}", NULL, ""},
    {"responses", "a document",
     "{\"model\":\"m\",\"max_output_tokens\":300,\"input\":[{\"role\":\"user\",\"con"
     "tent\":[{\"type\":\"input_file\",\"filename\":\"a.pdf\",\"file_data\":\"data:a"
     "pplication/pdf;base64,JVBERi0xLjQK\"},{\"type\":\"input_text\",\"text\":\"Read"
     ".\"}]}]}", NULL, ""},
    {"messages", "a document",
     "{\"model\":\"m\",\"max_tokens\":300,\"messages\":[{\"role\":\"user\",\"content"
     "\":[{\"type\":\"document\",\"title\":\"a.pdf\",\"source\":{\"type\":\"base64"
     "\",\"media_type\":\"application/pdf\",\"data\":\"JVBERi0xLjQK\"}},{\"type"
     "\":\"text\",\"text\":\"Read.\"}]}]}", NULL, ""},
    {"chat", "ids of all sorts",
     "{\"model\":\"m\",\"max_completion_tokens\":300,\"messages\":[{\"role\":\"user"
     "\",\"content\":\"Hi\"},{\"role\":\"assistant\",\"content\":null,\"tool_calls"
     "\":[{\"id\":\"toolu_01A-b_C\",\"type\":\"function\",\"function\":{\"name"
     "\":\"look\",\"arguments\":\"\"}},{\"id\":\"0\",\"type\":\"function\",\"functio"
     "n\":{\"name\":\"look\",\"arguments\":\"{}\"}}]},{\"role\":\"tool\",\"tool_call"
     "_id\":\"toolu_01A-b_C\",\"content\":\"\"},{\"role\":\"tool\",\"tool_call_id"
     "\":\"0\",\"content\":\"b\"}],\"tools\":[{\"type\":\"function\",\"function"
     "\":{\"name\":\"look\",\"parameters\":{\"type\":\"object\",\"properties\":{}}}}"
     "]}", NULL, ""},
    {"responses", "turns of the same side",
     "{\"model\":\"m\",\"max_output_tokens\":300,\"input\":[{\"role\":\"user\",\"con"
     "tent\":\"One\"},{\"role\":\"user\",\"content\":\"Two\"},{\"role\":\"assistant"
     "\",\"content\":\"A\"},{\"role\":\"assistant\",\"content\":\"B\"},{\"role"
     "\":\"user\",\"content\":\"Three\"}]}", NULL, ""},
    {"chat", "turns of the same side",
     "{\"model\":\"m\",\"max_completion_tokens\":300,\"messages\":[{\"role\":\"user"
     "\",\"content\":\"One\"},{\"role\":\"user\",\"content\":\"Two\"},{\"role"
     "\":\"assistant\",\"content\":\"A\"},{\"role\":\"assistant\",\"content"
     "\":\"B\"},{\"role\":\"user\",\"content\":\"Three\"}]}", NULL, ""},
    {"chat", "reasoning that nobody signed",
     "{\"model\":\"m\",\"max_completion_tokens\":300,\"messages\":[{\"role\":\"user"
     "\",\"content\":\"Hi\"},{\"role\":\"assistant\",\"content\":\"Yes.\",\"reasonin"
     "g_content\":\"Hm.\"},{\"role\":\"user\",\"content\":\"Go\"}]}", NULL, "messages responses"},
};
/* clang-format on */
const unsigned pairs_n_requests = sizeof pairs_requests / sizeof pairs_requests[0];
