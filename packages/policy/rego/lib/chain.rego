# What is found out about the chain that the Snapshot holds. Nothing here says how bad it is: that is for the rules.
package lib.image_chain.chain

import rego.v1

import data.lib.image_chain.arguments
import data.lib.image_chain.embedding
import data.lib.image_chain.labels
import data.lib.image_chain.registry
import data.lib.image_chain.runs
import data.lib.image_chain.trees

# Where Conforma looks for rule data, too, in its order.
settings := found if {
	found := data.rule_data__configuration__.image_chain
} else := found if {
	found := data.rule_data_custom.image_chain
} else := found if {
	found := data.rule_data.image_chain
} else := {}

prefix := object.get(settings, "prefix", "io.konflux.poc")

builders := object.get(settings, "builders", ["https://tekton.dev/chains/v2"])

# Runs of any branch are taken where there is none.
branch := object.get(settings, "branch", "")

builder_tasks := object.get(settings, "builder_tasks", ["oci://quay.io/konflux-ci/tekton-catalog/*"])

image_list := object.get(settings, "images", [])

images := {image.role: image | some image in image_list}

# The components of images that were built elsewhere, by role.
external := {image.role: image.component | some image in object.get(settings, "external", [])}

setting_problems contains "its version is not 1" if object.get(settings, "version", 0) != 1

setting_problems contains "its branch is no text" if not is_string(branch)

setting_problems contains "it names no images" if count(image_list) == 0

setting_problems contains "a role is there twice" if count(images) != count(image_list)

setting_problems contains sprintf("%s embeds %s, which is none of its images", [role, other]) if {
	some role, image in images
	some other in object.get(image, "embeds", [])
	not other in object.keys(images)
}

setting_problems contains sprintf("the seal of %s is neither label, referrer nor none", [role]) if {
	some role, image in images
	not object.get(image, "seal", "label") in {"label", "referrer", "none"}
}

setting_problems contains "it names no component" if {
	count(image_list) > 0
	count(components) == 0
}

setting_problems contains sprintf("%s is there as an image of the chain and as an external one", [role]) if {
	some role, _ in external
	images[role]
}

components := {image.component: role | some role, image in images; image.component}

every_component := object.keys(components) | {component | some _, component in external}

embedders(role) := {other | some other, image in images; role in object.get(image, "embeds", [])}

is_sealed(role) if {
	object.get(images[role], "seal", "label") == "label"
	count(embedders(role)) > 0
}

# The roles of the image that Conforma has at hand. A component's name is its own word, a digest the registry's: either is
# enough.
judged contains role if {
	some component, role in components
	input.component_name == component
}

judged contains role if {
	some role, place in places
	place.digest == registry.place_of(input.image.ref).digest
}

in_snapshot(component) := [found.containerImage | some found in input.snapshot.components; found.name == component]

together_problems contains sprintf("the component %s is not in it", [component]) if {
	some component, _ in components
	count(in_snapshot(component)) == 0
}

together_problems contains sprintf("the component %s is in it twice", [component]) if {
	some component, _ in components
	count(in_snapshot(component)) > 1
}

together_problems contains sprintf("the component %s has no digest (%s)", [component, reference]) if {
	some component in every_component
	some reference in in_snapshot(component)
	not registry.place_of(reference)
}

together_problems contains sprintf("the component %s is there %d times", [component, count(found)]) if {
	some _, component in external
	found := in_snapshot(component)
	count(found) != 1
}

together_problems contains sprintf("no image was built with %s, the component %s", [role, component]) if {
	some role, component in external
	count([other | some other, _ in images; built_with(other, role)]) == 0
}

together_problems contains problem if {
	some role, component in external
	some other, _ in images
	some named in built_with(other, role)
	some reference in in_snapshot(component)
	place := registry.place_of(reference)
	place.digest != named
	problem := sprintf("%s was built with %s, and the component %s is %s", [other, named, component, place.digest])
}

together_problems contains problem if {
	some role, seal in seals
	some link in seal.links
	some component, other in components
	other == link.role
	place := places[other]
	place.digest != link.digest
	problem := sprintf("%s links to %s, and the component %s is %s", [role, link.digest, component, place.digest])
}

together_problems contains problem if {
	some role, image in images
	some other in object.get(image, "embeds", [])
	named := embedding.named(trees_by_role[role].images[_].config, other, prefix)
	named != origins[other]
	some component, found in components
	found == other
	problem := sprintf("%s was built with %s, and the component %s was built as %s", [
		role, named, component, origins[other],
	])
}

# The digests of an external image that an image says it was built with; undefined where it says none.
built_with(role, other) := digests if {
	digests := {named | named := embedding.named(trees_by_role[role].images[_].config, other, prefix)}
	count(digests) > 0
}

# Where each image is: as the Snapshot says, or the seal of one that links to it.
places[role] := place if some role, place in component_places

places[role] := place if {
	some role, _ in images
	not has_component(role)
	found := {link_place |
		some seal in seals_of_components
		some link in seal.links
		link.role == role
		link_place := {"repository": registry.repository_of(link.url), "digest": link.digest}
	}
	count(found) == 1
	some place in found
}

has_component(role) if images[role].component

component_places[role] := place if {
	some component, role in components
	[reference] := in_snapshot(component)
	place := registry.place_of(reference)
}

seals_of_components[role] := trees.unsealed(registry.read(place), prefix) if {
	some role, place in component_places
	is_sealed(role)
}

trees_by_role[role] := registry.read(place) if some role, place in places

seals[role] := trees.unsealed(trees_by_role[role], prefix) if {
	some role, _ in places
	is_sealed(role)
}

# The digest under which each image was built.
origins[role] := seals[role].from if some role, _ in places

origins[role] := place.digest if {
	some role, place in places
	not is_sealed(role)
	trees_by_role[role]
}

# The digests of the images that were built: those of an index, each.
built(role) := {digest | some _, digest in seals[role].built} if is_sealed(role)

built(role) := {image.digest | some image in trees_by_role[role].images} if not is_sealed(role)

reading_problems[role] contains "its place is not known" if {
	some role, _ in images
	not places[role]
}

reading_problems[role] contains "its manifest or config can't be read" if {
	some role, _ in places
	not trees_by_role[role]
}

reading_problems[role] contains "its manifest is written as no known tool does it, or it is no image" if {
	some role, _ in places
	tree := trees_by_role[role]
	not trees.is_readable(tree)
}

seal_problems[role] contains sprintf("it has no label %s", [label]) if {
	some role, tree in trees_by_role
	is_sealed(role)
	label := labels.sealed_from(prefix)
	some image in tree.images
	not has_label(image, label)
}

seal_problems[role] contains sprintf("it links to %v, and is embedded by %v", [linked, embedders(role)]) if {
	some role, seal in seals
	linked := {link.role | some link in seal.links}
	linked != embedders(role)
}

has_label(image, label) if label in object.keys(labels.labels(labels.image_config(image.config)))

# Sealed images of which the way back leads nowhere, with the digest that they name.
dead_ends[role] contains from if {
	some role, tree in trees_by_role
	is_sealed(role)
	trees.is_readable(tree)
	not seals[role]
	some image in tree.images
	from := labels.labels(labels.image_config(image.config))[labels.sealed_from(prefix)]
}

# What the images that a sealed one links to say, which it names and the Snapshot need not.
link_problems[role] contains sprintf("%s (%s) can't be read", [link.role, link.digest]) if {
	some role, seal in seals
	some link in seal.links
	not linked_tree(link)
}

link_problems[role] contains sprintf("%s (%s): %s", [link.role, link.digest, problem]) if {
	some role, seal in seals
	some link in seal.links
	some image in linked_tree(link).images
	some problem in embedding.problems(image.config, role, seal.from, prefix)
}

# What an image says that embeds others.
link_problems[role] contains problem if {
	some role, image in images
	some other in object.get(image, "embeds", [])
	some member in trees_by_role[role].images
	not embeds_any(member.config, other)
	problem := sprintf("it does not say which %s it was built with", [other])
}

link_problems[role] contains problem if {
	some role, image in images
	some other in object.get(image, "embeds", [])
	some member in trees_by_role[role].images
	named := embedding.named(member.config, other, prefix)
	some problem in embedding.problems(member.config, other, named, prefix)
}

embeds_any(text, role) if embedding.named(text, role, prefix) != ""

linked_tree(link) := registry.read({"repository": registry.repository_of(link.url), "digest": link.digest})

# The commits that the labels of an image name.
revisions(role) := {revision | some image in trees_by_role[role].images; some revision in revisions_in(image)}

revisions_in(image) := {revision |
	some label in ["org.opencontainers.image.revision", "vcs-ref"]
	revision := labels.labels(labels.image_config(image.config))[label]
	is_string(revision)
	revision != ""
}

revision_problems[role] contains sprintf("its labels name %v", [revisions_in(image)]) if {
	some role, tree in trees_by_role
	some image in tree.images
	not names_commit(revisions_in(image))
}

revision_problems[role] contains sprintf("its labels name %s, and the Snapshot %s", [revision, named]) if {
	some component, role in components
	some revision in revisions(role)
	some found in input.snapshot.components
	found.name == component
	named := found.source.git.revision
	named != revision
}

revision_problems[role] contains sprintf("it is of %s, and %s of %s", [revision, other, another]) if {
	some role, _ in trees_by_role
	some revision in revisions(role)
	some other, _ in trees_by_role
	some another in revisions(other)
	revision != another
}

names_commit(found) if {
	count(found) == 1
	every revision in found { regex.match(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`, revision) }
}

# The runs that Conforma has the signatures of.
attested_runs := [run | some attestation in input.attestations; run := runs.run_of(attestation.statement)]

# What is missing or wrong in each; a run without problems is the proof.
run_problems(run) := (image_problems(run) | source_problems(run)) | external_problems(run)

image_problems(run) := (({sprintf("it does not know %s (%s)", [digest, role]) |
	some role, place in places
	some digest in {place.digest, object.get(origins, role, place.digest)}
	not runs.knows(run, digest)
} | {sprintf("the builder is %s", [run.builder]) |
	not run.builder in builders
}) | {sprintf("no task that succeeded built %s (%s)", [digest, role]) |
	some role, _ in trees_by_role
	some digest in built(role)
	count(runs.makers(run, digest)) == 0
}) | {sprintf("the task %s, which built %s, was called otherwise: %s", [task.name, role, problem]) |
	some role, image in images
	some other in object.get(image, "embeds", [])
	some [task, embedded] in made(run, role, other)
	some problem in arguments.problems(task, embedded)
}

source_problems(run) := ((((((({"it does not say what was built from" |
	count(run.sources) == 0
} | {sprintf("it was built from %d sources: %s", [count(run.sources), concat(" and ", texts)]) |
	count(run.sources) > 1
	texts := sort([sprintf("%s at %s", [source.url, source.commit]) | some source in run.sources])
}) | {sprintf("it was built from %s at %s", [source.url, source.commit]) |
	some source in run.sources
	not is_wanted(source)
}) | {"it is of a pull request" |
	runs.pull_request(run)
}) | {sprintf("it built %s, and its event was about %v", [source.commit, runs.commit(run)]) |
	some source in run.sources
	runs.commit(run) != source.commit
}) | {sprintf("it is of the branch %q, and not of %s", [found, branch]) |
	branch != ""
	found := runs.branch(run)
	found != trim_prefix(branch, "refs/heads/")
}) | {"what it names as its branch may be a tag" |
	branch != ""
	runs.may_be_tag(run)
}) | {sprintf("the task %s was given files that no task made: %s", [name, artifact]) |
	some [name, artifact] in runs.strange_files(run, all_makers(run))
}) | {sprintf("the task %s was given a Containerfile from elsewhere: %s", [name, text]) |
	some [name, text] in runs.strange_containerfiles(all_makers(run))
}

# What was built elsewhere came in by a task that returned its digest, and was built by none.
external_problems(run) := {sprintf("%s (%s) %s", [digest, role, problem]) |
	some role, component in external
	some reference in in_snapshot(component)
	digest := registry.place_of(reference).digest
	some problem in external_problems_of(run, digest)
}

external_problems_of(run, digest) := {sprintf("is called external, and was built by the task %s", [task.name]) |
	some task in runs.makers(run, digest)
} | {"is external, and no task that succeeded says where it is from" |
	count([task |
		some task in run.tasks
		task.succeeded
		digest in runs.texts(task.results)
	]) == 0
}

all_makers(run) := {task |
	some role, _ in trees_by_role
	some digest in built(role)
	some task in runs.makers(run, digest)
}

# The tasks that built the images of a role, each with what its image says of another.
made(run, role, other) := {[task, embedded] |
	some member in trees_by_role[role].images
	some task in runs.makers(run, member_origin(role, member))
	embedded := embedding.of(member.config, other, embedding.named(member.config, other, prefix), prefix)
}

# An image in the middle embeds others, and may be sealed itself.
member_origin(role, member) := seals[role].built[member.digest] if is_sealed(role)

member_origin(role, member) := member.digest if not is_sealed(role)

is_wanted(source) if {
	some role, _ in trees_by_role
	source.commit in revisions(role)
	is_wanted_url(source.url)
}

is_wanted_url(_) if object.get(settings, "source", "") == ""

is_wanted_url(url) if runs.git_url(settings.source) == url

proving := [run | some run in attested_runs; count(run_problems(run)) == 0]

attestation_problems contains "there is no signed provenance of a pipeline's run" if count(attested_runs) == 0

# Of the runs that know most of the chain, since others are of something else.
attestation_problems contains problem if {
	count(proving) == 0
	fewest := min([count(run_problems(run)) | some run in attested_runs])
	some run in attested_runs
	count(run_problems(run)) == fewest
	some problem in run_problems(run)
}

attestation_problems contains "the images are not known" if {
	count(places) < count(images)
}

attestation_problems contains "what was built is not known" if {
	count(origins) < count(places)
}

# Those that built, that made the files to build from, and that say what was cloned.
strangers(run) := {task.name |
	some at in runs.file_makers(run, all_makers(run))
	task := run.tasks[at]
	not runs.is_allowed(task.bundle, builder_tasks)
} | {task.name |
	some task in run.tasks
	"CHAINS-GIT_URL" in object.keys(task.results)
	not runs.is_allowed(task.bundle, builder_tasks)
}

builder_problems contains sprintf("%s", [name]) if {
	count(builder_tasks) > 0
	count([run | some run in proving; count(strangers(run)) == 0]) == 0
	some run in proving
	some name in strangers(run)
}
