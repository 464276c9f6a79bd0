/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Placing packages. */
#include "format/placement.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { NAME, VERSION, ARCHITECTURE, SUITES, COMPONENT, N_WORDS };

static const char not_published[] = "-", by_directory[] = ".", every[] = "*";

const char *placement_rule_fault(const char *line)
{
    struct strlist words = {0};
    size_t n;

    strlist_add_words(&words, bytes_view_str(line));
    n = words.n_items;
    strlist_free(&words);
    return n == N_WORDS ? NULL : "is not NAME VERSION ARCHITECTURE SUITES COMPONENT";
}

/* Whether PATH is NAME, or lies below it. */
static bool is_below(const char *path, const char *name)
{
    size_t len = strlen(name);

    return strncmp(path, name, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* Which of NAMES the directories at the start of PATH are: the longest one. N_ITEMS for none. */
static size_t find_directory(const struct strlist *names, const char *path)
{
    size_t i, found = names->n_items;

    for (i = 0; i < names->n_items; i++)
        if (is_below(path, names->items[i]) && path[strlen(names->items[i])] &&
            (found == names->n_items || strlen(names->items[i]) > strlen(names->items[found])))
            found = i;
    return found;
}

static size_t find_name(const struct strlist *names, struct bytes_view name)
{
    size_t i;

    for (i = 0; i < names->n_items && !bytes_view_equals(name, names->items[i]); i++)
        ;
    return i;
}

static bool is_glob(const char *word, const char *text)
{
    return fnmatch(word, text, 0) == 0;
}

/* ---- Reading the settings ---- */

static bool check_names(const struct placement *p, struct hallmark_error *err)
{
    const char *a, *b;
    size_t i, k;

    for (i = 0; i < p->suites.n_items; i++) {
        a = p->suites.items[i];
        for (k = 0; k < p->suites.n_items; k++) {
            b = p->suites.items[k];
            if (i != k && is_below(b, a))
                return error_set(err, HALLMARK_ERR_USAGE,
                                 "Suite: \"%s\" would be a part of the directory of \"%s\"", b, a);
        }
        if (p->suites.n_items > 1 && strlist_has(&p->components, a))
            return error_set(err, HALLMARK_ERR_USAGE,
                             "Suite: \"%s\" is the name of a component as well", a);
    }
    return true;
}

/* The suites that a rule names with commas between, as bits. */
static bool parse_suites(const struct placement *p, const char *word, uint64_t *out,
                         struct hallmark_error *err)
{
    size_t len, i;

    for (*out = 0; *word; word += len + (word[len] == ',')) {
        len = strcspn(word, ",");
        i = find_name(&p->suites, bytes_view_of(word, len));
        if (i == p->suites.n_items)
            return error_set(err, HALLMARK_ERR_USAGE, "Rules: \"%.*s\" is no suite in Suite",
                             (int)len, word);
        *out |= UINT64_C(1) << i;
    }
    return true;
}

static bool parse_rule(const struct placement *p, struct bytes_view line,
                       struct placement_rule *rule, struct hallmark_error *err)
{
    const char *suites, *component;

    strlist_add_words(&rule->words, line);
    if (rule->words.n_items != N_WORDS)
        return error_set(err, HALLMARK_ERR_USAGE, "Rules: a rule has five words");
    suites = rule->words.items[SUITES];
    component = rule->words.items[COMPONENT];
    rule->is_by_directory = strcmp(suites, by_directory) == 0;
    if (strcmp(suites, every) == 0)
        rule->suites = p->suites.n_items == PLACEMENT_SUITES
                           ? UINT64_MAX
                           : (UINT64_C(1) << p->suites.n_items) - 1;
    else if (!rule->is_by_directory && strcmp(suites, not_published) != 0 &&
             !parse_suites(p, suites, &rule->suites, err))
        return false;
    return strcmp(component, by_directory) == 0 || strlist_has(&p->components, component) ||
           error_set(err, HALLMARK_ERR_USAGE, "Rules: \"%s\" is no component in Components",
                     component);
}

static bool parse_rules(struct placement *p, const char *text, struct hallmark_error *err)
{
    struct bytes_view rest = bytes_view_str(text), line;

    while (bytes_view_next_line(&rest, &line)) {
        p->rules = alloc_regrow(p->rules, p->n_rules + 1, sizeof *p->rules);
        p->rules[p->n_rules] = (struct placement_rule){.suites = 0};
        if (!parse_rule(p, line, &p->rules[p->n_rules++], err))
            return false;
    }
    return true;
}

static bool init(struct placement *p, const struct hallmark_settings *settings,
                 struct hallmark_error *err)
{
    const char *rules = settings->values[SETTINGS_RULES];

    settings_words(settings, SETTINGS_SUITE, &p->suites);
    settings_words(settings, SETTINGS_COMPONENTS, &p->components);
    if (p->components.n_items == 0)
        strlist_add(&p->components, "main");
    if (p->suites.n_items == 0)
        return error_set(err, HALLMARK_ERR_USAGE,
                         "Suite: is missing; the layout apt needs at least one (--suite)");
    if (p->suites.n_items > PLACEMENT_SUITES)
        return error_set(err, HALLMARK_ERR_USAGE, "Suite: names %zu suites, at most %d",
                         p->suites.n_items, PLACEMENT_SUITES);
    return check_names(p, err) && (!rules || parse_rules(p, rules, err));
}

bool placement_init(struct placement *out, const struct hallmark_settings *settings,
                    struct hallmark_error *err)
{
    *out = (struct placement){.n_rules = 0};
    if (init(out, settings, err))
        return true;
    placement_free(out);
    return false;
}

void placement_free(struct placement *placement)
{
    size_t i;

    for (i = 0; i < placement->n_rules; i++)
        strlist_free(&placement->rules[i].words);
    free(placement->rules);
    strlist_free(&placement->suites);
    strlist_free(&placement->components);
    *placement = (struct placement){.n_rules = 0};
}

/* ---- Placing ---- */

/* What the directories say; no suite where they do not, and there are several. */
static void find_by_directory(const struct placement *p, const char *path, struct placed *out)
{
    size_t suite, component;

    *out = (struct placed){.suites = p->suites.n_items == 1};
    if (is_below(path, PLACEMENT_POOL) && path[sizeof PLACEMENT_POOL - 1])
        path += sizeof PLACEMENT_POOL;
    suite = find_directory(&p->suites, path);
    if (suite < p->suites.n_items) {
        out->suites = UINT64_C(1) << suite;
        path += strlen(p->suites.items[suite]) + 1;
    }
    component = find_directory(&p->components, path);
    if (component < p->components.n_items)
        out->component = component;
}

static const struct placement_rule *find_rule(const struct placement *p,
                                              const struct placement_package *package)
{
    char *const *words;
    size_t i;

    for (i = 0; i < p->n_rules; i++) {
        words = p->rules[i].words.items;
        if (is_glob(words[NAME], package->package) && is_glob(words[VERSION], package->version) &&
            is_glob(words[ARCHITECTURE], package->architecture))
            return &p->rules[i];
    }
    return NULL;
}

bool placement_find(const struct placement *p, const struct placement_package *package,
                    struct placed *out, struct hallmark_error *err)
{
    const struct placement_rule *rule = find_rule(p, package);
    const char *component = rule ? rule->words.items[COMPONENT] : by_directory;

    find_by_directory(p, package->path, out);
    if (rule && !rule->is_by_directory) {
        out->suites = rule->suites;
        if (rule->suites == 0)
            return true;
    }
    if (strcmp(component, by_directory) != 0)
        out->component = find_name(&p->components, bytes_view_str(component));
    return out->suites || error_set(err, HALLMARK_ERR_USAGE,
                                    "%s: is of no suite: no rule fits it, and it does not lie "
                                    "below " PLACEMENT_POOL "/SUITE",
                                    package->path);
}
