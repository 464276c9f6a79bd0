#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every report is one JSON object with the documented keys in their order, whatever the outcome.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
make_repository "$root"
mkdir "$T/out"

keys()
{
    json "list(o.keys()) == '$1'.split()"
}
publisher_keys="name root status exit error published n_packages n_added n_changed n_removed n_skipped"
publisher_keys+=" n_broken n_hashed n_hashed_bytes n_pruned date valid_until"
publisher()
{
    keys "repositories exit"
    json "len(o['repositories']) == 1"
    json "list(o['repositories'][0].keys()) == '$publisher_keys'.split()"
    json "$1"
}
date='[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z'

ln -s README.txt "$root/link"
touch "$root/.hidden"
expect 0 '' -- release update "${PUBLISHER[@]}" --json "$root"
publisher "(lambda r: r['published'] is True and r['n_packages'] == 4 and r['n_added'] == 4 and
    r['n_changed'] == 0 and r['n_removed'] == 0 and r['n_skipped'] == 2 and r['n_hashed'] == 4 and
    r['exit'] == 0 and r['error'] is None and r['root'] == '$root')(o['repositories'][0])"
json "__import__('re').fullmatch(r'$date', o['repositories'][0]['date'])"
expect 0 '' -- release update "${PUBLISHER[@]}" --json "$root"
publisher "o['repositories'][0]['published'] is False and o['repositories'][0]['n_added'] == 0"
rm "$root/README.txt"
echo changed >>"$root/pool/h/new.txt"
expect 0 '' -- release status "${PUBLISHER[@]}" --json "$root"
publisher "(lambda r: (r['n_added'], r['n_changed'], r['n_removed']) == (1, 0, 1))(o['repositories'][0])"
expect 0 '' -- release update "${PUBLISHER[@]}" --json "$root"
publisher "(lambda r: (r['n_added'], r['n_changed'], r['n_removed']) == (1, 0, 1))(o['repositories'][0])"
expect 0 '' -- release resign "${PUBLISHER[@]}" --json "$root"
publisher "o['repositories'][0]['published'] is True and o['repositories'][0]['n_hashed'] == 0"
expect 0 '' -- release prune "${PUBLISHER[@]}" --json "$root"
publisher "o['repositories'][0]['n_pruned'] == 0"
expect 0 '' -- release check "${PUBLISHER[@]}" --json "$root"
publisher "o['exit'] == 0"
expect 2 '*' -- release update --gnupg-home "$GNUPG" --state "$T/publisher" --json "$root"
json "o['exit'] == 2"
mkfifo "$root/fifo"
expect 8 '*' -- release update "${PUBLISHER[@]}" --json "$root"
publisher "o['exit'] == 8 and o['repositories'][0]['exit'] == 8 and 'fifo' in o['repositories'][0]['error']"
rm "$root/fifo"

manifest="location document origin label suite codename version description date valid_until expires n_packages n_indexes"
manifest+=" signatures"
signature="fingerprint primary user_id digest created counted verdict"
with_manifest()
{
    json "list(o['manifest'].keys()) == '$manifest'.split()"
    json "all(list(s.keys()) == '$signature'.split() for s in o['manifest']['signatures'])"
    json "o['manifest']['origin'] is None and o['manifest']['document'] == 'InRelease'"
    json "__import__('re').fullmatch(r'$date', o['manifest']['date'])"
    json "__import__('re').fullmatch(r'$date', o['manifest']['valid_until'])"
    json "o['manifest']['signatures'][0]['user_id'] == 'signer (test) <signer@example.org>'"
}
check_keys="repository status exit error not_used manifest n_checked n_indexes n_bad n_bytes problems"
expect 0 '' -- consume check "$root" --json
keys "$check_keys"
with_manifest
expect 0 '' -- consume manifest "$root" --json
keys "repository status exit error not_used manifest"
with_manifest
expect 0 '' -- consume list "$root" --json
keys "repository packages status exit error not_used"
json "all(list(p.keys()) == 'path name version architecture size sha256 sha512'.split() for p in o['packages'])"
json "[p['path'] for p in o['packages']] == sorted(p['path'] for p in o['packages'])"
json "all(len(p['sha256']) == 64 and p['sha512'] is None and p['size'] > 0 for p in o['packages'])"
expect 0 '' -- consume unpack "$root" pool/h/hello-1.0.tar.gz --into "$T/out/x" --json
keys "repository status exit error not_used package into n_entries n_bytes signed_sizes sandbox"

# Bad news keep the form.
flip "$root/pool/h/hello-1.0.tar.gz" 5
expect 7 '*' -- consume check "$root" --json
keys "$check_keys"
json "all(list(p.keys()) == ['path', 'code', 'text'] for p in o['problems'])"
expect 7 '*' -- consume unpack "$root" pool/h/hello-1.0.tar.gz --into "$T/out/y" --json
keys "repository status exit error not_used package into n_entries n_bytes signed_sizes sandbox"
for command in check manifest list; do
    expect 4 '*' -- consume $command "$root" --json --now 2090-01-01
    json "o['status'] == 'bad' and o['exit'] == 4 and 'expired' in o['error']"
    expect 3 '*' -- verify $command "$root" --json --no-state --keyring "$KEYS/evil.gpg"
    json "o['exit'] == 3 and o['repository'] and o['error']"
done
# What is odd in a name stays inside its string.
odd="$T/a\"b\\c"
mkdir "$odd"
expect 3 '*' -- consume check "$odd" --json
json "o['repository'].endswith('a' + chr(34) + 'b' + chr(92) + 'c')"
