//go:build tools

// Package main names what is built from its own module, so that go.mod keeps it.
package main

import _ "github.com/operator-framework/operator-registry/cmd/opm"
