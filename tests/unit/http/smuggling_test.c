/* smuggling_test.c -- messages that two parsers could read differently, and messages that every
 * parser must read.
 *
 * Each is fed whole, cut at every offset, and byte by byte; the log must be the same each time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/http_log.h"

struct sample {
    const char *name;
    enum http_log_kind kind;
    unsigned status; /* of the failure; 0 = must be read */
    struct str bytes;
    const char *log; /* for good ones: what must be in the log, NULL = not looked at */
};

#define H      "Host: a\r\n"
#define REQ    "POST / HTTP/1.1\r\n" H
#define CHNK   "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
#define RESP   "HTTP/1.1 200 OK\r\n"
#define X16(s) s s s s s s s s s s s s s s s s

#define BAD(name, bytes)                                                                       \
    {                                                                                          \
        name, HTTP_LOG_REQUEST, 400, STR(bytes), NULL                                          \
    }
#define BIG(name, bytes)                                                                       \
    {                                                                                          \
        name, HTTP_LOG_REQUEST, 431, STR(bytes), NULL                                          \
    }
#define BAD_RESP(name, bytes)                                                                  \
    {                                                                                          \
        name, HTTP_LOG_RESPONSE, 400, STR(bytes), NULL                                         \
    }
#define GOOD(name, bytes, log)                                                                 \
    {                                                                                          \
        name, HTTP_LOG_REQUEST, 0, STR(bytes), log                                             \
    }
#define GOOD_RESP(name, bytes, log)                                                            \
    {                                                                                          \
        name, HTTP_LOG_RESPONSE, 0, STR(bytes), log                                            \
    }

static const struct sample bad[] = {
    /* lengths and codings */
    BAD("length and coding",
        REQ "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    BAD("coding and length",
        REQ "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"),
    BAD("two lengths, equal", REQ "Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde"),
    BAD("two lengths, different", REQ "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef"),
    BAD("list of lengths", REQ "Content-Length: 5, 5\r\n\r\nabcde"),
    BAD("list of lengths, no space", REQ "Content-Length: 5,5\r\n\r\nabcde"),
    BAD("length +5", REQ "Content-Length: +5\r\n\r\nabcde"),
    BAD("length -5", REQ "Content-Length: -5\r\n\r\nabcde"),
    BAD("length 0x5", REQ "Content-Length: 0x5\r\n\r\nabcde"),
    BAD("length 5 5", REQ "Content-Length: 5 5\r\n\r\nabcde"),
    BAD("length ,5", REQ "Content-Length: ,5\r\n\r\nabcde"),
    BAD("length \" 5,5\"", REQ "Content-Length:  5,5\r\n\r\nabcde"),
    BAD("length empty", REQ "Content-Length: \r\n\r\n"),
    BAD("length 5.0", REQ "Content-Length: 5.0\r\n\r\nabcde"),
    BAD("length above 2^64", REQ "Content-Length: 18446744073709551621\r\n\r\nabcde"),
    BAD("length above 2^63", REQ "Content-Length: 9223372036854775808\r\n\r\nabcde"),
    BAD("coding twice in one", REQ "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    BAD("coding twice in two",
        REQ "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    BAD("coding identity first",
        REQ "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    BAD("coding gzip, chunked", REQ "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    BAD("coding chunked, gzip", REQ "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
    BAD("coding identity", REQ "Transfer-Encoding: identity\r\n\r\n"),
    BAD("coding xchunked", REQ "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    BAD("coding \"chunked\"", REQ "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"),
    BAD("coding chunked;a=b", REQ "Transfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n"),
    BAD("coding with VT", REQ "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n"),
    BAD("coding empty", REQ "Transfer-Encoding: \r\n\r\n"),
    BAD("coding in 1.0", "POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    BAD("coding folded", REQ "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
    BAD("coding, space before colon", REQ "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
    /* line ends and folding */
    BAD("LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n"),
    BAD("LF after a field", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"),
    BAD("LF ends the head", "GET / HTTP/1.1\r\nHost: a\r\n\n"),
    BAD("LF only", "GET / HTTP/1.1\nHost: a\n\n"),
    BAD("CR in a value", "GET / HTTP/1.1\r\n" H "X: a\rb\r\n\r\n"),
    BAD("CR CR LF", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"),
    BAD("CR ends the head", "GET / HTTP/1.1\r\n" H "\rX"),
    BAD("CR for white space", "GET / HTTP/1.1\r\nHost:\ra\r\n\r\n"),
    BAD("LF before the request", "\nGET / HTTP/1.1\r\n" H "\r\n"),
    BAD("five empty lines before", "\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n"),
    BAD("folded with a space", "GET / HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n"),
    BAD("folded with a tab", "GET / HTTP/1.1\r\n" H "X: a\r\n\tb\r\n\r\n"),
    BAD("first field indented", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    BAD("line of a space", "GET / HTTP/1.1\r\n" H " \r\n\r\n"),
    /* names and values */
    BAD("space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
    BAD("tab before the colon", "GET / HTTP/1.1\r\nHost\t: a\r\n\r\n"),
    BAD("empty name", "GET / HTTP/1.1\r\n" H ": x\r\n\r\n"),
    BAD("no colon", "GET / HTTP/1.1\r\n" H "X\r\n\r\n"),
    BAD("parenthesis in a name", "GET / HTTP/1.1\r\n" H "X(: y\r\n\r\n"),
    BAD("NUL in a name", "GET / HTTP/1.1\r\n" H "X\0: y\r\n\r\n"),
    BAD("high byte in a name", "GET / HTTP/1.1\r\n" H "X\x80: y\r\n\r\n"),
    BAD("NUL in a value", "GET / HTTP/1.1\r\n" H "X: a\0b\r\n\r\n"),
    BAD("control byte in a value", "GET / HTTP/1.1\r\n" H "X: a\x01\r\n\r\n"),
    BAD("DEL in a value", "GET / HTTP/1.1\r\n" H "X: a\x7f\r\n\r\n"),
    /* the request line */
    BAD("version 1.32", "GET / HTTP/1.32\r\n" H "\r\n"),
    BAD("version 1.2", "GET / HTTP/1.2\r\n" H "\r\n"),
    BAD("version 2.0", "GET / HTTP/2.0\r\n" H "\r\n"),
    BAD("version 01.1", "GET / HTTP/01.1\r\n" H "\r\n"),
    BAD("version http/1.1", "GET / http/1.1\r\n" H "\r\n"),
    BAD("HTTP/0.9", "GET /\r\n\r\n"),
    BAD("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    BAD("TLS", "\x16\x03\x01\x02\x00\x01"),
    BAD("two spaces before the target", "GET  / HTTP/1.1\r\n" H "\r\n"),
    BAD("two spaces behind the target", "GET /  HTTP/1.1\r\n" H "\r\n"),
    BAD("space behind the version", "GET / HTTP/1.1 \r\n" H "\r\n"),
    BAD("tabs", "GET\t/\tHTTP/1.1\r\n" H "\r\n"),
    BAD("lower case method", "get / HTTP/1.1\r\n" H "\r\n"),
    BAD("RTSP", "DESCRIBE / RTSP/1.0\r\n" H "\r\n"),
    BAD("target of two words", "GET /a b HTTP/1.1\r\n" H "\r\n"),
    BAD("target without slash", "GET a HTTP/1.1\r\n" H "\r\n"),
    BAD("target with a high byte", "GET /\x80 HTTP/1.1\r\n" H "\r\n"),
    BAD("target with NUL", "GET /\0 HTTP/1.1\r\n" H "\r\n"),
    BAD("target with a fragment", "GET /a#b HTTP/1.1\r\n" H "\r\n"),
    BAD("target with a backslash", "GET /a\\b HTTP/1.1\r\n" H "\r\n"),
    BAD("encoded NUL", "GET /a%00 HTTP/1.1\r\n" H "\r\n"),
    BAD("encoded CR", "GET /a%0d HTTP/1.1\r\n" H "\r\n"),
    BAD("encoded LF", "GET /%0Aa HTTP/1.1\r\n" H "\r\n"),
    BAD("cut percent-encoding", "GET /a%2 HTTP/1.1\r\n" H "\r\n"),
    BAD("bad percent-encoding", "GET /?a=%zz HTTP/1.1\r\n" H "\r\n"),
    BAD("asterisk for GET", "GET * HTTP/1.1\r\n" H "\r\n"),
    BAD("CONNECT", "CONNECT a:443 HTTP/1.1\r\n" H "\r\n"),
    BAD("ftp", "GET ftp://a/ HTTP/1.1\r\n" H "\r\n"),
    BAD("absolute, another host", "GET http://b/ HTTP/1.1\r\n" H "\r\n"),
    BAD("absolute, user", "GET http://u@a/ HTTP/1.1\r\n" H "\r\n"),
    BAD("absolute, no host", "GET http:///a HTTP/1.1\r\n" H "\r\n"),
    /* Host */
    BAD("no Host", "GET / HTTP/1.1\r\n\r\n"),
    BAD("two Hosts", "GET / HTTP/1.1\r\n" H H "\r\n"),
    BAD("two Hosts in 1.0", "GET / HTTP/1.0\r\n" H H "\r\n"),
    BAD("empty Host", "GET / HTTP/1.1\r\nHost: \r\n\r\n"),
    BAD("Host list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"),
    BAD("Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    BAD("Host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
    BAD("Host with a bad port", "GET / HTTP/1.1\r\nHost: a:8x\r\n\r\n"),
    BAD("Host, open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"),
    /* chunks */
    BAD("chunk size 0_2e", CHNK "0_2e\r\nabc"),
    BAD("chunk size 0x10", CHNK "0x10\r\nabc"),
    BAD("chunk size +5", CHNK "+5\r\nabcde\r\n0\r\n\r\n"),
    BAD("chunk size -5", CHNK "-5\r\nabcde\r\n0\r\n\r\n"),
    BAD("space before a chunk size", CHNK " 5\r\nabcde\r\n0\r\n\r\n"),
    BAD("space behind a chunk size", CHNK "5 \r\nabcde\r\n0\r\n\r\n"),
    BAD("chunk size missing", CHNK "\r\nabcde\r\n0\r\n\r\n"),
    BAD("chunk size ;", CHNK ";a\r\nabcde\r\n0\r\n\r\n"),
    BAD("chunk size above 2^64", CHNK "10000000000000005\r\nabcde\r\n0\r\n\r\n"),
    BAD("LF behind a chunk size", CHNK "5\nabcde\r\n0\r\n\r\n"),
    BAD("LF behind an extension", CHNK "5;a\nabcde\r\n0\r\n\r\n"),
    BAD("CR in an extension", CHNK "5;a\rb\r\nabcde\r\n0\r\n\r\n"),
    BAD("CR in a quoted extension", CHNK "5;a=\"\rb\"\r\nabcde\r\n0\r\n\r\n"),
    BAD("LF in a quoted extension", CHNK "5;a=\"\nb\"\r\nabcde\r\n0\r\n\r\n"),
    BAD("CRLF in a quoted extension", CHNK "5;a=\"\r\n\"\r\nabcde\r\n0\r\n\r\n"),
    BAD("CR behind a quoted extension", CHNK "5;a=\"b\"\rabcde\r\n0\r\n\r\n"),
    BAD("LF behind a quoted extension", CHNK "5;a=\"b\"\nabcde\r\n0\r\n\r\n"),
    BAD("LF escaped in an extension", CHNK "5;a=\"\\\n\"\r\nabcde\r\n0\r\n\r\n"),
    BAD("CR escaped in an extension", CHNK "5;a=\"\\\r\"\r\nabcde\r\n0\r\n\r\n"),
    BAD("NUL in an extension", CHNK "5;a\0b\r\nabcde\r\n0\r\n\r\n"),
    BAD("high byte in an extension", CHNK "5;a=\"\x80\"\r\nabcde\r\n0\r\n\r\n"),
    BAD("LF behind chunk data", CHNK "5\r\nabcde\n0\r\n\r\n"),
    BAD("nothing behind chunk data", CHNK "5\r\nabcde0\r\n\r\n"),
    BAD("chunk data too long", CHNK "5\r\nabcdef\r\n0\r\n\r\n"),
    BAD("LF at the end", CHNK "0\r\n\n"),
    BAD("endless extension", CHNK "5;a=" X16(X16("aaaaa")) "\r\nabcde\r\n0\r\n\r\n"),
    BAD("endless zeros", CHNK X16(X16("00000")) "5\r\nabcde\r\n0\r\n\r\n"),
    BAD("folded trailer", CHNK "0\r\nA: b\r\n c\r\n\r\n"),
    BAD("length as trailer", CHNK "0\r\nContent-Length: 5\r\n\r\nabcde"),
    BAD("coding as trailer", CHNK "0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    BAD("LF in a trailer", CHNK "0\r\nA: b\n\r\n\r\n"),
    BAD("second request is bad", "GET / HTTP/1.1\r\n" H "\r\nGET / HTTP/1.1\nHost: a\r\n\r\n"),
    /* bounds */
    BIG("head too large", "GET / HTTP/1.1\r\n" H "X: " X16(X16("aaaaaaaaaaaaaaaa")) "\r\n\r\n"),
    BIG("target too large", "GET /" X16(X16("aaaaaaaaaaaaaaaa")) " HTTP/1.1\r\n" H "\r\n"),
    BIG("101 fields",
        "GET / HTTP/1.1\r\n" H X16(
            "A: b\r\nB: c\r\nC: d\r\nD: e\r\nE: f\r\nF: g\r\n") "1: a\r\n2: b\r\n3: c\r\n4: "
                                                                "d\r\n\r\n"),
    BIG("trailers too large", CHNK "0\r\nX: " X16(X16("aaaaaaaaaaaaaaaa")) "\r\n\r\n"),
    /* responses */
    BAD_RESP("response: length and coding",
             RESP "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    BAD_RESP("response: two lengths", RESP "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
    BAD_RESP("response: coding gzip", RESP "Transfer-Encoding: gzip\r\n\r\nabc"),
    BAD_RESP("response: coding in 1.0",
             "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    BAD_RESP("response: garbage", "SSH-2.0-OpenSSH_9.2\r\n"),
    BAD_RESP("response: version", "HTTP/3.0 200 OK\r\n\r\n"),
    BAD_RESP("response: two digits", "HTTP/1.1 20 OK\r\n\r\n"),
    BAD_RESP("response: four digits", "HTTP/1.1 2000 OK\r\n\r\n"),
    BAD_RESP("response: status 099", "HTTP/1.1 099 OK\r\n\r\n"),
    BAD_RESP("response: LF", "HTTP/1.1 200 OK\nContent-Length: 0\n\n"),
    BAD_RESP("response: folded", RESP "X: a\r\n b\r\n\r\n"),
    BAD_RESP("response: NUL", RESP "X: \0\r\n\r\n"),
    BAD_RESP("response: bad chunk",
             RESP "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\nxyz\r\n"),
};

static const struct sample good[] = {
    GOOD("GET", "GET / HTTP/1.1\r\n" H "\r\n",
         "GET / [/|] 1.1 keep none 0\nHost=a\nbody 0: \nend\n"),
    GOOD("GET with query", "GET /a?b=c&d HTTP/1.1\r\n" H "\r\n", "GET /a?b=c&d [/a|b=c&d] "),
    GOOD("query of questions", "GET /a??b HTTP/1.1\r\n" H "\r\n", "[/a|?b]"),
    GOOD("LF in a query", "GET /a?b=%0a HTTP/1.1\r\n" H "\r\n", "[/a|b=%0a]"),
    GOOD("encoded slash", "GET /v1/models/a%2Fb:c HTTP/1.1\r\n" H "\r\n",
         "[/v1/models/a%2Fb:c|]"),
    GOOD("DELETE", "DELETE /x HTTP/1.1\r\n" H "\r\n", "DELETE /x"),
    GOOD("OPTIONS *", "OPTIONS * HTTP/1.1\r\n" H "\r\n", "OPTIONS * [*|]"),
    GOOD("HEAD", "HEAD / HTTP/1.1\r\n" H "\r\n", "HEAD / "),
    GOOD("absolute", "GET http://a/b?c HTTP/1.1\r\n" H "\r\n", "GET http://a/b?c [/b|c]"),
    GOOD("absolute, https and port", "GET HTTPS://A:1/b HTTP/1.1\r\nHost: a:1\r\n\r\n",
         "[/b|]"),
    GOOD("absolute, no path", "GET http://a HTTP/1.1\r\n" H "\r\n", "[/|]"),
    GOOD("absolute, query only", "GET http://a?x HTTP/1.1\r\n" H "\r\n", "[/|x]"),
    GOOD("IPv6 Host", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", "Host=[::1]:8080\n"),
    GOOD("IPv4 Host", "GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n",
         "Host=127.0.0.1:8080\n"),
    GOOD("1.0", "GET / HTTP/1.0\r\n\r\n", "1.0 end none"),
    GOOD("1.0 kept", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "1.0 keep none"),
    GOOD("close", "GET / HTTP/1.1\r\n" H "Connection: x, Close\r\n\r\n", "1.1 end none"),
    GOOD("close wins",
         "GET / HTTP/1.1\r\n" H "Connection: keep-alive\r\nConnection: close\r\n\r\n",
         "1.1 end none"),
    GOOD("sized", REQ "Content-Length: 5\r\n\r\nabcde",
         "sized 5\nHost=a\nContent-Length=5\nbody 5: abcde\nend\n"),
    GOOD("sized, zeros", REQ "Content-Length: 005\r\n\r\nabcde", "body 5: abcde\nend\n"),
    GOOD("sized, spaces", REQ "Content-Length: \t5 \r\n\r\nabcde",
         "Content-Length=5\nbody 5: abcde\nend\n"),
    GOOD("sized 0", REQ "Content-Length: 0\r\n\r\n",
         "sized 0\nHost=a\nContent-Length=0\nbody 0: \nend\n"),
    GOOD("body with any byte", REQ "Content-Length: 5\r\n\r\n\0\r\n\xff\r", "end\n"),
    GOOD("chunked", CHNK "5\r\nabcde\r\n0\r\n\r\n",
         "chunked 0\nHost=a\nTransfer-Encoding=chunked\nbody 5: abcde\nend\n"),
    GOOD("chunked, many", CHNK "1\r\na\r\n2\r\nbc\r\nA\r\n0123456789\r\n0\r\n\r\n",
         "body 13: abc0123456789\nend\n"),
    GOOD("chunked, case", REQ "transfer-encoding: CHUNKED\r\n\r\n0\r\n\r\n", "chunked 0"),
    GOOD("chunked, hex", CHNK "0010\r\n0123456789abcdef\r\n00\r\n\r\n",
         "body 16: 0123456789abcdef\nend\n"),
    GOOD("chunked, extensions", CHNK "5;a;b=c;d=\"e \\\"f\"\r\nabcde\r\n0;x=y\r\n\r\n",
         "body 5: abcde\nend\n"),
    GOOD("chunked, trailers", CHNK "1\r\na\r\n0\r\nA: b\r\nC: d\r\n\r\n", "body 1: a\nend\n"),
    GOOD("chunk that looks like a chunk", CHNK "7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n", "body 7: "),
    GOOD("empty lines before", "\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", "GET / "),
    GOOD("pipelined",
         "GET /1 HTTP/1.1\r\n" H "\r\n" REQ "Content-Length: 1\r\n\r\nx" CHNK "0\r\n\r\n"
         "GET /4 HTTP/1.1\r\n" H "\r\n",
         "GET /4 "),
    GOOD("empty line behind a body",
         REQ "Content-Length: 1\r\n\r\nx\r\nGET /2 HTTP/1.1\r\n" H "\r\n", "GET /2 "),
    GOOD("values", "GET / HTTP/1.1\r\n" H "A:\r\nB:b\r\nC: \t c d \t\r\nD: \x80\xff\r\n\r\n",
         "A=\nB=b\nC=c d\nD=\x80\xff\n"),
    GOOD("strange names", "GET / HTTP/1.1\r\n" H "!#$%&'*+-.^_`|~09azAZ: x\r\n\r\n",
         "!#$%&'*+-.^_`|~09azAZ=x\n"),
    GOOD("upgrade is not followed",
         "GET / HTTP/1.1\r\n" H "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
         "GET /2 HTTP/1.1\r\n" H "\r\n",
         "GET /2 "),
    GOOD("expect", REQ "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\nx",
         "keep expect sized 1"),
    GOOD("expect in 1.0",
         "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
         "1.0 end sized 1"),
    GOOD("100 fields",
         "GET / HTTP/1.1\r\n" H X16(
             "A: b\r\nB: c\r\nC: d\r\nD: e\r\nE: f\r\nF: g\r\n") "1: a\r\n2: b\r\n3: c\r\n\r\n",
         "end\n"),
    GOOD_RESP("200 sized", RESP "Content-Length: 2\r\n\r\nok",
              "200 1.1 keep sized 2\nContent-Length=2\nbody 2: ok\nend\n"),
    GOOD_RESP("200 chunked", RESP "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
              "body 2: ok\nend\n"),
    GOOD_RESP("200 until close", RESP "\r\nok",
              "200 1.1 end close 0\nbody 2: ok\neof inside end\n"),
    GOOD_RESP("1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "1.0 end sized 2"),
    GOOD_RESP("1.0 kept",
              "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
              "1.0 keep sized"),
    GOOD_RESP("no reason", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", "200 1.1 keep"),
    GOOD_RESP("not even a space", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "200 1.1 keep"),
    GOOD_RESP("reason with any text",
              "HTTP/1.1 418 I'm a \xe2\x98\x95\tpot\r\nContent-Length: 0\r\n\r\n", "418 "),
    GOOD_RESP("100 then 200", "HTTP/1.1 100 Continue\r\n\r\n" RESP "Content-Length: 0\r\n\r\n",
              "100 1.1 keep none 0\nbody 0: \nend\n200 1.1 keep sized 0"),
    GOOD_RESP("103 with fields", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
              "103 1.1 keep none"),
    GOOD_RESP("101",
              "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
              "101 1.1 keep none"),
    GOOD_RESP("204", "HTTP/1.1 204 No Content\r\n\r\n", "204 1.1 keep none 0"),
    GOOD_RESP("304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
              "304 1.1 keep none 9"),
    GOOD_RESP("truncated, sized", RESP "Content-Length: 3\r\n\r\nok",
              "body 2: ok\neof inside gone\n"),
    GOOD_RESP("truncated, chunked", RESP "Transfer-Encoding: chunked\r\n\r\n3\r\nok",
              "body 2: ok\neof inside gone\n"),
    GOOD_RESP("truncated, last chunk",
              RESP "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n", "eof inside gone\n"),
    {"answer to HEAD", HTTP_LOG_TO_HEAD, 0, STR(RESP "Content-Length: 9\r\n\r\n"),
     "200 1.1 keep none 9\n"},
    {"chunked answer to HEAD", HTTP_LOG_TO_HEAD, 0,
     STR(RESP "Transfer-Encoding: chunked\r\n\r\n"), "200 1.1 keep none 0\n"},
};

static void
check(const struct sample *s)
{
    struct buf whole, cut;
    unsigned status;

    buf_init(&whole, 1 << 20);
    buf_init(&cut, 1 << 20);
    status = http_log(&whole, s->kind, s->bytes, NULL, 0);
    if (status != s->status)
        fail_msg("%s: status %u, expected %u\n%.*s", s->name, status, s->status,
                 STR_ARG(buf_str(&whole)));
    if (s->log && !memmem(whole.p, whole.n, s->log, strlen(s->log)))
        fail_msg("%s: %s is not in\n%.*s", s->name, s->log, STR_ARG(buf_str(&whole)));
    for (size_t at = 0; at <= s->bytes.n; at++) {
        buf_clear(&cut);
        if (at == 0)
            status = http_log_bytewise(&cut, s->kind, s->bytes);
        else
            status = http_log(&cut, s->kind, s->bytes, &at, 1);
        if (status != s->status || !str_eq(buf_str(&whole), buf_str(&cut)))
            fail_msg("%s, cut at %zu: status %u\n%.*s-- whole:\n%.*s", s->name, at, status,
                     STR_ARG(buf_str(&cut)), STR_ARG(buf_str(&whole)));
    }
    buf_fini(&whole);
    buf_fini(&cut);
}

static void
refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        check(&bad[i]);
}

static void
accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        check(&good[i]);
}

/* Small ones also at every pair of offsets. */
static void
cut_twice(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct buf whole, cut;

        if (good[i].bytes.n > 120)
            continue;
        buf_init(&whole, 1 << 20);
        buf_init(&cut, 1 << 20);
        http_log(&whole, good[i].kind, good[i].bytes, NULL, 0);
        for (size_t a = 1; a < good[i].bytes.n; a++)
            for (size_t b = a + 1; b < good[i].bytes.n; b++) {
                size_t cuts[2] = {a, b};

                buf_clear(&cut);
                http_log(&cut, good[i].kind, good[i].bytes, cuts, 2);
                assert_true(str_eq(buf_str(&whole), buf_str(&cut)));
            }
        buf_fini(&whole);
        buf_fini(&cut);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused),
        cmocka_unit_test(accepted),
        cmocka_unit_test(cut_twice),
    };

    return cmocka_run_group_tests_name("http/smuggling", tests, NULL, NULL);
}
