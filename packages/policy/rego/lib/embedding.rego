# How an image says which other it was built with: a label and an environment variable for the digest, and one each for
# the place (docs/digest-chain.md, "Names"). Both have to say the same, and nothing else may say something different.
package lib.image_chain.embedding

import rego.v1

import data.lib.image_chain.labels
import data.lib.image_chain.registry

# {"variable", "url", "digest", "repository"} of an image config that embeds `digest` as `role`.
of(text, role, digest, prefix) := embedding if {
	count(problems(text, role, digest, prefix)) == 0
	config := labels.image_config(text)
	url := labels.labels(config)[labels.url_of(prefix, role)]
	embedding := {
		"variable": variables_with(config, digest)[0], "url": url, "digest": digest,
		"repository": registry.named(url).repository,
	}
}

# What it names as the digest of that role.
named(text, role, prefix) := labels.labels(labels.image_config(text))[labels.digest_of(prefix, role)]

# The first of them is the one that counts.
variables_with(config, digest) := [name |
	some [name, value] in labels.environment(config)
	endswith(name, "_DIGEST")
	value == digest
]

values_of(config, name) := [value | some [found, value] in labels.environment(config); found == name]

url_variable(name) := concat("", [trim_suffix(name, "_DIGEST"), "_URL"])

problems(text, role, digest, prefix) := {problem |
	config := labels.image_config(text)
	some problem in found_problems(config, role, digest, prefix)
} | {"its config can't be read" | not labels.image_config(text)}

found_problems(config, role, digest, prefix) := own_problems(config, role, digest, prefix) | second_answers(config, role, digest, prefix)

own_problems(config, role, digest, prefix) := ((({problem |
	label := labels.digest_of(prefix, role)
	said := object.get(labels.labels(config), label, "nothing")
	said != digest
	problem := sprintf("its label %s is %v, and the image is %s", [label, said, digest])
} | {problem |
	count(variables_with(config, digest)) == 0
	problem := sprintf("none of its variables *_DIGEST is %s", [digest])
}) | {problem |
	name := variables_with(config, digest)[0]
	count(values_of(config, name)) != 1
	problem := sprintf("its variable %s is set twice", [name])
}) | {problem |
	name := variables_with(config, digest)[0]
	label := labels.url_of(prefix, role)
	url := object.get(labels.labels(config), label, "nothing")
	values_of(config, url_variable(name)) != [url]
	problem := sprintf("its label %s is %v, and its variable %s is not", [label, url, url_variable(name)])
}) | {problem |
	label := labels.url_of(prefix, role)
	url := object.get(labels.labels(config), label, "nothing")
	not names_digest(url, digest)
	problem := sprintf("its label %s is %v, which does not end with @%s", [label, url, digest])
}

names_digest(url, digest) if registry.named(url).digest == digest

# Other variables and labels that name the same repository with another digest.
second_answers(config, role, digest, prefix) := {problem |
	url := labels.labels(config)[labels.url_of(prefix, role)]
	repository := registry.named(url).repository
	some pair in pairs(config, prefix)
	place := registry.named(pair.url)
	place.repository == repository
	some other in array.concat([place.digest], pair.digests)
	other != digest
	problem := sprintf("it names %s twice, with %s and with %v", [repository, digest, other])
}

pairs(config, prefix) := array.concat(
	[{"url": value, "digests": values_of(config, name)} |
		some [variable, value] in labels.environment(config)
		endswith(variable, "_URL")
		name := concat("", [trim_suffix(variable, "_URL"), "_DIGEST"])
	],
	[{"url": url, "digests": [digest]} |
		some label, digest in labels.labels(config)
		endswith(label, "-image.digest")
		role := labels.role_of(prefix, label)
		url := labels.labels(config)[labels.url_of(prefix, role)]
	],
)
