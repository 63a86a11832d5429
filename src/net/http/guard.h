/* guard.h: which addresses a URL from data may lead to.
 *
 * A URL that the user wrote may lead anywhere. One that was found in data (a link in an item, the target of a redirect,
 * a `next` link) may lead to public addresses only: not to this machine, its networks, its neighbours, or the services
 * that machines in a cloud find at link-local addresses. What is checked is the address that is connected to, after
 * name resolution, so that neither a spelling (decimal, octal, mapped into IPv6) nor a name that resolves to another
 * address the second time gets around it.
 *
 * Thread rule: pure functions. */
#ifndef SL_NET_HTTP_GUARD_H
#define SL_NET_HTTP_GUARD_H

#include "base/status.h"
#include "base/text.h"

struct sockaddr;

enum { SL_ADDRESS_TEXT = 64 }; /* room for an address as text */

/* A block of addresses. IPv4 is kept as ::ffff:a.b.c.d. */
typedef struct sl_network {
    unsigned char bytes[16];
    unsigned bits; /* of 128 that must agree */
} sl_network;

/* "10.0.0.0/8", "fd00::/8", or one address. Strict: four decimal numbers, bits behind the prefix zero. */
bool sl_network_parse(sl_text t, sl_network *out);

/* Whether anybody on the internet may have this address. False for any family but IPv4 and IPv6. */
bool sl_address_is_public(const struct sockaddr *address);

/* Whether it is public or in one of the N networks ALLOWED. */
bool sl_address_allowed(const struct sockaddr *address, const sl_network *allowed, size_t n);

/* The same for an address as text, as getpeername would show it. False when TEXT is not an address. */
bool sl_address_text_allowed(const char *text, const sl_network *allowed, size_t n);

/* ADDRESS as text, "" for other families. */
void sl_address_show(const struct sockaddr *address, char out[SL_ADDRESS_TEXT]);

#endif
