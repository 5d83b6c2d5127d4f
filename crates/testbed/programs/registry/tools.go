//go:build tools

// Package tools pins a registry for the test bed.
package tools

import _ "github.com/google/go-containerregistry/cmd/registry"
