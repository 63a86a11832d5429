/* guard.c: tells public addresses from all others. The check is made on the address that is connected to, not on the name,
 * because a name may be looked up to another address the second time. Addresses that carry an IPv4 address inside are judged by
 * that one. */
#include "net/http/guard.h"

#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* Blocks that are not of the public internet (IANA's special-purpose registries). */
static const char *const reserved[] = {
    "0.0.0.0/8",       /* this network */
    "10.0.0.0/8",      /* private */
    "100.64.0.0/10",   /* behind a carrier's NAT */
    "127.0.0.0/8",     /* this machine */
    "169.254.0.0/16",  /* link-local; metadata of clouds */
    "172.16.0.0/12",   /* private */
    "192.0.0.0/24",    /* protocol assignments */
    "192.0.2.0/24",    /* documentation */
    "192.88.99.0/24",  /* 6to4 relays */
    "192.168.0.0/16",  /* private */
    "198.18.0.0/15",   /* benchmarks */
    "198.51.100.0/24", /* documentation */
    "203.0.113.0/24",  /* documentation */
    "224.0.0.0/4",     /* multicast */
    "240.0.0.0/4",     /* reserved, broadcast */
    "::/96",           /* unspecified, loopback, IPv4-compatible */
    "::ffff:0:0:0/96", /* translated */
    "64:ff9b:1::/48",  /* translation inside a network */
    "100::/64",        /* discard */
    "2001::/23",       /* protocol assignments, Teredo */
    "2001:db8::/32",   /* documentation */
    "3fff::/20",       /* documentation */
    "5f00::/16",       /* segment routing */
    "fc00::/7",        /* unique local */
    "fe80::/10",       /* link-local */
    "fec0::/10",       /* site-local */
    "ff00::/8",        /* multicast */
};

/* Addresses that carry an IPv4 address, which is what counts: the prefix, and where that address begins. */
static const struct carrier {
    const char *prefix;
    unsigned at;
} carriers[] = {{"64:ff9b::/96", 12}, {"2002::/16", 2}};

static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static void put_ipv4(unsigned char out[16], const void *four) {
    memcpy(out, mapped, sizeof mapped);
    memcpy(out + sizeof mapped, four, 4);
}

/* ---- networks ------------------------------------------------------------------------------------------ */

static bool bits_agree(const unsigned char *a, const unsigned char *b, unsigned bits) {
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(a, b, whole)) return false;
    return !rest || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

static bool parse_address(const char *text, unsigned char out[16], bool *ipv4) {
    struct in_addr four;
    struct in6_addr six;
    *ipv4 = inet_pton(AF_INET, text, &four) == 1;
    if (*ipv4) {
        put_ipv4(out, &four);
        return true;
    }
    if (inet_pton(AF_INET6, text, &six) != 1) return false;
    memcpy(out, &six, 16);
    return true;
}

static bool parse_bits(const char *digits, unsigned most, unsigned *out) {
    size_t n = strspn(digits, "0123456789");
    if (!n || n > 3 || digits[n]) return false;
    *out = 0;
    for (size_t i = 0; i < n; i++) *out = *out * 10 + (unsigned)(digits[i] - '0');
    return *out <= most;
}

bool sl_network_parse(sl_text t, sl_network *out) {
    char text[SL_ADDRESS_TEXT];
    bool ipv4;
    if (t.n >= sizeof text || memchr(t.s ? t.s : "", 0, t.n)) return false;
    if (t.n) memcpy(text, t.s, t.n);
    text[t.n] = 0;
    char *slash = strchr(text, '/');
    if (slash) *slash++ = 0;
    *out = (sl_network){0};
    if (!parse_address(text, out->bytes, &ipv4)) return false;
    unsigned most = ipv4 ? 32 : 128, bits = most;
    if (slash && !parse_bits(slash, most, &bits)) return false;
    out->bits = bits + 128 - most;
    static const unsigned char zero[16] = {0};
    unsigned char tail[16];
    for (unsigned i = 0; i < 16; i++) {
        unsigned kept = out->bits > i * 8 ? out->bits - i * 8 : 0;
        tail[i] = (unsigned char)(kept >= 8 ? 0 : out->bytes[i] & (0xff >> kept));
    }
    return memcmp(tail, zero, 16) == 0;
}

static bool contains(const char *network, const unsigned char address[16]) {
    sl_network n;
    return sl_network_parse(sl_text_of(network), &n) && bits_agree(n.bytes, address, n.bits);
}

/* ---- addresses ----------------------------------------------------------------------------------------- */

static bool is_public(const unsigned char address[16]) {
    for (size_t i = 0; i < SL_COUNT(carriers); i++) {
        unsigned char inner[16];
        if (!contains(carriers[i].prefix, address)) continue;
        put_ipv4(inner, address + carriers[i].at);
        return is_public(inner);
    }
    for (size_t i = 0; i < SL_COUNT(reserved); i++) {
        if (contains(reserved[i], address)) return false;
    }
    return true;
}

static bool read_address(const struct sockaddr *a, unsigned char out[16]) {
    if (a->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)a;
        put_ipv4(out, &in->sin_addr);
        return true;
    }
    if (a->sa_family != AF_INET6) return false;
    const struct sockaddr_in6 *in6 = (const void *)a;
    memcpy(out, &in6->sin6_addr, 16);
    return true;
}

bool sl_address_is_public(const struct sockaddr *address) {
    unsigned char bytes[16];
    return read_address(address, bytes) && is_public(bytes);
}

static bool is_allowed(const unsigned char bytes[16], const sl_network *allowed, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (bits_agree(allowed[i].bytes, bytes, allowed[i].bits)) return true;
    }
    return is_public(bytes);
}

bool sl_address_allowed(const struct sockaddr *address, const sl_network *allowed, size_t n) {
    unsigned char bytes[16];
    return read_address(address, bytes) && is_allowed(bytes, allowed, n);
}

bool sl_address_text_allowed(const char *text, const sl_network *allowed, size_t n) {
    unsigned char bytes[16];
    char plain[SL_ADDRESS_TEXT];
    bool ipv4;
    size_t length = strcspn(text, "%"); /* the zone of a link-local address */
    if (length >= sizeof plain) return false;
    memcpy(plain, text, length);
    plain[length] = 0;
    return parse_address(plain, bytes, &ipv4) && is_allowed(bytes, allowed, n);
}

void sl_address_show(const struct sockaddr *address, char out[SL_ADDRESS_TEXT]) {
    out[0] = 0;
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)address;
        inet_ntop(AF_INET, &in->sin_addr, out, SL_ADDRESS_TEXT);
    } else if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)address;
        inet_ntop(AF_INET6, &in6->sin6_addr, out, SL_ADDRESS_TEXT);
    }
}
