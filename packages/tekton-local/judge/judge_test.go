// Package judge answers what Tekton itself makes of YAML: one JSON request a line on standard input, one JSON answer a
// line on standard output. It is a test only because the parts of Tekton that it drives (its reconcilers on clients that
// hold their objects in memory) want a *testing.T.
package judge

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"testing"
)

// request is one question.
type request struct {
	// YAML is a file with any number of documents.
	YAML string `json:"yaml"`
	// Run asks for what the controllers make of the file's PipelineRun or TaskRun.
	Run *script `json:"run,omitempty"`
	// JSON asks for the documents as JSON alone.
	JSON bool `json:"json,omitempty"`
}

// answer is what is said of a file.
type answer struct {
	Documents []documentAnswer `json:"documents"`
	Run       *runAnswer       `json:"run,omitempty"`
	// Failure says why this program, not Tekton, gave up.
	Failure string `json:"failure,omitempty"`
}

// documentAnswer is what the API server and Tekton's webhook say of one document.
type documentAnswer struct {
	Kind   string          `json:"kind"`
	Name   string          `json:"name"`
	Errors []string        `json:"errors,omitempty"`
	JSON   json.RawMessage `json:"json,omitempty"`
}

func TestServe(t *testing.T) {
	input := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := input.ReadBytes('\n')
		if err != nil {
			return
		}
		var asked request
		if err := json.Unmarshal(line, &asked); err != nil {
			t.Fatal(err)
		}
		said := answer{}
		t.Run("request", func(t *testing.T) {
			defer func() {
				if r := recover(); r != nil {
					said.Failure = fmt.Sprint(r)
				}
			}()
			said.answer(t, asked)
		})
		text, err := json.Marshal(said)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(os.Stdout, "judge:%s\n", text)
	}
}

func (said *answer) answer(t *testing.T, asked request) {
	documents, err := splitDocuments(asked.YAML)
	if err != nil {
		said.Documents = []documentAnswer{{Errors: []string{err.Error()}}}
		return
	}
	var admitted []*admittedObject
	for _, text := range documents {
		if asked.JSON {
			said.Documents = append(said.Documents, documentAnswer{JSON: text})
			continue
		}
		object := admit(text)
		said.Documents = append(said.Documents, documentAnswer{Kind: object.kind, Name: object.name, Errors: object.errors})
		admitted = append(admitted, object)
	}
	if asked.Run != nil {
		said.Run = simulate(t, admitted, asked.Run)
	}
}
