# Runs as Tekton Chains attests them: SLSA v0.2 (`buildConfig.tasks`), and v1 with the build type that holds the TaskRuns.
# The signature was checked by Conforma, with the key of its policy, before a policy is given the statement.
package lib.image_chain.runs

import rego.v1

pipeline_runs := {
	"tekton.dev/v1/PipelineRun",
	"tekton.dev/v1beta1/PipelineRun",
	"https://tekton.dev/attestations/chains/pipelinerun@v2",
	"https://tekton.dev/chains/v2/slsa-tekton",
}

# {"builder", "subjects", "tasks", "sources", "labels"}; no value for other statements.
run_of(statement) := {
	"builder": predicate.builder.id,
	"subjects": subjects(statement),
	"tasks": tasks,
	"sources": sources(object.get(predicate, "materials", []), tasks),
	"labels": object.union(annotations, object.get(environment, "labels", {})),
} if {
	statement.predicateType == "https://slsa.dev/provenance/v0.2"
	predicate := statement.predicate
	predicate.buildType in pipeline_runs
	tasks := [task_v02(task) | some task in predicate.buildConfig.tasks]
	environment := object.get(predicate.invocation, "environment", {})
	annotations := object.get(environment, "annotations", {})
}

run_of(statement) := {
	"builder": predicate.runDetails.builder.id,
	"subjects": subjects(statement),
	"tasks": tasks,
	"sources": sources(inputs, tasks),
	"labels": object.union(annotations, object.get(parameters, "labels", {})),
} if {
	statement.predicateType == "https://slsa.dev/provenance/v1"
	predicate := statement.predicate
	definition := predicate.buildDefinition
	definition.buildType in pipeline_runs
	dependencies := object.get(definition, "resolvedDependencies", [])
	tasks := [task_v1(json.unmarshal(base64.decode(dependency.content))) |
		some dependency in dependencies
		dependency.name == "pipelineTask"
	]
	inputs := [dependency |
		some dependency in dependencies
		not dependency.name in {"pipeline", "task", "pipelineTask"}
	]
	parameters := object.get(definition, "internalParameters", {})
	annotations := object.get(parameters, "annotations", {})
}

subjects(statement) := {concat("", ["sha256:", subject.digest.sha256]) | some subject in statement.subject}

task_v02(task) := {
	"name": task.name,
	"succeeded": task.status == "Succeeded",
	"params": params,
	"results": results,
	"images": images_of(results),
	"bundle": bundle_of(object.get(task, "ref", {}), object.get(task.invocation, "configSource", {})),
} if {
	params := object.get(task.invocation, "parameters", {})
	results := named(object.get(task, "results", []))
}

task_v1(run) := {
	"name": run.metadata.labels["tekton.dev/pipelineTask"],
	"succeeded": count(succeeded) == 1,
	"params": named(object.get(run.spec, "params", [])),
	"results": results,
	"images": images_of(results),
	"bundle": bundle_of(object.get(run.spec, "taskRef", {}), object.get(provenance, "refSource", {})),
} if {
	succeeded := [1 |
		some condition in run.status.conditions
		condition.type == "Succeeded"
		condition.status == "True"
	]
	results := named(object.get(run.status, "results", []))
	provenance := object.get(run.status, "provenance", {})
}

# The digests of the images that a task says it made.
images_of(results) := {digest |
	some name, value in results
	endswith(name, "IMAGE_DIGEST")
	is_string(value)
	digest := trim_space(value)
}

# The bundle that a task was resolved to, as `oci://repository`, pinned by digest; empty for every other task.
bundle_of(ref, source) := uri if {
	asked := asked_bundle(ref)
	uri := bundle_uri(asked)
	is_resolved(uri, asked, source)
} else := ""

asked_bundle(ref) := ref.bundle if {
	ref.bundle != ""
} else := named(ref.params).bundle if {
	ref.resolver == "bundles"
}

# `[{name, value}]`, as Tekton writes params and results. A name that repeats has no value that could be trusted.
named(list) := {name: values[0] |
	some entry in list
	name := entry.name
	values := [other.value | some other in list; other.name == name]
	count(values) == 1
}

is_resolved(uri, asked, source) if {
	bundle_uri(source.uri) == uri
	is_pin(asked, source.digest.sha256)
}

is_resolved(_, asked, source) if {
	object.get(source, "uri", "") == ""
	regex.match(`@sha256:[0-9a-f]{64}$`, asked)
}

is_pin(asked, hex) if endswith(asked, concat("", ["@sha256:", hex]))

is_pin(asked, _) if not contains(asked, "@")

bundle_uri(text) := concat("", ["oci://", regex.replace(name, `:[^:/]*$`, "")]) if {
	name := regex.replace(trim_prefix(text, "oci://"), `@.*$`, "")
}

# Whether one of the patterns allows the bundle: `*` is any part of a segment, `**` of the path.
is_allowed(bundle, patterns) if {
	bundle != ""
	some pattern in patterns
	glob.match(pattern, ["/"], bundle)
}

# The repositories that went in, and what tasks say they cloned: {"url", "commit"}.
sources(materials, tasks) := {source |
	some material in materials
	startswith(material.uri, "git")
	some algorithm in ["sha1", "gitCommit"]
	source := {"url": git_url(material.uri), "commit": material.digest[algorithm]}
} | {source |
	some task in tasks
	source := {
		"url": git_url(task.results["CHAINS-GIT_URL"]),
		"commit": trim_space(task.results["CHAINS-GIT_COMMIT"]),
	}
}

# A repository's address written in one way.
git_url(text) := concat("", [scheme, "://", lower(host), path]) if {
	bare := trim_prefix(trim_space(text), "git+")
	parts := regex.find_all_string_submatch_n(`^([a-z+]+)://(?:[^/@]*@)?([^/]+)(.*)$`, bare, 1)
	[[_, scheme, host, rest]] := parts
	path := trim_right(trim_suffix(trim_right(rest, "/"), ".git"), "/")
} else := trim_suffix(trim_right(trim_space(text), "/"), ".git")

# Those that built an image, as opposed to those that pass it on: who makes it can't be called with its digest.
makers(run, digest) := [task |
	some task in run.tasks
	task.succeeded
	digest in task.images
	not contains(json.marshal(task.params), digest)
]

# Whether the run knows a digest: as its subject, or as what a task returned that succeeded.
knows(run, digest) if digest in run.subjects

knows(run, digest) if {
	some task in run.tasks
	task.succeeded
	digest in task.images
}

# What tells that a run built a pull request, whose code was proposed by somebody and may have been reviewed by nobody.
pull_request(run) if {
	some key in [
		"pipelinesascode.tekton.dev/pull-request",
		"build.appstudio.redhat.com/pull_request_number",
		"build.appstudio.openshift.io/pull_request_number",
	]
	object.get(run.labels, key, "") != ""
}

pull_request(run) if regex.match(`(?i)pull|merge|note`, run.labels["pipelinesascode.tekton.dev/event-type"])

pull_request(run) if {
	some key in ["tekton.dev/pipeline", "pipelinesascode.tekton.dev/original-prname"]
	contains(run.labels[key], "on-pull-request")
}
