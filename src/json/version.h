/* version.h -- which library this layer uses. */
#ifndef JSON_VERSION_H
#define JSON_VERSION_H

/* "cJSON 1.7.15", the one that runs; static per thread. */
const char *json_library(void);

#endif
