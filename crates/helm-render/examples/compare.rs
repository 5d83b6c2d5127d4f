//! Compares with the corpus: `parity charts DIR` or `parity tables DIR`.

#![expect(clippy::print_stdout, reason = "it is what the program is for")]

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let report = match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["charts", dir] => helm_render::parity::charts(Path::new(dir)),
        ["tables", dir] => helm_render::parity::tables(Path::new(dir)),
        _ => {
            println!("usage: parity charts DIR | parity tables DIR");
            return ExitCode::FAILURE;
        }
    };
    match report {
        Ok(report) => {
            println!("{report}");
            if report.different() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}
