#
# METADATA
# title: Chain of images
# description: >-
#   Images that were built together in one pipeline and name each other by digest are released together or not at all.
#   These rules prove that from the registry's bytes and the signed provenance, without any task of the pipeline that is
#   judged. Which images belong together is in the rule data `image_chain`.
#
package image_chain

import rego.v1

import data.lib.image_chain.chain

# METADATA
# title: Rule data provided
# description: >-
#   The rule data `image_chain` says which images belong together: {"version": 1, "prefix": the prefix of their labels,
#   "images": [{"role", "component", "embeds": [roles], "seal": "label", "referrer" or "none"}], "external": [{"role",
#   "component"}] of images that were built elsewhere, "builders": [ids], "builder_tasks": [patterns], "source": the git
#   repository}. The last four may be left out.
# custom:
#   short_name: rule_data_provided
#   failure_msg: "The rule data image_chain can't be used: %s"
#   solution: Take over konflux/policy.yaml as it is rendered from the config of the chain.
#   collections:
#   - image_chain
#
deny contains result if {
	some problem in chain.setting_problems
	result := _result(rego.metadata.chain(), [problem], problem)
}

# METADATA
# title: Released together
# description: >-
#   Every image of the chain that has a component is in the Snapshot, once and by digest, and each is the one that the
#   others name. Parts of two builds are no chain. A component that was built elsewhere is the one that they were built
#   with.
# custom:
#   short_name: released_together
#   failure_msg: "The Snapshot does not hold one chain: %s"
#   solution: >-
#     Release the Snapshot of a chain. Those of single components hold the last promoted image of every other one.
#   collections:
#   - image_chain
#
deny contains result if {
	some problem in chain.together_problems
	result := _result(rego.metadata.chain(), [problem], problem)
}

# METADATA
# title: Readable
# description: >-
#   The image's bytes can be known: its manifest and its config are there, and the manifest is written as the tools write
#   it that make images, so that its digest can be computed. Nothing else may be said about other images, so they are
#   denied.
# custom:
#   short_name: readable
#   failure_msg: "Nothing can be proved about the image %s: %s"
#   solution: Check that the registry can be read. Build the image with buildah, BuildKit, ko or Docker.
#   collections:
#   - image_chain
#
deny contains result if {
	some role in chain.judged
	some problem in chain.reading_problems[role]
	result := _result(rego.metadata.chain(), [role, problem], role)
}

# METADATA
# title: Sealed
# description: An image whose chain links by labels carries the labels of a seal, one link for each image that embeds it.
# custom:
#   short_name: sealed
#   failure_msg: "The image %s is not sealed: %s"
#   solution: Release the image that the task label-image returned, and not the one that it was given.
#   collections:
#   - image_chain
#
deny contains result if {
	some role in chain.judged
	some problem in chain.seal_problems[role]
	result := _result(rego.metadata.chain(), [role, problem], role)
}

# METADATA
# title: Unsealed
# description: >-
#   Taking the seal out again leads back to the very bytes that were built. So nothing but the seal was added, and this
#   rule has recomputed what the task did that sealed.
# custom:
#   short_name: unsealed
#   failure_msg: "The seal of the image %s does not lead back to %s"
#   solution: >-
#     Seal last. The image was changed after it was sealed, or inherited its seal from a base image.
#   collections:
#   - image_chain
#
deny contains result if {
	some role in chain.judged
	some digest in chain.dead_ends[role]
	result := _result(rego.metadata.chain(), [role, digest], role)
}

# METADATA
# title: Linked
# description: Each image that embeds another names its digest and its place, in a label and a variable that agree.
# custom:
#   short_name: linked
#   failure_msg: "The image %s is not linked: %s"
#   solution: Build the images in one pipeline, with the digest of each as a build argument of those that embed it.
#   collections:
#   - image_chain
#
deny contains result if {
	some role in chain.judged
	some problem in chain.link_problems[role]
	result := _result(rego.metadata.chain(), [role, problem], sprintf("%s %s", [role, problem]))
}

# METADATA
# title: Same revision
# description: All images of the chain name the commit that the Snapshot names.
# custom:
#   short_name: same_revision
#   failure_msg: "The image %s is of another commit: %s"
#   solution: Release a Snapshot whose components were all built from one commit.
#   collections:
#   - image_chain
#
deny contains result if {
	some role in chain.judged
	some problem in chain.revision_problems[role]
	result := _result(rego.metadata.chain(), [role, problem], role)
}

# METADATA
# title: Attested
# description: >-
#   One signed run built all images of the chain, and the tasks that built those which embed another were called with its
#   digest. The run was of the repository of the rule data, at the commit that the images name, and of no pull request.
#   The files that its builds were given were made by its own tasks, and what was built elsewhere was named by one of them.
# custom:
#   short_name: attested
#   failure_msg: "No signed run proves the chain of the image %s: %s"
#   solution: Wait until Tekton Chains has signed the run, and release what one run has built.
#   collections:
#   - image_chain
#
deny contains result if {
	some role in chain.judged
	some problem in chain.attestation_problems
	result := _result(rego.metadata.chain(), [role, problem], sprintf("%s %s", [role, problem]))
}

# METADATA
# title: Built by trusted tasks
# description: >-
#   The tasks that built the images, before any of them was sealed, those that made the files which these were given, and
#   those that say what was cloned are bundles that the rule data `image_chain.builder_tasks` allows, by default those of
#   Konflux's catalog.
# custom:
#   short_name: trusted_builders
#   failure_msg: "The image %s was built with a task that is not trusted: %s"
#   solution: Build with tasks of the catalog, by digest.
#   collections:
#   - image_chain
#
deny contains result if {
	some role in chain.judged
	some problem in chain.builder_problems
	result := _result(rego.metadata.chain(), [role, problem], sprintf("%s %s", [role, problem]))
}

_result(metadata, values, term) := {
	"code": sprintf("image_chain.%s", [custom.short_name]),
	"msg": sprintf(custom.failure_msg, values),
	"collections": custom.collections,
	"effective_on": "2022-01-01T00:00:00Z",
	"term": term,
} if {
	custom := metadata[0].annotations.custom
}
