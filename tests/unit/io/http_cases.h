/* Requests and the status they deserve, shared by the tests of the parser (cut at every byte) and of the server (over a
 * socket). Status 0: a good request. From RFC 9112 (June 2022) and from what other servers were seen to let through. */
#ifndef MAESTRO_TESTS_HTTP_CASES_H
#define MAESTRO_TESTS_HTTP_CASES_H

#include "base/str.h"

struct http_case {
  const char *name;
  struct str bytes;
  int status;
};

#define BYTES(literal) \
  { "" literal "", sizeof(literal) - 1 }
#define POST "POST /v1/x HTTP/1.1\r\nHost: a\r\n"

static const struct http_case http_cases[] = {
    /* framing that differs between servers is how requests are smuggled */
    {"content-length and transfer-encoding",
     BYTES(POST "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400},
    {"transfer-encoding and content-length",
     BYTES(POST "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n"), 400},
    {"two different content-lengths", BYTES(POST "Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc"), 400},
    {"two equal content-lengths", BYTES(POST "Content-Length: 2\r\nContent-Length: 2\r\n\r\nab"), 400},
    {"a list of content-lengths", BYTES(POST "Content-Length: 2, 2\r\n\r\nab"), 400},
    {"signed content-length", BYTES(POST "Content-Length: +2\r\n\r\nab"), 400},
    {"negative content-length", BYTES(POST "Content-Length: -2\r\n\r\nab"), 400},
    {"hexadecimal content-length", BYTES(POST "Content-Length: 0x2\r\n\r\nab"), 400},
    {"empty content-length", BYTES(POST "Content-Length:\r\n\r\n"), 400},
    {"content-length beyond 64 bits", BYTES(POST "Content-Length: 18446744073709551618\r\n\r\nab"), 400},
    {"content-length beyond 63 bits", BYTES(POST "Content-Length: 9223372036854775808\r\n\r\nab"), 413},
    {"transfer-encoding xchunked", BYTES(POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"), -1},
    {"transfer-encoding gzip, chunked", BYTES(POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), -1},
    {"transfer-encoding chunked, identity", BYTES(POST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"), -1},
    {"transfer-encoding twice", BYTES(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
     -1},
    {"transfer-encoding empty", BYTES(POST "Transfer-Encoding:\r\n\r\n0\r\n\r\n"), -1},
    {"transfer-encoding on 1.0", BYTES("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
     400},
    {"space before the colon", BYTES(POST "Content-Length : 2\r\n\r\nab"), 400},
    {"space before a name", BYTES(POST " Content-Length: 2\r\n\r\nab"), 400},
    {"obs-fold", BYTES(POST "X: a\r\n b\r\n\r\n"), 400},
    {"obs-fold with tab", BYTES(POST "X: a\r\n\tb\r\n\r\n"), 400},
    {"bare LF after the request line", BYTES("GET / HTTP/1.1\nHost: a\r\n\r\n"), 400},
    {"bare LF after a header", BYTES("GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"), 400},
    {"bare LF ends the head", BYTES("GET / HTTP/1.1\r\nHost: a\r\n\n"), 400},
    {"bare CR in a value", BYTES("GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"), 400},
    {"NUL in a value", BYTES("GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"), 400},
    {"NUL in a name", BYTES("GET / HTTP/1.1\r\nHost: a\r\nX\0Y: b\r\n\r\n"), 400},
    {"control character in a value", BYTES("GET / HTTP/1.1\r\nHost: a\r\nX: a\x01\r\n\r\n"), 400},
    {"DEL in a value", BYTES("GET / HTTP/1.1\r\nHost: a\r\nX: a\x7f\r\n\r\n"), 400},
    {"no colon", BYTES("GET / HTTP/1.1\r\nHost: a\r\nbroken\r\n\r\n"), 400},
    {"empty name", BYTES("GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"), 400},
    {"8-bit name", BYTES("GET / HTTP/1.1\r\nHost: a\r\nX\xe9: b\r\n\r\n"), 400},
    /* chunks */
    {"chunk size ends in LF only", BYTES(POST "Transfer-Encoding: chunked\r\n\r\n2\nab\r\n0\r\n\r\n"), 400},
    {"chunk without its CRLF", BYTES(POST "Transfer-Encoding: chunked\r\n\r\n2\r\nabXX0\r\n\r\n"), 400},
    {"chunk longer than said", BYTES(POST "Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n"), 400},
    {"chunk size 2^64+2", BYTES(POST "Transfer-Encoding: chunked\r\n\r\n10000000000000002\r\nab\r\n0\r\n\r\n"), 400},
    {"chunk size with sign", BYTES(POST "Transfer-Encoding: chunked\r\n\r\n+2\r\nab\r\n0\r\n\r\n"), 400},
    {"chunk size with 0x", BYTES(POST "Transfer-Encoding: chunked\r\n\r\n0x2\r\nab\r\n0\r\n\r\n"), 400},
    {"chunk size empty", BYTES(POST "Transfer-Encoding: chunked\r\n\r\n\r\nab\r\n0\r\n\r\n"), 400},
    {"chunk size with a space", BYTES(POST "Transfer-Encoding: chunked\r\n\r\n2 \r\nab\r\n0\r\n\r\n"), 400},
    {"bad trailer", BYTES(POST "Transfer-Encoding: chunked\r\n\r\n0\r\nX y\r\n\r\n"), 400},
    /* Host */
    {"no host", BYTES("GET / HTTP/1.1\r\nX: y\r\n\r\n"), 400},
    {"no header at all", BYTES("GET / HTTP/1.1\r\n\r\n"), 400},
    {"two hosts", BYTES("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400},
    {"two hosts on 1.0", BYTES("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"), 400},
    {"empty host", BYTES("GET / HTTP/1.1\r\nHost:\r\n\r\n"), 400},
    {"host with a path", BYTES("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400},
    {"host with a user", BYTES("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"), 400},
    {"host with a space", BYTES("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400},
    {"host with a bad port", BYTES("GET / HTTP/1.1\r\nHost: a:http\r\n\r\n"), 400},
    {"host with port 65536", BYTES("GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n"), 400},
    {"host with an open bracket", BYTES("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"), 400},
    {"host differs from target", BYTES("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
    /* request line */
    {"authority form", BYTES("GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
    {"CONNECT", BYTES("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"), 501},
    {"star for GET", BYTES("GET * HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
    {"other scheme", BYTES("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
    {"user in target", BYTES("GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
    {"no authority in target", BYTES("GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
    {"fragment", BYTES("GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
    {"8-bit target", BYTES("GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
    {"control in target", BYTES("GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
    {"tab in request line", BYTES("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
    {"two spaces before the target", BYTES("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
    {"two spaces before the version", BYTES("GET /  HTTP/1.1\r\nHost: a\r\n\r\n"), -1},
    {"space after the version", BYTES("GET / HTTP/1.1 \r\nHost: a\r\n\r\n"), 400},
    {"HTTP/0.9", BYTES("GET /\r\n\r\n"), -1},
    {"HTTP/0.9 with a header", BYTES("GET /\r\nA:b\r\n\r\n"), -1},
    {"HTTP/1.2", BYTES("GET / HTTP/1.2\r\nHost: a\r\n\r\n"), 505},
    {"HTTP/2.0", BYTES("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505},
    {"HTTP/3.0", BYTES("GET / HTTP/3.0\r\nHost: a\r\n\r\n"), 505},
    {"HTTP/11.1", BYTES("GET / HTTP/11.1\r\nHost: a\r\n\r\n"), 400},
    {"HTTP/2 preface", BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505},
    {"lower-case http", BYTES("GET / http/1.1\r\nHost: a\r\n\r\n"), 400},
    {"RTSP", BYTES("OPTIONS * RTSP/1.0\r\nHost: a\r\n\r\n"), -1},
    {"RTSP method", BYTES("DESCRIBE / HTTP/1.1\r\nHost: a\r\n\r\n"), -1},
    {"ICE", BYTES("SOURCE / ICE/1.0\r\nHost: a\r\n\r\n"), -1},
    {"unknown method", BYTES("FROB / HTTP/1.1\r\nHost: a\r\n\r\n"), 501},
    {"lower-case method", BYTES("get / HTTP/1.1\r\nHost: a\r\n\r\n"), 501},
    {"TLS hello", BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), 400},
    {"bare LF before the request", BYTES("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
    {"bare CR before the request", BYTES("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
    /* what is answered before a handler runs */
    {"other expectation", BYTES(POST "Expect: 200-ok\r\nContent-Length: 2\r\n\r\nab"), 417},
    {"two expectations", BYTES(POST "Expect: 100-continue\r\nExpect: more\r\nContent-Length: 2\r\n\r\nab"), 417},
    {"websocket",
     BYTES("GET /v1/responses HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"),
     426},
    /* good ones */
    {"plain", BYTES("GET /a?b=c HTTP/1.1\r\nHost: a\r\n\r\n"), 0},
    {"empty lines first", BYTES("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 0},
    {"1.0 without host", BYTES("GET / HTTP/1.0\r\n\r\n"), 0},
    {"length", BYTES(POST "Content-Length: 5\r\n\r\nhello"), 0},
    {"length with zeros", BYTES(POST "Content-Length: 005\r\n\r\nhello"), 0},
    {"length 0", BYTES(POST "Content-Length: 0\r\n\r\n"), 0},
    {"chunked",
     BYTES(POST "Transfer-Encoding: Chunked\r\n\r\n2\r\nhe\r\n03;x=\"y z\";w\r\nllo\r\n0\r\nTrail: er\r\n\r\n"), 0},
    {"empty chunked", BYTES(POST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 0},
    {"body on GET", BYTES("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"), 0},
    {"absolute target", BYTES("GET http://A:80/x?y HTTP/1.1\r\nHost: a:80\r\n\r\n"), 0},
    {"absolute target without path", BYTES("GET http://a?y HTTP/1.1\r\nHost: a\r\n\r\n"), 0},
    {"star for OPTIONS", BYTES("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), 0},
    {"IPv6 host", BYTES("GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n"), 0},
    {"empty and padded values", BYTES("GET / HTTP/1.1\r\nHost:\t a \t\r\nX:\r\nY:   \r\nZ: a b\t\r\n\r\n"), 0},
    {"other upgrade is ignored",
     BYTES("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n"), 0},
    {"other upgrade with a body", BYTES(POST "Upgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\nab"), 0},
    {"expectation on 1.0 is ignored", BYTES("POST / HTTP/1.0\r\nExpect: x\r\nContent-Length: 1\r\n\r\na"), 0},
    {"method that is not ours", BYTES("PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n"), 0},
};

enum { HTTP_CASES = sizeof http_cases / sizeof http_cases[0] };

#endif
