//! Distills the facts of the published definitions in `../shared/crds` into the test's fixture.

#[path = "../tests/support/mod.rs"]
mod support;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let crds = support::reference("crds").ok_or("nothing to distill")?;
    let facts = support::facts::published(&crds)?;
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/facts/published.json");
    std::fs::write(fixture, support::facts::print(&facts))?;
    Ok(())
}
