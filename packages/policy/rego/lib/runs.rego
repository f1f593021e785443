# Runs as Tekton Chains attests them: SLSA v0.2 (`buildConfig.tasks`), and v1 with the build type that holds the TaskRuns.
# The signature was checked by Conforma, with the key of its policy, before a policy is given the statement. What is read of
# a run, and what is refused in it, is the same as in digest-chain's `verify` (docs/digest-chain.md, "Proof").
package lib.image_chain.runs

import rego.v1

import data.lib.image_chain.json_text
import data.lib.image_chain.labels

statement_types := {"https://in-toto.io/Statement/v0.1", "https://in-toto.io/Statement/v1"}

pipeline_runs := {
	"tekton.dev/v1/PipelineRun",
	"tekton.dev/v1beta1/PipelineRun",
	"https://tekton.dev/attestations/chains/pipelinerun@v2",
	"https://tekton.dev/chains/v2/slsa",
	"https://tekton.dev/chains/v2/slsa-tekton",
}

# {"builder", "subjects", "tasks", "sources", "labels", "annotations", "params"}; no value for other statements, and for
# those of which a part can't be read.
run_of(statement) := run if {
	known(statement, "_type", "") in statement_types
	known(statement, "predicateType", "") == "https://slsa.dev/provenance/v0.2"
	predicate := known(statement, "predicate", {})
	known(predicate, "buildType", "") in pipeline_runs
	invocation := known(predicate, "invocation", {})
	params := object_of(known(invocation, "parameters", {}))
	listed := array_of(known(known(predicate, "buildConfig", {}), "tasks", []))
	tasks := [task_v02(task) | some task in listed]
	count(tasks) == count(listed)
	are_of_one_run([task.run | some task in tasks])
	defined := {git_url(uri) |
		some entry in array.concat([predicate], listed)
		uri := known(known(known(entry, "invocation", {}), "configSource", {}), "uri", "")
		is_string(uri)
	}
	found := sources(array_of(known(predicate, "materials", [])), tasks, params)
	run := object.union(event_of(known(invocation, "environment", {})), {
		"builder": known(known(predicate, "builder", {}), "id", ""),
		"subjects": subjects(statement),
		"tasks": tasks,
		"sources": {source |
			some entry in found
			not is_definition(entry, defined)
			source := entry.source
		},
		"params": params,
	})
}

run_of(statement) := run if {
	known(statement, "_type", "") in statement_types
	known(statement, "predicateType", "") == "https://slsa.dev/provenance/v1"
	predicate := known(statement, "predicate", {})
	definition := known(predicate, "buildDefinition", {})
	known(definition, "buildType", "") in pipeline_runs
	spec := known(known(definition, "externalParameters", {}), "runSpec", {})

	# Of one task alone.
	every name in ["taskRef", "taskSpec"] { known(spec, name, "none") == "none" }
	dependencies := array_of(known(definition, "resolvedDependencies", []))
	contents := [known(dependency, "content", "") |
		some dependency in dependencies
		known(dependency, "name", "") == "pipelineTask"
	]
	tasks := [task_v1(content) | some content in contents]
	count(tasks) == count(contents)
	details := known(predicate, "runDetails", {})
	own := text_of(known(known(details, "metadata", {}), "invocationId", ""))
	are_of_one_run(array.concat([own], [task.run | some task in tasks]))
	params := named(known(spec, "params", []))
	inputs := [dependency |
		some dependency in dependencies
		not regex.match(`^(?:pipeline|task|pipelineTask|stepAction/.*)$`, text_of(known(dependency, "name", "")))
	]
	run := object.union(event_of(known(definition, "internalParameters", {})), {
		"builder": known(known(details, "builder", {}), "id", ""),
		"subjects": subjects(statement),
		"tasks": tasks,
		"sources": {entry.source | some entry in sources(inputs, tasks, params)},
		"params": params,
	})
}

event_of(environment) := {
	"labels": object_of(known(environment, "labels", {})),
	"annotations": object_of(known(environment, "annotations", {})),
}

# All that say which run they belong to say the same.
are_of_one_run(uids) if count({uid | some uid in uids; uid != ""}) < 2

subjects(statement) := {concat("", ["sha256:", hex]) |
	some subject in array_of(known(statement, "subject", []))
	hex := known(subject, "digest", {}).sha256
}

task_v02(task) := {
	"name": text_of(known(task, "name", "")),
	"run": run_uid(known(environment, "labels", {})),
	"succeeded": known(task, "status", "") == "Succeeded",
	"params": object_of(known(invocation, "parameters", {})),
	"results": results,
	"images": images_of(results),
	"bundle": bundle_of(known(task, "ref", {}), known(invocation, "configSource", {})),
} if {
	invocation := known(task, "invocation", {})
	environment := known(invocation, "environment", {})
	results := named(known(task, "results", []))
}

task_v1(content) := {
	"name": text_of(object.get(run_labels, "tekton.dev/pipelineTask", "")),
	"run": run_uid(run_labels),
	"succeeded": succeeded(array_of(known(status, "conditions", []))),
	"params": named(known(spec, "params", [])),
	"results": results,
	"images": images_of(results),
	"bundle": bundle_of(known(spec, "taskRef", {}), known(known(status, "provenance", {}), "refSource", {})),
} if {
	run := json_text.strict(base64.decode(content))
	run_labels := object_of(known(known(run, "metadata", {}), "labels", {}))
	spec := known(run, "spec", {})
	status := known(run, "status", {})

	# Called otherwise in v1beta1.
	results := named(known(status, "results", known(status, "taskResults", [])))
}

run_uid(run_labels) := text_of(object.get(object_of(run_labels), "tekton.dev/pipelineRunUID", ""))

default succeeded(_) := false

succeeded(conditions) if {
	found := [known(condition, "status", "") | some condition in conditions; known(condition, "type", "") == "Succeeded"]
	found[0] == "True"
}

# The digests of the images that a task says it made, by the results that Chains takes for that.
images_of(results) := {digest |
	some name, value in results
	some digest in images_in(name, value, results)
	labels.is_digest(digest)
}

images_in("IMAGE_DIGEST", value, _) := {trimmed(value)}

images_in("IMAGES", value, _) := {trim_space(split(image, "@")[1]) |
	some image in regex.split(`[,\n]`, trimmed(value))
	contains(image, "@")
}

images_in(name, value, results) := {trimmed(value)} if {
	name != "IMAGE_DIGEST"
	endswith(name, "IMAGE_DIGEST")
	trimmed(object.get(results, concat("", [trim_suffix(name, "DIGEST"), "URL"]), "")) != ""
}

images_in(name, value, _) := {trimmed(value.digest)} if {
	endswith(name, "ARTIFACT_OUTPUTS")
	value.isBuildArtifact == "true"
	trimmed(value.uri) != ""
}

# The bundle that a task was resolved to, as `oci://repository`, pinned by digest; empty for every other task.
bundle_of(ref, source) := uri if {
	asked := asked_bundle(ref)
	uri := bundle_uri(asked)
	is_resolved(uri, asked, source)
} else := ""

asked_bundle(ref) := found if {
	found := known(ref, "bundle", "")
	found != ""
} else := found if {
	known(ref, "resolver", "") == "bundles"
	values := [known(param, "value", "") |
		some param in array_of(known(ref, "params", []))
		known(param, "name", "") == "bundle"
	]
	found := values[0]
}

is_resolved(uri, asked, source) if {
	resolved := text_of(known(source, "uri", ""))
	resolved != ""
	bundle_uri(resolved) == uri
	digest := known(source, "digest", {})
	object.keys(digest) == {"sha256"}
	is_pin(asked, digest.sha256)
}

is_resolved(_, asked, source) if {
	text_of(known(source, "uri", "")) == ""
	regex.match(`@sha256:[0-9a-f]{64}$`, asked)
}

is_pin(asked, hex) if endswith(asked, concat("", ["@sha256:", hex]))

is_pin(asked, _) if not regex.match(`@sha256:[0-9a-f]{64}$`, asked)

bundle_uri(text) := concat("", ["oci://", regex.replace(name, `:[^:/]*$`, "")]) if {
	name := regex.replace(trim_prefix(text, "oci://"), `@.*$`, "")
}

# Whether one of the patterns allows the bundle: `*` is any part of a segment, `**` of the path. Any task is allowed where
# there is none.
is_allowed(_, []) := true

is_allowed(bundle, patterns) if {
	bundle != ""
	some pattern in patterns
	glob.match(pattern, ["/"], bundle)
}

# The repositories that went in, and what the run and its tasks say they cloned, by the results that Chains takes for that:
# {"source": {"url", "commit"}, "material": whether it is only that}.
sources(materials, tasks, params) := {{"source": git_material(material), "material": true} | some material in materials} | {{"source": hint, "material": false} |
	some values in array.concat([params], [task.results | some task in tasks])
	hint := {
		"url": git_url(trimmed(object.get(values, "CHAINS-GIT_URL", ""))),
		"commit": trimmed(object.get(values, "CHAINS-GIT_COMMIT", "")),
	}
	hint != {"url": "", "commit": ""}
}

# Where a pipeline or a task is defined is a material, too, and no source of what was built.
is_definition(entry, defined) if {
	entry.material
	entry.source.url in defined
}

git_material(material) := {"url": git_url(uri), "commit": trim_space(commits[0])} if {
	uri := text_of(known(material, "uri", ""))
	digest := object_of(known(material, "digest", {}))
	commits := [commit | some name in ["sha1", "gitCommit"]; commit := known(digest, name, ""); is_text(commit)]
	count(commits) > 0
} else := {"url": git_url(uri), "commit": trim_space(text_of(object.get(digest, "sha256", "")))} if {
	uri := text_of(known(material, "uri", ""))
	regex.match(`^git[+:]`, uri)
	digest := object_of(known(material, "digest", {}))
}

is_text(value) if {
	is_string(value)
	value != ""
}

# A repository's address written in one way.
git_url(text) := concat("", [scheme, "://", user, lower(host), port, trimmed_path(path), query]) if {
	[[_, name, userinfo, host, digits, path, query]] := regex.find_all_string_submatch_n(
		`^([A-Za-z][A-Za-z0-9+.-]*)://(?:([^/?#]*)@)?([^/?#@:]+|\[[^\]]*\])(?::([0-9]*))?(/[^?#]*)?(\?[^#]*)?(?:#.*)?$`,
		bare_url(text), 1,
	)
	scheme := lower(name)
	user := user_of(scheme, userinfo)
	port := port_of(scheme, digits)
} else := concat("", [user, lower(host), ":", trimmed_path(path)]) if {
	[[_, user, host, path]] := regex.find_all_string_submatch_n(`^([^@/:]+@)?([^:/@]+):(.+)$`, bare_url(text), 1)
	not startswith(path, "//")
} else := trimmed_path(bare_url(text))

bare_url(text) := trim_prefix(trim_space(text), "git+")

trimmed_path(path) := trim_right(trim_suffix(trim_right(path, "/"), ".git"), "/")

# With HTTP who asks is no part of the place.
user_of(scheme, _) := "" if scheme in {"http", "https"}

user_of(scheme, userinfo) := concat("", [split(userinfo, ":")[0], "@"]) if {
	not scheme in {"http", "https"}
	userinfo != ""
} else := ""

default_ports := {"http": "80", "https": "443", "ssh": "22", "git": "9418"}

port_of(scheme, digits) := "" if digits in {"", object.get(default_ports, scheme, "")}

port_of(scheme, digits) := concat("", [":", digits]) if not digits in {"", object.get(default_ports, scheme, "")}

# Those that built an image, as opposed to those that pass it on: who makes it can't be called with its digest.
makers(run, digest) := [task |
	some task in run.tasks
	task.succeeded
	digest in task.images
	not passes_on(task, digest)
]

passes_on(task, made) if {
	some text in texts(task.params)
	contains(text, made)
}

# Whether the run knows a digest: as its subject, or as what a task returned that succeeded.
knows(run, digest) if digest in run.subjects

knows(run, digest) if {
	some task in run.tasks
	task.succeeded
	digest in task.images
}

# Konflux' trusted artifacts, by which a task is given the files that another one returned: SOURCE_ARTIFACT and others.
artifacts(values) := {text |
	some name, value in values
	endswith(name, "_ARTIFACT")
	some text in texts(value)
	text != ""
}

# The tasks that made the files which these were given, and all before them: their places in the run's list.
file_makers(run, tasks) := graph.reachable(given, {at | some at, task in run.tasks; task in tasks}) if {
	given := {at: givers |
		some at, task in run.tasks
		givers := {other | some artifact in artifacts(task.params); some other in givers_of(run, artifact)}
	}
}

givers_of(run, artifact) := {at |
	some at, task in run.tasks
	task.succeeded
	artifact in artifacts(task.results)
}

# What these tasks, or those that made their files, were given and no task made. Who is called with what it returns only
# passes it on.
strange_files(run, tasks) := {[task.name, artifact] |
	some at in file_makers(run, tasks)
	task := run.tasks[at]
	some artifact in artifacts(task.params)
	count([giver | some giver in givers_of(run, artifact); not passes_on(run.tasks[giver], artifact)]) == 0
}

# Containerfiles that are no files of the source: build tasks fetch them.
strange_containerfiles(tasks) := {[task.name, text] |
	some task in tasks
	some text in texts(object.get(task.params, "DOCKERFILE", ""))
	regex.match(`^[A-Za-z][A-Za-z0-9+.-]*://`, text)
}

# What tells that a run built a pull request, whose code was proposed by somebody and may have been reviewed by nobody.
pull_request(run) if {
	numbers := ["build.appstudio.redhat.com/pull_request_number", "build.appstudio.openshift.io/pull_request_number"]
	some text in said(run, numbers)
	text != ""
}

# A push of what was merged has the number, too.
pull_request(run) if {
	some text in said(run, ["pipelinesascode.tekton.dev/pull-request"])
	text != ""
	not is_push(run)
}

# A branch of GitHub's that is pushed to try a pull request that is not merged yet.
pull_request(run) if {
	some text in said(run, ["pipelinesascode.tekton.dev/source-branch", "pipelinesascode.tekton.dev/branch"])
	regex.match(`^(?:refs/heads/)?gh-readonly-queue/`, text)
}

pull_request(run) if {
	some text in said(run, ["pipelinesascode.tekton.dev/event-type"])
	regex.match(`(?i)pull|merge|note`, text)
}

pull_request(run) if {
	some text in said(run, ["tekton.dev/pipeline", "pipelinesascode.tekton.dev/original-prname"])
	contains(text, "on-pull-request")
}

pull_request(run) if {
	some text in texts(run.params)
	regex.match(`:on-pr-[^:@/]*$`, text)
}

# The branch that was pushed to, without `refs/heads/`. Pipelines as Code sets the annotation whatever the commit's PipelineRun
# had there; a label of that name it leaves as it is.
branch(run) := trim_prefix(text_of(object.get(run.annotations, "pipelinesascode.tekton.dev/branch", "")), "refs/heads/")

# What is annotated as the branch may be a tag of that name.
may_be_tag(run) if run.annotations["pipelinesascode.tekton.dev/git-provider"] == "bitbucket-cloud"

# The commit that the event was about, which a comment may have had another one built for; no value where the run does not say
# it. By the annotation, since labels are cut off.
commit(run) := run.annotations["pipelinesascode.tekton.dev/sha"]

is_push(run) if {
	events := said(run, ["pipelinesascode.tekton.dev/event-type"])
	count(events) > 0
	events - {"push", "Push"} == set()
}

# The texts of a run's labels and annotations of these names.
said(run, keys) := {text |
	some values in [run.labels, run.annotations]
	some key in keys
	some text in texts(object.get(values, key, []))
}

# A member that a format names; no value where another key differs from it only by case, since readers disagree about that.
known(value, name, none) := object.get(value, name, none) if {
	is_object(value)
	not json_text.has_twin(value, name)
}

known(value, _, none) := none if not is_object(value)

# `[{name, value}]`, as Tekton writes params and results. A name that repeats has no value that could be trusted: no value.
named(list) := {text_of(known(entry, "name", "")): known(entry, "value", null) | some entry in entries} if {
	entries := array_of(list)
	count({text_of(known(entry, "name", "")) | some entry in entries}) == count(entries)
}

# All text in a value: of a string, an array or an object.
texts(value) := {text | walk(value, [_, text]); is_string(text)}

text_of(value) := value if is_string(value)

text_of(value) := "" if not is_string(value)

trimmed(value) := trim_space(text_of(value))

array_of(value) := value if is_array(value)

array_of(value) := [] if not is_array(value)

object_of(value) := value if is_object(value)

object_of(value) := {} if not is_object(value)
