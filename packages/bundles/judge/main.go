// Command judge reads an object out of a bundle with the code of Tekton's own resolver, and prints it as JSON.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/tektoncd/pipeline/pkg/resolution/resolver/bundle"
)

func main() {
	entry, err := bundle.GetEntry(context.Background(), authn.DefaultKeychain, bundle.RequestOptions{
		Bundle:    os.Args[1],
		Kind:      os.Args[2],
		EntryName: os.Args[3],
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	said := map[string]any{
		"data":        string(entry.Data()),
		"annotations": entry.Annotations(),
		"source":      entry.RefSource(),
	}
	if err := json.NewEncoder(os.Stdout).Encode(said); err != nil {
		panic(err)
	}
}
