//go:build tools

// Package tools pins a NATS server for the test bed.
package tools

import _ "github.com/nats-io/nats-server/v2"
