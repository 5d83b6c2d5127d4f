//go:build tools

// Package tools pins sops for the test bed.
package tools

import _ "github.com/getsops/sops/v3/cmd/sops"
