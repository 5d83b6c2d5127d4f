//! Compares builds with a directory of golden ones: `parity DIR [WORD IN ID]`.

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let directory = PathBuf::from(args.next().ok_or("which directory?")?);
    let word = args.next().unwrap_or_default();
    let read = |name: &str| std::fs::read(directory.join(name)).ok();
    let report = kustomize_build::parity::run(&read, &|case| case.id.contains(&word))?;
    let mut output = std::io::stdout().lock();
    std::io::Write::write_all(&mut output, report.to_string().as_bytes())?;
    if let Some(inline) = read("units-handwritten.json").filter(|_| word.is_empty()) {
        let report = kustomize_build::parity::run_inline(&inline)?;
        std::io::Write::write_all(&mut output, report.to_string().as_bytes())?;
    }
    Ok(())
}
