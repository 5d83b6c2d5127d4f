//! `cargo xtask bench charts`: what rendering charts costs, beside Helm's engine in the same run.
//!
//! Not a test: it prints figures and judges nothing. All times are processor time, so that a busy
//! machine changes them little.

mod growth;
mod meter;
mod oracle;
mod program;

use anyhow::{Context as _, Result, ensure};
use file_tree::TreePath;
use helm_chart::{Chart, archive, directory, disk};
use helm_functions::{Helm, SystemEntropy};
use helm_render::{Capabilities, Options, Release, Rendered, TemplateCache, render};
use meter::Micros;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The chart that `helm create` makes, in our words.
const CREATED: &str = "crates/helm-render/tests/charts/web";

/// What a chart costs here, in microseconds of processor time.
struct Cost {
    /// Loaded, parsed, rendered, and its manifests sorted.
    cold: Micros,
    /// Rendered and sorted, with the chart loaded and its templates parsed. Everything that depends
    /// on a release is done anew: dependencies, values, their schema.
    warm: Micros,
}

/// What a chart costs Helm.
struct HelmCost {
    /// As ours.
    cold: Micros,
    /// With the chart loaded and its dependencies processed. Helm parses templates all the same.
    warm: Micros,
    /// How much of that is parsing, which a cache would save.
    parsing: Micros,
}

/// Prints all figures; `corpus` is a folder of `OWNER__REPO/CHART.tgz`.
pub(crate) fn charts(corpus: Option<&Path>) -> Result<()> {
    growth::index()?;
    growth::templates()?;
    let mut paths = vec![PathBuf::from(CREATED)];
    if let Some(folder) = corpus {
        paths.extend(archives(folder)?);
    } else {
        println!("no folder of charts was given: only the chart of `helm create` is measured");
    }
    // Charts that need values are left out; the parity command tells whether they are right to fail.
    let ours: BTreeMap<&PathBuf, Cost> =
        paths.iter().filter_map(|path| Some((path, cost(path).ok()?))).collect();
    ensure!(ours.contains_key(&PathBuf::from(CREATED)), "{CREATED} cannot be rendered");
    let theirs = oracle::costs(&paths);
    let created = PathBuf::from(CREATED);
    let is_created = |path: &Path| path == created;
    print("helm create", &ours, &theirs, &is_created);
    if corpus.is_some() {
        let makes_keys: BTreeSet<&Path> =
            paths.iter().map(PathBuf::as_path).filter(|path| makes_keys(path)).collect();
        print("corpus", &ours, &theirs, &|path| !is_created(path) && !makes_keys.contains(path));
        print("corpus, charts that make keys", &ours, &theirs, &|path| makes_keys.contains(path));
    }
    println!(
        "{} of {} charts render without values; Helm's engine renders {}, {} of them both",
        ours.len(),
        paths.len(),
        theirs.len(),
        ours.keys().filter(|path| theirs.contains_key(**path)).count()
    );
    program::print(ours.keys().copied());
    println!("peak RSS: {:.0} MiB", meter::peak_rss_mib());
    Ok(())
}

/// Whether a chart may search for prime numbers or hash a password. That takes as long as chance has
/// it, and a hundred times as long as everything else, so such charts are counted apart.
fn makes_keys(path: &Path) -> bool {
    const COSTLY: [&[u8]; 7] = [
        b"genCA",
        b"genSignedCert",
        b"genSelfSignedCert",
        b"genPrivateKey",
        b"htpasswd",
        b"bcrypt",
        b"derivePassword",
    ];
    fn calls_one(chart: &Chart) -> bool {
        let mut texts = chart.templates.iter().map(|file| &file.bytes);
        texts.any(|text| COSTLY.iter().any(|name| text.windows(name.len()).any(|w| w == *name)))
            || chart.dependencies.iter().any(calls_one)
    }
    load(path).is_ok_and(|chart| calls_one(&chart))
}

fn archives(folder: &Path) -> Result<Vec<PathBuf>> {
    let cannot = || format!("cannot read {}", folder.display());
    let mut archives = Vec::new();
    for repository in std::fs::read_dir(folder).with_context(cannot)? {
        let repository = repository?.path();
        if repository.is_dir() {
            for file in std::fs::read_dir(repository)? {
                archives.push(file?.path());
            }
        }
    }
    archives.retain(|path| path.extension().is_some_and(|extension| extension == "tgz"));
    archives.sort();
    Ok(archives)
}

fn load(path: &Path) -> Result<Chart> {
    if path.is_dir() {
        return Ok(directory::load(&disk::read(path)?, &TreePath::ROOT)?);
    }
    Ok(archive::load(&std::fs::read(path)?)?)
}

fn cost(path: &Path) -> Result<Cost> {
    let cold = meter::cost(|| run(&load(path)?, None))?;
    let chart = load(path)?;
    let cache = TemplateCache::new(64 << 20);
    let warm = meter::cost(|| run(&chart, Some(&cache)))?;
    Ok(Cost { cold, warm })
}

fn run(chart: &Chart, cache: Option<&TemplateCache>) -> Result<Rendered> {
    let release = Release {
        name: "rel".to_owned(),
        namespace: "ns".to_owned(),
        is_upgrade: false,
        revision: 1,
    };
    let (user, capabilities) = (serde_json::Map::new(), Capabilities::without_cluster());
    let options = Options { cache, ..Options::default() };
    let host = Helm::new(jiff::Timestamp::UNIX_EPOCH, SystemEntropy);
    Ok(render(chart, &user, &release, &capabilities, host, &options)?)
}

/// A line for ours, and lines beside it over the charts that both can render.
fn print(
    what: &str,
    ours: &BTreeMap<&PathBuf, Cost>,
    theirs: &BTreeMap<PathBuf, HelmCost>,
    wanted: &dyn Fn(&Path) -> bool,
) {
    let all: Vec<_> = ours.iter().filter(|(path, _)| wanted(path)).collect();
    if all.is_empty() {
        return;
    }
    let cold = mean(all.iter().map(|(_, cost)| cost.cold));
    let warm = mean(all.iter().map(|(_, cost)| cost.warm));
    println!(
        "{what}, {} charts: cold {:.0}/s ({:.3} ms), warm {:.0}/s ({:.3} ms)",
        all.len(),
        1e6 / cold,
        cold / 1e3,
        1e6 / warm,
        warm / 1e3
    );
    let both: Vec<(&Cost, &HelmCost)> =
        all.iter().filter_map(|(path, cost)| Some((*cost, theirs.get(**path)?))).collect();
    if both.is_empty() {
        return;
    }
    println!("  beside Helm's engine, {} charts:", both.len());
    beside("cold", &both, |ours, theirs| (ours.cold, theirs.cold));
    beside("warm", &both, |ours, theirs| (ours.warm, theirs.warm));
    beside("warm, Helm's without parsing", &both, |ours, theirs| {
        (ours.warm, theirs.warm - theirs.parsing)
    });
}

fn beside(
    what: &str,
    both: &[(&Cost, &HelmCost)],
    figures: impl Fn(&Cost, &HelmCost) -> (Micros, Micros),
) {
    let pairs: Vec<_> = both.iter().map(|(ours, theirs)| figures(ours, theirs)).collect();
    let (ours, theirs) = (mean(pairs.iter().map(|p| p.0)), mean(pairs.iter().map(|p| p.1)));
    let mut ratios: Vec<f64> = pairs.iter().map(|(ours, theirs)| theirs / ours).collect();
    ratios.sort_by(f64::total_cmp);
    println!(
        "    {what}: {:.3} ms to {:.3} ms, {:.1}x; median over charts {:.1}x",
        ours / 1e3,
        theirs / 1e3,
        theirs / ours,
        ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN)
    );
}

#[expect(clippy::cast_precision_loss, reason = "there are few charts")]
fn mean(figures: impl ExactSizeIterator<Item = Micros>) -> Micros {
    let count = figures.len() as f64;
    figures.sum::<Micros>() / count
}
