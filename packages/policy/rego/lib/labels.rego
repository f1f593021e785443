# The seal in an image config, and the way back (docs/digest-chain.md, "The seal"): what digest-chain's `unseal` does. Its
# rules are the same, so that a config which differs from its origin by anything but the seal's own labels leads nowhere.
package lib.image_chain.labels

import rego.v1

import data.lib.image_chain.json_text

# What a config says, if it is an image's and means the same to every reader.
image_config(text) := config if {
	config := json_text.strict(text)
	is_object(config)
	every key in ["rootfs", "config"] { not json_text.has_twin(config, key) }
	is_rootfs(config.rootfs)
	container := object.get(config, "config", null)
	type_name(container) in {"object", "null"}
	every key in ["Labels", "Env"] { not has_twin_in(container, key) }
	type_name(object.get(members(container), "Labels", null)) in {"object", "null"}
	every _, value in labels(config) { type_name(value) in {"string", "null"} }
}

is_rootfs(rootfs) if {
	not json_text.has_twin(rootfs, "diff_ids")
	type_name(rootfs.diff_ids) in {"array", "null"}
}

# Docker leaves out the list of layers where there is none.
is_rootfs(rootfs) if {
	not "diff_ids" in object.keys(rootfs)
	every key in ["diff_ids", "type"] { not json_text.has_twin(rootfs, key) }
	rootfs.type == "layers"
}

has_twin_in(container, key) if json_text.has_twin(members(container), key)

members(value) := value if is_object(value)

members(value) := {} if not is_object(value)

labels(config) := members(object.get(members(object.get(config, "config", null)), "Labels", null))

# The environment, in order: [name, value].
environment(config) := [[name, value] |
	entries := object.get(members(object.get(config, "config", null)), "Env", [])
	is_array(entries)
	some entry in entries
	is_string(entry)
	parts := split(entry, "=")
	name := parts[0]
	value := concat("=", array.slice(parts, 1, count(parts)))
]

is_digest(text) if regex.match(`^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$`, text)

sealed_from(prefix) := concat("", [prefix, ".sealed-from.digest"])

sealed_over(prefix) := concat("", [prefix, ".sealed-over"])

digest_of(prefix, role) := sprintf("%s.%s-image.digest", [prefix, role])

url_of(prefix, role) := sprintf("%s.%s-image.url", [prefix, role])

# The role that a label is about, if it is a link's.
role_of(prefix, label) := role if {
	startswith(label, concat("", [prefix, "."]))
	name := trim_prefix(label, concat("", [prefix, "."]))
	[[_, role, _]] := regex.find_all_string_submatch_n(`^([a-z0-9-]+)-image\.(digest|url)$`, name, 1)
	regex.match(`^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$`, role)
}

is_seal(prefix, label) if label in {sealed_from(prefix), sealed_over(prefix)}

is_seal(prefix, label) if role_of(prefix, label)

# Every config that this one can have been before it was sealed: {"text", "from", "links"}. The labels may be written
# more than once (container_config has them, too), so each place is tried; which one it is shows in what is then read.
origins(text, prefix) := {origin |
	config := image_config(text)
	label_values := labels(config)
	pieces := json_text.pieces(text)
	some at, piece in pieces
	heads := regex.find_n(concat("", ["^", json_text.member_head, `\{`]), piece, 1)
	count(heads) == 1
	head := trim_suffix(heads[0], "{")
	json.unmarshal(regex.find_n(concat("", ["^", json_text.string_token]), head, 1)[0]) == "Labels"
	place := {
		"before": concat("", array.slice(pieces, 0, at)),
		"head": head,
		"items": regex.find_n(concat("", [json_text.flat_member, `|[ \t\n\r,{}]+`]), trim_prefix(piece, head), -1),
		"after": concat("", array.slice(pieces, at + 1, count(pieces))),
	}
	entries := [entry_of(item) | some item in place.items; startswith(item, `"`)]
	{entry.key: json.unmarshal(entry.token) | some entry in entries} == label_values
	seal := read_seal(entries, label_values, prefix)
	undone := undo(place, entries, seal, prefix)
	before := image_config(undone.text)
	labels(before) == undone.labels
	fits(seal, before)
	every _, value in undone.replaced { not embeds(before, value) }
	origin := {"text": undone.text, "from": seal.from, "links": seal.links}
}

entry_of(item) := {"key": json.unmarshal(name), "name": name, "colon": colon, "token": token} if {
	name := regex.find_n(concat("", ["^", json_text.string_token]), item, 1)[0]
	rest := trim_prefix(item, name)
	colon := regex.find_n(`^[ \t\n\r]*:[ \t\n\r]*`, rest, 1)[0]
	token := trim_prefix(rest, colon)
}

# An origin that has an image of this role embedded would have been refused: the seal would overwrite its label.
embeds(config, value) if {
	some [name, digest] in environment(config)
	endswith(name, "_DIGEST")
	digest == value
}

containers := {"no-config", "null-config", "empty-config", "no-labels", "null-labels", "empty-labels"}

# In which way a config has no labels.
container_of(config) := "no-config" if not "config" in object.keys(config)

container_of(config) := "null-config" if config.config == null

container_of(config) := "empty-config" if config.config == {}

container_of(config) := "no-labels" if {
	count(config.config) > 0
	not "Labels" in object.keys(config.config)
}

container_of(config) := "null-labels" if config.config.Labels == null

container_of(config) := "empty-labels" if config.config.Labels == {}

fits(seal, config) if container_of(config) == seal.record

fits(seal, config) if {
	not seal.record in containers
	not container_of(config)
}

# What the seal says: the digest of the origin, the links by role, and what stood where it is now.
# - record: the label sealed-over, as text; "" where there is none
# - tokens: the tokens of labels that were there before
# - values: [label, value] in the order in which they are written
read_seal(entries, values, prefix) := seal if {
	from := values[sealed_from(prefix)]
	is_digest(from)
	record := record_text(values, prefix)
	written := written_labels(entries, record, prefix)
	roles := {role | some label in written; role := role_of(prefix, label)}
	count(roles) > 0
	links := [{"role": role, "digest": digest, "url": url} |
		some role in sort([role | some role in roles])
		digest := values[digest_of(prefix, role)]
		url := values[url_of(prefix, role)]
		is_digest(digest)
		regex.match(`^[A-Za-z0-9.[][A-Za-z0-9._:/[\]@-]{0,511}$`, url)
	]
	count(links) == count(roles)
	tokens := record_tokens(record, prefix)
	by_role := [pair |
		some link in links
		some pair in [[digest_of(prefix, link.role), link.digest], [url_of(prefix, link.role), link.url]]
	]
	over := [[sealed_over(prefix), record] | record != ""]
	seal := {
		"from": from, "links": links, "record": record, "tokens": tokens,
		"values": array.concat(array.concat([[sealed_from(prefix), from]], over), by_role),
	}
	is_canonical(seal, prefix)
}

record_text(values, prefix) := text if {
	text := values[sealed_over(prefix)]
	text != ""
}

record_text(values, prefix) := "" if not sealed_over(prefix) in object.keys(values)

# The labels that the seal wrote.
written_labels(entries, record, prefix) := {entry.key | some entry in entries} if {
	record in containers
	every entry in entries { is_seal(prefix, entry.key) }
}

written_labels(_, record, prefix) := {concat("", [prefix, ".", name]) |
	some entry in split(record, ",")
	name := split(entry, "=")[0]
} if {
	record != ""
	not record in containers
}

# Without a record the seal is the end of the labels.
written_labels(entries, "", prefix) := written if {
	starts := [at | some at, entry in entries; entry.key == sealed_from(prefix)]
	tail := array.slice(entries, starts[0], count(entries))
	every entry in tail { is_seal(prefix, entry.key) }
	written := {entry.key | some entry in tail}
}

record_tokens(record, _) := {} if record in containers

record_tokens("", _) := {}

record_tokens(record, prefix) := tokens if {
	record != ""
	not record in containers
	every entry in split(record, ",") { regex.match(`^[a-z0-9.-]+(?:=[A-Za-z0-9.:/@_%-]+)?$`, entry) }
	tokens := {concat("", [prefix, ".", parts[0]]): token |
		some entry in split(record, ",")
		parts := split(entry, "=")
		count(parts) == 2
		regex.match(`^(?:[^%]|%[0-9A-F]{2})*$`, parts[1])
		token := urlquery.decode(parts[1])
		regex.match(concat("", ["^(?:", json_text.string_token, "|null)$"]), token)
	}
	count(tokens) > 0
}

# A record is what this seal would have written.
is_canonical(seal, _) if seal.record in containers

is_canonical(seal, _) if seal.record == ""

is_canonical(seal, prefix) if {
	not seal.record in containers
	seal.record == concat(",", [entry |
		some [label, _] in seal.values
		is_listed(seal, label, prefix)
		name := trim_prefix(label, concat("", [prefix, "."]))
		entry := concat("", [name, encoded(object.get(seal.tokens, label, null))])
	])
	every label in object.keys(seal.tokens) { label in {written | some [written, _] in seal.values} }
}

is_listed(_, label, prefix) if label != sealed_over(prefix)

is_listed(seal, label, _) if label in object.keys(seal.tokens)

encoded(null) := ""

# Percent-encoding that leaves the characters of digests and references as they are.
encoded(token) := concat("", ["=", text]) if {
	is_string(token)
	text := strings.replace_n({"%3A": ":", "%2F": "/", "%40": "@", "~": "%7E", "+": "%20"}, urlquery.encode(token))
}

# A label and its value, as a seal writes them.
written_member([label, value]) := sprintf(`"%s":"%s"`, [label, value])

block(pairs) := concat(",", [written_member(pair) | some pair in pairs])

# The text without the seal, the labels that are left, and those that are there again.
undo(place, _, seal, _) := {"text": text, "labels": {}, "replaced": {}} if {
	text := without_labels(place, seal.record, block(seal.values), concat("", place.items))
}

undo(place, entries, seal, _) := {"text": text, "labels": left, "replaced": replaced} if {
	not seal.record in containers
	appended := [pair | some pair in seal.values; not pair[0] in object.keys(seal.tokens)]
	kept := count(entries) - count(appended)
	kept > 0

	# Separators and members alternate, so member i is item 2i + 1.
	last := 2 * kept
	concat("", array.slice(place.items, last, count(place.items) - 1)) == ending(appended)
	current := {label: value | some [label, value] in seal.values}
	every label in object.keys(seal.tokens) {
		some entry in array.slice(entries, 0, kept)
		entry.key == label
		entry.token == sprintf(`"%s"`, [current[label]])
	}
	items := [restored(item, seal.tokens) | some item in array.slice(place.items, 0, last)]
	end := place.items[count(place.items) - 1]
	text := concat("", [place.before, place.head, concat("", items), end, place.after])
	left := {entry.key: json.unmarshal(object.get(seal.tokens, entry.key, entry.token)) |
		some entry in array.slice(entries, 0, kept)
	}
	replaced := {label: json.unmarshal(token) | some label, token in seal.tokens}
}

ending([]) := ""

ending(appended) := concat("", [",", block(appended)]) if count(appended) > 0

restored(item, tokens) := concat("", [entry.name, entry.colon, tokens[entry.key]]) if {
	startswith(item, `"`)
	entry := entry_of(item)
	entry.key in object.keys(tokens)
} else := item

# A seal in a config that had no labels, by the way in which it had none.
without_labels(place, "no-config", written, body) := concat("", [trim_suffix(place.before, `,"config":{`), rest]) if {
	is_alone(place, written, body)
	regex.match(`[^ \t\n\r],"config":\{$`, place.before)
	startswith(place.after, "}")
	rest := trim_prefix(place.after, "}")
	regex.match(`^[ \t\n\r]*\}[ \t\n\r]*$`, rest)
}

without_labels(place, "null-config", written, body) := text if {
	is_alone(place, written, body)
	endswith(place.before, "{")
	startswith(place.after, "}")
	text := concat("null", [trim_suffix(place.before, "{"), trim_prefix(place.after, "}")])
}

without_labels(place, "empty-config", written, body) := concat("", [place.before, place.after]) if {
	is_alone(place, written, body)
	endswith(place.before, "{")
	regex.match(`^[ \t\n\r]*\}`, place.after)
}

without_labels(place, "no-labels", written, body) := concat("", [trim_suffix(place.before, ","), place.after]) if {
	is_alone(place, written, body)
	regex.match(`[^ \t\n\r],$`, place.before)
	regex.match(`^[ \t\n\r]*\}`, place.after)
}

without_labels(place, "null-labels", written, body) := concat("", [place.before, place.head, "null", place.after]) if {
	body == sprintf("{%s}", [written])
}

without_labels(place, "empty-labels", written, body) := concat("", [place.before, place.head, "{", rest, place.after]) if {
	start := concat("", ["{", written])
	startswith(body, start)
	rest := trim_prefix(body, start)
	regex.match(`^[ \t\n\r]*\}$`, rest)
}

is_alone(place, written, body) if {
	place.head == `"Labels":`
	body == sprintf("{%s}", [written])
}
