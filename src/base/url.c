/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* URLs of http and https (RFC 3986). */
#include "base/url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/limits.h"

static const char unreserved[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
/* What may stand beside these in a path as it is, RFC 3986 section 3.3. */
static const char path_marks[] = "!$&'()*+,;=:@";

static bool is_one_of(char c, const char *set)
{
    return c && strchr(set, c);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The value of the escape at S, which is a "%"; -1 for a bad one and for NUL. */
static int escaped_value(const char *s)
{
    int high = hex_value(s[1]), low = high < 0 ? -1 : hex_value(s[2]);

    return low < 0 || (high == 0 && low == 0) ? -1 : high << 4 | low;
}

bool url_decode(char *text)
{
    char *out = text;
    int value;

    for (; *text; text++) {
        if (*text != '%') {
            *out++ = *text;
            continue;
        }
        value = escaped_value(text);
        if (value < 0)
            return false;
        *out++ = (char)value;
        text += 2;
    }
    *out = '\0';
    return true;
}

void url_append_path(struct bytes *out, const char *path)
{
    for (; *path; path++)
        if (*path == '/' || is_one_of(*path, unreserved))
            bytes_append(out, path, 1);
        else
            bytes_printf(out, "%%%02X", (unsigned char)*path);
}

/* The length of "http://" or "https://" at the start of TEXT; 0 where there is neither. */
static size_t scheme_len(const char *text)
{
    static const char *const schemes[] = {"http://", "https://"};
    size_t i;

    for (i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (strncasecmp(text, schemes[i], strlen(schemes[i])) == 0)
            return strlen(schemes[i]);
    return 0;
}

bool url_is_http(const char *text)
{
    return scheme_len(text) > 0;
}

char *url_redact(const char *text)
{
    struct bytes out = {0};
    const char *start, *end;

    /* Up to the last "@" of a word: a password may hold what no URL should. */
    while ((start = strstr(text, "://")) != NULL) {
        start += strlen("://");
        bytes_append(&out, text, (size_t)(start - text));
        end = memrchr(start, '@', strcspn(start, " \t\n"));
        if (end)
            bytes_append_str(&out, "***");
        text = end ? end : start;
    }
    bytes_append_str(&out, text);
    return out.data;
}

/* ---- Parsing -------------------------------------------------------------------------------- */

static bool refuse(const char *text, const char *why, struct hallmark_error *err)
{
    char *redacted = url_redact(text);

    error_set(err, HALLMARK_ERR_USAGE, "%.500s: %s", redacted, why);
    free(redacted);
    return false;
}

static bool is_host(struct bytes_view host)
{
    size_t i;

    if (host.len >= 2 && host.data[0] == '[' && host.data[host.len - 1] == ']') {
        for (i = 1; i < host.len - 1; i++)
            if (hex_value(host.data[i]) < 0 && !is_one_of(host.data[i], ":."))
                return false;
        return host.len > 2;
    }
    for (i = 0; i < host.len; i++)
        if (!is_one_of(host.data[i], unreserved))
            return false;
    return host.len > 0 && host.data[0] != '-' && host.data[0] != '.';
}

/* Splits the digits behind the host off; *PORT stays where there are none. */
static bool take_port(struct bytes_view *host, unsigned *port)
{
    const char *colon = memrchr(host->data, ':', host->len);
    const char *end = host->data + host->len, *p;
    unsigned value = 0;

    if (!colon || memchr(colon, ']', (size_t)(end - colon)))
        return true;
    host->len = (size_t)(colon - host->data);
    if (colon + 1 == end)
        return true;
    for (p = colon + 1; p < end; p++) {
        if (*p < '0' || *p > '9')
            return false;
        value = value * 10 + (unsigned)(*p - '0');
        if (value > 65535)
            return false;
    }
    *port = value;
    return value > 0;
}

static bool take_credentials(struct url *url, struct bytes_view *authority)
{
    const char *at = memrchr(authority->data, '@', authority->len);
    const char *p;
    size_t len;

    if (!at)
        return true;
    len = (size_t)(at - authority->data);
    url->credentials = alloc_strndup(authority->data, len);
    for (p = url->credentials; *p; p++)
        if (!is_one_of(*p, unreserved) && !is_one_of(*p, "!$&'()*+,;=:%"))
            return false;
    authority->data += len + 1;
    authority->len -= len + 1;
    return url_decode(url->credentials);
}

static bool parse_authority(struct url *url, struct bytes_view authority, struct bytes *out)
{
    unsigned standard = url->is_https ? 443 : 80, port = standard;
    size_t i;

    if (!take_credentials(url, &authority) || !take_port(&authority, &port) || !is_host(authority))
        return false;
    for (i = 0; i < authority.len; i++)
        bytes_printf(out, "%c", bytes_lower(authority.data[i]));
    if (port != standard)
        bytes_printf(out, ":%u", port);
    return true;
}

/* One component of a path: an escape only where one is needed. NULL or why not. */
static const char *append_component(struct bytes *out, struct bytes_view component)
{
    char *text = alloc_strndup(component.data, component.len);
    const char *p, *why = NULL;
    size_t start = out->len;
    int value;

    for (p = text; !why && *p; p++) {
        value = *p == '%' ? escaped_value(p) : (unsigned char)*p;
        if (value == '/' || value == '\\' || value < ' ' || value == 127) /* -1: no escape */
            why = "holds an escape, or a character, that no path may hold";
        else if (is_one_of((char)value, unreserved) || (*p != '%' && is_one_of(*p, path_marks)))
            bytes_printf(out, "%c", value);
        else if (*p == '%')
            bytes_printf(out, "%%%02X", (unsigned)value);
        else
            why = "holds a character that has to be percent-encoded";
        p += !why && *p == '%' ? 2 : 0;
    }
    free(text);
    if (!why && ((out->len - start == 1 && out->data[start] == '.') ||
                 (out->len - start == 2 && memcmp(out->data + start, "..", 2) == 0)))
        why = "holds \".\" or \"..\"";
    return why;
}

static const char *append_path(struct bytes *out, const char *path)
{
    const char *why = NULL;
    size_t len;

    while (*path && !why) {
        path += strspn(path, "/");
        len = strcspn(path, "/");
        if (len) {
            bytes_append(out, "/", 1);
            why = append_component(out, bytes_view_of(path, len));
        }
        path += len;
    }
    return why;
}

bool url_parse(struct url *out, const char *text, struct hallmark_error *err)
{
    struct url url = {0};
    struct bytes canonical = {0};
    size_t start = scheme_len(text), len = strcspn(text + start, "/?#");
    const char *path = text + start + len, *why = NULL;

    if (!start)
        why = "is not a URL of http or https";
    else if (strlen(text) > LIMITS_URL_BYTES)
        why = "is too long for a URL";
    else if (strpbrk(path, "?#"))
        why = "has a query or a fragment: the URL of a directory has none";
    if (why)
        return refuse(text, why, err);
    url.is_https = start == strlen("https://");
    bytes_append_str(&canonical, url.is_https ? "https://" : "http://");
    if (!parse_authority(&url, bytes_view_of(text + start, len), &canonical))
        why = "has no well-formed host, port, user or password";
    else
        url.origin = alloc_strdup(canonical.data);
    if (!why)
        why = append_path(&canonical, path);
    url.text = canonical.data;
    if (!why) {
        *out = url;
        return true;
    }
    url_free(&url);
    return refuse(text, why, err);
}

void url_free(struct url *url)
{
    if (url->credentials)
        explicit_bzero(url->credentials, strlen(url->credentials));
    free(url->credentials);
    free(url->text);
    free(url->origin);
    *url = (struct url){0};
}
