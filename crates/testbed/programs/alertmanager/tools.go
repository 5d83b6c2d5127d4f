//go:build tools

// Package tools pins a receiver of alerts for the test bed.
package tools

import _ "github.com/prometheus/alertmanager/cmd/alertmanager"
