//! Every dependency has a licence that deny.toml allows.

use super::Findings;
use crate::repository;
use anyhow::Result;
use serde_json::Value;

pub(super) fn check(metadata: &Value, findings: &mut Findings) -> Result<()> {
    let deny = std::fs::read_to_string(repository::root().join("deny.toml"))?;
    let allowed = allowed(&deny);
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        // Without an expression there is a file, which cargo-deny can read and we cannot.
        let Some(expression) = package["license"].as_str() else { continue };
        let is_exception = deny.contains(&format!("crate = \"{name}\""));
        if !is_exception && !is_allowed(expression, &allowed) {
            findings.fault(format!(
                "{name} has the licence {expression}, which deny.toml does not allow"
            ));
        }
    }
    Ok(())
}

/// The first list called `allow`: one string a line.
fn allowed(deny: &str) -> Vec<&str> {
    let lines = deny.lines().skip_while(|line| *line != "allow = [").skip(1);
    let lines = lines.take_while(|line| *line != "]");
    lines.filter_map(|line| line.trim().strip_prefix('"')?.split('"').next()).collect()
}

/// Whether one of the alternatives is allowed with all its parts. Brackets are read as if they were not
/// there, which is right for all expressions without `AND` around an `OR`, and strict for the others.
fn is_allowed(expression: &str, allowed: &[&str]) -> bool {
    // `/` is what people wrote before there was a standard.
    let expression = expression.replace(['(', ')'], "").replace('/', " OR ");
    expression.split(" OR ").any(|alternative| {
        alternative.split(" AND ").all(|licence| allowed.contains(&licence.trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_allowed_alternative_is_enough() {
        let allowed = allowed("x\nallow = [\n    \"MIT\",\n    \"ISC\",\n]\n\"GPL-3.0\",\n");
        assert_eq!(allowed, ["MIT", "ISC"]);
        for (expression, fine) in [
            ("MIT OR GPL-3.0", true),
            ("MIT/GPL-3.0", true),
            ("MIT AND ISC", true),
            ("ISC AND (GPL-3.0 OR MIT)", true),
            ("ISC AND GPL-3.0", false),
        ] {
            assert_eq!(is_allowed(expression, &allowed), fine, "{expression}");
        }
    }
}
