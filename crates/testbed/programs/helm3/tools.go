//go:build tools

// Package tools pins helm 3 for the test bed.
package tools

import _ "helm.sh/helm/v3/cmd/helm"
