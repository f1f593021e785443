# What a build was called with: the argument that carries the digest, and no other word about it. A builder takes the last
# of two arguments of one name, and a Containerfile may read any.
package lib.image_chain.arguments

import rego.v1

import data.lib.image_chain.registry
import data.lib.image_chain.runs

# Parameters of builders that set arguments, labels or environment beside BUILD_ARGS: what they hold is in no provenance,
# or may contradict it.
beside := `^(?:BUILD_?ARGS?_FILE|ENV(?:_VARS?|_FILE|S)?|LABELS?(?:_FILE)?|ANNOTATIONS?(?:_FILE)?|(?:ADDITIONAL|EXTRA)_.*|.*_EXTRA_ARGS)$`

harmless := {"ADDITIONAL_SECRET", "ADDITIONAL_TAGS"}

given(task) := given_in(object.get(task.params, "BUILD_ARGS", []))

given_in(value) := [value] if is_string(value)

# What is no text is no argument that anybody could read.
given_in(value) := [runs.text_of(item) | some item in value] if is_array(value)

given_in(value) := [] if not type_name(value) in {"string", "array"}

name_of(argument) := split(argument, "=")[0]

value_of(argument) := trim_prefix(argument, concat("", [name_of(argument), "="]))

# What is wrong with how a task was called that built an image with this embedding (see embedding.rego).
problems(task, embedding) := ((((({problem |
	some argument in given(task)
	not regex.match(`^[A-Za-z_][A-Za-z0-9_]*=`, argument)
	problem := sprintf("an argument is no <name>=<value>: %s", [argument])
} | {problem |
	some name in {name_of(argument) | some argument in given(task)}
	count([1 | some argument in given(task); name_of(argument) == name]) > 1
	problem := sprintf("the argument %s is given twice", [name])
}) | {problem |
	expected := sprintf("%s=%s", [embedding.variable, embedding.digest])
	not expected in given(task)
	problem := sprintf("its BUILD_ARGS have no %s", [expected])
}) | {problem |
	name := concat("", [trim_suffix(embedding.variable, "_DIGEST"), "_URL"])
	some argument in given(task)
	name_of(argument) == name
	value_of(argument) != embedding.url
	problem := sprintf("%s is not what the image says, %s", [argument, embedding.url])
}) | {problem |
	some argument in given(task)
	named := registry.named(value_of(argument))
	named.repository == embedding.repository
	named.digest != embedding.digest
	problem := sprintf("an argument names the embedded image with another digest: %s", [argument])
}) | {problem |
	# What files of the image call it is written from this one.
	name := concat("", [trim_suffix(embedding.variable, "DIGEST"), "RELEASED_URL"])
	some argument in given(task)
	name_of(argument) == name
	not endswith(argument, concat("", ["@", embedding.digest]))
	problem := sprintf("an argument names the embedded image with another digest: %s", [argument])
}) | {problem |
	some name, value in task.params
	upper_name := replace(upper(name), "-", "_")
	regex.match(beside, upper_name)
	not upper_name in harmless
	not is_unset(value)
	problem := sprintf("its parameter %s may set something else", [name])
}

is_unset(value) if {
	every text in runs.texts(value) { text == "" }
}
