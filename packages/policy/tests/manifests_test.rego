package lib.image_chain.manifests_test

import rego.v1

import data.lib.image_chain.manifests

descriptor := {
	"mediaType": "application/vnd.oci.image.config.v1+json", "size": 2, "digest": "sha256:ab",
	"data": "", "urls": [], "annotations": {}, "artifactType": "",
}

manifest := {
	"schemaVersion": 2, "mediaType": "m", "config": descriptor,
	"layers": [object.union(descriptor, {"annotations": {"b": "<", "a": "1"}})], "annotations": {},
}

texts := {manifests.manifest_text(manifest, descriptor, style) |
	some style in array.concat(manifests.compact_styles, manifests.indented_styles)
}

test_written_as_containers_image_writes_it if {
	config := `{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:ab","size":2`
	text := sprintf(
		`{"schemaVersion":2,"mediaType":"m","config":%s},"layers":[%s,"annotations":{"a":"1","b":"\u003c"}}]}`,
		[config, config],
	)
	text in texts
}

test_written_as_docker_writes_it if {
	plain := object.union(manifest, {"layers": [descriptor]})
	style := {"fields": ["mediaType", "size", "digest"], "indent": "   ", "end": "", "none": "[]"}
	member := concat("\n", [
		`{`,
		`         "mediaType": "application/vnd.oci.image.config.v1+json",`,
		`         "size": 2,`,
		`         "digest": "sha256:ab"`,
		`      }`,
	])
	manifests.manifest_text(plain, descriptor, style) == concat("\n", [
		`{`,
		`   "schemaVersion": 2,`,
		`   "mediaType": "m",`,
		`   "config": {`,
		`      "mediaType": "application/vnd.oci.image.config.v1+json",`,
		`      "size": 2,`,
		`      "digest": "sha256:ab"`,
		`   },`,
		`   "layers": [`,
		concat("", ["      ", member]),
		`   ]`,
		`}`,
	])
}

test_nothing_is_written_for_what_a_policy_is_not_shown if {
	not manifests.descriptor_text(object.union(descriptor, {"data": "x"}), 1, manifests.compact_styles[0])
	not manifests.manifest_text(object.union(manifest, {"subject": descriptor}), descriptor, manifests.compact_styles[0])
}
