//! Writes the custom resource definitions into the directory given as argument.

fn main() -> std::io::Result<()> {
    let directory = std::env::args_os().nth(1).unwrap_or_else(|| "config/crds".into());
    for (name, content) in crd_types::codegen::files() {
        std::fs::write(std::path::Path::new(&directory).join(name), content)?;
    }
    Ok(())
}
