/* The egress policy for one address. Called by the resolver for every answer, cached or not, and by whoever meets a
 * numeric address elsewhere. Pure.
 * Invariant: an address that carries an IPv4 address inside is judged by that one as well. */
#include <netinet/in.h>

#include "io/resolver.h"

enum verdict { PUBLIC, PRIVATE, NEVER };

struct range4 {
  uint32_t network;
  unsigned bits;
  enum verdict verdict;
};

#define IP4(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

/* The first match decides. */
static const struct range4 ranges4[] = {
    {IP4(100, 100, 100, 200), 32, NEVER}, /* metadata, Alibaba */
    {IP4(168, 63, 129, 16), 32, NEVER},   /* platform address, Azure */
    {IP4(192, 0, 0, 192), 32, NEVER},     /* metadata, Oracle */
    {IP4(169, 254, 0, 0), 16, NEVER},     /* link-local, and most metadata services */
    {IP4(0, 0, 0, 0), 8, NEVER},          /* "this network"; Linux takes it for loopback */
    {IP4(224, 0, 0, 0), 4, NEVER},        /* multicast */
    {IP4(240, 0, 0, 0), 4, NEVER},        /* reserved, broadcast */
    {IP4(127, 0, 0, 0), 8, PRIVATE},      /* loopback */
    {IP4(10, 0, 0, 0), 8, PRIVATE},       /* RFC 1918 */
    {IP4(172, 16, 0, 0), 12, PRIVATE},    /* RFC 1918 */
    {IP4(192, 168, 0, 0), 16, PRIVATE},   /* RFC 1918 */
    {IP4(100, 64, 0, 0), 10, PRIVATE},    /* carrier-grade NAT, RFC 6598 */
    {IP4(198, 18, 0, 0), 15, PRIVATE},    /* benchmark networks, RFC 2544 */
};

struct range6 {
  uint8_t network[16];
  unsigned bits;
  enum verdict verdict;
};

static const struct range6 ranges6[] = {
    {{0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, 0x54}, 128, NEVER}, /* metadata, AWS: fd00:ec2::254 */
    {{0xfd, 0x20, 0x00, 0xce, [14] = 0x02, 0x54}, 128, NEVER}, /* metadata, Google: fd20:ce::254 */
    {{0}, 128, NEVER},                                         /* unspecified */
    {{[15] = 1}, 128, PRIVATE},                                /* loopback */
    {{0xfe, 0x80}, 10, NEVER},                                 /* link-local */
    {{0xff}, 8, NEVER},                                        /* multicast */
    {{0xfe, 0xc0}, 10, PRIVATE},                               /* site-local (obsolete) */
    {{0xfc}, 7, PRIVATE},                                      /* unique local */
};

/* Prefixes after which an IPv4 address stands. */
struct embedding {
  uint8_t network[16];
  unsigned bits, offset;
};

static const struct embedding embeddings[] = {
    {{[10] = 0xff, 0xff}, 96, 12},            /* IPv4-mapped */
    {{0}, 96, 12},                            /* IPv4-compatible (obsolete) */
    {{0x00, 0x64, 0xff, 0x9b}, 96, 12},       /* NAT64, RFC 6052 */
    {{0x00, 0x64, 0xff, 0x9b, 0, 1}, 48, 12}, /* NAT64 for local use, RFC 8215 */
    {{0x20, 0x02}, 16, 2},                    /* 6to4 */
};

static bool is_in6(const uint8_t *address, const uint8_t *network, unsigned bits) {
  unsigned whole = bits / 8, rest = bits % 8;
  if (memcmp(address, network, whole) != 0) return false;
  if (rest == 0) return true;
  uint8_t mask = (uint8_t)(0xff00u >> rest);
  return (address[whole] & mask) == (network[whole] & mask);
}

static enum verdict judge4(uint32_t address) {
  for (size_t i = 0; i < sizeof ranges4 / sizeof *ranges4; i++) {
    uint32_t mask = UINT32_MAX << (32 - ranges4[i].bits);
    if ((address & mask) == ranges4[i].network) return ranges4[i].verdict;
  }
  return PUBLIC;
}

static enum verdict judge6(const uint8_t *address) {
  for (size_t i = 0; i < sizeof ranges6 / sizeof *ranges6; i++) {
    if (is_in6(address, ranges6[i].network, ranges6[i].bits)) return ranges6[i].verdict;
  }
  for (size_t i = 0; i < sizeof embeddings / sizeof *embeddings; i++) {
    if (!is_in6(address, embeddings[i].network, embeddings[i].bits)) continue;
    const uint8_t *p = address + embeddings[i].offset;
    return judge4(IP4(p[0], p[1], p[2], p[3]));
  }
  return PUBLIC;
}

bool resolver_address_is_allowed(const struct sockaddr *address, bool allow_private) {
  enum verdict verdict = NEVER;
  if (address->sa_family == AF_INET) {
    struct sockaddr_in in;
    memcpy(&in, address, sizeof in);
    verdict = judge4(ntohl(in.sin_addr.s_addr));
  } else if (address->sa_family == AF_INET6) {
    struct sockaddr_in6 in6;
    memcpy(&in6, address, sizeof in6);
    verdict = judge6(in6.sin6_addr.s6_addr);
  }
  return verdict == PUBLIC || (verdict == PRIVATE && allow_private);
}
