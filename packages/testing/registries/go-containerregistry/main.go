// go-containerregistry's own registry, as `crane registry serve` has it, and with the referrers API that that leaves off.
package main

import (
	"flag"
	"io"
	"log"
	"net/http"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	address := flag.String("address", "127.0.0.1:0", "where to listen")
	referrers := flag.Bool("referrers", false, "serve the referrers API")
	flag.Parse()
	quiet := registry.Logger(log.New(io.Discard, "", 0))
	log.Fatal(http.ListenAndServe(*address, registry.New(quiet, registry.WithReferrersSupport(*referrers))))
}
