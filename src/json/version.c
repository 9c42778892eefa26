/* version.c -- the version of the JSON library, for --version. */
#include "json/version.h"

#include <cjson/cJSON.h>

#include <stdio.h>

const char *
json_library(void)
{
    static _Thread_local char text[32];

    snprintf(text, sizeof text, "cJSON %s", cJSON_Version());
    return text;
}
