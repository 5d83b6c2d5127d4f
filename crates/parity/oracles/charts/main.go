// Renders charts with Helm's own engine and prints what a rendering costs, for `cargo xtask bench charts`.
//
// Arguments are charts, folders or archives. A line per chart: microseconds of processor time for loading
// and rendering, microseconds for rendering a chart that is loaded and whose dependencies are processed, path.
// Helm has no cache of parsed templates, so it parses them in both. What cannot be rendered goes to stderr.
package main

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
)

// stretch is how long each figure is measured.
const stretch = 300 * time.Millisecond

func main() {
	for _, path := range os.Args[1:] {
		cold, err := cost(func() error {
			loaded, err := loader.Load(path)
			if err != nil {
				return err
			}
			if err := process(loaded); err != nil {
				return err
			}
			return render(loaded)
		})
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", path, err)
			continue
		}
		loaded, err := loader.Load(path)
		if err == nil {
			// It changes the chart, and so is done once for each that is loaded.
			err = process(loaded)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", path, err)
			continue
		}
		warm, err := cost(func() error { return render(loaded) })
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", path, err)
			continue
		}
		fmt.Printf("%.1f %.1f %s\n", cold, warm, path)
	}
}

func process(loaded *chart.Chart) error {
	return chartutil.ProcessDependencies(loaded, map[string]any{})
}

func render(loaded *chart.Chart) error {
	values := map[string]any{}
	release := common.ReleaseOptions{Name: "rel", Namespace: "ns", Revision: 1, IsInstall: true}
	top, err := util.ToRenderValues(loaded, values, release, common.DefaultCapabilities)
	if err != nil {
		return err
	}
	_, err = engine.Render(loaded, top)
	return err
}

// cost is the processor time of the whole process, collector included, that one call takes, in microseconds.
func cost(once func() error) (float64, error) {
	if err := once(); err != nil {
		return 0, err
	}
	started, before, calls := time.Now(), busy(), 0
	for time.Since(started) < stretch {
		if err := once(); err != nil {
			return 0, err
		}
		calls++
	}
	return float64((busy() - before).Microseconds()) / float64(calls), nil
}

func busy() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
