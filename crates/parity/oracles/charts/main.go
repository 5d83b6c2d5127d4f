// Renders charts with Helm's own engine and prints what a rendering costs, for `cargo xtask bench charts`.
//
// Arguments are charts, folders or archives. A line per chart, in microseconds of processor time, then the path:
// loading, rendering and sorting manifests; the same for a chart that is loaded and whose dependencies are
// processed; how much of both is making the functions and parsing the templates, which Helm does every time.
// What cannot be rendered goes to stderr.
package main

import (
	"fmt"
	"os"
	"path"
	"syscall"
	"text/template"
	"time"

	"github.com/Masterminds/sprig/v3"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
)

// stretch is how long each figure is measured.
const stretch = 100 * time.Millisecond

func main() {
	for _, chartPath := range os.Args[1:] {
		cold, err := cost(func() error {
			loaded, err := loader.Load(chartPath)
			if err != nil {
				return err
			}
			if err := process(loaded); err != nil {
				return err
			}
			return render(loaded)
		})
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", chartPath, err)
			continue
		}
		loaded, err := loader.Load(chartPath)
		if err == nil {
			// It changes the chart, and so is done once for each that is loaded.
			err = process(loaded)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", chartPath, err)
			continue
		}
		warm, err := cost(func() error { return render(loaded) })
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", chartPath, err)
			continue
		}
		parse, err := cost(func() error { return parse(loaded) })
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", chartPath, err)
			continue
		}
		fmt.Printf("%.1f %.1f %.1f %s\n", cold, warm, parse, chartPath)
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
	files, err := engine.Render(loaded, top)
	if err != nil {
		return err
	}
	for name := range files {
		if path.Base(name) == "NOTES.txt" {
			delete(files, name)
		}
	}
	_, _, err = releaseutil.SortManifests(files, nil, releaseutil.InstallOrder)
	return err
}

// parse does what a cache of parsed templates would save.
func parse(loaded *chart.Chart) error {
	functions := sprig.TxtFuncMap()
	for _, name := range []string{
		"toToml", "mustToToml", "fromToml", "toYaml", "mustToYaml", "toYamlPretty", "fromYaml", "fromYamlArray",
		"toJson", "mustToJson", "fromJson", "fromJsonArray", "include", "tpl", "required", "lookup",
	} {
		functions[name] = func() string { return "" }
	}
	return parseInto(template.New("gotpl").Funcs(functions), loaded)
}

func parseInto(set *template.Template, loaded *chart.Chart) error {
	for _, file := range loaded.Templates {
		if _, err := set.New(loaded.ChartFullPath() + "/" + file.Name).Parse(string(file.Data)); err != nil {
			return err
		}
	}
	for _, sub := range loaded.Dependencies() {
		if err := parseInto(set, sub); err != nil {
			return err
		}
	}
	return nil
}

// cost is the processor time of the whole process, collector included, that one call takes, in microseconds.
func cost(once func() error) (float64, error) {
	if err := once(); err != nil {
		return 0, err
	}
	started, before, calls := time.Now(), busy(), 0
	for calls == 0 || time.Since(started) < stretch {
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
