package lib.image_chain.json_text_test

import rego.v1

import data.lib.image_chain.json_text

test_strict_reads_what_all_readers_read if json_text.strict(`{"a": [1, {"b": null}], "\u00e4": "\\ud800"}`)

test_strict_refuses_a_key_twice if not json_text.strict(`{"a": 1, "a": 1}`)

test_strict_refuses_a_key_twice_however_it_is_written if not json_text.strict(`{"x": {"a": 1, "\u0061": 1}}`)

test_strict_refuses_lone_surrogates if {
	not json_text.strict(`"\ud800"`)
	not json_text.strict(`"\\\ud800"`)
	json_text.strict(`"\ud83d\ude00"`)
}

test_strict_refuses_bytes_that_are_no_text if {
	not json_text.strict(base64.decode("Iv8i"))
	json_text.strict("\"\ufffd\"")
}

test_strict_refuses_what_is_nested_deeper_than_an_image if {
	deep := concat("", [concat("", [`[` | some _ in numbers.range(1, 65)]), concat("", [`]` | some _ in numbers.range(1, 65)])])
	not json_text.strict(deep)
	json_text.strict(trim_prefix(trim_suffix(deep, "]"), "["))
}

test_byte_count_counts_bytes if {
	json_text.byte_count("") == 0
	json_text.byte_count("aä€") == 6
	json_text.byte_count("a😀") == 5
}

test_pieces_keep_every_character if {
	text := `{"x":"\"Labels\":{","Labels" : { "a":"}" , "b":null}, "Labels2":{"a":{}}}`
	pieces := json_text.pieces(text)
	concat("", pieces) == text
	`"Labels" : { "a":"}" , "b":null}` in pieces
}

test_twins_are_what_go_takes_for_one_key if {
	json_text.has_twin({"config": 1, "Config": 2}, "config")
	json_text.has_twin({"Label\u017f": 1}, "Labels")
	not json_text.has_twin({"Labels": 1, "x": 2}, "Labels")
}
