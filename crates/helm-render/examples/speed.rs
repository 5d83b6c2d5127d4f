//! How many times a second of processor time a chart is rendered, with and without parsed templates
//! at hand: `speed [DIR]`, by default the chart of the tests.

#![expect(clippy::print_stdout, reason = "it is what the program is for")]

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use file_tree::TreePath;
use helm_chart::{Chart, directory, disk};
use helm_functions::{Helm, SystemEntropy};
use helm_render::{Capabilities, Options, Release, TemplateCache, render};

/// How long each figure is measured.
const TIME: Duration = Duration::from_secs(2);

fn main() -> Result<(), Box<dyn Error>> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/charts/web");
    let folder = std::env::args().nth(1).unwrap_or_else(|| default.to_owned());
    let tree = disk::read(Path::new(&folder))?;
    let chart = directory::load(&tree, &TreePath::ROOT)?;
    let cold = rate(&chart, None)?;
    let cache = TemplateCache::new(64 << 20);
    let warm = rate(&chart, Some(&cache))?;
    println!("{}: {cold:.0} renders/s/core cold, {warm:.0} renders/s/core warm", chart.name());
    Ok(())
}

/// Renders a second of processor time.
fn rate(chart: &Chart, cache: Option<&TemplateCache>) -> Result<f64, Box<dyn Error>> {
    let release = Release {
        name: "rel".to_owned(),
        namespace: "ns".to_owned(),
        is_upgrade: false,
        revision: 1,
    };
    let (user, capabilities) = (serde_json::Map::new(), Capabilities::without_cluster());
    let options = Options { cache, ..Options::default() };
    let (started, busy_before, mut count) = (Instant::now(), busy(), 0_u32);
    while started.elapsed() < TIME {
        let host = Helm::new(jiff::Timestamp::UNIX_EPOCH, SystemEntropy);
        render(chart, &user, &release, &capabilities, host, &options)?;
        count += 1;
    }
    let busy = busy().zip(busy_before).and_then(|(after, before)| after.checked_sub(before));
    Ok(f64::from(count) / busy.unwrap_or_else(|| started.elapsed()).as_secs_f64())
}

/// Processor time of this thread, where the system tells; other programs do not count then.
fn busy() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}
