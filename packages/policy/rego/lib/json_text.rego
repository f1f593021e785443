# Image documents as text: what has to be known of JSON to take a seal out of it byte for byte. Nothing is ever written
# again from parsed values here; `data.lib.image_chain.labels` cuts texts at the places that these expressions find.
package lib.image_chain.json_text

import rego.v1

# A string, as it is written.
string_token := `"(?:[^"\\\x00-\x1f]|\\.)*"`

# White space between tokens (RFC 8259, section 2).
space := `[ \t\n\r]*`

# A member of an object whose values are texts or null, as labels are.
flat_member := concat("", [string_token, space, ":", space, "(?:", string_token, "|null)"])

# Such a member's key, with everything up to its value.
member_head := concat("", [string_token, space, ":", space])

# A whole object of such members.
flat_object := concat("", [
	`\{`, space, "(?:", flat_member, space, "(?:,", space, flat_member, space, `)*)?\}`,
])

# The text in pieces that join to it again: flat objects with their keys, other strings, and what is between.
pieces(text) := found if {
	found := regex.find_n(concat("|", [concat("", [member_head, flat_object]), string_token, `[^"]+`]), text, -1)
	concat("", found) == text
}

# What a strict reader reads. Readers differ about the rest (keys twice, lone surrogates, bytes that are no UTF-8), so a
# text that has any of it says one thing to the policy and may say another to what runs the image: no value.
strict(text) := value if {
	json.is_valid(text)
	value := json.unmarshal(text)
	is_utf8(text)
	not has_lone_surrogate(text)
	key_count(text) == sum([count(object) | walk(value, [_, object]); is_object(object)])
	every path in [path | walk(value, [path, inner]); type_name(inner) in {"object", "array"}] { count(path) < 64 }
}

# Keys as they are written, not as they are read.
key_count(text) := count([1 |
	some piece in regex.find_n(concat("|", [concat("", [string_token, space, ":"]), string_token, `[^"]+`]), text, -1)
	startswith(piece, `"`)
	endswith(piece, ":")
])

# An invalid byte matches the replacement character, and is none.
is_utf8(text) if {
	every character in regex.find_n(`\x{FFFD}`, text, -1) { character == "\ufffd" }
}

has_lone_surrogate(text) if {
	without_backslashes := replace(text, `\\`, " ")
	pair := `\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}`
	regex.match(`\\u[dD][89a-fA-F][0-9a-fA-F]{2}`, regex.replace(without_backslashes, pair, " "))
}

# A key as readers see it that don't look at its case (Go's encoding/json).
fold(key) := lower(replace(replace(key, "\u017f", "s"), "\u212a", "k"))

# Another key of the object that such a reader would take for this one.
has_twin(object, key) if {
	some other, _ in object
	other != key
	fold(other) == fold(key)
}

# Bytes of a text in UTF-8; count() counts characters.
byte_count(text) := (3 * (count(encoded) / 4)) - padding if {
	encoded := base64.encode(text)
	padding := count(encoded) - count(trim_right(encoded, "="))
}
