package judge

import (
	"bufio"
	"strings"

	kjson "sigs.k8s.io/json"
)

func bufferedReader(text string) *bufio.Reader {
	return bufio.NewReader(strings.NewReader(text))
}

// decodeStrictly reads JSON as an API server does what an object says of itself: names of fields have one case.
func decodeStrictly(text []byte, into any) (unknown []error, err error) {
	return kjson.UnmarshalStrict(text, into)
}

// decodeNumbers reads JSON as an API server does: whole numbers as int64, others as float64.
func decodeNumbers(text []byte, into *map[string]any) error {
	return kjson.UnmarshalCaseSensitivePreserveInts(text, into)
}
