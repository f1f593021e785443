package judge

import (
	"bufio"
	"strings"

	kjson "sigs.k8s.io/json"
)

func bufferedReader(text string) *bufio.Reader {
	return bufio.NewReader(strings.NewReader(text))
}

// decodeNumbers reads JSON as an API server does: whole numbers as int64, others as float64.
func decodeNumbers(text []byte, into *map[string]any) error {
	return kjson.UnmarshalCaseSensitivePreserveInts(text, into)
}
