# Manifests and indexes, written again. A policy is given a manifest parsed, and its digest is that of its bytes: so it is
# written as the tools write it that make images, until one of these texts hashes to the digest. Where none does, the bytes
# can't be known here, and nothing is said about such an image.
package lib.image_chain.manifests

import rego.v1

digest_of(text) := concat("", ["sha256:", crypto.sha256(text)])

# How tools write: Go's structs in the order of image-spec (containers/image, BuildKit) and of go-containerregistry and
# Docker, which have the size first; with and without indentation; a list of none as [] or null.
# Most are written without, so these are tried first.
compact_styles := [style | some style in every_style; style.indent == ""; style.end == ""]

indented_styles := [style | some style in every_style; not style in compact_styles]

every_style := [{"fields": fields, "indent": indent, "end": end, "none": none} |
	some fields in [
		["mediaType", "digest", "size", "urls", "annotations", "platform", "artifactType"],
		["mediaType", "size", "digest", "urls", "annotations", "platform", "artifactType"],
	]
	some indent in ["", "  ", "   ", "    ", "\t"]
	some end in ["", "\n"]
	some none in ["[]", "null"]
]

# An image's manifest in one style, with this config descriptor.
manifest_text(manifest, config, style) := concat("", [object_text(list, 0, style), style.end]) if {
	not "subject" in object.keys(manifest)
	layers := [descriptor_text(layer, 2, style) | some layer in manifest.layers]
	fields := [
		["schemaVersion", sprintf("%d", [manifest.schemaVersion])],
		["mediaType", text_of(manifest.mediaType)],
		["config", descriptor_text(config, 1, style)],
		["layers", array_text(layers, 1, style)],
		["annotations", map_text(manifest.annotations, 1, style)],
	]
	list := [field | some field in fields; field[1] != ""]
	count(layers) == count(manifest.layers)
}

# An index in one style, with these descriptors.
index_text(index, descriptors, style) := concat("", [object_text(list, 0, style), style.end]) if {
	not "subject" in object.keys(index)
	items := [descriptor_text(descriptor, 2, style) | some descriptor in descriptors]
	fields := [
		["schemaVersion", sprintf("%d", [index.schemaVersion])],
		["mediaType", text_of(index.mediaType)],
		["manifests", array_text(items, 1, style)],
		["annotations", map_text(index.annotations, 1, style)],
	]
	list := [field | some field in fields; field[1] != ""]
	count(items) == count(descriptors)
}

# No text for what has data in it: nothing is known of how that was written.
descriptor_text(descriptor, level, style) := object_text(list, level, style) if {
	object.get(descriptor, "data", "") == ""
	texts := {
		"mediaType": text_of(descriptor.mediaType),
		"digest": text_of(descriptor.digest),
		"size": sprintf("%d", [descriptor.size]),
		"urls": list_text(object.get(descriptor, "urls", []), level + 1, style),
		"annotations": map_text(object.get(descriptor, "annotations", {}), level + 1, style),
		"platform": platform_text(object.get(descriptor, "platform", {}), level + 1, style),
		"artifactType": text_of(object.get(descriptor, "artifactType", "")),
	}
	list := [[name, texts[name]] | some name in style.fields; texts[name] != ""]
}

platform_text(platform, level, style) := object_text(list, level, style) if {
	count(platform) > 0
	texts := {
		"architecture": json.marshal(platform.architecture),
		"os": json.marshal(platform.os),
		"os.version": text_of(object.get(platform, "os.version", "")),
		"os.features": list_text(object.get(platform, "os.features", []), level + 1, style),
		"variant": text_of(object.get(platform, "variant", "")),
		"features": list_text(object.get(platform, "features", []), level + 1, style),
	}
	list := [[name, texts[name]] |
		some name in ["architecture", "os", "os.version", "os.features", "variant", "features"]
		texts[name] != ""
	]
}

platform_text({}, _, _) := ""

# Nothing for what is left out where it is empty.
text_of("") := ""

text_of(text) := json.marshal(text) if text != ""

list_text([], _, _) := ""

list_text(list, level, style) := array_text([json.marshal(item) | some item in list], level, style) if count(list) > 0

map_text({}, _, _) := ""

map_text(map, level, style) := object_text(list, level, style) if {
	count(map) > 0
	list := [[key, json.marshal(map[key])] | some key in sort(object.keys(map))]
}

object_text(fields, level, style) := concat("", [
	"{", concat(",", [concat("", [
		line(level + 1, style),
		json.marshal(name),
		colon(style),
		text,
	]) |
		some [name, text] in fields
	]),
	line(level, style), "}",
])

array_text([], _, style) := style.none

array_text(items, level, style) := concat("", [
	"[", concat(",", [concat("", [
		line(level + 1, style),
		item,
	]) |
		some item in items
	]),
	line(level, style), "]",
]) if {
	count(items) > 0
}

line(_, style) := "" if style.indent == ""

line(level, style) := concat("", ["\n", concat("", [style.indent | some _ in numbers.range(1, level)])]) if {
	style.indent != ""
	level > 0
}

line(0, style) := "\n" if style.indent != ""

colon(style) := ":" if style.indent == ""

colon(style) := ": " if style.indent != ""
