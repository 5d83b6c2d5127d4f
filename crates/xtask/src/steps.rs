//! A run of named steps, with their durations.

use anyhow::Result;
use std::time::{Duration, Instant};

/// Runs steps one after the other and remembers how long each took. The first failure ends the run.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<(&'static str, Duration)>,
}

impl Steps {
    pub(crate) fn run(
        &mut self,
        name: &'static str,
        step: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        println!("\n=== {name}");
        let start = Instant::now();
        let end = step();
        self.done.push((name, start.elapsed()));
        if end.is_err() {
            println!("\n=== {name} failed");
            self.summary();
        }
        end
    }

    pub(crate) fn summary(&self) {
        println!();
        for (name, duration) in &self.done {
            println!("{:>7.1} s  {name}", duration.as_secs_f32());
        }
        let total: Duration = self.done.iter().map(|(_, duration)| *duration).sum();
        println!("{:>7.1} s  in all", total.as_secs_f32());
    }
}
