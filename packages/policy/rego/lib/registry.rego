# Images as the registry has them, by Conforma's functions (https://conforma.dev/docs/policy/rego_builtins.html). Each of
# them checks bytes against the digest that they are asked for by.
package lib.image_chain.registry

import rego.v1

import data.lib.image_chain.trees

# `host/name:tag@digest` in its parts; no value without a digest by SHA-256, which is all that can be computed here.
place_of(reference) := {"repository": repository, "digest": digest} if {
	[[_, name, digest]] := regex.find_all_string_submatch_n(`^([^@]+)@(sha256:[0-9a-f]{64})$`, reference, 1)
	repository := repository_of(name)
}

# A reference with a digest in the one way in which it can be written, to be compared and not to be read: with the registry's
# name in lower case, and Docker Hub's filled in. No value for what is no reference (digest-chain's `parseDigestReference`).
named(text) := {"repository": concat("/", [registry, repository]), "digest": digest} if {
	[[_, name, _, digest]] := regex.find_all_string_submatch_n(
		`^([^@]*?)(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?@(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$`,
		text, 1,
	)
	count(text) <= 1024
	{"registry": registry, "repository": repository} := parts_of(name)
	regex.match(`^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$`, registry)
	regex.match(concat("", ["^", component, "(?:/", component, ")*$"]), repository)
}

component := `[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*`

parts_of(name) := {"registry": hub_name(lower(first)), "repository": hub_path(hub_name(lower(first)), rest)} if {
	[[_, first, rest]] := regex.find_all_string_submatch_n(`^([^/]*)/(.*)$`, name, 1)
	regex.match(`^localhost$|[.:[]`, first)
} else := {"registry": "docker.io", "repository": hub_path("docker.io", name)}

hub_name("index.docker.io") := "docker.io"

hub_name(registry) := registry if registry != "index.docker.io"

hub_path("docker.io", path) := concat("/", ["library", path]) if not contains(path, "/")

hub_path(registry, path) := path if registry != "docker.io"

hub_path("docker.io", path) := path if contains(path, "/")

# A name without its tag.
repository_of(name) := regex.replace(name, `:[^:/]*$`, "")

# The tree of a place (see trees.rego); no value where it can't be read.
read(place) := {"digest": place.digest, "mediaType": type, "index": null, "images": [read_image(place)]} if {
	type := ec.oci.descriptor(reference(place)).mediaType
	type in object.keys(trees.image_types)
}

read(place) := {"digest": place.digest, "mediaType": type, "index": index, "images": images} if {
	type := ec.oci.descriptor(reference(place)).mediaType
	type in trees.index_types
	index := ec.oci.image_index(reference(place))
	digests := {descriptor.digest |
		some descriptor in index.manifests
		not trees.is_attachment(descriptor)
		not is_artifact(place, descriptor)
	}
	images := [image |
		some digest in digests
		image := read_image({"repository": place.repository, "digest": digest})
	]
	count(images) == count(digests)
}

# Marked as no image, and none by its config. What runs images takes what fits its platform, whatever an index says besides.
is_artifact(place, descriptor) if {
	trees.is_marked(descriptor)
	manifest := ec.oci.image_manifest(reference({"repository": place.repository, "digest": descriptor.digest}))
	not manifest.config.mediaType in trees.config_types
}

read_image(place) := {"digest": place.digest, "manifest": manifest, "config": config} if {
	manifest := ec.oci.image_manifest(reference(place))
	config := ec.oci.blob(reference({"repository": place.repository, "digest": manifest.config.digest}))
}

reference(place) := concat("@", [place.repository, place.digest])
