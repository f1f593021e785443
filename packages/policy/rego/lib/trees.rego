# What a reference names: an image, or an index of images for several platforms; and its way back to what was built.
# A tree: {"digest", "mediaType", "index": parsed or null, "images": [{"digest", "manifest": parsed, "config": text}]}.
package lib.image_chain.trees

import rego.v1

import data.lib.image_chain.json_text
import data.lib.image_chain.labels
import data.lib.image_chain.manifests

image_types := {
	"application/vnd.oci.image.manifest.v1+json": "application/vnd.oci.image.config.v1+json",
	"application/vnd.docker.distribution.manifest.v2+json": "application/vnd.docker.container.image.v1+json",
}

config_types := {type | some type in image_types}

index_types := {
	"application/vnd.oci.image.index.v1+json",
	"application/vnd.docker.distribution.manifest.list.v2+json",
}

# Whether it is an image, as opposed to an artifact dressed as one.
is_image(image) if {
	image.manifest.schemaVersion == 2
	image.manifest.config.mediaType in config_types
	every layer in image.manifest.layers {
		regex.match(`^application/vnd\.(?:oci\.image\.layer|docker\.image\.rootfs)\.`, layer.mediaType)
	}
	count(object.get(image.manifest.config, "urls", [])) == 0
	image.manifest.config.digest == manifests.digest_of(image.config)
	image.manifest.config.size == json_text.byte_count(image.config)
}

# The styles in which the bytes of a manifest can have been written.
styles_of(image) := styles if {
	styles := fitting(image, manifests.compact_styles)
	count(styles) > 0
} else := fitting(image, manifests.indented_styles)

fitting(image, styles) := [style |
	some style in styles
	manifests.digest_of(manifests.manifest_text(image.manifest, image.manifest.config, style)) == image.digest
]

# Whether the bytes of each of its documents can be known here.
is_readable(tree) if {
	count(tree.images) > 0
	every image in tree.images {
		is_image(image)
		count(styles_of(image)) > 0
	}
	is_index_readable(tree)
}

is_index_readable(tree) if tree.index == null

is_index_readable(tree) if count(index_styles(tree)) > 0

index_styles(tree) := styles if {
	styles := fitting_index(tree, manifests.compact_styles)
	count(styles) > 0
} else := fitting_index(tree, manifests.indented_styles)

fitting_index(tree, styles) := [style |
	some style in styles
	manifests.digest_of(manifests.index_text(tree.index, tree.index.manifests, style)) == tree.digest
]

# BuildKit's attestations have an annotation, OCI artifacts an artifactType; an image's is the type of its config.
is_marked(descriptor) if descriptor.annotations["vnd.docker.reference.type"] == "attestation-manifest"

is_marked(descriptor) if not object.get(descriptor, "artifactType", "") in ({""} | config_types)

# Marked, and for no platform that there is: nobody runs it.
is_attachment(descriptor) if {
	is_marked(descriptor)
	descriptor.platform.os == "unknown"
	descriptor.platform.architecture == "unknown"
}

# What an image can have been before it was sealed: {"text", "from", "links", "manifest": its text}.
image_origins(image, prefix) := {object.union(origin, {"manifest": text}) |
	style := styles_of(image)[0]
	some origin in labels.origins(image.config, prefix)
	config := object.union(image.manifest.config, {
		"digest": manifests.digest_of(origin.text),
		"size": json_text.byte_count(origin.text),
	})
	text := manifests.manifest_text(image.manifest, config, style)
}

# The way back: {"from": the digest of what was built, "links", "built": of each sealed image the digest that it was built
# as}. No value where it leads nowhere.
unsealed(tree, prefix) := {"from": origin.from, "links": origin.links, "built": {tree.images[0].digest: origin.from}} if {
	tree.index == null
	some origin in image_origins(tree.images[0], prefix)
	manifests.digest_of(origin.manifest) == origin.from
}

unsealed(tree, prefix) := {"from": from, "links": links, "built": built} if {
	tree.index != null
	origins := {image.digest: image_origins(image, prefix) | some image in tree.images}
	froms := {origin.from | some list in origins; some origin in list}
	some from in froms
	some links in {origin.links | some list in origins; some origin in list}
	chosen := {digest: candidates[0] |
		some digest, list in origins
		candidates := [origin | some origin in list; origin.from == from; origin.links == links]
		count(candidates) == 1
	}
	count(chosen) == count(origins)
	built := {digest: manifests.digest_of(origin.manifest) | some digest, origin in chosen}
	descriptors := [replaced(descriptor, chosen) | some descriptor in tree.index.manifests]
	style := index_styles(tree)[0]
	manifests.digest_of(manifests.index_text(tree.index, descriptors, style)) == from
}

replaced(descriptor, chosen) := object.union(descriptor, {
	"digest": manifests.digest_of(text),
	"size": json_text.byte_count(text),
}) if {
	text := chosen[descriptor.digest].manifest
} else := descriptor
